"""How much a client may send: floods of tiny frames, pings and fragments end here."""

from __future__ import annotations

import time

from chat.sockets.transport.frames import POLICY, Refused

CAPACITY, REFILL_PER_S = 2_000, 200  # a frame costs 1, and 1 KiB costs 1


class TokenBucket:
    """What one client may still send now."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = float(CAPACITY)
        self._at = time.monotonic()

    def charge(self, frames: int, size: int, now: float) -> None:
        """Takes for so many frames and bytes, at that time (monotonic seconds). Raises: Refused."""
        self._left = min(CAPACITY, self._left + (now - self._at) * REFILL_PER_S) - frames - size / 1024
        self._at = now
        if self._left < 0:
            raise Refused(POLICY, "too much at once")
