"""The server that the Engine.IO and Socket.IO suites ask for, over the shipped transport."""

from gevent import monkey

monkey.patch_all()

from collections.abc import Iterable  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from flask import Flask, request  # noqa: E402

from chat.config import Config  # noqa: E402
from chat.sockets import transport  # noqa: E402
from chat.sockets.transport import create_socketio, engine, frames  # noqa: E402

# The settings that the suites name, but for connectTimeout, which is 1 s: one test waits that long for three pings, and
# ours are up to a tenth late (fast/timer_wheel.py).
transport.PING_INTERVAL_S, transport.PING_TIMEOUT_S, engine.CONNECT_WITHIN_S = 0.3, 0.2, 1.5
transport.MAX_MESSAGE_BYTES = frames.MAX_MESSAGE_BYTES = 1_000_000

app = Flask(__name__)
socketio = create_socketio(app, Config.from_env())
plain: set[str] = set()  # sockets that speak Engine.IO alone


class PlainEngine:
    """WSGI: /engine.io/ is Engine.IO alone. The chat has no such path; the same engine serves it."""

    def __init__(self, inner: Any):
        self._inner = inner
        self.slots = inner.slots
        self.admit = inner.admit
        self.headers = inner.headers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/engine.io/"):
            environ["PATH_INFO"] = environ["PATH_INFO"].replace("/engine.io/", "/socket.io/", 1)
            environ["plain"] = True
        return self._inner(environ, start_response)


def connect(sid: str, environ: dict[str, Any]) -> None:
    if "plain" in environ:
        plain.add(sid)
    else:
        served["connect"](sid, environ)


def message(sid: str, data: str) -> None:
    if sid in plain:
        server.eio.send(sid, data)
    else:
        served["message"](sid, data)


def on_connect(auth: Any) -> None:
    """The client is told its auth behind the answer to its connect, and not in the same send: the suites' client
    listens for one message after the other, and misses a second one in what it has read."""
    gevent.spawn_later(0.02, server.emit, "auth", auth or {}, to=request.sid)  # type: ignore[attr-defined]


server = socketio.server
served = dict(server.eio.handlers)
server.eio.on("connect", connect)
server.eio.on("message", message)
is_connected = server.eio.is_connected
server.eio.is_connected = lambda sid: sid in plain or is_connected(sid)
app.wsgi_app = PlainEngine(app.wsgi_app)  # type: ignore[method-assign]
socketio.on_event("connect", on_connect)
socketio.on_event("message", lambda *args: server.emit("message-back", args, to=request.sid))  # type: ignore[attr-defined]
socketio.on_event("message-with-ack", lambda *args: args)


@app.get("/healthz")
def health() -> dict[str, bool]:
    return {"ok": True}
