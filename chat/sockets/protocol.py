"""The socket protocol on one screen: what a client may ask, and what it is told (docs/protocol.md).

Every request is answered `{ok: true, …}` or `{ok: false, error: {code, message, retry}}`. The types are those of
chat/wire; `frontend/src/types/protocol.ts` is made from these two tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from chat.services.assembly import Services
from chat.sockets.client_sockets import ClientSocket
from chat.sockets.handlers import messages, presence, reactions, rooms
from chat.wire import events, requests, values


@dataclass(frozen=True)
class Request:
    """What a client may ask: `handler` answers it, with the fields of `answer` beside `ok`.

    `acts`: it is a person's act that writes, and keeps their session alive. `inline` says of one request whether it
    can be answered without waiting for anything: then the hub does so, without a greenlet.
    """

    handler: Callable[[Services, ClientSocket, Any], dict[str, Any]]
    payload: type[Struct]
    answer: Any
    acts: bool = False
    inline: Callable[[Services, ClientSocket, Any], bool] | None = None


@dataclass(frozen=True)
class Event:
    """What a client is told. `of_room`: it tells something of a room, so nobody gets it of whom it is not known that
    their session is alive (chat/sockets/transport/content.py)."""

    payload: Any
    of_room: bool = True


REQUESTS: dict[str, Request] = {
    "message:send": Request(messages.send, requests.Send, requests.Done, acts=True),
    "message:edit": Request(messages.edit, requests.Edit, requests.Done, acts=True),
    "message:delete": Request(messages.delete, requests.Delete, requests.Done, acts=True),
    "reaction:add": Request(reactions.add, requests.React, requests.Done, acts=True),
    "reaction:remove": Request(reactions.remove, requests.React, requests.Done, acts=True),
    "reaction:list": Request(reactions.list_all, requests.OfMessage, requests.Reactions),
    "room:open": Request(rooms.open_, requests.Open, values.Page),
    "room:read": Request(rooms.read, requests.Read, requests.Position),
    "typing:start": Request(presence.typing_start, requests.OfRoom, requests.Nothing, inline=presence.typing_is_known),
    "typing:stop": Request(presence.typing_stop, requests.OfRoom, requests.Nothing, inline=presence.typing_is_known),
}
PING = "ping"  # is the line alive? Acked with nothing: no session, no store and no service is asked

EVENTS: dict[str, Event] = {
    "message:sent": Event(values.Message),
    "message:changed": Event(events.MessageChanged),
    "member:joined": Event(events.MembershipPush),
    "member:left": Event(events.MembershipPush),
    "member:removed": Event(events.MembershipPush),
    "room:changed": Event(events.RoomChanged),
    "entry:skipped": Event(events.EntrySkipped),
    "room:heads": Event(values.Heads),
    "rooms:changed": Event(events.RoomsChanged, of_room=False),
    "room:made": Event(events.RoomMade),
    "room:read": Event(events.PositionMoved),
    "reaction:mine": Event(events.MyReactions),
    "typing": Event(events.Typing),
    "session:expiring": Event(events.SessionExpiring, of_room=False),
    "session:ended": Event(events.SessionEnded, of_room=False),
    "server:restarting": Event(events.ServerRestarting, of_room=False),
}
