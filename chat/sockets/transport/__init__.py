"""Engine.IO and Socket.IO as installed, with what they lack (docs/decisions/0003-stock-transport-guards.md)."""

from __future__ import annotations

import random
from typing import Any

import gevent
from flask import Flask
from flask_socketio import SocketIO

from chat.config import Config
from chat.sockets.transport.gate import Gate
from chat.sockets.transport.queue import BoundedQueue
from chat.sockets.transport.selfcheck import check
from chat.sockets.transport.websocket import MAX_MESSAGE_BYTES, GuardedWebSocket

__all__ = ["check", "create_socketio", "drain"]

CONNECT_WITHIN_S = 10.0
DRAIN_JITTER_MS = (200, 2_000)
DRAIN_S = 0.5


def create_socketio(app: Flask, config: Config) -> SocketIO:
    """The sockets of one app: websocket only, handled in order, bounded in every direction."""
    socketio = SocketIO(
        app,
        async_mode="gevent",
        async_handlers=False,
        manage_session=False,
        transports=["websocket"],
        cors_allowed_origins=list(config.origins),
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        http_compression=False,
        ping_interval=25,
        ping_timeout=20,
    )
    server = socketio.server
    eio = server.eio
    eio._async = eio._async | {"websocket": GuardedWebSocket}

    def cut(queue: BoundedQueue) -> None:
        """Closes the socket that reads too slowly; its client catches up when it is back."""
        for socket in list(eio.sockets.values()):
            if socket.queue is queue:
                socket.close(wait=False, abort=True, reason="too slow")

    eio.create_queue = lambda *args, **kwargs: BoundedQueue(cut)

    def connected(eio_sid: str, environ: dict[str, Any]) -> Any:
        gevent.spawn_later(CONNECT_WITHIN_S, close_idle, eio_sid)
        return server._handle_eio_connect(eio_sid, environ)

    def close_idle(eio_sid: str) -> None:
        """An open without a connect, or whose connect was refused, ends."""
        if eio_sid in eio.sockets and server.manager.sid_from_eio_sid(eio_sid, "/") is None:
            eio.disconnect(eio_sid)

    eio.on("connect", connected)
    app.wsgi_app = Gate(app.wsgi_app, config)  # type: ignore[method-assign]
    return socketio


def drain(socketio: SocketIO) -> None:
    """Tells every client to come back, each at its own moment, and closes the sockets."""
    eio = socketio.server.eio
    for sid in list(socketio.server.manager.rooms.get("/", {}).get(None, {})):
        delay = {"reconnect_in_ms": random.randint(*DRAIN_JITTER_MS)}
        socketio.server.emit("server:restarting", delay, to=sid)
    gevent.sleep(DRAIN_S)
    for socket in list(eio.sockets.values()):
        socket.close(wait=False)
