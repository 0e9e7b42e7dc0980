"""Reactions: what an emoji is, and what a message becomes when somebody reacts to it."""

from __future__ import annotations

import re
from dataclasses import replace

from chat.errors import ChatError
from chat.models import Message

MAX_EMOJI = 20  # different ones on a message
MAX_REACTIONS = 2_000  # on a message; with the longest names its row stays below the 400 KB of an item
MAX_NAMES = 50  # that are told of each emoji
MAX_EMOJI_BYTES = 40  # the longest that Unicode recommends, a kiss of two skin tones, has 35

# The grammar of UTS #51 ("Possible Emoji"), with blocks of symbols for the property that `re` does not know. The last
# of them has the emoji of tomorrow too.
_SYMBOL = "[©®‼⁉™ℹ←-⇿⌀-⏿Ⓜ■-➿⤴⤵⬀-⯿〰〽㊗㊙\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
_ELEMENT = (
    f"(?:[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    f"|{_SYMBOL}(?:[\U0001f3fb-\U0001f3ff]|\ufe0f)?(?:[\U000e0020-\U000e007e]+\U000e007f)?)"
)
EMOJI = re.compile(f"{_ELEMENT}(?:\u200d{_ELEMENT})*")


def check_emoji(emoji: str) -> None:
    """Raises: ChatError `emoji_invalid` unless it is one emoji and nothing else."""
    if not EMOJI.fullmatch(emoji) or len(emoji.encode()) > MAX_EMOJI_BYTES:
        raise ChatError("emoji_invalid")


def reacted(message: Message, username: str, emoji: str) -> Message | None:
    """The message with that reaction, None when it has it already. Raises: ChatError `reactions_full`."""
    who = message.reactions.get(emoji, ())
    if username in who:
        return None
    if sum(map(len, message.reactions.values())) >= MAX_REACTIONS or (not who and len(message.reactions) >= MAX_EMOJI):
        raise ChatError("reactions_full")
    return replace(message, reactions=message.reactions | {emoji: (*who, username)})


def unreacted(message: Message, username: str, emoji: str) -> Message | None:
    """The message without that reaction, None when it has none."""
    who = message.reactions.get(emoji, ())
    if username not in who:
        return None
    others = tuple(other for other in who if other != username)
    rest = {each: people for each, people in message.reactions.items() if each != emoji or others}
    return replace(message, reactions=rest | ({emoji: others} if others else {}))
