"""Reacting to a message, and who did."""

from __future__ import annotations

from typing import Any

from chat.services.assembly import Services
from chat.services.messages.writing import acked
from chat.sockets.client_sockets import ClientSocket
from chat.wire.requests import OfMessage, React


def add(services: Services, me: ClientSocket, asked: React) -> dict[str, Any]:
    """`reaction:add`"""
    return acked(services.messages.react(me.person, asked.room, asked.client_id, asked.seq, asked.emoji, True))


def remove(services: Services, me: ClientSocket, asked: React) -> dict[str, Any]:
    """`reaction:remove`"""
    return acked(services.messages.react(me.person, asked.room, asked.client_id, asked.seq, asked.emoji, False))


def list_all(services: Services, me: ClientSocket, asked: OfMessage) -> dict[str, Any]:
    """`reaction:list`"""
    return {"reactions": services.history.who_reacted(me.person, asked.room, asked.seq)}
