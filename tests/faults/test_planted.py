"""A planted bug of each kind of code, each found; and some scenes without a bug, others in each run, in which nothing
is. `make audit` has all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.audit import find, stay_silent
from tests.faults.planted import BUGS
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
