"""What a message may say."""

from __future__ import annotations

from chat.errors import ChatError

MAX_TEXT_CHARS = 4_000
MAX_TEXT_BYTES = 16_000


def check_text(text: str) -> None:
    """Raises: ChatError `text_empty`, `text_too_long`, `body_invalid` for a lone surrogate."""
    if not text.strip():
        raise ChatError("text_empty")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ChatError("body_invalid") from None
    if len(text) > MAX_TEXT_CHARS or size > MAX_TEXT_BYTES:
        raise ChatError("text_too_long")
