"""What each request of a socket does: parse, call one service method, answer. The table is in
chat/sockets/__init__.py."""

from __future__ import annotations

from typing import Any

from chat.errors import ChatError
from chat.models import MAX_SEQ
from chat.services.messages.messages import Messages, acked
from chat.sockets.client_sockets import ClientSocket


def field(payload: dict[str, Any], name: str, kind: type) -> Any:
    """A field of exactly that type. Raises: ChatError `body_invalid`."""
    value = payload.get(name)
    if type(value) is not kind:
        raise ChatError("body_invalid")
    return value


def number(payload: dict[str, Any], name: str, default: int | None = None) -> int:
    """An entry's number, or the default when absent. Raises: ChatError `cursor_invalid`."""
    value = payload.get(name, default)
    if type(value) is not int or not 0 <= value <= MAX_SEQ:
        raise ChatError("cursor_invalid")
    return value


def send(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`message:send`"""
    reply_to = number(payload, "reply_to") if payload.get("reply_to") is not None else None
    room, client_id, text = (field(payload, name, str) for name in ("room", "client_id", "text"))
    return acked(messages.send(me.person, room, client_id, text, number(payload, "after", 0), reply_to))


def edit(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`message:edit`"""
    room, client_id, text = (field(payload, name, str) for name in ("room", "client_id", "text"))
    return acked(messages.edit(me.person, room, client_id, number(payload, "seq"), text))


def delete(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`message:delete`"""
    room, client_id = (field(payload, name, str) for name in ("room", "client_id"))
    return acked(messages.delete(me.person, room, client_id, number(payload, "seq")))


def add_reaction(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`reaction:add`"""
    room, client_id, emoji = (field(payload, name, str) for name in ("room", "client_id", "emoji"))
    return acked(messages.react(me.person, room, client_id, number(payload, "seq"), emoji, True))


def remove_reaction(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`reaction:remove`"""
    room, client_id, emoji = (field(payload, name, str) for name in ("room", "client_id", "emoji"))
    return acked(messages.react(me.person, room, client_id, number(payload, "seq"), emoji, False))


def list_reactions(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`reaction:list`"""
    return {"reactions": messages.who_reacted(me.person, field(payload, "room", str), number(payload, "seq"))}


def open_room(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`room:open`"""
    return messages.open(me.person, field(payload, "room", str), number(payload, "after", 0)).to_dict()


def read(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`room:read`"""
    return {"seq": messages.mark_read(me.person, field(payload, "room", str), number(payload, "seq"))}


def typing_start(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`typing:start`"""
    messages.typing(me.person, field(payload, "room", str), True)
    return {}


def typing_stop(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> dict[str, Any]:
    """`typing:stop`"""
    messages.typing(me.person, field(payload, "room", str), False)
    return {}


def typing_is_known(messages: Messages, me: ClientSocket, payload: dict[str, Any]) -> bool:
    """Whether these two can be answered without waiting."""
    room = payload.get("room")
    return isinstance(room, str) and messages.is_known(me.person, room)
