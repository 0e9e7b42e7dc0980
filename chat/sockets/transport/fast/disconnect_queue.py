"""Clients that have gone, a few in each turn of the event loop: when a proxy is restarted thousands go at once, and who
stays must not wait until all of them are forgotten."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import gevent

AT_ONCE = 32  # about 1 ms


class Gone(Protocol):
    """A connection whose client has gone."""

    def lost(self) -> None:
        """It is told so."""


class DisconnectQueue:
    """The connections of one worker whose clients have gone and that have not been told so yet."""

    def __init__(self) -> None:
        self._waiting: deque[Gone] = deque()

    def add(self, connection: Gone) -> None:
        """Calls its `lost` soon."""
        self._waiting.append(connection)
        if len(self._waiting) == 1:
            self._schedule()

    def _schedule(self) -> None:
        gevent.get_hub().loop.run_callback(self._let_go)

    def _let_go(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._waiting.popleft().lost()
        if self._waiting:
            self._schedule()
