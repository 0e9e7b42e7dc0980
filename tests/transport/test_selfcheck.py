"""The start is refused when a guard is not in place: each setting is changed once."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import socketio as python_socketio
from flask import Flask
from flask_socketio import SocketIO

from chat.config import Config
from chat.errors import ConfigError
from chat.sockets.transport import check, create_socketio, hooks, selfcheck
from tests.conftest import ROOT

CONFIG = Config(secret_key="x" * 43)


def made(config: Config = CONFIG) -> tuple[Flask, SocketIO]:
    app = Flask(__name__)
    app.config.update(
        SESSION_COOKIE_NAME=config.cookie_name,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure,
    )
    return app, create_socketio(app, config)


def refusal(app: Flask, socketio: SocketIO, config: Config = CONFIG) -> str:
    with pytest.raises(ConfigError) as refused:
        check(socketio, config)
    return "\n".join(refused.value.problems)


@pytest.mark.parametrize("fanout", ["fast", "stock"])
@pytest.mark.parametrize("url", ["http://localhost:8000", "https://chat.example.org"])
def test_what_is_made_passes(url: str, fanout: str) -> None:
    config = Config(secret_key="x" * 43, public_url=url, fanout=fanout)
    check(made(config)[1], config)


@pytest.mark.parametrize(("asked", "made_"), [("fast", "stock"), ("stock", "fast")])
def test_another_transport_than_was_asked_for_stops_the_start(asked: str, made_: str) -> None:
    socketio = made(replace(CONFIG, fanout=made_))[1]
    assert "rooms are not ours" in refusal(socketio.sockio_mw.flask_app, socketio, replace(CONFIG, fanout=asked))


def with_stock_server(app: Flask, socketio: SocketIO) -> None:
    socketio.server = python_socketio.Server(async_mode="gevent", transports=["websocket"])


CHANGES: dict[str, tuple[Callable[[Flask, SocketIO], object], str]] = {
    "stock server": (with_stock_server, "our Socket.IO server is not in place"),
    "stock engine": (
        lambda a, s: setattr(s.server, "eio", SimpleNamespace(**vars(s.server.eio), **STOCK)),
        "Engine.IO",
    ),
    "middleware": (lambda a, s: setattr(s.sockio_mw, "engineio_app", None), "do not reach"),
    "admission": (lambda a, s: setattr(a, "wsgi_app", s.sockio_mw), "admission"),
    "connect": (lambda a, s: setattr(s.server.eio, "_handle_connect", print), "unguarded way"),
    "decoder": (lambda a, s: setattr(s.server, "_handle_eio_message", print), "unguarded way"),
    "queue": (lambda a, s: setattr(s.server.eio, "create_queue", list), "queue"),
    "transports": (lambda a, s: setattr(s.server.eio, "transports", ["polling", "websocket"]), "websocket only"),
    "upgrades": (lambda a, s: setattr(s.server.eio, "allow_upgrades", True), "upgraded"),
    "async_handlers": (lambda a, s: setattr(s.server, "async_handlers", True), "in order"),
    "always_connect": (lambda a, s: setattr(s.server, "always_connect", True), "always_connect"),
    "namespaces": (lambda a, s: setattr(s.server, "namespaces", "*"), "namespace"),
    "manage_session": (lambda a, s: setattr(s, "manage_session", True), "sessions of its own"),
    "async_mode": (lambda a, s: setattr(s.server.eio, "async_mode", "threading"), "gevent"),
    "size": (lambda a, s: setattr(s.server.eio, "max_http_buffer_size", 1_000_000), "64 KiB"),
    "compression": (lambda a, s: setattr(s.server.eio, "http_compression", True), "compressed"),
    "engine cookie": (lambda a, s: setattr(s.server.eio, "cookie", "io"), "cookie"),
    "any origin": (lambda a, s: setattr(s.server.eio, "cors_allowed_origins", "*"), "origins"),
    "no origin": (lambda a, s: setattr(s.server.eio, "cors_allowed_origins", []), "origins"),
    "pings": (lambda a, s: setattr(s.server.eio, "ping_timeout", 600), "silent"),
    "HttpOnly": (lambda a, s: a.config.update(SESSION_COOKIE_HTTPONLY=False), "HttpOnly"),
    "SameSite": (lambda a, s: a.config.update(SESSION_COOKIE_SAMESITE=None), "SameSite"),
    "Secure": (lambda a, s: a.config.update(SESSION_COOKIE_SECURE=True), "Secure"),
    "name": (lambda a, s: a.config.update(SESSION_COOKIE_NAME="session"), "name"),
    "domain": (lambda a, s: a.config.update(SESSION_COOKIE_DOMAIN="example.org"), "domain"),
}
STOCK: dict[str, Any] = {"create_queue": list, "_handle_connect": print}


@pytest.mark.parametrize("fanout", ["fast", "stock"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_setting_stops_the_start(change: str, fanout: str) -> None:
    config = replace(CONFIG, fanout=fanout)
    app, socketio = made(config)
    mutate, words = CHANGES[change]
    mutate(app, socketio)
    assert words in refusal(app, socketio, config)


def test_all_problems_are_told_at_once() -> None:
    app, socketio = made()
    socketio.manage_session = True
    app.config["SESSION_COOKIE_HTTPONLY"] = False
    assert refusal(app, socketio).count("\n") >= 1


def test_an_insecure_cookie_by_https_stops_the_start() -> None:
    config = Config(secret_key="x" * 43, public_url="https://chat.example.org")
    app, socketio = made(config)
    app.config["SESSION_COOKIE_SECURE"] = False
    assert "Secure" in refusal(app, socketio, config)


def test_across_sites_a_cookie_that_only_same_sites_carry_stops_the_start() -> None:
    config = Config(secret_key="x" * 43, cookie_mode="cross_site")
    app, socketio = made(config)
    app.config.update(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_NAME="__Host-parley")
    assert "SameSite" in refusal(app, socketio, config)


def test_a_version_that_was_not_read_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0" if name == "gunicorn" else real(name))
    assert "gunicorn 99.0 is not the version that was read" in refusal(*made())


@pytest.mark.parametrize("hook", [hook for hook in hooks.HOOKS if hook.name.count(".")], ids=lambda hook: hook.name)
def test_a_name_that_is_gone_stops_the_start(hook: hooks.Hook) -> None:
    owner, _, name = hook.name.rpartition(".")
    broken = hooks.Hook(hook.module, f"{owner}.{name}_renamed", hook.why)
    assert "is gone" in str(hooks._broken(broken))
    assert hooks._broken(hook) is None


def test_other_arguments_stop_the_start() -> None:
    assert "other arguments" in str(hooks._broken(hooks.Hook("engineio.socket", "Socket.close", "", "self, wait")))


def test_what_only_the_fast_transport_needs_is_no_reason_against_the_stock_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = hooks.Hook("gevent.core", "loop.gone", "", fast=True)
    monkeypatch.setattr(hooks, "HOOKS", (*hooks.HOOKS, gone))
    assert hooks.problems(fast=True) == ["gevent.core.loop.gone is gone (); FANOUT=stock does without"]
    assert hooks.problems(fast=False) == []


def test_gevent_websocket_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    real = selfcheck.importlib.util.find_spec
    monkeypatch.setattr(
        selfcheck.importlib.util, "find_spec", lambda name: name if name == "geventwebsocket" else real(name)
    )
    assert "gevent-websocket" in refusal(*made())


PROGRAM = """
{before}
from gevent import monkey
monkey.{patch}
{after}
import tests.transport.tiny
"""


def start(before: str = "", patch: str = "patch_all()", after: str = "") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(before=before, patch=patch, after=after)
    if "patch_all()" not in patch:
        program = program.replace(
            "import tests.transport.tiny", "monkey.patch_all = lambda: None\nimport tests.transport.tiny"
        )
    env = os.environ | {"SECRET_KEY": "0123456789abcdef" * 3, "PORT": "8000"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )


def test_patching_first_is_right() -> None:
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("before", "patch", "words"),
    [
        ("import urllib3", "patch_all()", "before anything imports ssl"),
        ("", "patch_all(ssl=False)", "all or nothing"),
        ("", "patch_socket()", "all or nothing"),
    ],
)
def test_patching_late_or_in_part_stops_the_start(before: str, patch: str, words: str) -> None:
    done = start(before, patch)
    assert done.returncode != 0
    assert words in done.stderr, done.stderr
