"""One clock for all connections: coarse, so that ten thousand waiting things cost one timer."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any

import gevent

STEP_S = 0.05

log = logging.getLogger(__name__)


class TimerWheel:
    """Calls functions later, in the hub: they may not wait for anything. Turns only while something is due."""

    def __init__(self) -> None:
        self._slots: dict[int, list[Callable[[], None]]] = {}
        self._turned = 0
        self._timer: Any = None

    def call(self, delay_s: float, function: Callable[[], None]) -> None:
        """Calls it after that time, at most two steps late, unless the process was stopped meanwhile."""
        now = int(time.monotonic() / STEP_S)
        if self._timer is None:
            self._turned = now
            self._timer = gevent.get_hub().loop.timer(STEP_S, STEP_S)
            self._timer.start(self._turn)
        due = max(now + 1 + math.ceil(delay_s / STEP_S), self._turned + 1)
        self._slots.setdefault(due, []).append(function)

    def _turn(self) -> None:
        now = int(time.monotonic() / STEP_S)
        while self._turned < now and self._slots:
            self._turned += 1
            for function in self._slots.pop(self._turned, ()):
                try:
                    function()
                except Exception:
                    log.exception("a timed call failed")
        self._turned = now
        if not self._slots and self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
