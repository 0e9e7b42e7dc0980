"""What every request passes: who asks, from where, and with what body."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from msgspec import Struct

from chat import http
from chat.blueprints import packing
from chat.blueprints.session import current
from chat.errors import ChatError, misdirected
from chat.models import Person
from chat.services.accounts.addresses import client_address
from chat.services.runtime.deadline import ANSWER_WITHIN_S, deadline
from chat.services.sessions.record import Session
from chat.wire import reading

if TYPE_CHECKING:
    from chat.services.assembly import Services


class Hurried(Flask):
    """A Flask whose every view is answered in time, counted from when its request came."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Raises: ChatError `unavailable`, and what the view raises."""
        came = request.environ.get(BEGAN, time.monotonic())
        with deadline(ANSWER_WITHIN_S - (time.monotonic() - came)):
            return super().dispatch_request()


log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=Struct)
# in a request's environ: when it came, by the monotonic clock (chat.sockets.transport.admission)
BEGAN = "parley.began"


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

    Raises: ChatError `unauthenticated`, `user_mismatch`, `rate_limited`, `unavailable`.
    """

    def guarded(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            g.session = live_session()
            http.check_user(g.session, request.headers.get("X-Parley-User"))
            who = g.session.person.username
            try:
                services().requests.take(who)
                with services().side_by_side(who):
                    if act:
                        g.session = services().sessions.slide_if_due(g.session)
                    return view(*args, **kwargs)
            except ChatError as error:
                if error.code == "rate_limited":
                    services().tarpit.hold()
                raise

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
    if request.path.startswith("/api/") and not is_our_host():
        raise misdirected(log, "Host", request.headers.get("Host"), services().config.public_url)


def is_our_host() -> bool:
    """Whether this request came under a name of ours."""
    return request.headers.get("Host", "") in services().config.hosts


def check_origin() -> None:
    """Refuses what another site makes a browser send."""
    headers, config = request.headers, services().config
    site = headers.get("Sec-Fetch-Site")
    http.check_origin(request.method, headers.get("Origin"), site, config.origins, config.public_url)


def add_headers(response: Response) -> Response:
    """Security headers on every answer; nothing of the API is cached, and what is long of it is packed."""
    response.headers.update(http.headers(services().config))
    if request.path.startswith("/api/"):
        response.headers.update(http.NOT_CACHED)
        response.vary.update(http.VARY)
        packing.pack(response)
    return response


# --- with what -------------------------------------------------------------------------------------------------------


def json_body(kind: type[T]) -> T:
    """The JSON body of this request (chat.wire.reading.read_json)."""
    return reading.read_json(kind, request.mimetype, request.get_data())
