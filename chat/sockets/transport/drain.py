"""The end of a worker, or its isolation: clients are sent to the others, what is being handled is finished first."""

from __future__ import annotations

import random
import time

import gevent
from flask_socketio import SocketIO

from chat.sockets.transport.engine import Engine

RECONNECT_MS = (200, 2_000)
FINISH_WITHIN_S = 1.2
GONE_WITHIN_S = 0.7
POLL_S = 0.02


def drain(socketio: SocketIO) -> None:
    """Ends the sockets of a worker that ends: no new ones, and `send_away`."""
    socketio.server.eio.draining = True
    send_away(socketio)


def send_away(socketio: SocketIO) -> None:
    """Tells every client to come back, each at its own moment, and closes each as soon as it is not being answered.

    Takes at most FINISH_WITHIN_S and GONE_WITHIN_S seconds. An answer that takes longer is not sent: its client asks
    again elsewhere, and its handler still has gunicorn's graceful_timeout to finish.
    """
    server = socketio.server
    engine = server.eio
    for sid, _ in list(server.manager.get_participants("/", None)):
        server.emit("server:restarting", {"reconnect_in_ms": random.randint(*RECONNECT_MS)}, to=sid)
    _close(engine, FINISH_WITHIN_S, also_busy=False)
    _close(engine, GONE_WITHIN_S, also_busy=True)
    for socket in list(engine.sockets.values()):
        socket.cut("restarting")


def _close(engine: Engine, within_s: float, also_busy: bool) -> None:
    """Closes sockets until all are gone or the time is over."""
    until = time.monotonic() + within_s
    while engine.sockets and time.monotonic() < until:
        for socket in list(engine.sockets.values()):
            if also_busy or not socket.busy:
                socket.close(wait=False)
        gevent.sleep(POLL_S)
