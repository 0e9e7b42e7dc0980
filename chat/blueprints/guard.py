"""What every request passes: who asks, from where, and with what body."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import wraps
from types import UnionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_cors import CORS

from chat.blueprints.session import current
from chat.errors import ChatError
from chat.models import Person
from chat.services.addresses import client_address
from chat.services.deadline import ANSWER_WITHIN_S, deadline
from chat.services.sessions import Session

if TYPE_CHECKING:
    from chat.app import Services

P = ParamSpec("P")
R = TypeVar("R")
BEGAN = "parley.began"  # in a request's environ: when it came, by the monotonic clock (chat.sockets.transport.gate)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def register(app: Flask) -> None:
    """Installs the checks and headers that hold for every answer of the app, errors and files included."""
    config = app.extensions["parley"].config
    CORS(
        app,
        resources={r"/api/.*": {}},
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in config.origins],  # as text, case would not count
        supports_credentials=True,
        allow_headers=["Content-Type", "X-Parley-User"],
        methods=["GET", "POST", "DELETE"],
        max_age=600,
        vary_header=True,
    )
    app.before_request(check_host)
    app.before_request(check_origin)
    app.after_request(add_headers)


def services() -> Services:
    """The services of this app."""
    return cast("Services", current_app.extensions["parley"])


def address() -> str:
    """The address of who asks, behind as many proxies as we are told to believe."""
    hops = services().config.trusted_proxy_hops
    return client_address(request.remote_addr or "", request.headers.get("X-Forwarded-For"), hops)


# --- who -------------------------------------------------------------------------------------------------------------


def require_auth(act: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets a request through that carries a live session. An `act` of the person keeps the session alive.

    Raises: ChatError `unauthenticated`, `user_mismatch`, `unavailable`.
    """

    def guarded(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            g.session = live_session()
            expected = request.headers.get("X-Parley-User")
            if expected is not None and expected != g.session.person.username:
                raise ChatError("user_mismatch")
            with deadline(ANSWER_WITHIN_S - (time.monotonic() - request.environ.get(BEGAN, time.monotonic()))):
                if act:
                    g.session = services().sessions.slide_if_due(g.session)
                return view(*args, **kwargs)

        return wrapper

    return guarded


def live_session() -> Session:
    """The session of this request. Raises: ChatError `unauthenticated`, or `unavailable` when Redis does not answer."""
    session = current()
    session.accessed = True
    if session.failure is not None:
        raise session.failure
    if session.stored is None:
        raise ChatError("unauthenticated")
    return session.stored


def current_person() -> Person:
    """Who asks, in a view under `require_auth`."""
    return cast(Session, g.session).person


# --- from where ------------------------------------------------------------------------------------------------------


def check_host() -> None:
    """The API answers under its own names only, so that a foreign name pointed at it (rebinding) gets nothing."""
    if request.path.startswith("/api/") and request.headers.get("Host", "") not in services().config.hosts:
        raise ChatError("origin_refused")


def check_origin() -> None:
    """Refuses what another site makes a browser send. Without either header it is no browser: let it pass."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    listed = services().config.origins
    if origin is not None and origin not in listed:
        raise ChatError("origin_refused")
    if origin is None and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise ChatError("origin_refused")


def add_headers(response: Response) -> Response:
    """Security headers on every answer; nothing of the API is cached."""
    config = services().config
    live = [_websocket(origin) for origin in config.own_origins if "[" not in origin]  # CSP knows no IPv6
    reached = " ".join(["'self'", *live, config.auth_origin]).rstrip()
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"connect-src {reached}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if config.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.path.startswith("/api/"):
        response.headers["Cache-Control"] = "no-store"
        response.vary.update(["Cookie", "Origin"])
    return response


def _websocket(origin: str) -> str:
    parts = urlsplit(origin)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"


# --- with what -------------------------------------------------------------------------------------------------------


def json_body(**types: type | UnionType) -> dict[str, Any]:
    """The named fields of a JSON body, each of exactly its type; `str | None` may be absent.

    Raises: ChatError `media_type`, `body_invalid`.
    """
    if request.mimetype not in ("", "application/json"):
        raise ChatError("media_type")
    try:
        body = json.loads(request.get_data().decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ChatError("body_invalid") from None
    if not isinstance(body, dict):
        raise ChatError("body_invalid")
    fields = {name: body.get(name) for name in types}
    for name, kind in types.items():
        allowed = kind.__args__ if isinstance(kind, UnionType) else (kind,)
        if type(fields[name]) not in allowed:
            raise ChatError("body_invalid")
    if any(isinstance(value, str) and not _is_text(value) for value in fields.values()):
        raise ChatError("body_invalid")
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
