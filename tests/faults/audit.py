"""`python -m tests.faults.audit`: the checker finds each planted bug, and is silent where none is planted.

Each bug is tried with other seeds until a run shows what it must (TRIES at most); then the product as it is plays
all scenes, `--clean` times. Prints a line for each run; exit status 0: all found, all silent.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checker import Violation, kinds
from tests.faults.planted import BUGS, Bug
from tests.faults.stage import SCENES, Backing, run

TRIES = 3
CLEAN_RUNS = 20
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """What the checker said of one bug, in so many tries, or of the product as it is."""

    what: str
    seed: int
    violations: list[Violation]
    took_s: float
    tries: int = 1

    @property
    def row(self) -> str:
        found = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds(self.violations).items())) or "nothing"
        return f"{self.what:<52} seed {self.seed:>10}  {self.took_s:5.1f} s  {self.tries} tries  {found}"


def find(backing: Backing, folder: Path, bug: Bug, seed: int) -> tuple[Finding, bool]:
    """Whether the checker finds that bug by a violation that it must show, and what it said."""
    began = time.monotonic()
    for tries in range(1, TRIES + 1):
        violations = run(backing, folder, seed, [bug.scene], bug.name)
        found = not bug.kinds.isdisjoint(kinds(violations))
        if found or tries == TRIES:
            return Finding(bug.name, seed, violations, time.monotonic() - began, tries), found
        seed += 1
    raise AssertionError


def stay_silent(backing: Backing, folder: Path, seed: int, number: int = len(SCENES)) -> Finding:
    """What the checker says of the product as it is, after so many scenes (all) in an order of the seed's."""
    began = time.monotonic()
    scenes = random.Random(seed).sample(sorted(SCENES), number)
    violations = run(backing, folder, seed, scenes)
    what = "the product as it is" if number == len(SCENES) else f"the product as it is: {', '.join(scenes)}"
    return Finding(what, seed, violations, time.monotonic() - began)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clean", type=int, default=CLEAN_RUNS, help="runs without a bug")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--bug", action="append", choices=sorted(BUGS), help="only this one; may be given again")
    chosen = parser.parse_args(argv)
    missed, alarms = [], 0
    with tempfile.TemporaryDirectory() as name, Backing(Path(name)) as backing:
        for bug in [BUGS[each] for each in chosen.bug or BUGS]:
            finding, found = find(backing, Path(name), bug, chosen.seed)
            print(finding.row if found else f"MISSED {finding.row}", flush=True)
            missed += [] if found else [bug.name]
        for seed in range(chosen.seed, chosen.seed + chosen.clean):
            finding = stay_silent(backing, Path(name), seed)
            print(finding.row, *finding.violations[:SHOWN], sep="\n  ", flush=True)
            alarms += bool(finding.violations)
    print(f"{len(chosen.bug or BUGS) - len(missed)} of {len(chosen.bug or BUGS)} bugs found", end="; ")
    print(f"{chosen.clean - alarms} of {chosen.clean} clean runs silent")
    return 1 if missed or alarms else 0


if __name__ == "__main__":
    sys.exit(main())
