"""When which fault strikes: each alone first, so that blame is clear, then two at a time.

Everything that is drawn comes from the seed and the number of the window: what happened in one window changes nothing
about the next, and a window can be run alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from tests.faults.faults import FAULTS, Fault

HOLD_S = (3.0, 8.0)
LONGEST_HOLD_S = 20.0
LONG_SHARE = 0.1  # of the windows of a long run


@dataclass(frozen=True)
class Window:
    """One or two faults that begin together. `hold_s` is how long they stay, if there is anything to heal."""

    number: int
    faults: tuple[Fault, ...]
    hold_s: float
    dice: random.Random

    @property
    def name(self) -> str:
        return "+".join(fault.name for fault in self.faults)

    @property
    def instant(self) -> bool:
        return all(fault.instant for fault in self.faults)


def windows(seed: int, hold_s: tuple[float, float] = HOLD_S, long: bool = False) -> Iterator[Window]:
    """For ever: a round of all faults, each alone, then eight pairs."""
    for number in count(0, len(FAULTS) + len(FAULTS) // 2):
        dice = random.Random(f"{seed}/{number}")
        round_ = [(fault,) for fault in dice.sample(FAULTS, len(FAULTS))] + _pairs(dice)
        for k, faults in enumerate(round_, number + 1):
            own = random.Random(f"{seed}/window {k}")
            held_s = own.uniform(*hold_s)
            if long and own.random() < LONG_SHARE:
                held_s = own.uniform(LONGEST_HOLD_S, min(fault.longest_s for fault in faults))
            yield Window(k, faults, held_s, own)


def again(seed: int, names: Sequence[str], hold_s: tuple[float, float] = HOLD_S) -> Iterator[Window]:
    """These faults once more, each alone; their windows are numbered −1, −2, …"""
    for k, name in enumerate(names, 1):
        own = random.Random(f"{seed}/again {k}")
        fault = next(fault for fault in FAULTS if fault.name == name)
        yield Window(-k, (fault,), own.uniform(*hold_s), own)


def _pairs(dice: random.Random) -> list[tuple[Fault, ...]]:
    """Faults of different targets, two and two; what is left of a target finds another partner."""
    waiting = dice.sample(FAULTS, len(FAULTS))
    pairs: list[tuple[Fault, ...]] = []
    while waiting:
        first = waiting.pop()
        partner = next((fault for fault in waiting if fault.target != first.target), None)
        if partner is not None:
            waiting.remove(partner)
        else:
            partner = dice.choice([fault for fault in FAULTS if fault.target != first.target])
        pairs.append((first, partner))
    return pairs[: len(FAULTS) // 2]
