"""Ports for what tests start, never the same one twice while suites run side by side."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

FIRST = 20_000
COUNTER = Path("/tmp", f"parley-test-ports-{os.getuid()}")  # the same for all suites, wherever each writes
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _end() -> int:
    """Where the kernel's own choices begin: a connection that goes out never sits on a port of ours."""
    return max(int(EPHEMERAL.read_text().split()[0]), FIRST + 2_000) if EPHEMERAL.exists() else 32_768


def free_port() -> int:
    """A loopback port that nobody listens on and that no other test was given lately: a counter in a locked file, which
    all processes of this user share, goes round."""
    with COUNTER.open("a+") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        counter.seek(0)
        port = int(counter.read() or FIRST)
        while True:
            port = port + 1 if FIRST <= port + 1 < _end() else FIRST
            if _is_free(port):
                break
        counter.seek(0)
        counter.truncate()
        counter.write(str(port))
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
