"""A worker that hears nothing while others do sends its sockets to them, and takes none until it hears again."""

from __future__ import annotations

import logging
import time

from flask_socketio import SocketIO

from chat.services.health.workers import Workers
from chat.services.runtime.background import Background
from chat.sockets.transport import send_away

LOOK_S = 0.5
STOPPED_S = 2.0  # between two looks: this process was stopped, or its machine slept

log = logging.getLogger(__name__)


class Isolation:
    """Watches whether this worker hears the bus."""

    def __init__(self, socketio: SocketIO, workers: Workers):
        self._socketio = socketio
        self._workers = workers
        self._looked_at = time.monotonic()

    def start(self, background: Background) -> None:
        """Looks from now on."""
        self._looked_at = time.monotonic()
        background.every(LOOK_S, self.look)

    def look(self) -> None:
        """Sends the sockets away, or takes some again. Raises: ChatError `unavailable`."""
        now, engine = time.monotonic(), self._socketio.server.eio
        if now - self._looked_at > STOPPED_S:
            self._workers.woke()
        self._looked_at = now
        if engine.deaf:
            engine.deaf = self._workers.deaf
        elif self._workers.alone_deaf():
            log.error("this worker alone hears nothing from Redis: its sockets go to the others")
            engine.deaf = True
            send_away(self._socketio)
            self._looked_at = time.monotonic()
