"""Token buckets of this process: so many acts in a window, refilled evenly (across processes: allowance.py)."""

from __future__ import annotations

import time

from chat.errors import ChatError

PRUNE_AT = 10_000


class TokenBucket:
    """So many acts per `window_s` seconds."""

    def __init__(self, acts: int, window_s: float):
        self._acts = acts
        self._window_s = window_s
        self._left = float(acts)
        self._at = time.monotonic()

    def take(self) -> None:
        """Uses one. Raises: ChatError `rate_limited`."""
        now = time.monotonic()
        self._left = min(self._acts, self._left + (now - self._at) * self._acts / self._window_s)
        self._at = now
        if self._left < 1:
            raise ChatError("rate_limited", "That was too fast. Please wait a moment.", retry_after_s=1)
        self._left -= 1

    def is_idle(self) -> bool:
        """Whether it is as full as a new one."""
        return time.monotonic() - self._at >= self._window_s


class TokenBuckets:
    """One for each of many names. Names that do nothing cost nothing in the long run."""

    def __init__(self, acts: int, window_s: float):
        self._acts = acts
        self._window_s = window_s
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, name: str) -> None:
        """Uses one of that name's. Raises: ChatError `rate_limited`."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= PRUNE_AT:
                self._buckets = {key: each for key, each in self._buckets.items() if not each.is_idle()}
            bucket = self._buckets[name] = TokenBucket(self._acts, self._window_s)
        bucket.take()
