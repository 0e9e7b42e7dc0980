"""However a run ends, nothing of it is left running, and the next one finds everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.embedded import children
from tests.runtime.running import NAME, PASSWORD, ROOT, Running, until


@pytest.fixture(scope="module")
def ended_by(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A run that somebody has signed in to, and that the tests end in ever other ways, starting it again."""
    with Running(tmp_path_factory.mktemp("ending") / "data") as run:
        assert run.request("/api/auth/register", {"username": NAME, "password": PASSWORD})[0] == 201
        assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
        yield run


def test_all_killed_at_once_loses_nothing(ended_by: Running) -> None:
    told = ended_by.told
    ended_by.kill_all()
    ended_by.start()
    assert ended_by.told == told, "addresses that were printed stay valid"
    assert ended_by.request("/api/auth/protected")[0] == 200, "still signed in"
    ended_by.cookie = ""
    assert ended_by.request("/api/auth/protected")[0] == 401
    assert ended_by.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200, "still a user"


def test_the_supervisor_killed_alone_takes_all_with_it(ended_by: Running) -> None:
    assert len(ended_by.pids()) >= 5
    ended_by.signal(signal.SIGKILL)
    ended_by.process.wait()
    ended_by.gone(5)


def test_sigterm_stops_everything_within_five_seconds(ended_by: Running) -> None:
    ended_by.start()
    assert ended_by.request("/api/auth/protected")[0] == 200, "still signed in"
    began = time.monotonic()
    ended_by.signal(signal.SIGTERM)
    assert ended_by.process.wait(5) == 0
    assert time.monotonic() - began < 5
    assert ended_by.pids() == set()


def test_a_child_dies_with_its_parent_where_the_kernel_does_it() -> None:
    _parent_dies("c.start()", kernel=True)


def test_a_child_dies_with_its_parent_where_a_guard_does_it() -> None:
    _parent_dies("g = children.Guard(); g.add(c.start().pid)", kernel=False)


def test_without_either_it_would_live_on() -> None:
    """So the two above can fail."""
    with pytest.raises(AssertionError):
        _parent_dies("c.start()", kernel=False)


def _parent_dies(start: str, kernel: bool) -> None:
    program = f"""
import os, pathlib, sys
from chat.embedded import children
if not {kernel}:
    children._prctl = None
c = children.Child("sleeper", ["sleep", "60"], os.environ, pathlib.Path("/"))
{start}
print(c.process.pid, flush=True)
sys.stdin.read()
"""
    if kernel and not children.BY_KERNEL:
        pytest.skip("no such kernel")
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    try:
        until(lambda: not _runs(pid), 2, "the child has ended")
    finally:
        if _runs(pid):
            os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
