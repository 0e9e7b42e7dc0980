"""`python -m bench.fanout GOAL… [--short] [--write] [--even-if-busy]`; no goal: all of them.

Exit code 1 when a ratio is missed, 2 when it cannot be measured here and now. `--write` puts what was found into
docs/performance.md. `--short` measures a tenth as long. `--even-if-busy` only shows that the bench works.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.fanout import connections, durable, fan, history, latency, logins, stalled, workers
from bench.fanout.machine import Refused
from bench.fanout.report import shown, write
from bench.fanout.rounds import Effort

GOALS = {
    "w1": fan.w1,
    "burst": fan.burst,
    "rate": latency.rate,
    "idle": connections.idle,
    "connect": connections.connect,
    "durable": durable.durable,
    "workers": workers.workers,
    "logins": logins.logins,
    "stalled": stalled.stalled,
    "mass": connections.mass,
    "idlep99": latency.idlep99,
    "history": history.history,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench.fanout", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("goals", nargs="*", choices=[*GOALS, []], metavar="GOAL", help=" ".join(GOALS))
    for option in ("short", "write", "even-if-busy"):
        parser.add_argument(f"--{option}", action="store_true")
    told = parser.parse_args()
    if told.write and (told.short or told.even_if_busy):
        parser.error("--write keeps only what was measured at length on a quiet machine")
    effort = Effort(3, 0.4, told.even_if_busy, divisor=10) if told.short else Effort(anyway=told.even_if_busy)
    held = True
    with tempfile.TemporaryDirectory() as folder:
        for goal in told.goals or GOALS:
            try:
                finding = GOALS[goal](Path(folder), effort)
            except Refused as why:
                print(f"{goal}: {why}", file=sys.stderr)
                return 2
            print(shown(finding), flush=True)
            held &= finding.holds
            if told.write:
                write(finding, f"Medians of {effort.rounds} interleaved rounds of {effort.seconds:g} s.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
