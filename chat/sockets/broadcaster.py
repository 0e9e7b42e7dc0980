"""The way out: what the sockets of this worker are told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask_socketio import SocketIO
from msgspec import Struct

Payload = Struct | dict[str, Any]  # of one of the types of chat/sockets/protocol.py, EVENTS


class SocketBroadcaster:
    """Everybody's way to this worker's sockets, and the followers' (chat/services/log/subscribers.py)."""

    def __init__(self, socketio: SocketIO):
        self._socketio = socketio

    def emit(self, room: str, event: str, payload: Payload, skip: Collection[str] = ()) -> None:
        """Queues an event for every admitted socket of the room but those."""
        self._socketio.server.emit(event, payload, room=f"room:{room}", skip_sid=skip)

    def tell(self, sid: str, event: str, payload: Payload) -> None:
        """Queues an event for one socket."""
        self._socketio.server.emit(event, payload, to=sid)

    def admit(self, room: str, sid: str) -> None:
        """From the next event on, this socket gets the room's."""
        self._socketio.server.enter_room(sid, f"room:{room}")

    def expel(self, room: str, sid: str) -> None:
        """From the next event on, it does not."""
        self._socketio.server.leave_room(sid, f"room:{room}")
