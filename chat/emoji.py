"""One emoji, one form: some may be written with a variation selector or without, and are the same to people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_SELECTOR = "\ufe0f"  # asks for the picture of a character that is text otherwise
# The emoji that are text by default, as of Unicode 17. Those of later ones have one form too: without the selector.
_TEXT = (
    "©®‼⁉™ℹ↔-↙↩↪⌨⏏⏭-⏯⏱⏲⏸-⏺Ⓜ▪▫▶◀◻◼☀-☄☎☑☘☝☠☢☣☦☪☮☯☸-☺♀♂♟♠♣♥♦♨♻♾⚒⚔-⚗⚙⚛⚜⚠⚧⚰⚱⛈⛏⛑⛓⛩⛰⛱⛴⛷-⛹✂✈✉✌✍✏✒✔✖✝✡✳✴❄❇❣❤➡⤴⤵⬅-⬇"
    "〰〽㊗㊙🅰🅱🅾🅿🈂🈷🌡🌤-🌬🌶🍽🎖🎗🎙-🎛🎞🎟🏋-🏎🏔-🏟🏳🏵🏷🐿👁📽🕉🕊🕯🕰🕳-🕹🖇🖊-🖍🖐🖥🖨🖱🖲🖼🗂-🗄🗑-🗓🗜-🗞🗡🗣🗨🗯🗳🗺🛋🛍-🛏🛠-🛥🛩🛰🛳"
)
_ASKS = re.compile(f"[{_TEXT}](?![\U0001f3fb-\U0001f3ff])|[0-9#*](?=\u20e3)")


@lru_cache(1_024)
def one_form(emoji: str) -> str:
    """The emoji as Unicode has it fully qualified: with the selector where it is text otherwise, and only there. What
    is none stays what it is, but for its selectors."""
    return _ASKS.sub(lambda found: found[0] + _SELECTOR, emoji.replace(_SELECTOR, ""))


def by_emoji(reactions: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Who reacted, of rows of an emoji and its people. Earlier versions kept the forms of one emoji apart: who chose
    two of them is in it once."""
    found: dict[str, tuple[str, ...]] = {}
    for emoji, *who in reactions:
        form = one_form(emoji)
        found[form] = tuple(dict.fromkeys((*found.get(form, ()), *who)))
    return found
