"""A planted bug of each kind of code, each found; and some scenes without a bug, others in each run, in which nothing
is. `make audit` has all of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.audit import find, stay_silent
from tests.faults.planted import BUGS, takes
from tests.faults.stage import SCENES, Backing
from tests.seeds import drawn

ONE_EACH = (
    "dedup key without the user",  # what is written
    "handlers reorder",  # in which order
    "off by one in `after`",  # what somebody gets who was away
    "non-member joins",  # who may hear
)
SOME = 3


@pytest.fixture(scope="module")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
    with Backing(tmp_path_factory.mktemp("backing")) as backing:
        yield backing


@pytest.mark.parametrize("name", ONE_EACH)
def test_the_checker_finds_a_planted_bug(backing: Backing, tmp_path: Path, name: str) -> None:
    finding, found = find(backing, tmp_path, BUGS[name], drawn())
    assert found, finding.row


def test_the_checker_finds_nothing_where_nothing_is_planted(backing: Backing, tmp_path: Path) -> None:
    finding = stay_silent(backing, tmp_path, drawn(), SOME)
    assert finding.violations == [], finding.row


def test_every_bug_has_a_scene_that_also_runs_without_it() -> None:
    assert {bug.scene for bug in BUGS.values()} <= set(SCENES)


def test_every_bug_fits_what_it_is_planted_in() -> None:
    plant = "from tests.faults.planted_app import BUGS\nfor bug in BUGS.values(): bug.plant()"
    planted = subprocess.run([sys.executable, "-c", plant], capture_output=True, text=True)
    assert planted.returncode == 0, planted.stderr


@pytest.mark.parametrize(
    ("function", "fits"),
    [
        (lambda room, seen=0, charge=None: None, True),
        (lambda *args: None, True),
        (lambda room, *args, **options: None, True),
        (lambda room: None, False),
        (lambda room, seen: None, False),
        (lambda room, seen, charge, more: None, False),
    ],
)
def test_what_is_called_otherwise_fits_no_more(function: Callable[..., Any], fits: bool) -> None:
    assert takes(function, lambda room, seen=0, charge=None: None) is fits
