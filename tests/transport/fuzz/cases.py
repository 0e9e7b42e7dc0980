"""Cases in this process: each from a seed and its number, each within a second and without a trace."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from types import FrameType

from tests.transport.fuzz.readers import check_opening, check_packet, check_stream
from tests.transport.fuzz.requests import opening
from tests.transport.fuzz.streams import stream, text

MAX_S = 1.0  # of CPU: other programs may be at work too
HANGS_S = 10.0
MAX_GROWTH_BYTES = 64 * 1024 * 1024
KINDS = ("frames",) * 11 + ("packet",) * 5 + ("handshake",) * 4


@dataclass
class Outcome:
    """What so many cases came to."""

    cases: int = 0
    seconds: float = 0.0
    worst_s: float = 0.0
    worst_case: int = 0
    growth_bytes: int = 0


class Found(AssertionError):
    """A case did what it may not."""


def run_case(seed: int, number: int) -> None:
    """Raises: AssertionError, or what a reader raised."""
    rng = Random(f"{seed}:{number}")
    kind = KINDS[number % len(KINDS)]
    if kind == "frames":
        check_stream(stream(rng), rng)
    elif kind == "packet":
        check_packet(text(rng)[1:])
    else:
        check_opening(opening(rng, 8000))


def run(seed: int, numbers: Iterable[int]) -> Outcome:
    """All of them. Raises: Found, with the number of the case."""
    outcome, began = Outcome(), time.monotonic()
    high_water = _high_water()
    before = signal.signal(signal.SIGVTALRM, _hangs)
    try:
        for number in numbers:
            signal.setitimer(signal.ITIMER_VIRTUAL, HANGS_S)
            at = time.thread_time()
            try:
                run_case(seed, number)
            except Exception as error:
                raise Found(f"case {number} of seed {seed}: {error!r}") from error
            took = time.thread_time() - at
            if took > outcome.worst_s:
                outcome.worst_s, outcome.worst_case = took, number
            outcome.cases += 1
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    outcome.seconds = time.monotonic() - began
    outcome.growth_bytes = _high_water() - high_water
    if outcome.worst_s > MAX_S:
        raise Found(f"case {outcome.worst_case} of seed {seed} took {outcome.worst_s:.2f} s")
    if outcome.growth_bytes > MAX_GROWTH_BYTES:
        raise Found(f"memory grew by {outcome.growth_bytes} bytes")
    return outcome


def _hangs(_: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"hangs after {HANGS_S} s")


def _high_water() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
