"""API Gateway's REST events in, answers out: the edge of the functions that people's browsers call.

Event and answer: Amazon API Gateway Developer Guide, "Lambda proxy integrations", format 1.0. A test event that has a
`body` alone is a POST with that body.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from chat import http
from chat.config import Config
from chat.errors import ChatError, unexpected
from chat.services.accounts import cookies
from chat.services.accounts.addresses import client_address, viewer_address
from chat.services.accounts.audit import refusals
from chat.services.runtime.budget import budget

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What a function is asked. Header names in small letters."""

    method: str
    headers: dict[str, str]
    content: bytes
    peer: str

    @classmethod
    def of(cls, event: Any) -> Request:
        """Raises: ChatError `body_invalid` for an event of another shape than API Gateway's, which somebody has typed,
        and for a body that cannot be read."""
        content = _said(event, "body", "").encode("utf-8", "surrogatepass")
        if _said(event, "isBase64Encoded", False):
            try:
                content = base64.b64decode(content, validate=True)
            except binascii.Error:
                raise ChatError("body_invalid") from None
        one: dict[str, Any] = _said(event, "headers", {})
        several: dict[str, Any] = _said(event, "multiValueHeaders", {})
        headers = {name.lower(): _said(one, name, "") for name in one}
        many = {name.lower(): _joined(name, _said(several, name, list[str]())) for name in several}
        identity: dict[str, Any] = _said(_said(event, "requestContext", {}), "identity", {})
        method, peer = _said(event, "httpMethod", "") or "POST", _said(identity, "sourceIp", "")
        try:
            "".join((*headers.values(), *many.values(), peer)).encode()
        except UnicodeEncodeError:  # no request has half a character
            raise ChatError("body_invalid") from None
        return cls(method, headers | many, content, peer)

    @property
    def content_type(self) -> str:
        """What the body is said to be, without parameters; empty when nothing is said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def cookie(self, name: str) -> str:
        """The value of that cookie; empty when there is none."""
        return cookies.value(self.headers.get("cookie", ""), name)

    @property
    def address(self) -> str:
        """The address of who asks. CloudFront is believed when it shows the secret that we share; else it is what API
        Gateway saw, behind as many proxies as we are told to believe."""
        secret, shown = config().front_secret.encode(), self.headers.get("x-front-secret", "").encode()
        by_front = bool(secret) and hmac.compare_digest(secret, shown)
        viewer = viewer_address(self.headers.get("cloudfront-viewer-address", "")) if by_front else None
        return viewer or client_address(self.peer, self.headers.get("x-forwarded-for"), config().trusted_proxy_hops)


@dataclass
class Answer:
    """What a function answers; `body` None is no content."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)
def config() -> Config:
    """The settings of this function, which knows the secret key only where it signs in."""
    return Config.from_env(needs_secret=False)


def function(view: Callable[[Request], Answer], method: str) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """The handler of a view: origins, errors and headers as Flask has them."""

    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        request, origin = None, None
        try:
            request = Request.of(event)
            origin = request.headers.get("origin")
            if request.method != method:
                raise ChatError("method_not_allowed")
            site, listed = request.headers.get("sec-fetch-site"), config().origins
            http.check_origin(request.method, origin, site, listed, config().public_url)
            with budget():
                answer = view(request)
        except ChatError as error:
            door = f"{method} {view.__name__}"
            refusals.note(error, door, address=request.address if request else None)
            answer = _refused(error)
            if error.code == "method_not_allowed":
                answer.headers["Allow"] = f"{method}, OPTIONS"
        except Exception as error:
            answer = _refused(unexpected(log, error))
        return _wire(answer, origin)

    return handler


def _said(event: Any, name: str, otherwise: T) -> T:
    """What an event says there; `otherwise` where it says nothing. Raises: ChatError `body_invalid` for what is of
    another type."""
    value = event.get(name) if isinstance(event, dict) else ()
    if value is None:
        return otherwise
    if type(value) is not type(otherwise):
        raise ChatError("body_invalid")
    return value


def _joined(name: str, values: list[str]) -> str:
    """Several lines of one header as one: cookies have a separator of their own, and HTTP/2 may part them."""
    if not all(isinstance(value, str) for value in values):
        raise ChatError("body_invalid")
    return ("; " if name.lower() == "cookie" else ", ").join(values)


def _refused(error: ChatError) -> Answer:
    body, headers = http.refusal(error)
    return Answer(error.status, body, headers)


def _wire(answer: Answer, origin: str | None) -> dict[str, Any]:
    headers = {**http.headers(config()), **http.NOT_CACHED, **answer.headers}
    headers["Vary"] = ", ".join(http.VARY)
    if origin in config().origins:
        headers |= {"Access-Control-Allow-Origin": str(origin), "Access-Control-Allow-Credentials": "true"}
    body = ""
    if answer.body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(answer.body, separators=(",", ":"), sort_keys=True) + "\n"
    return {
        "statusCode": answer.status,
        "headers": headers,
        "multiValueHeaders": {"Set-Cookie": answer.cookies} if answer.cookies else {},
        "body": body,
        "isBase64Encoded": False,
    }
