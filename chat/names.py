"""Names that people type, of themselves and of rooms, and the ids that they stand for.

Every door folds names here and nowhere else. What NFKC does with a text costs more than the text is long (32,000
combining marks: six seconds), so a name is measured as it came, before anything is done with it; and because folding
also lengthens a name, up to eighteenfold, what came out is measured too.
"""

from __future__ import annotations

import re
import unicodedata

from chat.errors import ChatError

USERNAME_CHARS = (2, 32)
USERNAME = re.compile(r"\w+([.\-]\w+)*")
ROOM_NAME_CHARS = (2, 48)
ROOM_ID_CHARS = 64
TYPED_CHARS = 128  # of any name as it came; decomposed letters have up to four characters for one


def folded(typed: str) -> str | None:
    """NFKC and casefolded; None for what is too long to be anybody's name, at which nothing else is looked."""
    return unicodedata.normalize("NFKC", typed).casefold() if len(typed) <= TYPED_CHARS else None


def username(typed: str) -> str | None:
    """The id of the account that goes by that name; None when no account can."""
    name = folded(typed)
    if name is None or not USERNAME_CHARS[0] <= len(name) <= USERNAME_CHARS[1] or not USERNAME.fullmatch(name):
        return None
    return name


def shown(typed: str) -> str:
    """A name that may be an account's, as others see it: NFKC, with its capitals."""
    return unicodedata.normalize("NFKC", typed)


def room_slug(name: str) -> str:
    """The id of a public room with that name: `Design Crits` → `design-crits`; one that every request takes.

    Raises: ChatError `room_name_invalid`.
    """
    name_folded = folded(name) if ROOM_NAME_CHARS[0] <= len(name) <= ROOM_NAME_CHARS[1] else None
    if name_folded is None or not all(c.isalnum() or c in " -_." for c in name_folded):
        raise ChatError("room_name_invalid")
    slug = re.sub(r"[ ._-]+", "-", name_folded).strip("-")
    if not ROOM_NAME_CHARS[0] <= len(slug) <= ROOM_ID_CHARS:
        raise ChatError("room_name_invalid")
    return slug


def may_be_room(room_id: object) -> bool:
    """Whether a room can have that id: those that cannot are never asked for."""
    return isinstance(room_id, str) and 0 < len(room_id) <= ROOM_ID_CHARS and "#" not in room_id
