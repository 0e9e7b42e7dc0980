"""What is asked by HTTP: the fields of a body that each route takes; one that is not known is passed by."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chat.models import MAX_SEQ
from chat.wire.values import RoomKind


class Register(Struct, frozen=True):
    username: str
    password: str


class Login(Struct, frozen=True):
    username: str
    password: str
    remember: bool | None = None


class Ticket(Struct, frozen=True):
    ticket: str


class NewPassword(Struct, frozen=True):
    password: str
    new_password: str


class NewRoom(Struct, frozen=True):
    client_id: str
    name: str
    kind: RoomKind


class Move(Struct, frozen=True):
    client_id: str


class Leave(Struct, frozen=True):
    client_id: str
    successor: str | None = None


class MoveOther(Struct, frozen=True):
    client_id: str
    username: str


class Say(Struct, frozen=True):
    client_id: str
    text: str
    reply_to: Annotated[int, Meta(ge=1, le=MAX_SEQ, extra={"range": "cursor_invalid"})] | None = None
