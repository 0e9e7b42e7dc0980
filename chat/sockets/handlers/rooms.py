"""Reading a room, and how far one has read."""

from __future__ import annotations

from typing import Any

from chat.services.assembly import Services
from chat.sockets.client_sockets import ClientSocket
from chat.wire.requests import Open, Read


def open_(services: Services, me: ClientSocket, asked: Open) -> dict[str, Any]:
    """`room:open`"""
    return services.history.open(me.person, asked.room, asked.after).to_dict()


def read(services: Services, me: ClientSocket, asked: Read) -> dict[str, Any]:
    """`room:read`"""
    return {"seq": services.read_positions.move(me.person, asked.room, asked.seq)}
