"""How long tests take, and how much of it is computed.

A pytest plugin (`-p tests.timings --timings FILE`): each process that runs tests appends a line of JSON a file: `{file,
tests, wall_s, cpu_s, slowest: [name, s]}`. And a script: `python -m tests.timings FILE` writes what such a file says
into docs/tests.md, by folder and by file.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SAMPLE_EVERY_S = 1.0
DOCS = Path(__file__).resolve().parents[1] / "docs" / "tests.md"
BEGIN, END = "<!-- written by python -m tests.timings -->\n", "<!-- end -->\n"
FILES_SHOWN = 25


@dataclass
class FileTimes:
    """What the tests of one file took."""

    file: str
    tests: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    slowest: tuple[str, float] = ("", 0.0)


class Computed:
    """Seconds of CPU of this process and of everything below it. Looks every second, because what a killed process has
    used is told by nobody: the last second of such a one is missing."""

    def __init__(self) -> None:
        self._ticks = 0
        self._seen: dict[tuple[int, str], int] = {}  # (process, when it began) → its ticks when last looked at
        self._lock = threading.Lock()
        threading.Thread(target=self._sample, daemon=True).start()

    def so_far_s(self) -> float:
        """All until now."""
        with self._lock:
            self._look()
            return self._ticks / TICKS_A_SECOND

    def _sample(self) -> None:
        while True:
            self.so_far_s()
            threading.Event().wait(SAMPLE_EVERY_S)

    def _look(self) -> None:
        above: dict[int, int] = {}
        now: dict[int, tuple[str, int]] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            above[int(entry.name)] = int(fields[1])
            now[int(entry.name)] = (fields[19], int(fields[11]) + int(fields[12]))
        ours = {process for process in now if _is_below(process, above)}
        seen = {(process, now[process][0]): now[process][1] for process in ours}
        self._ticks += sum(ticks - self._seen.get(process, 0) for process, ticks in seen.items())
        self._seen = seen


def _is_below(process: int, above: dict[int, int]) -> bool:
    me = os.getpid()
    while process > 1 and process != me:
        process = above.get(process, 0)
    return process == me


class Timings:
    """Writes a file's line when the first test of another one begins."""

    def __init__(self, path: Path):
        self._path = path
        self._times: FileTimes | None = None
        self._computed = Computed()
        self._before_s = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        file = item.nodeid.partition("::")[0]
        if self._times is None or self._times.file != file:
            self._end()
            self._times = FileTimes(file)
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
        now_s = self._computed.so_far_s()
        self._times.cpu_s, self._before_s = now_s - self._before_s, now_s
        with self._path.open("a") as out:
            out.write(json.dumps(asdict(self._times)) + "\n")
        self._times = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--timings", metavar="FILE", help="append what each file's tests took")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--timings"):
        config.pluginmanager.register(Timings(Path(path).absolute()))


# --- the table -------------------------------------------------------------------------------------------------------


def read(lines: Iterable[str]) -> list[FileTimes]:
    """What was appended, in its order."""
    return [FileTimes(**json.loads(line)) for line in lines]


def table(found: list[FileTimes]) -> str:
    """By folder, and the files that take longest; in Markdown."""
    folders: dict[str, FileTimes] = defaultdict(lambda: FileTimes(""))
    for times in found:
        folder = folders[times.file.rpartition("/")[0]]
        folder.tests += times.tests
        folder.wall_s += times.wall_s
        folder.cpu_s += times.cpu_s
    rows = ["| folder | tests | seconds | computed | waited |", "|---|---:|---:|---:|---:|"]
    for name, total in sorted(folders.items(), key=lambda pair: -pair[1].wall_s):
        rows.append(_row(name, total))
    whole = FileTimes("", *(sum(getattr(t, part) for t in found) for part in ("tests", "wall_s", "cpu_s")))
    rows += [
        _row("all", whole),
        "",
        "| file | tests | seconds | computed | the slowest test |",
        "|---|---:|---:|---:|---|",
    ]
    for times in sorted(found, key=lambda times: -times.wall_s)[:FILES_SHOWN]:
        name, seconds = times.slowest
        rows.append(
            f"| {times.file} | {times.tests} | {times.wall_s:.0f} | {times.cpu_s:.0f} | `{name}` {seconds:.1f} s |"
        )
    return "\n".join(rows) + "\n"


def _row(name: str, times: FileTimes) -> str:
    waited = max(times.wall_s - times.cpu_s, 0)
    return f"| {name} | {times.tests:,} | {times.wall_s:.0f} | {times.cpu_s:.0f} | {waited:.0f} |"


def main(path: str) -> None:
    """Writes the table into the page."""
    page = DOCS.read_text()
    head, _, rest = page.partition(BEGIN)
    DOCS.write_text(
        head + BEGIN + "\n" + table(read(Path(path).read_text().splitlines())) + "\n" + END + rest.partition(END)[2]
    )


if __name__ == "__main__":
    main(sys.argv[1])
