"""The lanes of `make test` hold every test once, and say truly how they ended."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from tests import lanes
from tests.conftest import ROOT
from tests.lanes import LANES, Lane, counted, files, main


def test_every_test_file_runs_in_one_lane():
    everywhere = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    assert sorted(file for lane in LANES for file in files(lane)) == everywhere


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("==== 3 failed, 20 passed, 2 skipped, 1 error in 3.20s ====", {"failed": 4, "passed": 20, "skipped": 2}),
        ("== 1 passed in 61.00s (0:01:01) ==", {"passed": 1}),
        (" Test Files  19 passed (19)\n      Tests  1 failed | 350 passed (351)", {"failed": 1, "passed": 350}),
        ("Killed", {}),
    ],
)
def test_a_closing_line_is_counted(said, counts):
    assert counted(said) == counts


@dataclass(frozen=True)
class Saying(Lane):
    """A lane that says something and ends with a status."""

    said: str = ""
    status: int = 0

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", f"print({self.said!r}); raise SystemExit({self.status})"]


@pytest.mark.parametrize(
    ("status", "within_s", "ci", "code"),
    [(0, 60, "1", 0), (1, 60, "1", 1), (0, 0, "1", 1), (0, 0, "", 0)],
    ids=["all well", "one that fails", "late in CI", "late at home"],
)
def test_a_lane_that_fails_or_in_ci_is_late_fails_the_run(monkeypatch, tmp_path, capsys, status, within_s, ci, code):
    saying = Saying("saying", (), 1, within_s, said="== 2 passed, 1 skipped in 1.00s ==", status=status)
    other = Saying("other", (), 1, 60, said="== 3 passed in 1.00s ==")
    monkeypatch.setattr(lanes, "LANES", (saying, other))
    monkeypatch.setattr(lanes, "LOGS", tmp_path)
    monkeypatch.setattr(lanes, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(lanes, "ROOM_BYTES", 1)
    (tmp_path / "memory" / "parley-0").mkdir(parents=True)  # of a process that is gone
    monkeypatch.setattr(lanes, "TIMINGS", tmp_path / "timings.jsonl")
    monkeypatch.setenv("CI", ci)
    assert main([]) == code
    assert capsys.readouterr().out.splitlines()[-1] == "5 passed, 0 failed, 1 skipped"
    assert len(list((tmp_path / "memory").iterdir())) == status, "what a run wrote is kept when something failed"
