"""A thousand people who talk, and how soon what one says is with the others: `python -m bench.crowd`.

The whole product on network namespaces, as the faults have it (docs/reliability.md): two web hosts with two workers
each, real socket.io clients in one Node process, all of it on this machine. Needs root. In the end the checker judges
what everybody holds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.crowd import Crowd
from tests.faults.hosts import refusal
from tests.faults.rows import Rows
from tests.faults.run import Run
from tests.faults.site import Site

SEED = 20261128
P50_MS, P99_MS = 20, 150
WARM_S = 5.0


@contextmanager
def gathered(options: argparse.Namespace, **settings: str) -> Iterator[Run]:
    """So many people, connected, and a row put past the chat every second; nobody says anything yet."""
    if why := refusal():
        sys.exit(why)
    print(f"{options.people} people in {options.rooms} rooms; load of the machine {told_load()}", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Site(Path(folder), workers=tuple(options.workers), seed=SEED, **settings) as site,
        Crowd(site, options.people, options.rooms, options.members, SEED) as crowd,
        Rows(site, crowd.rooms, 1, SEED) as rows,
    ):
        yield Run(site, crowd, rows, [], SEED)


def measured(run: Run, rate: float, seconds: float) -> dict[str, Any]:
    """So many writes a second for so long, after a few seconds that do not count; the crowd's figures of that time."""
    run.crowd.calm(False)
    run.crowd.load(rate)
    time.sleep(WARM_S)
    before = run.crowd.figures()
    run.crowd.calm(True)
    time.sleep(seconds)
    found = run.crowd.figures()
    run.crowd.calm(False)
    per_s = {name: round((found[name] - before[name]) / seconds) for name in ("sent", "deliveries")}
    return {**per_s, "delivered_ms": found["delivered_ms"], "acked_ms": found["acked_ms"]}


def judged(run: Run, **goals: tuple[float, float]) -> int:
    """Prints each goal with what was found, `name=(found, at most)`, and what the checker says; the exit code."""
    violations = run.finish().violations
    goals["violations"] = len(violations), 0
    for name, (found, most) in goals.items():
        print(f"{name}: {found:g}, goal ≤ {most:g}, {'met' if found <= most else 'MISSED'}")
    print("\n".join([f"load of the machine at the end {told_load()}", *violations[:20]]))
    return int(any(found > most for found, most in goals.values()))


def told_load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


def parser(what: str | None, people: int, rooms: int, rate: float, seconds: float) -> argparse.ArgumentParser:
    """The options that every bench with a crowd has."""
    found = argparse.ArgumentParser(description=what, formatter_class=argparse.RawTextHelpFormatter)
    found.add_argument("--people", type=int, default=people)
    found.add_argument("--rooms", type=int, default=rooms)
    found.add_argument("--members", type=int, default=20, help="in each room")
    found.add_argument("--rate", type=float, default=rate, help="writes a second")
    found.add_argument("--seconds", type=float, default=seconds)
    found.add_argument("--workers", type=int, nargs=2, default=[2, 2], help="of each web host")
    return found


def main() -> int:
    options = parser(__doc__, people=1_000, rooms=50, rate=100, seconds=60).parse_args()
    with gathered(options) as run:
        found = measured(run, options.rate, options.seconds)
        print(json.dumps(found), flush=True)
        took = found["delivered_ms"]
        return judged(run, p50_ms=(took["p50"], P50_MS), p99_ms=(took["p99"], P99_MS))


if __name__ == "__main__":
    sys.exit(main())
