"""Engine.IO and Socket.IO as installed, with what they lack (docs/decisions/0003-stock-transport-guards.md).

| module | guards |
|---|---|
| admission | who may open a websocket, and how many |
| frames, websocket | what may come in, and that what goes out goes out whole |
| outbox | how much may wait for a client |
| engine, server, packets, encoding | one packet after the other, strictly decoded · what leaves |
| token_bucket, slots, content | how much a client may send · how many there may be · what tells of a room |
| slow_clients, worker, drain | slow HTTP clients, and the end of a worker |
| fast | in the place of websocket, outbox and the engine's sockets: the hub serves them (FANOUT=fast) |
| selfcheck, hooks | that all this is in place |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Flask
from flask_socketio import SocketIO

from chat.config import Config
from chat.sockets.transport.admission import Admission
from chat.sockets.transport.drain import drain, send_away
from chat.sockets.transport.fast.server import FastServer
from chat.sockets.transport.frames import MAX_MESSAGE_BYTES
from chat.sockets.transport.selfcheck import check
from chat.sockets.transport.server import WOULD_BLOCK, Server

__all__ = ["WOULD_BLOCK", "check", "create_socketio", "drain", "send_away"]

PING_INTERVAL_S = 25
PING_TIMEOUT_S = 20
NONE: Mapping[str, str] = MappingProxyType({})


def create_socketio(app: Flask, config: Config, headers: Mapping[str, str] = NONE) -> SocketIO:
    """The sockets of one app: websocket only, handled in order, bounded in every direction. `headers` are what answers
    carry that are not the app's: refused handshakes, and what gunicorn says of what is no request."""
    options = {
        "async_mode": "gevent",
        "async_handlers": False,
        "transports": ["websocket"],
        "allow_upgrades": False,
        "cors_allowed_origins": list(config.origins),
        "max_http_buffer_size": MAX_MESSAGE_BYTES,
        "http_compression": False,
        "ping_interval": PING_INTERVAL_S,
        "ping_timeout": PING_TIMEOUT_S,
        "monitor_clients": False,  # each EngineSocket keeps watch itself
    }
    socketio = SocketIO(app, manage_session=False, **options)
    # Flask-SocketIO has no setting for the server's class: ours takes the place of the one it made.
    made = FastServer(**options) if config.fanout == "fast" else Server(**options)
    socketio.server = socketio.sockio_mw.engineio_app = made
    app.wsgi_app = Admission(app.wsgi_app, config, socketio.server.eio, headers)  # type: ignore[method-assign]
    return socketio
