"""A thousand people whose connections all end at once, and come back at once: `python -m bench.storm`.

Half of them reload the page, half lose the connection without a word; all come back within three quarters of a second,
by themselves, and ask for what their rooms have. Others talk meanwhile. See bench/crowd.py.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from bench.crowd import gathered, judged, parser
from tests.faults.run import Run

IN_SYNC_S = 15
PATIENCE_S = 120
TURNS = 3
CALM_S = 10.0


def storm(run: Run) -> tuple[float, Counter[str]]:
    """Seconds until all are in sync, and how often who was told what on the way."""
    before = Counter(run.crowd.figures()["retries"])
    began = time.monotonic()
    run.crowd.crash(1)
    while (status := run.crowd.status())["in_sync"] < status["here"]:
        assert time.monotonic() < began + PATIENCE_S, status
        time.sleep(0.05)
    return time.monotonic() - began, Counter(run.crowd.figures()["retries"]) - before


def refused(told: Counter[str]) -> int:
    """How many answers said that the server could not: a status of 500 or more, or a connect that was refused."""
    return sum(n for what, n in told.items() if what.startswith(("http 5", "connect ")) and what != "connect timeout")


def main() -> int:
    options = parser(__doc__, people=1_000, rooms=50, rate=20, seconds=CALM_S).parse_args()
    with gathered(options) as run:
        run.crowd.load(options.rate)
        worst, denied = 0.0, 0
        for turn in range(TURNS):
            time.sleep(options.seconds)
            took, told = storm(run)
            worst, denied = max(worst, took), denied + refused(told)
            print(f"storm {turn + 1}: all in sync after {took:.1f} s; {dict(told)}", flush=True)
        return judged(run, in_sync_s=(round(worst, 1), IN_SYNC_S), refused=(denied, 0))


if __name__ == "__main__":
    sys.exit(main())
