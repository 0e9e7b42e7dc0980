"""What is told on the bus: one type for each kind.

An event is a JSON object, `{n, kind, …}`, `n` its number among those of its origin. Workers of two versions hear each
other (docs/decisions/0025-two-versions-side-by-side.md), so what arrives is read leniently: a kind or a field that this
version does not know is passed by. A field that comes later has a default.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder, decode

_encode = Encoder().encode


class Event(Struct, frozen=True, tag_field="kind"):
    """Something that happened. A `volatile` one may be dropped where there is too much to tell."""

    volatile: ClassVar[bool] = False


class Logged(Event, frozen=True, tag="entry"):
    """An entry stands in a room's log. Entry and image are as clients are told them, with whatever the version says
    that wrote them."""

    room: str
    generation: int
    entry: dict[str, Any]
    image: dict[str, Any] | None


class Decided(Event, frozen=True, tag="decided"):
    """A number of a room's log is decided; what it is, the table says."""

    room: str
    seq: int


class MembershipChanged(Event, frozen=True, tag="membership"):
    """Somebody is in another room, or in one less."""

    user: str


class RoomMade(Event, frozen=True, tag="room_made"):
    """There is a public room more, which everybody may join."""

    room: str
    name: str


class PositionMoved(Event, frozen=True, tag="read"):
    """Somebody has read on in a room."""

    user: str
    room: str
    seq: int


class Reacted(Event, frozen=True, tag="reacted"):
    """Some people's reactions to a message are others now: `mine` has all of each one's, as of its `rev`."""

    room: str
    generation: int
    seq: int
    rev: int
    mine: dict[str, list[str]]


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """A session is over; its sockets are to go."""

    session: str
    reason: str


class Typing(Event, frozen=True, tag="typing"):
    """Somebody types, or no longer."""

    volatile: ClassVar[bool] = True

    room: str
    user: str
    name: str
    typing: bool


class Restored(Event, frozen=True, tag="restored"):
    """The tables were put back to an earlier state."""


class Beat(Event, frozen=True, tag="beat"):
    """A worker's heartbeat, for itself: when it was, by its own clock."""

    at: float


def kind_of(event: Event | type[Event]) -> str:
    """Its kind, as it is told."""
    return str(event.__struct_config__.tag)


KINDS: dict[str, type[Event]] = {
    kind_of(each): each
    for each in (
        Logged,
        Decided,
        MembershipChanged,
        RoomMade,
        PositionMoved,
        Reacted,
        SessionEnded,
        Typing,
        Restored,
        Beat,
    )
}


class Head(Struct):
    """What every event says, of a kind that is known or not."""

    n: int
    kind: str
    volatile: bool = False


_read_head = Decoder(Head).decode
beat = Decoder(Beat).decode  # of this worker: its heart has no other form


def encode(number: int, event: Event) -> bytes:
    """The event under its number, without a line feed in it."""
    volatile = b'"volatile":true,' if event.volatile else b""
    return b'{"n":%d,%b%b' % (number, volatile, _encode(event)[1:])


def read_head(line: str) -> Head | None:
    """Number and kind of an event; None for what is none."""
    try:
        return _read_head(line)
    except DecodeError:
        return None


def read(head: Head, line: str) -> Event | None:
    """The event whose head that is; None when its kind is not known here. Raises: msgspec.DecodeError when it does not
    say what its kind has to."""
    kind = KINDS.get(head.kind)
    return decode(line, type=kind) if kind is not None else None
