"""The whole of Parley as `make run` starts it: its worker on the servers' core, engine and Redis on the client's."""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from bench.fanout.machine import cores, cpu_us
from bench.fanout.peers import SOCKETS
from tests.e2e.parley import Parley, new_id

MANY = str(10**9)
_numbers = count()


class Product:
    """A product that runs until `stack` is left, with one person and her cookie."""

    def __init__(self, stack: ExitStack, folder: Path, **settings: str):
        roomy = dict.fromkeys(("SOCKETS_PER_WORKER", "SOCKETS_PER_ADDRESS", "SOCKETS_PER_USER"), str(SOCKETS))
        self.parley = Parley(
            folder / f"product{next(_numbers)}",
            FANOUT="fast",
            SENDS_PER_USER=MANY,
            LOG_LEVEL="warning",
            **roomy,
            **settings,
        )
        stack.enter_context(self.parley)
        self.name = "Parley, the whole of it"
        self.port = self.parley.port
        self.person = self.parley.person("Bench")
        self.cookie = self.person.cookie
        self._worker = self.parley.worker
        for pid in self.parley.pids():
            _pin(pid, {cores()[0] if pid == self._worker else cores()[1]})

    def everywhere(self) -> None:
        """Lets all of it use both cores, as it does where nobody measures CPU: a hash takes a core for a quarter of a
        second, and nobody is bound to wait there for it."""
        for pid in self.parley.pids():
            _pin(pid, set(cores()))

    def cpu_us(self) -> float:
        """Microseconds of CPU that the worker has used so far."""
        return cpu_us(self._worker)

    def beside_us(self) -> float:
        """Microseconds of CPU that all else of it has used so far: the engine, Redis."""
        return cpu_us(*(self.parley.pids() - {self._worker}))


def send_event() -> str:
    """`message:send` for the load client; each of these has its own client_ids."""
    text = "~@N~" + "x" * 80
    return f'0["message:send",{{"room":"@R","client_id":"{new_id()}@N","text":"{text}","after":0}}]'


def _pin(pid: int, allowed: set[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), allowed)
        except ProcessLookupError:
            continue  # it ended while we looked
