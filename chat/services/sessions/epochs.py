"""People's epochs, by which all of a person's sessions end at once: kept in the table, copied to Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from redis import Redis
from redis.client import Pipeline

from chat.services.storage.redis_client import answering, on_server

EPOCH_PREFIX = "user_epoch:"

# KEYS[1] a person's epoch in Redis. ARGV: the epoch read from the table, the server, seconds to live. Answers the
# epoch in force: never a lower one than before, because a raise may have overtaken the reading.
MIRROR = """
local held = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ')
local epoch = math.max(tonumber(held or '0'), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%d %s', epoch, ARGV[2]), 'EX', ARGV[3])
return epoch
"""


class Epochs:
    """What sessions are compared with. `read` reads people's epochs from the table; without it a copy in Redis counts
    as it is. A copy is kept for `kept_s`, as long as any session can live."""

    def __init__(self, redis: Redis, read: Callable[[Iterable[str]], dict[str, int]] | None, kept_s: int):
        self._redis = redis
        self._read = read
        self._kept_s = kept_s
        self._server = ""
        on_server(redis, self._meet)

    @staticmethod
    def key(username: str) -> str:
        """Where the copy lies in Redis."""
        return EPOCH_PREFIX + username

    def in_force(self, held: Mapping[str, str | None]) -> dict[str, int]:
        """People's epochs, by what Redis holds of them: read from the table, and copied again, where that cannot be
        believed."""
        epochs, doubted = {}, []
        for username, value in held.items():
            epoch, _, server = (value or "").partition(" ")
            if epoch.isdecimal() and (server == self._server or self._read is None):
                epochs[username] = int(epoch)
            else:
                doubted.append(username)
        if not doubted or self._read is None:
            return epochs
        read = self._read(doubted)
        with answering():
            pipeline = self._redis.pipeline(transaction=False)
            for username, number in read.items():
                self.mirror(pipeline, username, number)
            copied = pipeline.execute(raise_on_error=False)
        for (username, number), answer in zip(read.items(), copied, strict=True):
            epochs[username] = answer if isinstance(answer, int) else number  # a Redis that is full takes no copy
        return epochs

    def mirror(self, pipeline: Pipeline, username: str, epoch: int) -> None:
        """Copies an epoch to Redis for as long as a session of an older one can live."""
        pipeline.eval(MIRROR, 1, self.key(username), epoch, self._server, self._kept_s)

    def _meet(self, server: str) -> None:
        """A new connection leads to that server."""
        self._server = server
