"""What happens to the product while people are at work: its parts are killed, stand still, or are emptied."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.e2e.outages import WELL_WITHIN_S
from tests.e2e.parley import Parley
from tests.runtime.running import command_line, until

REDIS, ENGINE = "redis-server", "chat.embedded.dynamodb"
LASTS_S = 6.0  # at most, of what stands still

Heal = Callable[[], None]


def _pid_of(parley: Parley, words: str) -> int:
    """The process with these words in its command line, which may just be starting again."""
    there = until(lambda: [pid for pid in parley.pids() if words in command_line(pid)], WELL_WITHIN_S, words)
    return min(there)


def nothing_to_heal() -> None:
    """It comes back by itself."""


def worker_killed(parley: Parley, dice: random.Random) -> Heal:
    if workers := sorted(parley.workers):
        parley.kill(dice.choice(workers))
    return nothing_to_heal


def worker_stands_still(parley: Parley, dice: random.Random) -> Heal:
    return _still(parley, dice.choice(sorted(parley.workers) or [parley.worker]))


def redis_stands_still(parley: Parley, dice: random.Random) -> Heal:
    return _still(parley, _pid_of(parley, REDIS))


def redis_killed(parley: Parley, dice: random.Random) -> Heal:
    parley.kill(_pid_of(parley, REDIS))
    return nothing_to_heal


def redis_emptied(parley: Parley, dice: random.Random) -> Heal:
    parley.redis.flushall()
    return nothing_to_heal


def engine_killed(parley: Parley, dice: random.Random) -> Heal:
    parley.kill(_pid_of(parley, ENGINE))
    return nothing_to_heal


def engine_stands_still(parley: Parley, dice: random.Random) -> Heal:
    return _still(parley, _pid_of(parley, ENGINE))


def _still(parley: Parley, pid: int) -> Heal:
    parley.pause(pid)

    def heal() -> None:
        if pid in parley.pids():
            parley.resume(pid)

    return heal


STRIKES = (
    worker_killed,
    worker_stands_still,
    redis_stands_still,
    redis_killed,
    redis_emptied,
    engine_killed,
    engine_stands_still,
)


class Outside:
    """One thing at a time: it stays for some steps, and never longer than `LASTS_S`."""

    def __init__(self, parley: Parley):
        self.parley = parley
        self.happened: list[str] = []
        self._heal: Heal | None = None
        self._steps = 0
        self._until = 0.0

    def strike(self, dice: random.Random) -> str:
        """Draws what happens; returns its name."""
        self.heal()
        blow = dice.choice(STRIKES)
        self._heal = blow(self.parley, dice)
        self._steps, self._until = dice.randint(1, 6), time.monotonic() + LASTS_S
        self.happened.append(blow.__name__)
        return blow.__name__

    def step(self) -> None:
        """A step has passed."""
        self._steps -= 1
        if self._steps <= 0 or time.monotonic() > self._until:
            self.heal()

    def heal(self) -> None:
        """Nothing stands still any more."""
        heal, self._heal = self._heal, None
        if heal is not None:
            heal()

    def well(self) -> None:
        """Waits until the product says that it is well, with all its workers."""
        self.heal()
        until(lambda: self.parley.is_well() and self.parley.workers, WELL_WITHIN_S, "the product is well again")
