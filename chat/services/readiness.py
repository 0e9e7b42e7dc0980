"""Whether this process can do its work: Redis and DynamoDB take a write, now."""

from __future__ import annotations

import time

import gevent
from gevent.lock import RLock
from redis import Redis

from chat.errors import ChatError
from chat.services.movement import Movement
from chat.services.redis import answering
from chat.services.workers import Workers

WITHIN_S = 1.5
FRESH_S = 0.2  # however often it is asked, the dependencies are asked five times a second at most
KEY = "ready"


class Readiness:
    """Asks both at once. A full Redis or a full disk still answers reads, so both are asked to write."""

    def __init__(self, redis: Redis, workers: Workers, movement: Movement | None = None):
        self._redis = redis
        self._movement = movement
        self._workers = workers
        self._lock = RLock()
        self._asked_at = float("-inf")
        self._answers: dict[str, bool] = {}

    def check(self) -> dict[str, bool]:
        """`{redis, dynamodb}`: whether each took a write within a second and a half."""
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH_S:
                asked = {"redis": gevent.spawn(self._redis_writes), "dynamodb": gevent.spawn(self._dynamodb_writes)}
                gevent.joinall(list(asked.values()), timeout=WITHIN_S)
                self._answers = {name: bool(answer.value) for name, answer in asked.items()}
                gevent.killall(list(asked.values()), block=False)
                self._asked_at = time.monotonic()
            return self._answers

    def stream_moves(self) -> bool | None:
        """Whether the table's stream moved within the last minute: no reason to send nobody here. None when that is
        not known, also where no worker reads it."""
        return self._movement.moves() if self._movement is not None and self._answers.get("redis") else None

    def _redis_writes(self) -> bool:
        try:
            with answering():
                return bool(self._redis.set(KEY, "1", ex=60))
        except ChatError:
            return False

    def _dynamodb_writes(self) -> bool:
        try:
            self._workers.beat()
        except ChatError:
            return False
        return True
