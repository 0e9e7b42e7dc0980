"""What one person may do, by whichever door and worker: one allowance for writing and one for reading, in Redis.

Each is a token bucket, `allowance:<w|r>:<username>` → what is left, and when that was, by Redis's clock. What is done
is weighed: a message by its bytes, a page by what it holds. What a message costs is taken by the script that gives it
its number (chat/services/log/sequence.py), so that a send asks Redis no more often than before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis

from chat.config import Config
from chat.errors import ChatError
from chat.services.runtime.keyed_lock import KeyedLock
from chat.services.storage.redis_client import answering

WINDOW_MS = 10_000
BYTES_PER_WRITE = 4_096  # a message of so many counts twice
MESSAGES_PER_READ = 50
MOVE_COST = 2.0  # coming and going writes four rows, and everybody who is there hears of it
CREATE_COST = 5.0

# Lua: how many milliseconds the bucket `key` has to wait for `cost`, which is taken when it is none. A cost above all
# that a bucket holds is owed.
TAKE = """
local function take(key, most, window_ms, cost)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local left, at = string.match(redis.call('GET', key) or '', '^(%-?[%d.]+) (%d+)$')
  left = math.min(most, tonumber(left or most) + math.max(0, now - tonumber(at or now)) * most / window_ms)
  local needed = math.min(cost, most)
  if left < needed then return math.ceil((needed - left) * window_ms / most) end
  redis.call('SET', key, string.format('%.3f %d', left - cost, now), 'PX', 2 * window_ms)
  return 0
end
"""
# KEYS[1] a bucket. ARGV: how much it holds, in how many milliseconds it fills, what to take. Answers how many
# milliseconds to wait, 0 when it was taken.
SPEND = TAKE + "return take(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))"


@dataclass(frozen=True)
class Charge:
    """What is to be taken of a person's allowance for writing."""

    username: str
    cost: float


class Allowance:
    """Everybody's. Without a Redis nothing is counted: for rows of others, which no person stands behind."""

    def __init__(self, redis: Redis | None = None, writes: int = Config.sends_per_user, reads: int = 1):
        self.writes, self._reads = writes, reads
        self._spend = redis.register_script(SPEND) if redis is not None else None
        self._reading = KeyedLock()

    def write(self, username: str, cost: float = 1.0) -> None:
        """Takes what an act that writes costs. Raises: ChatError `rate_limited`, `unavailable`."""
        self._take(self.key(username), self.writes, cost)

    @contextmanager
    def reading(self, username: str, what: str, cost: float = 1.0) -> Iterator[None]:
        """Takes what reading costs; of one kind (`what`), a person's readings in a process follow each other.

        Raises: ChatError `rate_limited`, `unavailable`.
        """
        self._take(f"allowance:r:{username}", self._reads, cost)
        with self._reading((username, what)):
            yield

    def charge(self, username: str, cost: float) -> Charge | None:
        """The same, to be taken by Log.append; None when nothing is counted."""
        return Charge(username, cost) if self._spend is not None else None

    @staticmethod
    def key(username: str) -> str:
        """Where a person's allowance for writing is."""
        return f"allowance:w:{username}"

    def _take(self, key: str, most: int, cost: float) -> None:
        if self._spend is None:
            return
        with answering():
            wait_ms = int(self._spend(keys=[key], args=[most, WINDOW_MS, cost]))
        if wait_ms:
            raise too_fast(wait_ms)


def weight(text: str) -> float:
    """What it costs to write that."""
    return 1 + len(text.encode()) / BYTES_PER_WRITE


def too_fast(wait_ms: int) -> ChatError:
    """What they hear who have used theirs up."""
    message = "That was too fast. Please wait a moment."
    return ChatError("rate_limited", message, retry_after_s=max(1, math.ceil(wait_ms / 1000)))
