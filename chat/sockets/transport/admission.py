"""Who may open a websocket at all: judged from the handshake, before anything is accepted."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from chat.config import MAX_BODY_BYTES, Config
from chat.errors import ChatError, misdirected
from chat.services.accounts.addresses import address_bucket, client_address
from chat.services.accounts.audit import refusals
from chat.sockets.transport.engine import Engine
from chat.sockets.transport.slots import ConnectionSlot, ConnectionSlots
from chat.sockets.transport.websocket import accept_key

log = logging.getLogger(__name__)
READ_FIRST = ("HTTP_", "QUERY_STRING")
MAX_HEADER_CHARS = 16 * 1024  # a line has 8,190 at most (gunicorn.conf.py); lines of one name arrive joined
STATUS = {
    400: "400 Bad Request",
    403: "403 Forbidden",
    413: "413 Content Too Large",
    429: "429 Too Many Requests",
    503: "503 Service Unavailable",
}


class Admission:
    """WSGI in front of everything: websocket handshakes need a good Host and Origin, and a free slot."""

    def __init__(
        self, inner: Callable[..., Iterable[bytes]], config: Config, engine: Engine, headers: Mapping[str, str]
    ):
        self.headers = headers
        self.slots = ConnectionSlots(config)
        self._inner = inner
        self._hosts, self._origins = config.hosts, frozenset(config.origins)
        self._engine = engine
        self._url = config.public_url
        hops = config.trusted_proxy_hops
        # Kept for some: when everybody comes back, they come through one proxy.
        self._bucket = lru_cache(1024)(lambda peer, forwarded: address_bucket(client_address(peer, forwarded, hops)))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if any(len(environ[name]) > MAX_HEADER_CHARS for name in environ if name.startswith(READ_FIRST)):
            return self._refuse(ChatError("too_large"), start_response)
        if not environ.get("PATH_INFO", "").startswith("/socket.io"):
            _read_chunks(environ)
            environ["parley.began"] = time.monotonic()
            return self._inner(environ, start_response)
        try:
            slot = environ["parley.slot"] = self.admit(environ)
        except ChatError as error:
            refusals.note(error, "websocket", address=self._address(environ))
            return self._refuse(error, start_response)
        try:
            return self._inner(environ, start_response)
        finally:
            if not slot.kept:
                slot.free()

    def admit(self, environ: dict[str, Any]) -> ConnectionSlot:
        """A slot for the websocket that this handshake opens; `parley.accept` of the environ is the answer to its key.
        X-Forwarded-Host and -Proto are not asked: a client may have written them. Raises: ChatError."""
        origin = environ.get("HTTP_ORIGIN")
        if environ.get("HTTP_HOST") not in self._hosts:
            raise misdirected(log, "Host", environ.get("HTTP_HOST"), self._url, "body_invalid")
        if origin not in self._origins and (origin is not None or "HTTP_COOKIE" in environ):
            raise misdirected(log, "Origin", origin, self._url)
        accept = environ["parley.accept"] = accept_key(environ)
        if not _opens(environ.get("QUERY_STRING", "")) or accept is None:
            raise ChatError("body_invalid", "Live events travel by websocket only.")
        if self._engine.draining or self._engine.deaf:
            raise ChatError("busy", retry_after_s=5)
        return self.slots.take(self._address(environ), nameless="HTTP_COOKIE" not in environ)

    def _refuse(self, error: ChatError, start_response: Any) -> list[bytes]:
        """Answers, and ends the connection: gunicorn's own response object is behind its `start_response`."""
        force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
        if force_close is not None:
            force_close()
        body = refusal(error)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *self.headers.items()]
        if error.retry_after_s is not None:
            headers.append(("Retry-After", str(error.retry_after_s)))
        start_response(STATUS[error.status], headers)
        return [body]

    def _address(self, environ: dict[str, Any]) -> str:
        return self._bucket(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR"))


def refusal(error: ChatError) -> bytes:
    """The body of a refusal."""
    return json.dumps({"error": error.to_dict()}).encode()


@lru_cache(64)  # everybody comes with the same
def _opens(query_string: str) -> bool:
    """Whether it asks for a new connection, by websocket."""
    query = parse_qs(query_string)
    return query.get("transport") == ["websocket"] and query.get("EIO") == ["4"] and "sid" not in query


def _read_chunks(environ: dict[str, Any]) -> None:
    """Reads a body that comes in chunks before Flask does: what gunicorn finds wrong with it is the client's fault and
    answered with 400 by gunicorn; inside a view it would be ours, logged and answered with 500. One byte more than may
    be is enough for Flask to say 413."""
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        body = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
