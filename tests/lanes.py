"""`python -m tests.lanes`: all tests, in lanes that run side by side on two cores.

Tests that wait share the processors with tests that compute: two lanes at a time keep each other's waits busy, and more
would only wait for each other. Each lane's output stands in `data/tests/<lane>.log` and is printed when the lane has
ended; at the end come the seconds of each, what failed, and one count of all. With CI in the environment a lane over
its budget fails the run. Exit status 0: all passed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "data" / "tests"
TIMINGS = LOGS / "timings.jsonl"
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 2**30
AT_ONCE = 2
ANSI = re.compile(r"\x1b\[[0-9;]*m")
COUNT = re.compile(r"(\d+) (passed|failed|skipped|error|xfailed|xpassed)")
FAILED = re.compile(r"^ *(?:FAILED|ERROR|FAIL) +(?=\S*tests/|src/).*", re.MULTILINE)
FAILED_LENGTH = 300


@dataclass(frozen=True)
class Lane:
    """Tests that run in so many processes, a file in one. `within_s` is its budget beside another lane: half an hour of
    CI at most, and more than the twelve minutes that are the goal, because processors that others use too have
    been seen at a third of their speed. The files of `first`, below tests/, take longest: who began them last would
    keep the others waiting."""

    name: str
    folders: tuple[str, ...]
    processes: int
    within_s: int
    first: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        spread = ["-n", str(self.processes), "--dist", "loadfile", "--no-loadscope-reorder"]
        spread = spread if self.processes > 1 else []
        timed = ["-p", "tests.timings", "--timings", str(TIMINGS)]
        return [sys.executable, "-m", "pytest", *spread, *timed, "--color=no", *files(self)]


@dataclass(frozen=True)
class Pages(Lane):
    """The page's own tests."""

    @property
    def command(self) -> list[str]:
        return ["npm", "--prefix", "frontend", "--no-update-notifier", "test", "--silent"]


WAITING = Lane(
    "waiting",
    (
        "blueprints",
        "embedded",
        "lambdas",
        "model",
        "mutants",
        "runtime",
        "security",
        "services",
        "sockets",
        "transport",
        "",
    ),
    processes=4,
    within_s=1_800,
    first=(
        "model/test_model.py",
        "lambdas/test_policies.py",
        "lambdas/test_package.py",
        "blueprints/test_auth.py",
        "lambdas/test_doors.py",
        "transport/test_ping.py",
        "transport/test_slow.py",
        "transport/test_end.py",
        "services/test_crashes_behind_the_scenes.py",
        "services/test_crashes_in_rooms.py",
        "services/test_crashes.py",
        "runtime/test_ending.py",
        "runtime/test_running.py",
        "runtime/test_make.py",
    ),
)
BROWSER = Lane(
    "browser",
    ("e2e", "screens"),
    processes=2,
    within_s=1_500,
    first=(
        "screens/test_trees.py",
        "e2e/test_outbox.py",
        "e2e/test_people.py",
        "e2e/test_sessions.py",
        "e2e/test_revocations.py",
    ),
)
MACHINES = Lane("machines", ("deploy", "faults"), processes=1, within_s=1_620)
PAGES = Pages("pages", (), processes=1, within_s=1_200)
LANES = (WAITING, BROWSER, MACHINES, PAGES)


def files(lane: Lane) -> list[str]:
    """The lane's test files, below the root, in the order in which they begin; the folder "" is tests/ itself, without
    what is below it."""
    found: list[Path] = []
    for folder in lane.folders:
        found += (ROOT / "tests" / folder).rglob("test_*.py") if folder else (ROOT / "tests").glob("test_*.py")
    first = [f"tests/{file}" for file in lane.first]
    rest = {str(path.relative_to(ROOT)) for path in found}
    return [*first, *sorted(rest.difference(first))]


@dataclass
class Run:
    """One lane on its way."""

    lane: Lane
    process: subprocess.Popen[bytes]
    began_s: float
    took_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def start(cls, lane: Lane, env: Mapping[str, str]) -> Run:
        with (LOGS / f"{lane.name}.log").open("wb") as log:
            process = subprocess.Popen(
                lane.command,
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        return cls(lane, process, time.monotonic())

    @property
    def said(self) -> str:
        return ANSI.sub("", (LOGS / f"{self.lane.name}.log").read_text(errors="replace"))

    def has_ended(self) -> bool:
        if self.process.poll() is None:
            return False
        self.took_s = time.monotonic() - self.began_s
        self.counts = counted(self.said)
        return True

    def stop(self) -> None:
        """As Ctrl-C does, so that what the tests have started is ended too."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def failed(self) -> bool:
        return self.process.returncode != 0

    @property
    def failures(self) -> list[str]:
        """What pytest or vitest name as failed, each once."""
        return list(dict.fromkeys(line.strip()[:FAILED_LENGTH] for line in FAILED.findall(self.said)))

    @property
    def is_late(self) -> bool:
        return self.took_s > self.lane.within_s

    @property
    def row(self) -> str:
        count = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        state = "FAILED" if self.failed else "late" if self.is_late else "ok"
        return f"{self.lane.name:<9} {self.took_s:5.0f} s of {self.lane.within_s} s  {state:<6} {count}"


def counted(said: str) -> Counter[str]:
    """What pytest's or vitest's closing line says; nothing where there is none."""
    closing = [line for line in said.splitlines() if re.search(r"^=+ .* in .*=+$|^ +Tests  ", line)]
    counts: Counter[str] = Counter()
    for number, what in COUNT.findall(closing[-1] if closing else ""):
        counts["failed" if what in ("error", "xpassed") else "skipped" if what == "xfailed" else what] += int(number)
    return counts


def scratch() -> dict[str, str]:
    """Where tests are to write, as their environment says it: to memory, where there is room. A thousand commits of a
    test's table take 5 s of a disk and 40 ms of memory, and who is killed loses as little there. What failed runs have
    left goes with the next."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        return {}
    for left in MEMORY.glob("parley-*"):
        if not Path("/proc", left.name.removeprefix("parley-")).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = MEMORY / f"parley-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    return {"TMPDIR": str(folder)}


def run_all(lanes: Sequence[Lane], env: Mapping[str, str]) -> list[Run]:
    """Runs these in their order, `AT_ONCE` side by side, and prints each when it has ended."""
    LOGS.mkdir(parents=True, exist_ok=True)
    TIMINGS.unlink(missing_ok=True)
    waiting = list(lanes)
    running: list[Run] = []
    ended: list[Run] = []
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                running.append(Run.start(waiting.pop(0), env))
            for run in [run for run in running if run.has_ended()]:
                running.remove(run)
                ended.append(run)
                print(f"--- {run.lane.name}, {run.took_s:.0f} s ---", run.said, sep="\n", flush=True)
            time.sleep(0.2)
    finally:
        for run in running:
            run.stop()
    return ended


def main(names: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    env = scratch()
    runs = run_all([lane for lane in LANES if not names or lane.name in names], env)
    for run in runs:
        print(run.row)
    for line in [line for run in runs if run.failed for line in run.failures]:
        print(line)
    late = [run.lane.name for run in runs if run.is_late]
    if late and os.environ.get("CI"):
        print(f"Over budget: {', '.join(late)}. What takes so long: data/tests/timings.jsonl, docs/tests.md.")
    counts = sum((run.counts for run in runs), Counter[str]())
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    if env and not any(run.failed for run in runs):
        shutil.rmtree(env["TMPDIR"], ignore_errors=True)
    return 1 if any(run.failed for run in runs) or (late and os.environ.get("CI")) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
