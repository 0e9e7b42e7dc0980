"""Whether this process can do its work: Redis and DynamoDB take a write, now."""

from __future__ import annotations

import time

import gevent
from gevent.lock import RLock
from redis import Redis

from chat.errors import ChatError
from chat.services.health.movement import Movement
from chat.services.health.workers import Workers
from chat.services.runtime.background import Background
from chat.services.storage.redis_client import answering

WITHIN_S = 1.5
FRESH_S = 0.2  # however often it is asked, the dependencies are asked five times a second at most
KEY = "ready"


class Readiness:
    """Asks both at once. A full Redis or a full disk still answers reads, so both are asked to write."""

    def __init__(self, redis: Redis, workers: Workers, background: Background, movement: Movement | None = None):
        self._redis = redis
        self._background = background
        self._movement = movement
        self.stands_still = False  # the table's stream, for a minute: no reason to send nobody here
        self._workers = workers
        self._lock = RLock()
        self._asked_at = float("-inf")
        self._answers: dict[str, bool] = {}

    def check(self) -> dict[str, bool]:
        """`{redis, dynamodb}`: whether each took a write within a second and a half. `stands_still` is of then."""
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH_S:
                asked = {"redis": gevent.spawn(self._redis_writes), "dynamodb": gevent.spawn(self._dynamodb_writes)}
                moves = gevent.spawn(self._stream_moves)
                gevent.joinall([*asked.values(), moves], timeout=WITHIN_S)
                self._answers = {name: bool(answer.value) for name, answer in asked.items()}
                self.stands_still = moves.value is False
                gevent.killall([*asked.values(), moves], block=False)
                self._asked_at = time.monotonic()
            return self._answers

    @property
    def gave_up(self) -> bool:
        """Whether some of this worker's endless work has failed for good: it is about to leave."""
        return bool(self._background.dead)

    def _redis_writes(self) -> bool:
        try:
            with answering():
                return bool(self._redis.set(KEY, "1", ex=60))
        except ChatError:
            return False

    def _stream_moves(self) -> bool | None:
        return self._movement.moves() if self._movement is not None else None

    def _dynamodb_writes(self) -> bool:
        try:
            self._workers.beat()
        except ChatError:
            return False
        return True
