"""What the server tells on its own."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from chat.wire.values import Message

Reason = Literal["logout", "expired", "elsewhere", "everywhere", "password", "replaced"]


class MessageChanged(Struct):
    room: str
    generation: int
    entry: int
    message: Message


class MembershipPush(Struct):
    room: str
    generation: int
    entry: int
    user: str
    name: str
    by: str | UnsetType = UNSET
    successor: str | UnsetType = UNSET
    at_ms: int | UnsetType = UNSET


class RoomChanged(Struct):
    room: str
    generation: int
    entry: int
    name: str
    at_ms: int | UnsetType = UNSET


class EntrySkipped(Struct):
    room: str
    generation: int
    entry: int


class RoomsChanged(Struct):
    pass


class RoomMade(Struct):
    room: str
    name: str


class PositionMoved(Struct):
    room: str
    seq: int


class MyReactions(Struct):
    room: str
    generation: int
    seq: int
    rev: int
    mine: list[str]


class Typing(Struct):
    room: str
    user: str
    name: str
    typing: bool


class SessionExpiring(Struct):
    expires_at: int


class SessionEnded(Struct):
    reason: Reason


class ServerRestarting(Struct):
    reconnect_in_ms: int
