"""A refusal that takes its time: over one connection, nobody can do nothing but be refused, many times a millisecond
of a worker's. Holding an answer back costs a greenlet; looking up who asks costs everybody else's time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

HELD_S = 0.25  # less than the second that whoever is refused is told to wait
MOST_HELD = 256  # connections; beyond that a refusal goes out at once


class Tarpit:
    """Holds back the answers of a process to those who ask too fast, so many at a time."""

    def __init__(self, pause: Callable[[float], object] = time.sleep, held_s: float = HELD_S, most: int = MOST_HELD):
        self._pause = pause
        self._held_s = held_s
        self._free = most

    def hold(self) -> None:
        """Returns after a moment, at once when too many are held."""
        if not self._free:
            return
        self._free -= 1
        try:
            self._pause(self._held_s * random.uniform(0.5, 1.5))  # or who was refused together comes together
        finally:
            self._free += 1
