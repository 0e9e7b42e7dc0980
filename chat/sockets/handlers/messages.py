"""Writing in a room, and changing what one wrote."""

from __future__ import annotations

from typing import Any

from chat.services.assembly import Services
from chat.services.messages.writing import acked
from chat.sockets.client_sockets import ClientSocket
from chat.wire.requests import Delete, Edit, Send


def send(services: Services, me: ClientSocket, asked: Send) -> dict[str, Any]:
    """`message:send`"""
    return acked(
        services.messages.send(me.person, asked.room, asked.client_id, asked.text, asked.after, asked.reply_to)
    )


def edit(services: Services, me: ClientSocket, asked: Edit) -> dict[str, Any]:
    """`message:edit`"""
    return acked(services.messages.edit(me.person, asked.room, asked.client_id, asked.seq, asked.text))


def delete(services: Services, me: ClientSocket, asked: Delete) -> dict[str, Any]:
    """`message:delete`"""
    return acked(services.messages.delete(me.person, asked.room, asked.client_id, asked.seq))
