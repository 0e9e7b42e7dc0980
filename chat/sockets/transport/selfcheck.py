"""Refuses to start on a combination that would be unsafe: a changed setting, a library without what we hook."""

from __future__ import annotations

import importlib.util

import engineio
import gevent.monkey
import simple_websocket
from flask_socketio import SocketIO

from chat.config import Config
from chat.errors import ConfigError
from chat.sockets.transport.gate import Gate
from chat.sockets.transport.queue import BoundedQueue
from chat.sockets.transport.websocket import MAX_MESSAGE_BYTES, GuardedWebSocket


def check(socketio: SocketIO, config: Config) -> None:
    """Raises: ConfigError with everything that is unsafe."""
    found = problems(socketio, config)
    if found:
        raise ConfigError(found)


def problems(socketio: SocketIO, config: Config) -> list[str]:
    """What is unsafe, one plain sentence each."""
    server = socketio.server
    eio = server.eio
    app = socketio.app if hasattr(socketio, "app") else None
    checks = {
        "sockets must be websocket only": eio.transports == ["websocket"],
        "events must be handled in order (async_handlers)": not server.async_handlers,
        "Flask-SocketIO must not keep sessions of its own": not socketio.manage_session,
        "the guarded websocket is not in place": eio._async["websocket"] is GuardedWebSocket,
        "the bounded queue is not in place": isinstance(eio.create_queue(), BoundedQueue),
        "messages over 64 KiB must be refused": eio.max_http_buffer_size == MAX_MESSAGE_BYTES,
        "origins must be an exact list": list(eio.cors_allowed_origins or []) == list(config.origins),
        "gevent-websocket bypasses gunicorn's parser: uninstall it": importlib.util.find_spec("geventwebsocket")
        is None,
        "simple-websocket no longer has what is guarded": hasattr(simple_websocket.Server, "_handle_events"),
        "engineio no longer has what is hooked": hasattr(engineio.Server, "create_queue"),
    }
    if app is not None:
        checks |= {
            "the gate is not in front of the sockets": isinstance(app.wsgi_app, Gate),
            "session cookies must be HttpOnly": app.config["SESSION_COOKIE_HTTPONLY"] is True,
            "session cookies must be SameSite": app.config["SESSION_COOKIE_SAMESITE"] in ("Lax", "Strict"),
            "session cookies must be Secure by https": app.config["SESSION_COOKIE_SECURE"] is config.secure,
            "session cookies have the wrong name": app.config["SESSION_COOKIE_NAME"] == config.cookie_name,
        }
    if gevent.monkey.is_module_patched("socket"):
        checks["gevent must patch before anything imports ssl"] = gevent.monkey.is_module_patched("ssl")
    return [problem for problem, fine in checks.items() if not fine]
