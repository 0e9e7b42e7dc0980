"""Refuses to start on a combination that would be unsafe: a changed setting, a library without what we hook."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import gevent.monkey
from flask import Flask
from flask_socketio import SocketIO

from chat.config import Config
from chat.errors import ConfigError
from chat.sockets.transport import hooks
from chat.sockets.transport.admission import Admission
from chat.sockets.transport.engine import Engine, EngineSocket
from chat.sockets.transport.fast.connection import Connection
from chat.sockets.transport.fast.engine import FastEngine
from chat.sockets.transport.fast.manager import Manager
from chat.sockets.transport.fast.server import FastServer
from chat.sockets.transport.frames import MAX_MESSAGE_BYTES
from chat.sockets.transport.outbox import Outbox
from chat.sockets.transport.server import Server

MAX_PING_S = 60


def check(socketio: SocketIO, config: Config) -> None:
    """Raises: ConfigError with everything that is unsafe."""
    found = problems(socketio, config)
    if found:
        raise ConfigError(found)


def problems(socketio: SocketIO, config: Config) -> list[str]:
    """What is unsafe, one plain sentence each."""
    checks = _transport(socketio, config) | _cookies(socketio.sockio_mw.flask_app, config) | _process()
    return [problem for problem, fine in checks.items() if not fine] + hooks.problems(config.fanout == "fast")


def _transport(socketio: SocketIO, config: Config) -> dict[str, bool]:
    server, engine = socketio.server, socketio.server.eio
    app = socketio.sockio_mw.flask_app
    fast = config.fanout == "fast"
    server_class, engine_class = (FastServer, FastEngine) if fast else (Server, Engine)
    return {
        "our Socket.IO server is not in place": isinstance(server, server_class),
        "our Engine.IO server is not in place": isinstance(engine, engine_class),
        "requests do not reach our server": socketio.sockio_mw.engineio_app is server,
        "admission is not in front of the sockets": isinstance(app.wsgi_app, Admission),
        "a broken or unguarded way into the engine": _ours(engine, "_handle_connect", engine_class)
        and _ours(server, "_handle_eio_message", Server),
        "the bounded queue is not in place": isinstance(engine.create_queue(), Outbox),
        "the guarded send path is not in place": EngineSocket._write.__module__ == EngineSocket.__module__
        and Connection.hold.__module__ == Connection.__module__,
        "the rooms are not ours": (type(server.manager) is Manager) is fast,
        "sockets must be websocket only": engine.transports == ["websocket"],
        "polling must not be upgraded": engine.allow_upgrades is False,
        "events must be handled in order (async_handlers)": server.async_handlers is False,
        "connects must be answered after the handler (always_connect)": server.always_connect is False,
        "only the default namespace may be connected to": server.namespaces == ["/"],
        "Flask-SocketIO must not keep sessions of its own": socketio.manage_session is False,
        "the asynchronous mode must be gevent": engine.async_mode == "gevent",
        "messages over 64 KiB must be refused": engine.max_http_buffer_size == MAX_MESSAGE_BYTES,
        "nothing may be compressed": engine.http_compression is False,
        "Engine.IO must not set a cookie": engine.cookie is None,
        "origins must be the exact list": list(engine.cors_allowed_origins or []) == list(config.origins),
        "silent clients must be noticed": 0 < engine.ping_interval + engine.ping_timeout <= MAX_PING_S,
    }


def _ours(owner: Any, name: str, kind: type) -> bool:
    return getattr(getattr(owner, name), "__func__", None) is getattr(kind, name, None)


def _cookies(app: Flask, config: Config) -> dict[str, bool]:
    same_site = "None" if config.cookie_mode == "cross_site" else "Lax"
    return {
        "session cookies must be HttpOnly": app.config["SESSION_COOKIE_HTTPONLY"] is True,
        "session cookies have the wrong SameSite": app.config["SESSION_COOKIE_SAMESITE"] == same_site,
        "session cookies must be Secure by https": bool(app.config["SESSION_COOKIE_SECURE"]) is config.secure_cookies,
        "session cookies have the wrong name": app.config["SESSION_COOKIE_NAME"] == config.cookie_name,
        "session cookies must name no domain": not app.config["SESSION_COOKIE_DOMAIN"],
    }


def _process() -> dict[str, bool]:
    """The process as a whole. Commands and tests patch nothing and serve no sockets; then there is nothing to patch."""
    patched = gevent.monkey.is_module_patched
    return {
        "gevent-websocket bypasses gunicorn's parser: uninstall it": importlib.util.find_spec("geventwebsocket")
        is None,
        "gevent must patch all or nothing": len({patched(name) for name in ("socket", "ssl", "select", "threading")})
        == 1,
        "gevent must patch before anything imports ssl": not (patched("ssl") and _ssl_of_before()),
    }


def _ssl_of_before() -> list[str]:
    """The modules that still hold ssl's classes of before the patch: their connections would block everyone."""
    original = gevent.monkey.get_original("ssl", "SSLContext")
    ours = ("boto3", "botocore", "redis", "urllib3")
    return [
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] in ours and getattr(module, "SSLContext", None) is original
    ]
