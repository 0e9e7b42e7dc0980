"""What both HTTP edges hold to, Flask's blueprints and the Lambda functions: from where a request may come, what a
refusal looks like, what a session is described as. Knows neither of them. What a body may be: chat/wire/reading.py."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from chat.config import Config
from chat.errors import ChatError, misdirected

if TYPE_CHECKING:
    from chat.services.sessions.record import Session

log = logging.getLogger(__name__)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# What no page of ours does, nor anything that gets into one. Left as it is: what reads and writes the clipboard, shows
# in full, shares, and signs in by a key. What Chromium does not know (bluetooth) would be a warning on its console.
DENIED = (
    "accelerometer camera display-capture encrypted-media gamepad geolocation gyroscope hid idle-detection",
    "local-fonts magnetometer microphone midi otp-credentials payment screen-wake-lock serial usb window-management",
    "xr-spatial-tracking",
)
# On every answer, `headers` adds what depends on the settings; those of the API are never cached. No Clear-Site-Data:
# it would take drafts and what waits to be sent.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in " ".join(DENIED).split()),
}
SECURE_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}
NOT_CACHED = {"Cache-Control": "no-store"}
VARY = ("Cookie", "Origin")


@lru_cache(maxsize=8)
def headers(config: Config) -> Mapping[str, str]:
    """What every answer carries, of whatever door: files, refusals and faults too."""
    live = [_websocket(origin) for origin in config.own_origins if "[" not in origin]  # CSP knows no IPv6
    reached = " ".join(["'self'", *live, config.auth_origin]).rstrip()
    policy = (
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"connect-src {reached}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    return {"Content-Security-Policy": policy} | HEADERS | (SECURE_HEADERS if config.secure else {})


def _websocket(origin: str) -> str:
    parts = urlsplit(origin)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"


def check_origin(method: str, origin: str | None, fetch_site: str | None, listed: Collection[str], right: str) -> None:
    """Refuses what another site makes a browser send; `right` is the address to use. Without either header it is no
    browser: let it pass.

    Raises: ChatError `origin_refused`.
    """
    if method in SAFE_METHODS:
        return
    if origin is not None and origin not in listed:
        raise misdirected(log, "Origin", origin, right)
    if origin is None and (fetch_site or "none") not in ("none", "same-origin"):
        raise misdirected(log, "Sec-Fetch-Site", fetch_site, right)


def check_user(session: Session, expected: str | None) -> None:
    """`expected` is a header's word: percent-encoded, for a header takes no letter beyond Latin-1; a name without such
    letters means itself either way.

    Raises: ChatError `user_mismatch` when the client thinks that it is somebody else.
    """
    if expected is not None and unquote(expected) != session.person.username:
        raise ChatError("user_mismatch")


def described(session: Session) -> dict[str, object]:
    """`{user, session: {expires_at, ttl_s}}`"""
    person = session.person
    return {
        "user": {"username": person.username, "name": person.name},
        "session": {"expires_at": session.expires_at, "ttl_s": session.ttl_s},
    }


def refusal(error: ChatError) -> tuple[dict[str, object], dict[str, str]]:
    """(body, headers): a refusal with its code; 401 names the login page, 429 and 503 say when to come back."""
    body: dict[str, object] = {"error": error.to_dict()}
    if error.status == 401:
        body["redirect"] = "/login"
    return body, {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
