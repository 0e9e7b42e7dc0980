"""What gunicorn.conf.py says when it cannot start, and what it leaves behind when it can."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT, free_port
from tests.transport.conftest import OURS, Start


def run(port: int, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env |= {"SECRET_KEY": "x" * 43, "PORT": str(port)} | settings
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "tests.transport.tiny:app"]
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=20)


def test_a_port_that_is_taken_is_said_at_once() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        began = time.monotonic()
        done = run(port)
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 4


def test_unsafe_settings_are_listed_without_a_traceback() -> None:
    done = run(free_port(), SECRET_KEY="short", PUBLIC_URL="http://chat.example.org")
    assert done.returncode == 1
    assert "- SECRET_KEY has fewer than 32 bytes" in done.stderr
    assert "- PUBLIC_URL is plain http" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_instances_of_one_user_run_side_by_side_without_a_control_socket(start: Start) -> None:
    first, second = start(), start()
    assert first.facts() and second.facts()
    for tiny in (first, second):
        children = Path(f"/proc/{tiny.process.pid}/task/{tiny.process.pid}/children").read_text().split()
        for pid in [str(tiny.process.pid), *children]:
            links = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
            assert not any(link.endswith(".ctl") for link in links)
    listening = Path("/proc/net/unix").read_text()
    assert "gunicorn.ctl" not in listening
