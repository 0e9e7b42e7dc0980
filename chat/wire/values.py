"""What people are shown. A field that may be absent is unset, and is not written then."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType, field

Emoji = Annotated[
    str,
    Meta(
        title="Emoji",
        description="One emoji: the server takes nothing else, so it is never the name of something that every object "
        "has.",
    ),
]
EntryKind = Annotated[
    Literal["message", "change", "joined", "left", "removed", "room", "tombstone"], Meta(title="EntryKind")
]
RoomKind = Literal["public", "private"]


class User(Struct):
    username: str
    name: str


class Member(Struct):
    username: str
    name: str
    next: Annotated[bool | UnsetType, Meta(description="Who owns the room when its owner goes and names nobody.")] = (
        UNSET
    )


class Session(Struct):
    expires_at: int
    ttl_s: Annotated[
        int | UnsetType, Meta(description="How long it lives on after an act; a server of before does not say.")
    ] = UNSET


class Device(Struct):
    """One of my sessions; times in seconds."""

    id: str
    current: bool
    device: str
    began_at: int
    expires_at: int
    kept: Annotated[bool | UnsetType, Meta(description="Its person asked to be kept signed in there.")] = UNSET


class Message(Struct):
    room: str
    generation: int
    seq: int
    rev: int
    client_id: str
    author: str
    name: str
    text: str
    created_at_ms: int
    deleted: bool
    edited_at_ms: int | UnsetType = UNSET
    reply_to: int | UnsetType = UNSET
    via: Annotated[
        Literal["table"] | UnsetType, Meta(description="Put into the table by somebody who is no user here.")
    ] = UNSET
    reactions: Annotated[
        dict[Emoji, int] | UnsetType,
        Meta(description="Emoji → how many reacted with it, in the order in which the emoji came."),
    ] = UNSET
    mine: Annotated[
        list[str] | UnsetType,
        Meta(description="Which of the reactions are my own; what goes to many does not say it."),
    ] = UNSET


class Entry(Struct):
    seq: int
    kind: EntryKind
    at_ms: int | UnsetType = UNSET
    message: int | UnsetType = UNSET
    user: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    by: str | UnsetType = UNSET
    successor: Annotated[
        str | UnsetType, Meta(description="Who owns the room from here on, because its owner went.")
    ] = UNSET


class Page(Struct):
    generation: int
    entries: list[Entry]
    messages: list[Message]
    head: int
    more: bool
    floor: int | UnsetType = UNSET
    start: int | UnsetType = field(name="from", default=UNSET)
    gap: bool | UnsetType = UNSET
    oldest: Annotated[
        int | UnsetType, Meta(description="Of a sparse page: from here on it has all there is to show.")
    ] = UNSET
    quotes: Annotated[
        list[Message] | UnsetType,
        Meta(description="What its messages answer and is not among them; a server of before sends none."),
    ] = UNSET


class Room(Struct):
    room: str
    name: str
    kind: RoomKind
    generation: int
    head: int
    read: int
    unread: int
    owner: str | UnsetType = UNSET
    start: int | UnsetType = field(name="from", default=UNSET)
    unread_more: bool | UnsetType = UNSET


class RoomName(Struct):
    room: str
    name: str


class RoomsAnswer(Struct):
    rooms: list[Room]
    joinable: list[RoomName]
    rooms_after: str | UnsetType = UNSET
    joinable_after: str | UnsetType = UNSET


class Head(NamedTuple):
    generation: int
    head: int


Heads = Annotated[
    dict[str, Head],
    Meta(title="Heads", description="By room; only ever gone through, for rooms may be called `constructor`."),
]


class ErrorBody(Struct):
    code: str
    message: str
    retry: bool
    retry_after_s: int | UnsetType = UNSET
