"""A pytest plugin (`-p tests.timings --timings FILE`): how long each file's tests took, and how much was computed.

Each process that runs tests appends a line of JSON a file: `{file, tests, wall_s, cpu_s, slowest: [name, s]}`. What is
computed is counted for the process and all that it started, as far as /proc shows them; the rest of the time waited.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class FileTimes:
    """What the tests of one file took."""

    file: str
    tests: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    slowest: tuple[str, float] = ("", 0.0)


def cpu_of_tree() -> float:
    """Seconds of CPU that this process and everything below it have used so far."""
    above: dict[int, int] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        above[int(entry.name)] = int(fields[1])
        used[int(entry.name)] = sum(int(ticks) for ticks in fields[11:15])  # its own and of children it has waited for
    me = os.getpid()

    def is_below(process: int) -> bool:
        while process > 1:
            if process == me:
                return True
            process = above.get(process, 0)
        return False

    ticks = sum(ticks for process, ticks in used.items() if process != me and is_below(process))
    own = os.times()
    return ticks / TICKS_A_SECOND + own.user + own.system + own.children_user + own.children_system


class Timings:
    """Writes a file's line when the first test of another one begins."""

    def __init__(self, path: Path):
        self._path = path
        self._times: FileTimes | None = None
        self._cpu_before_s = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        file = item.nodeid.partition("::")[0]
        if self._times is None or self._times.file != file:
            self._end()
            self._times, self._cpu_before_s = FileTimes(file), cpu_of_tree()
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._times is None:
            return  # the controller of xdist only passes on
        times = self._times
        times.wall_s += report.duration
        if report.when == "call":
            times.tests += 1
            if report.duration > times.slowest[1]:
                times.slowest = (report.nodeid.rpartition("::")[2], report.duration)

    def pytest_sessionfinish(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._times is None:
            return
        self._times.cpu_s = cpu_of_tree() - self._cpu_before_s
        with self._path.open("a") as out:
            out.write(json.dumps(asdict(self._times)) + "\n")
        self._times = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--timings", metavar="FILE", help="append what each file's tests took")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--timings"):
        config.pluginmanager.register(Timings(Path(path).absolute()))
