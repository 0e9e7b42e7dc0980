"""`python -m tests.faults.run`: people at work on the whole product, and one fault after another.

Prints what each fault cost and what the judge found; the seed replays the schedule. Exit status 0: nothing was lost,
doubled, disordered or leaked, every write ended, and everybody was back in time.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import wait_until
from tests.faults.checker import KINDS, Evidence, judge, scan
from tests.faults.crowd import Crowd
from tests.faults.days import miscounts
from tests.faults.faults import CUT, FAULTS, Scene
from tests.faults.hosts import refusal
from tests.faults.reader import Reader
from tests.faults.rows import Rows
from tests.faults.schedule import HOLD_S, Window, again, windows
from tests.faults.site import Site

BACK_SHARE = 0.99
CUT_S = 30.0
STAYS_S = 1.0  # so long it must last after an instant fault, or it was only not noticed yet
CALM_S = 1.5  # between the windows, all being well
LEAST_PAIRS = 2
ENDING_S = 75.0  # for the cut, and until all rests and is judged
PATIENCE_S = 60.0  # with those who come back too late
QUIET_WITHIN_S = 90.0
LATE = "late"


@dataclass
class Report:
    """What a run found."""

    seed: int
    recoveries: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def table(self) -> str:
        """For people: a line for each window, then the figures."""
        lines = [f"{'window':>6}  {'faults':9} {'held':>6} {'back':>6}  acked"]
        for row in self.recoveries:
            back = "never" if row["back_s"] is None else f"{row['back_s']:.1f} s"
            lines.append(f"{row['window']:6}  {row['faults']:9} {row['held_s']:4.1f} s {back:>6}  {row['acked']}")
        lines += [f"{name}: {json.dumps(value)}" for name, value in self.figures.items()]
        kinds = {kind: sum(v.startswith(kind) for v in self.violations) for kind in (*KINDS, LATE)}
        lines.append(f"seed {self.seed}: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()))
        return "\n".join([*lines, *self.violations[:50]])


class Run:
    """One run over a site with its crowd."""

    def __init__(self, site: Site, crowd: Crowd, rows: Rows, readers: list[Reader], seed: int):
        self.site = site
        self.crowd = crowd
        self.rows = rows
        self.readers = readers
        self.report = Report(seed)

    def strike(self, window: Window) -> None:
        """Lets the window's faults begin, heals them after its time, and waits until everybody is back. The clock
        starts when they are healed; where there is nothing to heal, when they struck."""
        says = ", ".join(fault.says for fault in window.faults)
        _tell(f"{window.number:3} {window.name:8} {says} …")
        acked = self.crowd.status()["acked"]
        self.crowd.calm(False)
        began = time.monotonic()
        scene = Scene(self.site, self.crowd, window.dice)
        heals = [fault.begin(scene) for fault in window.faults]
        if not window.instant:
            time.sleep(max(0.0, began + window.hold_s - time.monotonic()))
        with ThreadPoolExecutor(len(heals)) as healing:  # side by side: one may have to wait for the other
            for ending in [healing.submit(heal) for heal in heals]:
                ending.result()
        healed = began if window.instant else time.monotonic()
        within_s = max(fault.back_s for fault in window.faults)
        back_s = self.back(healed, PATIENCE_S, STAYS_S if window.instant else 0)
        status = self.crowd.status()
        row = {
            "window": window.number,
            "faults": window.name,
            "held_s": healed - began,
            "back_s": back_s,
            "acked": status["acked"] - acked,
        }
        self.report.recoveries.append(row)
        if back_s is None or back_s > within_s:
            self.report.violations.append(f"{LATE}: after {window.name} back in {back_s} s, not {within_s} s; {status}")
        _tell(f"    held {row['held_s']:.1f} s, back after {back_s and round(back_s, 1)} s, {row['acked']} acked")
        self.crowd.calm(True)
        time.sleep(CALM_S)

    def back(self, since: float, within_s: float, stays_s: float) -> float | None:
        """Seconds until 99 % are connected and in sync, with all answered that they wrote before, and writes are acked
        again, for `stays_s`; None when that takes too long. Who logs out of their own accord just then does not
        count."""
        acked, well_since = self.crowd.status()["acked"], None
        while (now := time.monotonic()) < since + within_s + stays_s:
            status = self.crowd.status(now - since)
            well = status["back"] >= BACK_SHARE * status["here"] and status["acked"] > acked
            well_since = (well_since or now) if well else None
            if well_since is not None and now - well_since >= stays_s:
                return well_since - since
            time.sleep(0.1)
        return None

    def finish(self) -> Report:
        """Lets everything come to rest, and judges."""
        self.crowd.load(0)
        self.crowd.calm(False)
        self.rows.end()
        wait_until(self.rows.arrived, QUIET_WITHIN_S, "the last rows are messages")
        wait_until(self._rests, QUIET_WITHIN_S, "everything rests")
        shown = {(reader.name, reader.room): reader.shown() for reader in self.readers}
        wait_until(self._rests, QUIET_WITHIN_S, "everybody has heard of what the readers wrote last")
        fresh = self.crowd.fresh()
        wait_until(self._rests, QUIET_WITHIN_S, "everybody has heard of the newcomer")
        listed = self.crowd.lists()
        history = self.crowd.history()
        with self.site.clients.inside():
            logs = scan(self.site.storage(), self.crowd.rooms)
            wrong = miscounts(self.site.storage(), self.crowd.rooms)
        together = sum("+" in row["faults"] for row in self.report.recoveries)
        windows = {"alone": len(self.report.recoveries) - together, "together": together}
        self.report.figures = {"windows": windows, **self.crowd.figures(), "rows": dict(self.rows.done)}
        found = judge(Evidence(history, logs, fresh, shown, listed, wrong))
        self.report.violations += [str(violation) for violation in found]
        for reader in self.readers:
            self.report.violations += reader.complaints(logs[reader.room])
        return self.report

    def _rests(self) -> bool:
        status = self.crowd.status()
        return status["waiting"] == status["moves"] == 0 and status["in_sync"] == status["clients"]


def run(options: argparse.Namespace, folder: Path) -> Report:
    """The schedule of the seed for so many minutes; at least each fault alone, and two times two together."""
    began = time.monotonic()
    with (
        Site(folder, workers=tuple(options.workers), seed=options.seed) as site,
        Crowd(site, options.clients, options.rooms, options.members, options.seed) as crowd,
        ExitStack() as open_,
    ):
        readers = [open_.enter_context(Reader(site, f"reader{k}")) for k in range(options.pages)]
        for reader in readers:
            reader.enter(crowd.admit(reader.name))
        rows = open_.enter_context(Rows(site, crowd.rooms, options.rows, options.seed))
        this = Run(site, crowd, rows, readers, options.seed)
        crowd.load(options.rate)
        _tell(
            f"seed {options.seed}: {options.clients} clients in {options.rooms} rooms, {options.rate} writes a second"
        )
        time.sleep(CALM_S)
        until = min(time.monotonic() + options.minutes * 60, began + options.within * 60 - ENDING_S)
        for window in windows(options.seed, tuple(options.hold), long=options.minutes > 20):
            if window.number > len(FAULTS) + LEAST_PAIRS and (options.only is not None or time.monotonic() > until):
                break
            if options.only is not None and window.name not in options.only:
                continue
            this.strike(window)
        for window in again(options.seed, options.again, tuple(options.hold)):
            this.strike(window)
        if options.cut:
            this.strike(Window(0, (CUT,), CUT_S, random.Random(options.seed)))
        report = this.finish()
    took_minutes = (time.monotonic() - began) / 60
    report.figures["minutes"] = round(took_minutes, 1)
    if took_minutes > options.within:
        report.violations.append(f"{LATE}: the run took {took_minutes:.1f} minutes, not {options.within:g}")
    return report


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--within", type=float, default=float("inf"), help="minutes for the whole run, or it failed")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--members", type=int, default=20, help="in each room")
    parser.add_argument("--rate", type=float, default=50, help="writes a second")
    parser.add_argument("--rows", type=float, default=3, help="put, edited or deleted past the chat, a second")
    parser.add_argument("--workers", type=int, nargs=2, default=[2, 1], help="of each web host")
    parser.add_argument("--hold", type=float, nargs=2, default=HOLD_S, help="seconds that a fault stays")
    parser.add_argument("--pages", type=int, default=1, help="people at the shipped page in Chromium")
    parser.add_argument("--cut", action="store_true", help="and web-1 cut off from Redis for 30 s")
    parser.add_argument("--only", nargs="*", help="these faults alone, such as F4 F5")
    parser.add_argument("--again", nargs="*", default=[], help="these once more at the end, each alone")
    parser.add_argument("--keep", type=Path, help="a folder for logs and history; made, and kept")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = arguments(argv)
    if why := refusal():
        print(why, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = options.keep or Path(tempfile.mkdtemp(prefix="faults-"))
    report = run(options, folder)
    print(report.table())
    if report.violations:
        print(f"logs and history: {folder}", file=sys.stderr)
    elif not options.keep:
        shutil.rmtree(folder)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
