"""Publishing: the end of the bus that everybody has who changes anything, without greenlets; a worker's end is in
chat/services/bus.py."""

from __future__ import annotations

import json
import logging
import secrets
from typing import Any

import redis

STREAM = "bus"
MAX_STREAM = 20_000  # events kept in Redis

log = logging.getLogger(__name__)


class Publisher:
    """Publishes events, `{kind, …}` of JSON values, for every worker to hear."""

    def __init__(self, client: redis.Redis):
        self._client = client
        self._origin = secrets.token_hex(8)
        self._sent = 0

    def publish(self, kind: str, volatile: bool = False, **payload: Any) -> None:
        """Writes an event before this returns. A `volatile` one (typing) may be dropped. Raises nothing for a Redis
        that does not answer: followers find what they were not told of."""
        try:
            self._write([self._encode({"kind": kind, **payload})])
        except redis.RedisError:
            log.warning("the bus did not take an event: %s", kind)

    def _encode(self, event: dict[str, Any]) -> str:
        self._sent += 1
        return json.dumps({"from": self._origin, "n": self._sent, **event}, separators=(",", ":"), ensure_ascii=False)

    def _write(self, events: list[str]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for event in events:
            pipeline.xadd(STREAM, {"e": event}, maxlen=MAX_STREAM, approximate=True)
        pipeline.execute()
