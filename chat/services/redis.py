"""The way to Redis: one client per process, short time-outs, and one meaning of "did not answer"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.errors import ChatError

TIMEOUT_S = 1.0
POOL_SIZE = 50


class NamedConnection(redis.SSLConnection):
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


def connect(url: str, timeout_s: float = TIMEOUT_S, queue_class: type = LifoQueue) -> redis.Redis:
    """A client that answers or fails within `timeout_s` seconds; strings in and out.

    One retry, at once, covers a pooled connection that the server closed; a time-out is not tried again, so a command
    costs `timeout_s` at most, or twice that when no connection is free either. A reader that blocks (XREAD) passes a
    `timeout_s` above its BLOCK, or every quiet moment looks like a fault. `queue_class` holds the free connections:
    gevent's where a deadline interrupts greenlets, since the conditions of `threading`, which Python's waits with, do
    not bear that (tests/services/test_interrupted.py). With `?server_name=…` in the address the server must show that
    name's certificate.
    """
    named: dict[str, Any] = {}
    if "server_name" in parse_qs(urlsplit(url).query):
        named["connection_class"] = NamedConnection
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_SIZE,
        timeout=timeout_s,
        queue_class=queue_class,
        decode_responses=True,
        encoding_errors="replace",  # what is not text is nothing of ours; it must be read to be refused
        socket_timeout=timeout_s,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        driver_info=None,
        **named,
    )
    return redis.Redis(connection_pool=pool)


@contextmanager
def answering() -> Iterator[None]:
    """Turns "Redis did not answer" into ChatError `unavailable`; a session is never ended for it."""
    try:
        yield
    except redis.RedisError as error:
        raise ChatError("unavailable", retry_after_s=1) from error


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
