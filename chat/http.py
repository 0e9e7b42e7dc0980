"""What both HTTP edges hold to, Flask's blueprints and the Lambda functions: what a body may be, from where a request
may come, what a refusal looks like, what a session is described as. Knows neither of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from types import UnionType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chat.config import MAX_BODY_BYTES
from chat.errors import ChatError

if TYPE_CHECKING:
    from chat.services.sessions.record import Session

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# On every answer; by https the second too; those of the API are never cached.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SECURE_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}
NOT_CACHED = {"Cache-Control": "no-store"}
VARY = ("Cookie", "Origin")


def check_origin(method: str, origin: str | None, fetch_site: str | None, listed: Collection[str]) -> None:
    """Refuses what another site makes a browser send. Without either header it is no browser: let it pass.

    Raises: ChatError `origin_refused`.
    """
    if method in SAFE_METHODS:
        return
    if origin is not None and origin not in listed:
        raise ChatError("origin_refused")
    if origin is None and (fetch_site or "none") not in ("none", "same-origin"):
        raise ChatError("origin_refused")


def check_user(session: Session, expected: str | None) -> None:
    """`expected` is a header's word: percent-encoded, for a header takes no letter beyond Latin-1; a name without such
    letters means itself either way.

    Raises: ChatError `user_mismatch` when the client thinks that it is somebody else.
    """
    if expected is not None and unquote(expected) != session.person.username:
        raise ChatError("user_mismatch")


def json_fields(content_type: str, content: bytes, types: dict[str, type | UnionType]) -> dict[str, Any]:
    """The named fields of a JSON body, each of exactly its type; `str | None` may be absent.

    Raises: ChatError `too_large`, `media_type`, `body_invalid`.
    """
    if len(content) > MAX_BODY_BYTES:
        raise ChatError("too_large")
    if content_type not in ("", "application/json"):
        raise ChatError("media_type")
    try:
        body = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
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
