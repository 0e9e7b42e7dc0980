"""Workers whose work has failed for good leave, one after the other, and others take their places."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.conftest import spawn_server, wait_until
from tests.e2e.parley import children

APART_S = 3.0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.expects_traceback("as planted")
def test_workers_that_gave_up_leave_one_at_a_time_and_say_why(config, tmp_path: Path) -> None:
    started = tmp_path / "started"
    wsgi = f"tests.sockets.failing_app:app({str(started)!r},{APART_S * 1000:.0f})"
    server = spawn_server(config, tmp_path, wsgi, workers=2)
    gone: dict[int, float] = {}
    try:
        wait_until(lambda: len(started.read_text().splitlines()) >= 2, 60, "two workers")
        first = [int(pid) for pid in started.read_text().split()[:2]]

        def both_left() -> bool:
            gone.update({pid: time.monotonic() for pid in first if pid not in gone and not alive(pid)})
            return len(gone) == 2

        wait_until(both_left, 60, "both left")
        wait_until(lambda: len(children(server.process.pid)) == 2, 60, "two others are there")
        wait_until(lambda: server.says_yes("/readyz"), 60, "which are ready")
        assert children(server.process.pid).isdisjoint(first)
    finally:
        server.process.terminate()
        server.process.wait(30)
    apart = max(gone.values()) - min(gone.values())
    assert apart > APART_S / 2, "they took turns"
    said = server.log.read_text()
    assert said.count("this worker leaves: broken was given up") == 2
    assert said.count("broken failed: ZeroDivisionError: as planted") == 2, "each cause once, with where it happened"
    assert said.count('raise ZeroDivisionError("as planted")') == 2
