"""Some of the planted bugs, each found; and one run of all scenes without a bug, in which nothing is. `make audit` has
all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.audit import find, stay_silent
from tests.faults.planted import BUGS
from tests.faults.stage import SCENES, Backing

SEED = 1
QUICK = (
    "ack before write",
    "no dedup on retry",
    "dedup key without the user",
    "seq from a worker-local counter",
    "an older image overwrites a newer one",
    "handlers reorder",
    "non-member joins",
    "an image handed to someone removed before its `rev`",
    "delivery goes on while Redis is silent",
)


@pytest.fixture(scope="module")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
    with Backing(tmp_path_factory.mktemp("backing")) as backing:
        yield backing


@pytest.mark.parametrize("name", QUICK)
def test_the_checker_finds_a_planted_bug(backing: Backing, tmp_path: Path, name: str) -> None:
    finding, found = find(backing, tmp_path, BUGS[name], SEED)
    assert found, finding.row


def test_the_checker_finds_nothing_where_nothing_is_planted(backing: Backing, tmp_path: Path) -> None:
    assert stay_silent(backing, tmp_path, SEED).violations == []


def test_every_bug_has_a_scene_that_also_runs_without_it() -> None:
    assert {bug.scene for bug in BUGS.values()} <= set(SCENES)
