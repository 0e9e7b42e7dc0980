"""What one is just doing."""

from __future__ import annotations

from typing import Any

from chat.services.assembly import Services
from chat.sockets.client_sockets import ClientSocket
from chat.wire.requests import OfRoom


def typing_start(services: Services, me: ClientSocket, asked: OfRoom) -> dict[str, Any]:
    """`typing:start`"""
    services.typing.tell(me.person, asked.room, True)
    return {}


def typing_stop(services: Services, me: ClientSocket, asked: OfRoom) -> dict[str, Any]:
    """`typing:stop`"""
    services.typing.tell(me.person, asked.room, False)
    return {}


def typing_is_known(services: Services, me: ClientSocket, asked: OfRoom) -> bool:
    """Whether these two can be answered without waiting."""
    return services.typing.is_known(me.person, asked.room)
