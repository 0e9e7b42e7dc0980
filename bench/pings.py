"""What it costs to tell a page that its line is alive: `python -m bench.pings [PINGS]`.

One worker, its Redis and its engine; sockets of one session ping in turn, each when the one before it was answered, so
that no two share a turn of the worker's loop: the dearest way. What the worker uses beside that (its sweep, Redis) is
measured over as long a time without a ping, and left out. Told is CPU a ping, and what 3,000 people at open pages cost
that ping each time the page does.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.fanout.machine import cpu_us
from tests.conftest import ROOT, spawn_server
from tests.e2e.parley import PASSWORD, Person, children
from tests.faults.people import Door
from tests.faults.stage import Backing
from tests.transport.peers import PATH, TEXT, masked

PINGS, ROUNDS, SOCKETS, PEOPLE = 20_000, 5, 200, 3_000
MOST_SHARE = 0.01  # of a core
ROOMY = {
    "sockets_per_user": 5_000, "sockets_per_address": 5_000, "sockets_per_worker": 5_000, "sends_per_user": 1_000_000
}  # fmt: skip
CONNECTION = ROOT / "frontend/src/lib/connection.ts"


def every_s() -> float:
    """How often a page pings, as it says itself."""
    told = re.search(r"PING_EVERY_MS = ([\d_]+);", CONNECTION.read_text())
    assert told is not None
    return int(told[1]) / 1000


def connected(port: int, cookie: str) -> socket.socket:
    """A raw socket, let in."""
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = [
        f"GET {PATH} HTTP/1.1", f"Host: localhost:{port}", f"Origin: http://localhost:{port}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        f"Cookie: {cookie}", "", "",
    ]  # fmt: skip
    sock.sendall("\r\n".join(lines).encode() + masked(TEXT, b"40"))
    found = b""
    while b'42["room:heads"' not in found:
        data = sock.recv(65536)
        assert data, found
        found += data
    return sock


def pinged(sockets: list[socket.socket], pings: int) -> None:
    frames = [masked(TEXT, b'42%d["ping",{}]' % n) for n in range(10)]
    for n in range(pings):
        sock = sockets[n % len(sockets)]
        sock.sendall(frames[n % 10])
        answer = b"43%d[]" % (n % 10)
        found = b""
        while answer not in found:  # a ping of the engine's may come between
            data = sock.recv(4096)
            assert data, found
            found += data


def main(pings: int) -> int:
    with tempfile.TemporaryDirectory() as name, Backing(folder := Path(name)) as backing:
        live = spawn_server(backing.config(), folder, **ROOMY)
        try:
            person = Person(Door(live.url), "Bench")  # type: ignore[arg-type]
            assert person.post("/api/auth/register", username=person.name, password=PASSWORD)[0] == 201
            person.sign_in()
            (worker,) = children(live.process.pid)
            sockets = [connected(live.port, person.cookie) for _ in range(SOCKETS)]
            pinged(sockets, pings // 10)
            found = [_round(worker, sockets, pings) for _ in range(ROUNDS)]
        finally:
            live.stop()
    each_us = statistics.median(found)
    share = PEOPLE / every_s() * each_us / 1e6
    print(f"us a ping: {', '.join(f'{us:.1f}' for us in found)}; median {each_us:.1f}")
    print(f"{PEOPLE:,} people, one each {every_s():g} s: {share:.2%} of a core; load {os.getloadavg()[0]:.1f}")
    return 0 if share <= MOST_SHARE else 1


def _round(worker: int, sockets: list[socket.socket], pings: int) -> float:
    began, before = time.monotonic(), cpu_us(worker)
    pinged(sockets, pings)
    took_s, used = time.monotonic() - began, cpu_us(worker) - before
    before = cpu_us(worker)
    time.sleep(took_s)
    return (used - (cpu_us(worker) - before)) / pings


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PINGS))
