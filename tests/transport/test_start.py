"""What gunicorn.conf.py says when it cannot start, and what it leaves behind when it can."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, free_port, wait_until
from tests.transport.conftest import Start, on_each
from tests.transport.peers import PATIENCE_S, handshake, status
from tests.transport.served import OURS


def run(port: int, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env |= {"SECRET_KEY": "0123456789abcdef" * 3, "PORT": str(port)} | settings
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "tests.transport.tiny:app"]
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


def test_a_port_that_is_taken_is_said_at_once() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(port)
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Retrying" not in done.stderr, "gunicorn would try five times"


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


def read_all(sock: socket.socket) -> None:
    """Reads until it is closed."""
    while sock.recv(65_536):
        pass


@on_each  # each takes the file of a handshake in its own way
def test_a_proxy_on_the_same_host_may_come_through_a_unix_socket(tmp_path: Path, fanout: str) -> None:
    """Nobody but its owner and group may; whose socket it is, is what the proxy says: each address has one."""
    port, path = free_port(), tmp_path / "parley.sock"
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env |= {"SECRET_KEY": "0123456789abcdef" * 3, "PORT": str(port), "BIND": f"unix:{path}", "FANOUT": fanout}
    env |= {"TRUSTED_PROXY_HOPS": "1", "SOCKETS_PER_ADDRESS": "1"}
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "tests.transport.tiny:app"]
    process = subprocess.Popen(argv, cwd=ROOT, env=env)

    def opened(address: str) -> socket.socket | None:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE_S)
        try:
            sock.connect(str(path))
            sock.sendall(handshake(port, X_Forwarded_For=address))
            return sock if status(sock.recv(65_536)) == 101 else None
        except OSError:
            return None

    try:
        first: list[socket.socket] = []
        wait_until(lambda: (sock := opened("203.0.113.7")) and not first.append(sock), 120, "a socket is opened")
        assert opened("203.0.113.8") is not None
        first[0].setblocking(False)
        with pytest.raises(BlockingIOError):  # nothing more is said, and it is not closed
            read_all(first[0])
        first[0].settimeout(PATIENCE_S)
        assert opened("203.0.113.7") is not None
        read_all(first[0])  # it has not connected: it gives way to the newcomer of its own address
        assert path.stat().st_mode & 0o777 == 0o770
    finally:
        process.kill()
        process.wait(60)
