"""The C load client of one server, on the client's core."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.fanout.machine import Refused, busy_us, cores, cpu_us
from bench.fanout.peers import Peer, compiled

FRAME_BYTES = 235
MOST_LATE_US = 2_000
SATURATED = 0.9
JOIN = '0["join","@R"]'
_HEAD = '["say","@R","~@N~'
SAY = _HEAD + "x" * (FRAME_BYTES - len(_HEAD) - 20) + '"]'


@dataclass(frozen=True)
class Round:
    """What one command brought. CPU in microseconds a delivery; shares are of the wall's time."""

    messages: int
    deliveries: int
    lost: int
    closed: int
    seconds: float
    late_us: int
    p50_us: int
    p99_us: int
    max_us: int
    server_us: float
    server_share: float
    client_share: float
    others_share: float

    @property
    def per_delivery_us(self) -> float:
        return self.server_us / max(1, self.deliveries)


class Load:
    """Sockets of one server. `with Load(peer, folder, rooms, members) as load:`"""

    def __init__(
        self,
        peer: Peer,
        folder: Path,
        rooms: list[str],
        members: int,
        say: str = SAY,
        join: str = JOIN,
        cookie: str = "",
    ):
        self.peer = peer
        argv = [str(compiled("client", folder)), str(peer.port), cookie, join, say, str(members), *rooms]
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=_on_the_clients_core
        )
        before = peer.cpu_us()
        opened = self._answer()
        self.sockets = int(opened["connected"])
        self.connect_us = (peer.cpu_us() - before) / self.sockets

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def load(self, outstanding: int, seconds: float) -> Round:
        """Always so many messages under way in each room."""
        return self._round(f"load {outstanding} {seconds}")

    def rate(self, messages_per_s: float, seconds: float) -> Round:
        """So many messages a second, whatever comes back. Raises: Refused when the client could not keep to it."""
        found = self._round(f"rate {messages_per_s} {seconds}")
        if found.late_us > MOST_LATE_US:
            raise Refused(f"The client is the bottleneck: it sent a message {found.late_us / 1000:.0f} ms late.")
        return found

    def stall(self) -> None:
        """The first socket reads nothing any more."""
        self._ask("stall")

    def drop(self) -> None:
        """Closes every socket at once."""
        self._ask("drop")

    def _round(self, command: str) -> Round:
        everybody, server, client = busy_us(), self.peer.cpu_us(), cpu_us(self._process.pid)
        told = self._ask(command)
        everybody, server, client = (
            busy_us() - everybody,
            self.peer.cpu_us() - server,
            cpu_us(self._process.pid) - client,
        )
        wall = told["seconds"] * 1e6
        return Round(
            **told,
            server_us=server,
            server_share=server / wall,
            client_share=client / wall,
            others_share=max(0.0, everybody - server - client) / 2 / wall,
        )

    def _ask(self, command: str) -> dict:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise Refused(f"The client of {self.peer.name} has ended: what it saw stands above.")
        return dict(json.loads(line))


def _on_the_clients_core() -> None:
    os.sched_setaffinity(0, {cores()[1]})
