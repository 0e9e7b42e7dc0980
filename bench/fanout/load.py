"""The C load client of one server, on the client's core."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.fanout.machine import Refused, allow_files, busy_us, cores, cpu_us
from bench.fanout.peers import compiled

FRAME_BYTES = 235
JOIN = '0["join","@R"]'
_SAY = '["say","@R","~@N~{}"]'


def say(size: int = FRAME_BYTES) -> str:
    """An event that comes back as a frame of about so many bytes."""
    return _SAY.format("x" * (size - len(_SAY) - 20))


class Server(Protocol):
    """What can be loaded."""

    name: str
    port: int

    def cpu_us(self) -> float:
        """Microseconds of CPU used so far."""


@dataclass(frozen=True)
class Round:
    """What one command brought. CPU in microseconds a delivery; shares are of the wall's time; `late_us` is how late
    the client sent, at most, 99 % of the messages that go by the clock."""

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

    @property
    def per_message_us(self) -> float:
        return self.server_us / max(1, self.messages)


class Load:
    """Sockets of one server. `with Load(peer, folder, rooms, members) as load:`

    `beside` tells the microseconds of CPU of what the server cannot do without (its store): that is nobody else's."""

    def __init__(
        self,
        peer: Server,
        folder: Path,
        rooms: list[str],
        members: int,
        event: str = "",
        join: str = JOIN,
        cookie: str = "",
        beside: Callable[[], float] = lambda: 0.0,
    ):
        self.peer = peer
        self._beside = beside
        argv = [str(compiled("client", folder)), str(peer.port), cookie, join, event or say(), str(members), *rooms]
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
        """So many messages a second, whatever comes back."""
        return self._round(f"rate {messages_per_s} {seconds}")

    def stall(self) -> None:
        """The first socket reads nothing any more."""
        self._ask("stall")

    def drop(self) -> None:
        """Closes every socket at once."""
        self._ask("drop")

    def _round(self, command: str) -> Round:
        everybody, server, client, beside = busy_us(), self.peer.cpu_us(), cpu_us(self._process.pid), self._beside()
        told = self._ask(command)
        everybody, server, client, beside = (
            busy_us() - everybody,
            self.peer.cpu_us() - server,
            cpu_us(self._process.pid) - client,
            self._beside() - beside,
        )
        wall = told["seconds"] * 1e6
        return Round(
            **told,
            server_us=server,
            server_share=server / wall,
            client_share=client / wall,
            others_share=max(0.0, everybody - server - client - beside) / 2 / wall,
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
    allow_files()
