"""What projections cost: `python -m bench.projections idle [ROOMS]`, `… sends` and `… cpu`.

`idle` counts the requests to Redis and DynamoDB that following so many idle rooms takes, at the first start, at a
takeover, and in an hour of rest, by a clock of its own. `sends` compares messages sent by HTTP to a server with
projections and to one without, in interleaved rounds; it prints medians and their ratio, of sends a second and of CPU.
`cpu` says the same for a machine that others use too: the processor's time of sending a message, and of following it.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from chat import models
from chat.models import Message, Room
from chat.services.bus.events import Decided
from chat.services.bus.publisher import Publisher
from chat.services.jobs.days import Days
from chat.services.jobs.leases import Lease
from chat.services.jobs.projections import LEASE_MS, Projections
from chat.services.log.append import Log
from chat.services.log.sequence import Sequences
from chat.services.storage import redis_client
from chat.services.storage.client import Client
from chat.services.storage.days import DayRows
from chat.services.storage.entries import snapshot_row
from chat.services.storage.projections import ProjectionRows
from chat.services.storage.rooms import meta_row
from chat.services.storage.storage import Storage
from chat.services.storage.values import pack
from tests.conftest import start_server
from tests.e2e.parley import PASSWORD, Person, children
from tests.faults.people import Door
from tests.faults.stage import Backing
from tests.model import tables
from tests.model.tables import Tables
from tests.services.worker import Wire, Worker

ROOMS = 10_000
AT_ONCE = 8
ROUNDS = 5
ROUND_S = 4.0
OPERATIONS = {"get_item", "query", "scan", "put_item", "update_item", "batch_write_item", "batch_get_item"}


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.s = time.time()

    def __call__(self) -> float:
        return self.s


class Memory(Tables):
    """DynamoDB in memory, which counts what it is asked."""

    def __init__(self, counts: Counter[str]):
        super().__init__()
        self._counts = counts

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in OPERATIONS:
            return found

        def counted(**request: Any) -> Any:
            self._counts[name] += 1
            return found(request)

        return counted

    def batch_write_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """BatchWriteItem with puts."""
        for table, asked in request["RequestItems"].items():
            for each in asked:
                item = each["PutRequest"]["Item"]
                self.set(self.place(table, item), item)
        return {"UnprocessedItems": {}}


def idle(number: int) -> None:
    """Prints the requests of the first start, of a takeover, and of an hour of rest."""
    tables.SCAN_PAGE = 1_000
    counts = Counter[str]()
    storage = Storage(Client(Memory(counts)))
    with tempfile.TemporaryDirectory() as folder, Backing(Path(folder)) as backing:
        redis = redis_client.connect(backing.redis_url)
        _furnish(storage, redis, number)
        clock = Clock()
        counts.clear()
        for what in ("the first start, 5 minutes", "a takeover, 5 minutes"):
            following = _following(storage, backing.redis_url, clock, counts)
            assert following.begin()
            _pass(following, clock, 300)
            _print(f"{what}, {number} rooms", counts)
            if "first" in what:
                following.stop()
        _pass(following, clock, 3600)
        counts.clear()
        _pass(following, clock, 3600)
        _print(f"an hour of rest, {number} rooms", counts)


def _furnish(storage: Storage, redis: Any, number: int) -> None:
    """So many rooms of one message, as if they had been written to."""
    names = [f"room{n}" for n in range(number)]
    now_ms = int(time.time() * 1000)
    meta = [meta_row(Room(name, name, "private", generation=2)) for name in names]
    said = [snapshot_row(Message(name, 1, 1, "c", "ann", "Ann", "words", now_ms)) for name in names]
    for table, made in (("chat", meta), ("messages", said)):
        puts = [{"PutRequest": {"Item": pack(row)}} for row in made]
        storage.client.call("batch_write_item", RequestItems={storage.client.table(table): puts})
    redis.mset({f"number:2:{name}": 1 for name in names})


def _following(storage: Storage, redis_url: str, clock: Clock, counts: Counter[str]) -> Projections:
    redis = redis_client.connect(redis_url)
    execute = redis.execute_command

    def counted(*args: Any, **options: Any) -> Any:
        counts[f"redis {args[0]}"] += 1
        return execute(*args, **options)

    redis.execute_command = counted  # type: ignore[method-assign]
    sequences = Sequences(redis, storage)
    log, lease = Log(storage, sequences, Publisher(redis)), Lease(redis, "bench", LEASE_MS)
    derived = [Days(DayRows(storage.client))]
    times: dict[str, Any] = {"now": clock, "clock": clock, "pause": lambda seconds: None}
    return Projections(storage, ProjectionRows(storage.client), sequences, log, lease, derived, **times)


def _pass(following: Projections, clock: Clock, seconds: int) -> None:
    until = clock.s + seconds
    while clock.s < until:
        if not following.round():
            clock.s += 1.0


def _print(what: str, counts: Counter[str]) -> None:
    redis = sum(number for name, number in counts.items() if name.startswith("redis"))
    print(f"{what}: Redis {redis}, DynamoDB {counts.total() - redis}")
    print("  " + ", ".join(f"{name} {number}" for name, number in counts.most_common()), flush=True)
    counts.clear()


# --- sends ------------------------------------------------------------------------------------------------------------


def without() -> Any:
    """The application, in which nothing follows the logs: for gunicorn."""
    Projections.start = lambda self, background: None  # type: ignore[method-assign]
    from wsgi import app

    return app


def sends() -> None:
    """Prints sends a second and the worker's CPU a send, with and without projections."""
    roomy = {"sends_per_user": 10**6, "workers": 1}
    with tempfile.TemporaryDirectory() as folder, Backing(Path(folder)) as backing, ExitStack() as stack:
        sides: dict[str, tuple[Any, list[Person]]] = {}
        servers = (("with", "wsgi:app"), ("without", "bench.projections:without()"))
        configs = [backing.config() for _ in servers]  # which also empties Redis
        for (name, wsgi), config in zip(servers, configs, strict=True):
            url = config.redis_url.removesuffix("/0") + f"/{len(sides)}"
            server = start_server(config, Path(folder), wsgi, redis_url=url, **roomy)
            stack.callback(server.process.wait)
            stack.callback(server.process.terminate)
            sides[name] = server, [_person(server.url, f"{name}{n}") for n in range(AT_ONCE)]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        time.sleep(6)  # until the lease is taken
        for number in range(ROUNDS + 1):
            for name in list(sides)[:: 1 if number % 2 else -1]:
                measured = _round(*sides[name], number)
                if number:  # the first warms up
                    found[name].append(measured)
    per_s, cpu_ms = ({name: statistics.median(m[k] for m in each) for name, each in found.items()} for k in (0, 1))
    for what, each in (("sends a second", per_s), ("milliseconds of CPU a send", cpu_ms)):
        print(f"{what}: {each['with']:.2f} with, {each['without']:.2f} without, {each['with'] / each['without']:.3f} x")
    print(f"load {os.getloadavg()[0]:.0f}")


def _person(url: str, name: str) -> Person:
    person = Person(Door(url), name)  # type: ignore[arg-type]  # of a product it uses the address only
    status, answer = person.post("/api/auth/register", username=name, password=PASSWORD)
    assert status == 201, answer
    person.sign_in()
    return person


def _round(server: Any, people: list[Person], number: int) -> tuple[float, float]:
    """Sends a second, and milliseconds of the worker's CPU each."""
    until, before = time.monotonic() + ROUND_S, _cpu_s(server)

    def talk(place: int) -> int:
        for sent in itertools.count():
            if time.monotonic() > until:
                return sent
            said = {"client_id": f"r{number}-{place}-{sent}", "text": "words of a usual length, more or less"}
            status, answer = people[place].post("/api/rooms/general/messages", **said)
            assert status in (200, 201), answer
        raise AssertionError

    with ThreadPoolExecutor(len(people)) as pool:
        sent = sum(pool.map(talk, range(len(people))))
    time.sleep(1.5)  # what follows, follows within a second: its CPU belongs to these sends
    return sent / ROUND_S, (_cpu_s(server) - before) * 1000 / sent


def cpu() -> None:
    """Prints the time that this process takes of the processor to send a message, and to follow it, one and 50 a pass;
    medians of ROUNDS."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, Backing(Path(folder)) as backing:
        worker, clock, ann = Worker(backing.config(), Wire()), Clock(), models.Person("ann", "Ann")
        worker.rooms.memberships(ann)
        following = _following(worker.storage, backing.redis_url, clock, Counter())
        assert following.begin()
        _pass(following, clock, 5)
        for number, a_pass in itertools.product(range(ROUNDS), (1, 50)):
            took = {"send": 0.0, "follow": 0.0}
            for pass_number in range(100 // a_pass):
                began = time.thread_time()
                for sent in range(a_pass):
                    client_id = f"c{number}-{a_pass}-{pass_number}-{sent}"
                    seq = worker.messages.send(ann, "general", client_id, "words of a usual length")["seq"]
                took["send"] += time.thread_time() - began
                began = time.thread_time()
                following.hear(Decided("general", seq))
                _pass(following, clock, 1)
                took["follow"] += time.thread_time() - began
            for what, seconds in took.items():
                found.setdefault(f"{what}, {a_pass} a pass", []).append(seconds * 1000 / 100)
    for what, each in found.items():
        print(f"{what}: {statistics.median(each):.3f} ms of CPU a message")


def _cpu_s(server: Any) -> float:
    """What the server's workers have taken of the processors."""
    taken = 0
    for pid in children(server.process.pid):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        taken += int(fields[11]) + int(fields[12])
    return taken / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:2] == ["sends"]:
        sends()
    elif sys.argv[1:2] == ["cpu"]:
        cpu()
    else:
        idle(int(sys.argv[2]) if len(sys.argv) > 2 else ROOMS)
