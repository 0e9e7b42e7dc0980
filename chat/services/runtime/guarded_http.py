"""The one client for addresses that others name: webhooks, push services, pages that are shown with a link.

What it never does: ask an address of this machine, of its network or of a cloud's metadata; ask another one than was
judged; wait for longer than it was told to; take more than it was told to; keep the hub. Reasons of Refused:

- of the URL, also a redirect's: `url`, `scheme`, `userinfo`, `host`, `port`, `private`, `downgraded`, `redirects`
- of the way there: `unresolved`, `unreachable`, `tls`, `late`
- of the answer: `damaged`, `encoded`, `too_large`
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gevent
from gevent.monkey import get_original
from gevent.socket import socket as Socket
from gevent.ssl import SSLContext

from chat.services.runtime.answers import Answer, Reading
from chat.services.runtime.pool import NOBODY, Late, Places, Pool
from chat.services.runtime.targets import Refused, Target, judged

WITHIN_S = 2.0
MOST_BYTES = 1 << 20
MOST_REDIRECTS = 3
MOST_ADDRESSES = 4
AGENT = "Parley"
OURS = ("host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding", "te", "expect")
KEPT_ELSEWHERE = ("accept", "accept-language")  # of the caller's fields, when a redirect leads to another origin
FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x20-\x7e]*")
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # for TLS 1.2: a prime of the server's choice would be as slow as it likes
CURVE = "prime256v1"  # which every server of TLS 1.3 has; of OpenSSL's other groups ffdhe8192 keeps the hub for longest

Resolve = Callable[[str], Sequence[str]]


def resolved(host: str) -> list[str]:
    """The host's addresses, as the system finds them. Stands still until then. Raises: OSError, UnicodeError."""
    found = get_original("socket", "getaddrinfo")(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(each[4][0] for each in found))


class GuardedHttp:
    """For one process, made at its start: reading the certificates takes 20 ms. `allow_private` lets it reach private
    addresses too, and any port from 1024. gevent need not be patched in.

    `who`, in both methods: on whose behalf; one of them takes at most half of what is there for all.
    """

    def __init__(
        self,
        allow_private: bool = False,
        within_s: float = WITHIN_S,
        most_bytes: int = MOST_BYTES,
        at_once: int = 32,
        resolve: Resolve = resolved,
        ca_file: str | None = None,
    ):
        self._allow_private = allow_private
        self._within_s = within_s
        self._most_bytes = most_bytes
        self._resolve = resolve
        self._places = Places(at_once, 2 * at_once)
        # Threads of its own: names whose servers never answer must not keep those that Redis' address is asked in.
        self._resolving = Pool(threads=4, queue=at_once)
        self._tls = tls(ca_file)

    def get(self, url: str, fields: Mapping[str, str] | None = None, who: str = NOBODY) -> Answer:
        """What is there, over at most three redirects. To another origin than the first none of `fields` is sent but
        what it is to be like. Raises: Refused; Busy."""
        return self._within(who, lambda until: self._get(url, dict(fields or {}), who, until))

    def post(self, url: str, body: bytes, fields: Mapping[str, str] | None = None, who: str = NOBODY) -> Answer:
        """What is answered; a redirect is not followed. Raises: Refused; Busy."""
        return self._within(who, lambda until: self._ask(self._target(url), dict(fields or {}), body, who, until))

    def _within(self, who: str, work: Callable[[float], Answer]) -> Answer:
        self._places.take(who, time.monotonic() + self._within_s)
        timeout = gevent.Timeout.start_new(self._within_s)
        try:
            return work(time.monotonic() + self._within_s)
        except gevent.Timeout as fired:
            if fired is not timeout:
                raise
            raise Refused("late") from None
        finally:
            timeout.close()
            self._places.leave(who)

    def _target(self, url: str) -> Target:
        return Target.of(url, any_port=self._allow_private)

    def _get(self, url: str, fields: dict[str, str], who: str, until: float) -> Answer:
        target = self._target(url)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask(target, fields, None, who, until)
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.fields:
                return answer
            there = target.leads_to(answer.fields["location"], any_port=self._allow_private)
            if there.origin != target.origin:
                fields = {name: value for name, value in fields.items() if name.lower() in KEPT_ELSEWHERE}
            target = there
        raise Refused("redirects")

    def _ask(self, target: Target, fields: dict[str, str], body: bytes | None, who: str, until: float) -> Answer:
        head = _head(target, fields, body)
        connection = self._connect(target, who, until)
        try:
            connection.sendall(head + (body or b""))
            return Reading(connection, self._most_bytes, until).answer(target.url)
        except ssl.SSLError as error:
            raise Refused("tls", str(error)) from error
        except OSError as error:
            raise Refused("unreachable", str(error)) from error
        finally:
            connection.close()

    def _connect(self, target: Target, who: str, until: float) -> Any:
        """A connection to an address that was judged, by its number: no name is looked up again."""
        found = self._addresses(target.host, who, until)[:MOST_ADDRESSES]
        connection = _connect_to_one([judged(each, self._allow_private) for each in found], target.port, until)
        if target.scheme == "http":
            return connection
        try:
            connection = self._tls.wrap_socket(connection, server_hostname=target.host, do_handshake_on_connect=False)
            connection.do_handshake()
            return connection
        except BaseException as error:
            connection.close()
            if isinstance(error, (OSError, ValueError)):  # ssl's are both
                raise Refused("tls", str(error)) from error
            raise

    def _addresses(self, host: str, who: str, until: float) -> Sequence[str]:
        try:
            found = self._resolving.run(lambda: self._resolve(host), until - time.monotonic(), who)
        except Late:
            raise Refused("late", "its name is not resolved") from None
        except (OSError, UnicodeError) as error:
            raise Refused("unresolved", str(error)) from None
        if not found:
            raise Refused("unresolved")
        return found


def tls(ca_file: str | None = None) -> Any:
    """How we speak TLS with strangers: their certificate is checked, by the system's authorities or by that file, and
    no part of the handshake takes long."""
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_ecdh_curve(CURVE)
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca_file)
    return context


def _head(target: Target, fields: Mapping[str, str], body: bytes | None) -> bytes:
    """Raises: ValueError for fields that are ours to set, or that are none."""
    lines = [f"{name}: {value}" for name, value in fields.items()]
    if any(name.lower() in OURS for name in fields) or not all(map(FIELD.fullmatch, lines)):
        raise ValueError("fields that cannot be sent")
    ours = [f"Host: {target.authority}", f"User-Agent: {AGENT}", "Accept-Encoding: identity", "Connection: close"]
    length = [] if body is None else [f"Content-Length: {len(body)}"]
    method = "GET" if body is None else "POST"
    return "\r\n".join([f"{method} {target.path} HTTP/1.1", *ours, *length, *lines, "", ""]).encode("ascii")


def _connect_to_one(addresses: Sequence[str], port: int, until: float) -> Any:
    """The first that is reached; each but the last has half of the time that is left."""
    error: OSError | None = None
    for number, address in enumerate(addresses, 1):
        connection = Socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            left_s = max(0.001, until - time.monotonic())
            connection.settimeout(left_s / 2 if number < len(addresses) else left_s)
            connection.connect((address, port))
            connection.settimeout(None)  # from here on the time for all of it bounds
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError as refused:
            connection.close()
            error = refused
        except BaseException:
            connection.close()
            raise
    raise Refused("unreachable", str(error)) from error
