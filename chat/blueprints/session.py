"""Flask's `session` on our own record, through Flask-Session with its faults mended (docs/decisions/0007-sessions.md).

As installed, Flask-Session 0.8.0 unpickles what it cannot read, writes an ended session back, slides the time to live
with every request and keeps the id at login. Here the record is JSON, no request writes it back, it lives on by a
person's acts alone, and every login has a new id.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any, cast

from flask import Flask, Request, Response
from flask import session as flask_session
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from chat.config import Config
from chat.errors import ChatError
from chat.services.accounts import cookies
from chat.services.sessions.record import KEY_PREFIX, Session, encode
from chat.services.sessions.sessions import Sessions


class StoredSession(ServerSideSession):
    """`flask.session`. `stored` is the live session behind it; `failure` says why that could not be found out;
    `browser` is what a browser that has just signed in is to be known by."""

    stored: Session | None = None
    browser: str | None = None
    failure: ChatError | None = None


class StoredSessionInterface(ServerSideSessionInterface):
    """Opens and saves `flask.session`; signing in and out go through `begin` and `finish`."""

    session_class = StoredSession

    def __init__(self, app: Flask, sessions: Sessions, config: Config):
        super().__init__(app, key_prefix=KEY_PREFIX, permanent=True)
        self._sessions = sessions
        self._config = config

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        """The session of this request's cookie. Redis is asked for the API only, not for files. An id that we did not
        give out is never taken over."""
        opened = StoredSession(sid=self._sessions.new_id())
        if not request.path.startswith("/api/") or request.method == "OPTIONS":
            return opened
        try:
            stored = self._sessions.read(cookies.value(request.headers.get("Cookie", ""), self._config.cookie_name))
        except ChatError as error:
            opened.failure = error
            return opened
        if stored is not None:
            opened = StoredSession(json.loads(encode(stored)), sid=stored.sid)
            opened.stored = stored
        return opened

    def save_session(self, app: Flask, session: ServerSideSession, response: Response) -> None:
        """Writes the cookie where somebody has signed in or out, and behind it the cookie of a known browser. The
        record is the services' to write and to end, and they have."""
        own = cast(StoredSession, session)
        if own.accessed or own.modified:
            response.vary.add("Cookie")
        if own.modified:
            response.headers.add("Set-Cookie", self._cookie(own.stored))
        if own.browser is not None:
            response.headers.add("Set-Cookie", cookies.browser_cookie(self._config, own.browser))

    def _cookie(self, stored: Session | None) -> str:
        if stored is None:
            return cookies.no_session_cookie(self._config)
        return cookies.session_cookie(self._config, stored.sid, stored.lives_s(time.time()))

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        stored = self._sessions.read(store_id.removeprefix(KEY_PREFIX))
        return json.loads(encode(stored)) if stored else None

    def _delete_session(self, store_id: str) -> None:
        self._sessions.end(store_id.removeprefix(KEY_PREFIX), "logout")

    def _upsert_session(self, session_lifetime: timedelta, session: ServerSideSession, store_id: str) -> None:
        stored = cast(StoredSession, session).stored
        if stored is not None:
            self._sessions.write_back(stored)


def begin(stored: Session, browser: str | None = None) -> None:
    """This browser is signed in by that session from now on; its cookie goes out with the answer, and what it is known
    by."""
    session = current()
    session.browser = browser
    session.update(json.loads(encode(stored)))
    session.sid = stored.sid
    session.stored = stored
    session.modified = True


def renew(browser: str) -> None:
    """What this browser is known by from now on; it goes out with the answer."""
    current().browser = browser


def finish() -> None:
    """This browser is signed out; its cookie is taken back with the answer."""
    session = current()
    session.stored = None
    session.clear()
    session.modified = True


def current() -> StoredSession:
    """The session of this request."""
    return cast(StoredSession, flask_session._get_current_object())  # type: ignore[attr-defined]
