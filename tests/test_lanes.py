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


def test_what_failed_stands_in_the_last_lines(monkeypatch, tmp_path, capsys):
    server = "FAILED tests/a.py::b - AssertionError\n== 1 failed in 1.00s =="
    page = " FAIL  src/a.test.tsx > b\n      Tests  1 failed | 2 passed (3)"
    saying = [Saying("server", (), 1, 60, said=server, status=1), Saying("page", (), 1, 60, said=page, status=1)]
    monkeypatch.setattr(lanes, "LANES", tuple(saying))
    monkeypatch.setattr(lanes, "LOGS", tmp_path)
    monkeypatch.setattr(lanes, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(lanes, "TIMINGS", tmp_path / "timings.jsonl")
    assert main([]) == 1
    *_, first, second, count = capsys.readouterr().out.splitlines()
    assert {first, second} == {"FAILED tests/a.py::b - AssertionError", "FAIL  src/a.test.tsx > b"}
    assert count == "2 passed, 2 failed, 0 skipped"


def test_no_more_than_so_many_run_at_once(monkeypatch, tmp_path):
    """Each lane writes down when it began and when it ended, in one file."""
    told = tmp_path / "told"
    code = "import sys, time; f = open(sys.argv[1], 'a', 1); f.write('+'); time.sleep(0.3); f.write('-')"

    class Telling(Lane):
        @property
        def command(self) -> list[str]:
            return [sys.executable, "-c", code, str(told)]

    monkeypatch.setattr(lanes, "LANES", tuple(Telling(name, (), 1, 60) for name in "abcd"))
    monkeypatch.setattr(lanes, "LOGS", tmp_path)
    monkeypatch.setattr(lanes, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(lanes, "TIMINGS", tmp_path / "timings.jsonl")
    assert main([]) == 0
    began = told.read_text()
    assert sorted(began) == sorted("++++----")
    running = [began[: at + 1].count("+") - began[: at + 1].count("-") for at in range(len(began))]
    assert max(running) <= lanes.AT_ONCE
