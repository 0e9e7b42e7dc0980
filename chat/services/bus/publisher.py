"""Publishing: the end of the bus that everybody has who changes anything, without greenlets; a worker's end is in
chat/services/bus/bus.py."""

from __future__ import annotations

import secrets

import redis

from chat.services.bus import events
from chat.services.bus.events import Decided, Event, Logged
from chat.services.runtime.outages import REDIS
from chat.services.storage.redis_client import cause

STREAM = "bus"
MAX_STREAM = 5_000  # entries kept in Redis, each of one event or of what was published together
MAX_ENTRY_BYTES = 8 * 1024  # of one: so the stream has 40 MB at most, whatever people write


class Publisher:
    """Publishes events (chat.services.bus.events) for every worker to hear.

    An entry of the stream is `{from, e}`: who published, and the events with their numbers, one a line (JSON has no
    bare line feed). What it costs to write and read is nearly all for the entry, whatever it holds.
    """

    def __init__(self, client: redis.Redis):
        self._client = client
        self._origin = secrets.token_hex(8)
        self._sent = 0

    def publish(self, event: Event) -> None:
        """Writes an event before this returns. Raises nothing for a Redis that does not answer: followers find what
        they were not told of."""
        try:
            self._write([self._encode(event)])
        except redis.RedisError as error:
            REDIS.failed(cause(error))

    def _encode(self, event: Event) -> bytes:
        """The event under its number. An entry of a log that is too large is told by its number alone: whoever follows
        the room reads it."""
        self._sent += 1
        encoded = events.encode(self._sent, event)
        if isinstance(event, Logged) and len(encoded) > MAX_ENTRY_BYTES:
            encoded = events.encode(self._sent, Decided(event.room, event.entry["seq"]))
        return encoded

    def _write(self, lines: list[bytes]) -> str:
        """The entry's id."""
        entry = {"from": self._origin, "e": b"\n".join(lines)}
        added = self._client.xadd(STREAM, entry, maxlen=MAX_STREAM, approximate=True)  # type: ignore[arg-type]
        return str(added)
