"""Whether the table's stream moves: noted in Redis by the worker that reads it, known to every worker and to `doctor`.

The times are Redis's own, so that nobody judges by another host's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from chat.errors import ChatError
from chat.services.runtime.outages import Outage
from chat.services.storage.redis_client import answering

STILL_S = 60
NOTED_EVERY_S = 5.0
AT, WHY = "at", "why"


class Movement:
    """Of the stream of `table`. `now` is a clock that never goes back, in seconds."""

    def __init__(self, redis: Redis, table: str, now: Callable[[], float] = time.monotonic):
        self._redis = redis
        self._key = f"stream_moved:{table}"
        self._now = now
        self._noted_at = float("-inf")
        self._why = ""
        self._outage = Outage("The stream of messages does not move", now)

    def note(self, why: str) -> None:
        """It was read, and nothing that waited could not be taken over; or it could not be read on, and why. Written
        down every five seconds, and when that changes. Raises nothing: a Redis that does not answer says so itself."""
        if why == self._why and self._now() - self._noted_at < NOTED_EVERY_S:
            return
        try:
            with answering():
                self._redis.hset(self._key, mapping={WHY: why} if why else {AT: self._seconds(), WHY: ""})
        except ChatError:
            return
        self._why, self._noted_at = why, self._now()

    def problem(self) -> str | None:
        """What is wrong when it has not moved for a minute, in plain words. Raises: ChatError `unavailable`."""
        with answering():
            noted: dict[str, str] = self._redis.hgetall(self._key)  # type: ignore[assignment]
            still_s = self._seconds() - int(noted[AT]) if AT in noted else 0
        if still_s <= STILL_S:
            return None
        why = f" ({noted[WHY]})" if noted.get(WHY) else ""
        return f"nothing was taken over from the table's stream for {still_s // 60} min{why}"

    def moves(self) -> bool | None:
        """Whether it moved within the last minute; None when that is not known."""
        try:
            return self.problem() is None
        except ChatError:
            return None

    def watch(self) -> None:
        """Says in the log what `problem` says, and when it is over; to be asked every few seconds. The minute begins
        here where nothing was noted yet. Raises: ChatError `unavailable`."""
        with answering():
            self._redis.hsetnx(self._key, AT, self._seconds())
        problem = self.problem()
        if problem is None:
            self._outage.succeeded()
        else:
            self._outage.failed(problem)

    def end(self) -> None:
        """Nobody reads for now, and that is meant. Raises: ChatError `unavailable`."""
        with answering():
            self._redis.delete(self._key)

    def _seconds(self) -> int:
        seconds, _ = self._redis.time()
        return int(seconds)
