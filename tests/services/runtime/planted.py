"""Decoders as strangers' bytes could make them: each does one thing wrong. Run in children (test_child.py)."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import time


def reverse(given: bytes) -> bytes:
    return given[::-1]


def segfault(given: bytes) -> bytes:
    ctypes.string_at(0)
    return given


def loop(given: bytes) -> bytes:
    while True:
        pass


def stand_still(given: bytes) -> bytes:
    while True:
        time.sleep(3600)


def loop_and_ignore(given: bytes) -> bytes:
    for number in (signal.SIGXCPU, signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    return loop(given)


def allocate(given: bytes) -> bytes:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def write_without_end(given: bytes) -> bytes:
    while True:
        os.write(0, b"=" * 65_536)


def print_without_end(given: bytes) -> bytes:
    while True:
        os.write(1, b"x" * 65_536)


def too_much(given: bytes) -> bytes:
    return bytes(int(given))


def leave(given: bytes) -> bytes:
    os._exit(0)


def raise_an_error(given: bytes) -> bytes:
    raise ValueError("not a picture\x1b[31m\n\u202e\xe9" + "x" * 10_000)


def answer_by_another_type(given: bytes) -> bytes:
    return "text"  # type: ignore[return-value]


def fork_and_stay(given: bytes) -> bytes:
    """The children hold the socket open, and stay, for a minute if nobody ends them; says who they are."""
    pids = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)
            stand_still(given)
        pids.append(pid)
    return json.dumps(pids).encode()


def write_a_file(given: bytes) -> bytes:
    with open(given, "wb", buffering=0) as file:
        file.write(b"x")
    return b"written"


def surroundings(given: bytes) -> bytes:
    """What it finds around itself."""
    descriptors = [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]
    links = {name: os.readlink(f"/proc/self/fd/{name}") for name in descriptors}
    limits = {
        name: resource.getrlimit(getattr(resource, name))
        for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_NPROC")
    }
    found = {"files": links, "environment": dict(os.environ), "limits": limits}
    found |= {"group": os.getpgid(0) == os.getpid(), "alarm_s": signal.getitimer(signal.ITIMER_REAL)[0]}
    return json.dumps(found).encode()
