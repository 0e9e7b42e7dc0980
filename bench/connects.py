"""A hundred thousand connects, and whether anything stays behind: `python -m bench.connects [CONNECTS]`.

One worker, its Redis and its engine. A thousand sockets of one session come and are closed at once, a hundred times;
what the worker holds when they are gone is told every tenth part. Flat is: after the first tenths, which fill caches
and pools, memory grows by no more than a twentieth, and the rest by none or a handful. Needs gcc.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.fanout.load import Load
from bench.fanout.machine import Refused, cpu_us
from tests.conftest import LiveServer, spawn_server
from tests.e2e.parley import PASSWORD, Person, children
from tests.faults.people import Door
from tests.faults.stage import Backing

CONNECTS, AT_ONCE, SAMPLES = 100_000, 1_000, 10
WARM = 2  # of the samples
MORE_MEMORY, MORE = 1.05, 5
SETTLED_S = 2.0
TRIES = 5
ROOMY = dict.fromkeys(("sockets_per_worker", "sockets_per_address", "sockets_per_user"), 5_000)


@dataclass(frozen=True)
class Held:
    """What a worker holds, and Redis for it."""

    mib: float
    files: int
    greenlets: int
    keys: int

    def flat_since(self, before: Held) -> bool:
        return (
            self.mib <= before.mib * MORE_MEMORY
            and self.files <= before.files + MORE
            and self.greenlets <= before.greenlets + MORE
            and self.keys <= before.keys + MORE
        )


class Server:
    """The server as Load wants it."""

    name = "Parley"

    def __init__(self, server: LiveServer, backing: Backing):
        self.port = server.port
        self._backing = backing
        (self._pid,) = children(server.process.pid)

    def cpu_us(self) -> float:
        return cpu_us(self._pid)

    def held(self) -> Held:
        """Now that everybody is gone."""
        time.sleep(SETTLED_S)
        with urllib.request.urlopen(f"http://localhost:{self.port}/greenlets", timeout=60) as answer:
            greenlets = json.load(answer)["greenlets"]
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        files = len(os.listdir(f"/proc/{self._pid}/fd"))
        return Held(round(pages * 4096 / 2**20, 1), files, greenlets, self._backing.redis.dbsize())


def main(connects: int) -> int:
    with tempfile.TemporaryDirectory() as name, Backing(folder := Path(name)) as backing:
        live = spawn_server(backing.config(), folder, "bench.greenlets:app", **ROOMY)
        try:
            return _come_and_go(Server(live, backing), live, folder, connects)
        finally:
            live.stop()


def _come_and_go(server: Server, live: LiveServer, folder: Path, connects: int) -> int:
    person = Person(Door(live.url), "Bench")  # type: ignore[arg-type]
    assert person.post("/api/auth/register", username=person.name, password=PASSWORD)[0] == 201
    person.sign_in()
    rounds, found = connects // AT_ONCE, []
    print(f"load of the machine {os.getloadavg()[0]:.1f}\nconnects  MiB  files  greenlets  Redis keys", flush=True)
    began = time.monotonic()
    for turn in range(rounds + 1):
        if turn % max(1, rounds // SAMPLES) == 0:
            found.append(held := server.held())
            row = f"{turn * AT_ONCE:7,}  {held.mib}  {held.files}  {held.greenlets}  {held.keys}"
            print(row, flush=True)
        if turn < rounds:
            _round(server, folder, person.cookie)
    flat = found[-1].flat_since(found[min(WARM, len(found) - 1)])
    took_s = time.monotonic() - began
    print(f"{'flat' if flat else 'NOT FLAT'}; {took_s:.0f} s; load of the machine {os.getloadavg()[0]:.1f}")
    return 0 if flat else 1


def _round(server: Server, folder: Path, cookie: str) -> None:
    """A thousand come; when one is told that the server is busy just then, a thousand others do."""
    for _ in range(TRIES):
        try:
            with Load(server, folder, ["come"], AT_ONCE, join="", cookie=cookie):
                return
        except Refused as why:
            print(why, flush=True)
    raise Refused("The machine is too busy for so many connects.")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CONNECTS))
