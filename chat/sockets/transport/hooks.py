"""What we rely on inside other people's packages: the versions that were read, the names, and why.

A version that was not read stops the start: read it, run tests/transport, then change the line here.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Hook:
    """`name` in `module` must exist, and take exactly `parameters` where given."""

    module: str
    name: str
    why: str
    parameters: str | None = None
    fast: bool = False  # only the fast transport needs it: FANOUT=stock does without


READ = {
    "flask-socketio": "5.7",
    "python-socketio": "5.18",
    "python-engineio": "4.15",
    "gevent": "26.9",
    "gunicorn": "27.0",
}

HOOKS = (
    Hook("flask_socketio", "_SocketIOMiddleware", "its engineio_app is replaced by our Server"),
    Hook("socketio", "Server._engineio_server_class", "names our Engine", "self"),
    Hook("socketio", "Server._handle_eio_message", "replaced: strict decoding, no traceback", "self, eio_sid, data"),
    Hook("socketio", "Server._handle_eio_disconnect", "put off during a connect", "self, eio_sid, reason"),
    Hook("socketio", "Server._handle_connect", "called with a decoded packet", "self, eio_sid, namespace, data"),
    Hook("socketio", "Server._handle_disconnect", "likewise", "self, eio_sid, namespace, reason"),
    Hook("socketio", "Server._handle_event", "likewise", "self, eio_sid, namespace, id, data"),
    Hook("socketio", "Server.disconnect", "extended: closes the connection too", "self, sid, namespace, ignore_queue"),
    Hook("socketio", "Manager.sid_from_eio_sid", "asked who is connected", "self, eio_sid, namespace"),
    Hook("socketio", "Manager.is_pre_connected", "asked who is being let in", "self, sid, namespace"),
    Hook("socketio", "Manager.is_connected", "asked who was let in", "self, sid, namespace"),
    Hook("engineio", "Server.handle_request", "calls _handle_connect", "self, environ, start_response"),
    Hook(
        "engineio",
        "Server._handle_connect",
        "replaced: our websocket, no polling, no session left behind",
        "self, environ, start_response, transport, jsonp_index",
    ),
    Hook("engineio", "Server.create_queue", "replaced: bounded", "self, args, kwargs"),
    Hook("engineio", "Server._trigger_event", "calls the handlers", "self, event, args, kwargs"),
    Hook("engineio.socket", "Socket.close", "extended: leaves who does not go", "self, wait, abort, reason"),
    Hook("engineio.socket", "Socket.send", "puts into our queue", "self, pkt"),
    Hook("engineio.socket", "Socket.schedule_ping", "replaced: pings by the monotonic clock", "self"),
    Hook("gunicorn.workers.base_async", "AsyncWorker.handle", "wrapped: GuardedSocket", "self, listener, client, addr"),
    Hook("gunicorn.workers.base_async", "AsyncWorker", "its worker_connections is the number of slots"),
    Hook("gunicorn.workers.ggevent", "GeventWorker.run", "reads worker.handle once, after post_worker_init", "self"),
    Hook("gunicorn.workers.base", "Worker.init_process", "calls run after post_worker_init, by its name", "self"),
    Hook("gunicorn.http.body", "LengthReader", "its length says what was not read"),
    Hook("gunicorn.http.wsgi", "Response.force_close", "ends a connection after a refusal", "self"),
    Hook("gunicorn.util", "write_error", "replaced: our headers", "sock, status_int, reason, mesg"),
    Hook("gunicorn.util", "write_nonblock", "writes what we say in its place", "sock, data, chunked"),
    Hook("gunicorn.http.wsgi", "SERVER", "replaced: no banner"),
    Hook("gevent.socket", "socket.detach", "hands a connection's file over", "self"),
    Hook("gevent.core", "loop.io", "tells that a connection can be read or written", fast=True),
    Hook("gevent.core", "loop.timer", "turns the timer wheel", fast=True),
    Hook("gevent.core", "loop.run_callback", "ends a turn of the loop", fast=True),
    Hook("engineio", "Server.send_packet", "calls Connection.send", "self, sid, pkt", fast=True),
    Hook("engineio", "Server._get_socket", "asks whether a Connection is closed", "self, sid", fast=True),
    Hook(
        "socketio",
        "Manager.emit",
        "replaced: one frame for all",
        "self, event, data, namespace, room, skip_sid, callback, to, kwargs",
        fast=True,
    ),
    Hook(
        "socketio",
        "Manager.basic_enter_room",
        "replaced: rooms of connections",
        "self, sid, namespace, room, eio_sid",
        fast=True,
    ),
    Hook("socketio", "Manager.basic_leave_room", "likewise", "self, sid, namespace, room", fast=True),
    Hook("socketio", "Manager.basic_disconnect", "replaced: own rooms only", "self, sid, namespace, kwargs", fast=True),
    Hook("socketio", "Manager.basic_close_room", "replaced: our tables", "self, room, namespace", fast=True),
    Hook("socketio", "Manager.get_participants", "replaced: our tables", "self, namespace, room", fast=True),
    Hook("socketio", "Manager.get_rooms", "replaced: our tables", "self, sid, namespace", fast=True),
    Hook("socketio", "Manager.pre_connect", "enters the room None first", "self, eio_sid, namespace", fast=True),
)


def problems(fast: bool) -> list[str]:
    """What is not as it was read, one sentence each; what only the fast transport needs is asked for it alone."""
    needed = [hook for hook in HOOKS if fast or not hook.fast]
    return [*_unread_versions(), *(problem for hook in needed if (problem := _broken(hook)))]


def _unread_versions() -> list[str]:
    found = []
    for package, read in READ.items():
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            version = "none"
        if version != read and not version.startswith(read + "."):
            found.append(f"{package} {version} is not the version that was read ({read})")
    return found


def _broken(hook: Hook) -> str | None:
    try:
        target: Any = importlib.import_module(hook.module)
        for part in hook.name.split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError):
        return f"{hook.module}.{hook.name} is gone ({hook.why}){_without(hook)}"
    if hook.parameters is not None and ", ".join(inspect.signature(target).parameters) != hook.parameters:
        return f"{hook.module}.{hook.name} takes other arguments ({hook.why}){_without(hook)}"
    return None


def _without(hook: Hook) -> str:
    return "; FANOUT=stock does without" if hook.fast else ""
