"""A tiny app over the shipped transport: `gunicorn -c gunicorn.conf.py tests.transport.tiny:app`."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import resource  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from flask import Flask, request  # noqa: E402
from flask_socketio import ConnectionRefusedError  # noqa: E402

from chat.config import Config  # noqa: E402
from chat.sockets import transport  # noqa: E402
from chat.sockets.transport import WOULD_BLOCK, check, create_socketio, engine, slow_clients, worker  # noqa: E402

if "HURRY_S" in os.environ:  # what ends after ten seconds does so after that many
    engine.CONNECT_WITHIN_S = slow_clients.HEAD_S = slow_clients.BODY_S = slow_clients.WRITE_S = float(
        os.environ["HURRY_S"]
    )
if "SILENT_S" in os.environ:  # who has not said anything
    slow_clients.PEEK_S = float(os.environ["SILENT_S"])
if "PING_S" in os.environ:
    transport.PING_INTERVAL_S = transport.PING_TIMEOUT_S = float(os.environ["PING_S"])
if "UNGUARDED" in os.environ:  # gunicorn as it is
    worker.install = lambda _: None

config = Config.from_env()
app = Flask(__name__)
app.config.update(
    MAX_CONTENT_LENGTH=64 * 1024,
    SESSION_COOKIE_NAME=config.cookie_name,
    SESSION_COOKIE_HTTPONLY=True,
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=config.secure,
)
socketio = create_socketio(app, config)
begun: list[str] = []
finished: list[str] = []
connects: list[str] = []
disconnects: list[str] = []
guarded: set[str] = set()


@app.get("/healthz")
def health() -> dict[str, bool]:
    return {"ok": True}


@app.post("/body")
def body() -> dict[str, int]:
    return {"bytes": len(request.get_data())}


@app.get("/large")
def large() -> bytes:
    return b"x" * 20_000_000


@app.get("/facts")
def facts() -> dict[str, Any]:
    """What the tests ask about the worker; memory in bytes."""
    engine, manager = socketio.server.eio, socketio.server.manager
    return {
        "high_water": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "engine": len(engine.sockets),
        "environs": len(socketio.server.environ),
        "connected": len(manager.rooms.get("/", {}).get(None, {})),
        "pending": sum(len(pending) for pending in manager.pending_connect.values()),
        "open": app.wsgi_app.slots.taken,  # type: ignore[attr-defined]
        "addresses": len(app.wsgi_app.slots.by_address),  # type: ignore[attr-defined]
        "connects": len(connects),
        "disconnects": len(disconnects),
        "begun": begun,
        "finished": finished,
    }


def on_connect(auth: Any) -> None:
    connects.append(request.sid)  # type: ignore[attr-defined]
    if isinstance(auth, dict) and auth.get("user") == "refused":
        raise ConnectionRefusedError("no", {"code": "unauthenticated"})
    if isinstance(auth, dict) and auth.get("user") == "broken":
        raise RuntimeError("a fault of ours")
    if isinstance(auth, dict) and auth.get("user") == "cut":
        for socket in socketio.server.eio.sockets.values():
            gevent.spawn(socket.cut, "while it connects")
        gevent.sleep(0.1)


def on_flood(packets: int, size: int) -> None:
    """At most 10 packets in 10 ms."""
    for number in range(packets):
        socketio.server.emit("flood", {"number": number, "text": "x" * size})
        if number % 10 == 0:
            gevent.sleep(0.01)


def on_burst(packets: int) -> dict[str, bool]:
    """Within one turn of the loop."""
    for number in range(packets):
        socketio.server.emit("burst", number)
    return {"ok": True}


def on_slow(seconds: float) -> dict[str, bool]:
    begun.append("slow")
    gevent.sleep(seconds)
    finished.append("slow")
    print("slow has finished", flush=True)
    return {"ok": True}


def on_leave() -> None:
    gevent.spawn(socketio.server.disconnect, request.sid)  # type: ignore[attr-defined]


def on_expel() -> None:
    gevent.spawn(socketio.server.expel, request.sid)  # type: ignore[attr-defined]


def on_guard() -> dict[str, bool]:
    """From now on, until somebody opens the gate, this client gets nothing that is content."""
    sid = request.sid  # type: ignore[attr-defined]
    guarded.add(sid)
    socketio.server.guard(sid, lambda: sid not in guarded)
    return {"ok": False}


def on_open() -> dict[str, bool]:
    """For everybody."""
    guarded.clear()
    return {"ok": True}


def on_inline(sid: str, *args: Any) -> Any:
    """Waits when asked to, which only an ordinary handler may."""
    if args == ("later",):
        return WOULD_BLOCK
    if args == ("wait",):
        gevent.sleep(0)
    return {"hot": list(args)}


socketio.server.on_inline("hot", on_inline)
socketio.on_event("hot", lambda *args: {"ordinary": list(args)})
socketio.on_event("connect", on_connect)
socketio.on_event("disconnect", disconnects.append)
socketio.on_event("echo", lambda *args: {"echo": list(args)})
socketio.on_event("whoami", lambda *args: {"sid": request.sid})  # type: ignore[attr-defined]
socketio.on_event("flood", on_flood)
socketio.on_event("burst", on_burst)
socketio.on_event("slow", on_slow)
socketio.on_event("leave", on_leave)
socketio.on_event("expel", on_expel)
socketio.on_event("guard", on_guard)
socketio.on_event("open", on_open)
socketio.on_event("*", lambda event, *args: {"unknown": event})
check(socketio, config)
