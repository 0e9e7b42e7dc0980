"""Some faults on the whole product, one after the other, some of them others in each run: nothing is lost, doubled,
disordered or leaked.

`make faults` has all sixteen, some of them together, and the cut between two machines, with more people and for longer.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.faults import FAULTS
from tests.faults.run import LATE, arguments, run
from tests.seeds import drawn

ALWAYS = ("F1", "F4", "F9")  # a worker killed, Redis emptied, DynamoDB's answers lost
DRAWN = 2
SHAPE = "--minutes 0 --clients 30 --rooms 4 --members 12 --rate 20 --rows 6 --hold 1 2"


def test_nothing_is_lost_through_faults_of_which_some_are_drawn(permitted: None, tmp_path: Path) -> None:
    seed = drawn()
    others = [fault.name for fault in FAULTS if fault.name not in ALWAYS]
    names = [*ALWAYS, *random.Random(seed).sample(others, DRAWN)]
    report = run(arguments(["--seed", str(seed), *SHAPE.split(), "--only", *names]), tmp_path)
    print(report.table())
    assert sorted(row["faults"] for row in report.recoveries) == sorted(names)
    assert report.figures["acked"] > 200
    assert min(report.figures["rows"][done] for done in ("put", "edited", "deleted")) > 2
    assert not [one for one in report.violations if not one.startswith(LATE)], report.table()
    # All come back. How soon says as much about what else this machine does: that is for `make faults` to judge.
    assert all(row["back_s"] is not None for row in report.recoveries), report.table()
