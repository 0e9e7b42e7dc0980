"""Interleaved rounds, and their medians: what disturbs one disturbs them all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bench.fanout.load import Round
from bench.fanout.machine import BUSY_SHARE, Refused, wait_until_quiet

SATURATED = 0.9  # of a core
MOST_LATE_US = 500  # of 99 % of the messages that go by the clock
TRIES = 3


@dataclass(frozen=True)
class Effort:
    """How long to measure; `anyway` also on a busy machine, which shows that the bench works and nothing else."""

    rounds: int = 7
    seconds: float = 1.0
    anyway: bool = False

    divisor: int = 1  # of the numbers of sockets

    @property
    def beside_others(self) -> Effort:
        """The same on a machine that is busy because what is measured needs others: a store, Redis, a hash."""
        return replace(self, anyway=True)

    @property
    def busy_share(self) -> float:
        """How much of the two cores others may use."""
        return 1.0 if self.anyway else BUSY_SHARE


def interleaved(ways: Mapping[str, Callable[[], Round]], effort: Effort) -> dict[str, list[Round]]:
    """A round of each way, again and again.

    Raises: Refused when the machine is too busy, or the client is the bottleneck.
    """
    wait_until_quiet(effort.busy_share)
    for measure in ways.values():
        measure()  # warm
    found: dict[str, list[Round]] = {way: [] for way in ways}
    for _ in range(effort.rounds):
        for way, measure in ways.items():
            found[way].append(_undisturbed(measure, effort))
    for way, rounds in found.items():
        client, server = middle(rounds, lambda r: r.client_share), middle(rounds, lambda r: r.server_share)
        if client > SATURATED and server < SATURATED:
            raise Refused(f"The client is the bottleneck for {way}: it is at {client:.0%}, the server at {server:.0%}.")
    return found


def middle(rounds: list[Round], what: Callable[[Round], float]) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(what(each) for each in rounds)


def _undisturbed(measure: Callable[[], Round], effort: Effort) -> Round:
    for _ in range(TRIES):
        found = measure()
        others, late = found.others_share > effort.busy_share, found.late_us > MOST_LATE_US
        if effort.anyway or not (others or late):
            return found
        wait_until_quiet(effort.busy_share)
    if others:
        raise Refused(f"The machine is too busy: others used {found.others_share:.0%} of the two cores.")
    raise Refused(f"The client is the bottleneck: one message in a hundred went out {found.late_us} µs late.")
