"""What a message may say."""

from __future__ import annotations

import re

from chat.errors import ChatError

# What shows nothing: white space, control characters, whatever Unicode says may be left out (Default_Ignorable: zero
# widths, directions, joiners, selectors, fillers, tags), and a blank of braille.
NOTHING = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*+"
)
MAX_TEXT_CHARS = 4_000
MAX_TEXT_BYTES = 16_000


def shows(text: str) -> bool:
    """Whether anything of a text can be seen."""
    return NOTHING.fullmatch(text) is None


def check_text(text: str) -> None:
    """Raises: ChatError `text_empty`, `text_too_long`, `body_invalid` for a lone surrogate."""
    if not shows(text):
        raise ChatError("text_empty")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ChatError("body_invalid") from None
    if len(text) > MAX_TEXT_CHARS or size > MAX_TEXT_BYTES:
        raise ChatError("text_too_long")
