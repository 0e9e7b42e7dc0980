"""The way to Redis: one client per process, short time-outs, and one meaning of "did not answer".

An address may lead elsewhere tomorrow: after a failover old connections often stay open, to a server that has become a
replica, or that nobody writes to any more. So every connection is asked where it leads (decision 22).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.errors import ChatError
from chat.services.runtime.outages import REDIS

TIMEOUT_S = 1.0
POOL_SIZE = 50
JUDGED_EVERY_S = 2.0
# Of the connection, not of the request; from within a script, too, where Redis 6 puts it behind words of its own.
OF_THE_CONNECTION = re.compile(r"(?:^|-)(?:READONLY|MASTERDOWN|NOREPLICAS|UNBLOCKED|CLUSTERDOWN) ")
REPLICAS = ("replica", "slave", b"replica", b"slave")
ANNOTATED = " of pipeline caused error: "  # redis-py's, behind the command itself

_doubts = 0


class Elsewhere(redis.ConnectionError):
    """This connection does not lead to a server that takes writes; a new one may."""


class Judged:
    """A connection to a server that takes writes, before its class of redis-py.

    HELLO, which begins every connection, tells the server's role; it is asked again after two seconds, and at once when
    any connection of this process was given an answer that speaks of the connection. Such an answer closes it, and the
    request goes out once more over a new one: a server that refuses so has carried nothing out.
    """

    _judged_until = math.inf  # before it is connected, and while HELLO is under way, there is nothing to judge
    _judged_in = 0

    def on_connect_check_health(self: Any, check_health: bool = True) -> None:
        """As redis-py does it. Raises: Elsewhere."""
        self._judged_until = math.inf
        super().on_connect_check_health(check_health)  # type: ignore[misc]
        self._judge(self.handshake_metadata)

    def check_health(self: Any) -> None:
        """Comes before every command. Raises: Elsewhere."""
        super().check_health()  # type: ignore[misc]
        if math.isinf(self._judged_until) or self._sock is None:
            return
        if self._judged_in != _doubts or time.monotonic() > self._judged_until:
            self._judged_until = math.inf
            self.send_command("HELLO", check_health=False)
            try:
                self._judge(self.read_response())
            except Elsewhere:
                _doubt()
                raise

    def read_response(self: Any, *args: Any, **options: Any) -> Any:
        """Raises: Elsewhere in place of ResponseError for an answer that speaks of the connection."""
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except (redis.AuthenticationError, redis.BusyLoadingError):
            _doubt()
            raise
        except redis.ResponseError as error:
            if not OF_THE_CONNECTION.search(cause(error)):
                raise
            _doubt()
            self.disconnect()
            raise Elsewhere(*error.args, status_code=error.status_code) from error

    def _judge(self: Any, hello: Any) -> None:
        told = hello if isinstance(hello, dict) else {}
        if told.get("role", told.get(b"role")) in REPLICAS:
            self.disconnect()
            raise Elsewhere("the server there is a replica", status_code="READONLY")
        self._judged_until, self._judged_in = time.monotonic() + JUDGED_EVERY_S, _doubts


class PlainConnection(Judged, redis.Connection):
    """By TCP."""


class UnixConnection(Judged, redis.UnixDomainSocketConnection):
    """By a socket of this box."""


class TlsConnection(Judged, redis.SSLConnection):
    """By TLS."""


class NamedConnection(TlsConnection):
    """By TLS to a server that shows the certificate of another name than it is reached by: through a tunnel.

    redis-py has no option for that name; it checks the certificate against the host that it connects to.
    """

    def __init__(self, server_name: str, **options: Any):
        super().__init__(**options)
        self._server_name = server_name

    def _wrap_socket_with_ssl(self, sock: Any) -> Any:
        wrap: Any = super()._wrap_socket_with_ssl  # it has no types
        reached, self.host = self.host, self._server_name
        try:
            return wrap(sock)
        finally:
            self.host = reached


CONNECTIONS = {"redis": PlainConnection, "rediss": TlsConnection, "unix": UnixConnection}


def connect(
    url: str, timeout_s: float = TIMEOUT_S, queue_class: type = LifoQueue, retries: Literal[0, 1] = 1
) -> redis.Redis:
    """A client that answers or fails within `timeout_s` seconds; strings in and out.

    One retry, at once, covers a pooled connection that the server closed or that leads to the wrong one; a time-out is
    not tried again, so a command costs `timeout_s` at most, or twice that when no connection is free either. Who must
    know of every new connection takes no `retries`. A reader that blocks (XREAD) passes a
    `timeout_s` above its BLOCK, or every quiet moment looks like a fault. `queue_class` holds the free connections:
    gevent's where a deadline interrupts greenlets, since the conditions of `threading`, which Python's waits with, do
    not bear that (tests/services/test_interrupted.py). With `?server_name=…` in the address the server must show that
    name's certificate.
    """
    parts = urlsplit(url)
    named = "server_name" in parse_qs(parts.query)
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_SIZE,
        timeout=timeout_s,
        queue_class=queue_class,
        decode_responses=True,
        encoding_errors="replace",  # what is not text is nothing of ours; it must be read to be refused
        socket_timeout=timeout_s,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        driver_info=None,
        connection_class=NamedConnection if named else CONNECTIONS.get(parts.scheme, PlainConnection),
    )
    return redis.Redis(connection_pool=pool)


@contextmanager
def answering() -> Iterator[None]:
    """Turns "Redis did not answer" into ChatError `unavailable`; a session is never ended for it. The log says why."""
    try:
        yield
    except redis.RedisError as error:
        REDIS.failed(cause(error))
        raise ChatError("unavailable", retry_after_s=1) from error
    REDIS.succeeded()


def cause(error: redis.RedisError) -> str:
    """What Redis or the way to it said, with the error's code in front and without what it was asked."""
    said = str(error).rpartition(ANNOTATED)[2].partition(", with args")[0]
    return f"{error.status_code} {said}" if error.status_code else said or type(error).__name__


def doubts() -> int:
    """How often an answer of Redis has spoken of the connection: who listens, and asks nothing, connects anew when it
    grows."""
    return _doubts


def _doubt() -> None:
    global _doubts
    _doubts += 1


def on_server(client: redis.Redis, listener: Callable[[str], None]) -> None:
    """Tells `listener` the id of the server (its `run_id`, another one after every restart and failover) at each new
    connection, before anything is asked over it; an empty one where INFO is not allowed."""

    def connected(connection: Any) -> None:
        connection.on_connect()
        connection.send_command("INFO", "server")
        try:
            answer = connection.read_response()
        except redis.ResponseError:
            answer = ""
        facts = dict(line.partition(":")[::2] for line in str(answer).splitlines())
        listener(facts.get("run_id", ""))

    client.connection_pool.connection_kwargs["redis_connect_func"] = connected
