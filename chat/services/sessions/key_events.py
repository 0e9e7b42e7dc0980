"""Key events of Redis: which sessions have just gone, where the server tells.

They make an end fast; they make nothing certain: none is sent on FLUSHALL, they are off by default and not everybody
may turn them on. Whoever listens sweeps as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
import redis

from chat.services.runtime.outages import REDIS
from chat.services.sessions.record import KEY_PREFIX
from chat.services.storage import redis_client

FLAGS = "Kgxe"  # events by key: of commands such as DEL, of keys whose time is over, of keys evicted
GONE = ("del", "expired", "evicted", "rename_from")
WAIT_S = 2.0
RETRY_S = 1.0

log = logging.getLogger(__name__)


class KeyEvents:
    """Listens over a connection of its own."""

    def __init__(self, url: str, wait_s: float = WAIT_S):
        self._wait_s = wait_s
        # Not tried again below us: a server that comes back may have forgotten its settings, and is asked anew. Its
        # pubsub has no types.
        self._client: Any = redis_client.connect(url, timeout_s=2 * wait_s, retries=0)

    def run(self, listener: Callable[[str], None]) -> None:
        """Calls `listener` with the id of every session that goes, for ever; for a greenlet of its own."""
        while True:
            try:
                self._listen(listener)
            except redis.RedisError as error:
                REDIS.failed(redis_client.cause(error))
                gevent.sleep(RETRY_S)

    def _listen(self, listener: Callable[[str], None]) -> None:
        doubts = redis_client.doubts()
        self._turn_on()
        database = self._client.connection_pool.connection_kwargs.get("db", 0)
        with self._client.pubsub() as events:
            events.psubscribe(f"__keyspace@{database}__:{KEY_PREFIX}*")
            asked = False
            while True:
                event: dict[str, Any] | None = events.get_message(timeout=self._wait_s)
                if redis_client.doubts() != doubts:
                    return  # a subscriber asks nothing, so no answer would ever tell it that it listens to a replica
                if event is not None:
                    asked = False
                    if event["data"] in GONE:
                        listener(event["channel"].partition(f"__:{KEY_PREFIX}")[2])
                elif asked:
                    raise redis.ConnectionError("nothing comes over a connection that listens")
                else:
                    asked = True
                    events.ping()

    def _turn_on(self) -> None:
        try:
            held = str(self._client.config_get("notify-keyspace-events").get("notify-keyspace-events", ""))
            missing = "".join(flag for flag in FLAGS if flag not in held and not (flag != "K" and "A" in held))
            if missing:
                self._client.config_set("notify-keyspace-events", held + missing)
        except redis.ResponseError:
            log.info("Redis does not let us turn key events on; without them an ended session is noticed by the sweep")
