"""What a client asks by socket, and what it is answered beside `ok`. Fields are checked in the order in which they
stand here; one that is not known is passed by."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chat.models import MAX_SEQ
from chat.wire.values import Emoji, Message

# An entry's number. Whatever is wrong with one is `cursor_invalid`; with any other field, `body_invalid`.
Number = Annotated[int, Meta(ge=0, le=MAX_SEQ, extra={"code": "cursor_invalid"})]


class Send(Struct, frozen=True, kw_only=True):
    reply_to: Number | None = None
    room: str
    client_id: str
    text: str
    after: Number = 0


class Edit(Struct, frozen=True):
    room: str
    client_id: str
    text: str
    seq: Number


class Delete(Struct, frozen=True):
    room: str
    client_id: str
    seq: Number


class React(Struct, frozen=True):
    room: str
    client_id: str
    emoji: str
    seq: Number


class OfMessage(Struct, frozen=True):
    room: str
    seq: Number


class Open(Struct, frozen=True):
    room: str
    after: Number = 0


class Read(Struct, frozen=True):
    room: str
    seq: Number


class OfRoom(Struct, frozen=True):
    room: str


# --- answers ---------------------------------------------------------------------------------------------------------


class Carried(Struct):
    message: Message


class Unseen(Struct):
    seq: int


Done = Annotated[
    Carried | Unseen,
    Meta(
        title="Done",
        description="A change was carried out: the message as it is now, or only its entry when that is not ours to "
        "see any more.",
    ),
]


class Reactions(Struct):
    reactions: dict[Emoji, list[str]]


class Position(Struct):
    seq: int


class Nothing(Struct):
    pass
