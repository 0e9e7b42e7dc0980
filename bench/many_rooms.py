"""What many rooms cost a worker: `python -m bench.many_rooms [PEOPLE] [ROOMS]`; 22 people in 700 rooms of their own.

On a real Redis and the embedded engine, with the services of a worker and its subscriptions, in this process: what the
first person's connection takes, what all others' do, a look at all heads in doubt, and a minute of rest. `emptied`: the
same when Redis knows nothing of the rooms.
"""

from gevent import monkey

monkey.patch_all()  # before anything imports ssl, sockets or boto3

import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from chat.config import Config  # noqa: E402
from chat.models import Membership, Message, Person, Room  # noqa: E402
from chat.services.assembly import Services, create_services  # noqa: E402
from chat.services.storage import schema  # noqa: E402
from chat.services.storage.entries import snapshot_row  # noqa: E402
from chat.services.storage.rooms import membership_attributes, membership_keys, meta_row  # noqa: E402
from chat.services.storage.storage import Storage  # noqa: E402
from chat.services.storage.values import pack  # noqa: E402
from chat.sockets.client_sockets import ClientSocket, ClientSockets, clock  # noqa: E402
from chat.sockets.subscriptions import Subscriptions  # noqa: E402
from tests.faults.stage import Backing  # noqa: E402

SAID = 3  # messages in each room
CALM_S = 70.0  # until what a doubt has put together is spread over the minute again
REST_S = 60.0


class Quiet:
    """In the place of the broadcaster: nobody listens."""

    def emit(self, *args: Any, **options: Any) -> None: ...
    def tell(self, *args: Any) -> None: ...
    def admit(self, *args: Any) -> None: ...
    def expel(self, *args: Any) -> None: ...


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:] if each.isdecimal()]
    people, rooms = (*numbers, 22, 700)[: len(numbers) or 2] if len(numbers) != 1 else (numbers[0], 700)
    with tempfile.TemporaryDirectory() as folder, Backing(Path(folder)) as backing:
        config = Config.from_env(
            {
                "REDIS_HOST": "127.0.0.1",
                "SECRET_KEY": "0123456789abcdef" * 3,
                "DYNAMODB_ENDPOINT": backing.endpoint,
                "AWS_REGION": "eu-central-1",
            }
        )
        config = replace(config, redis_url=backing.redis_url)
        storage = Storage.connect(config)
        schema.create(storage)
        persons = [Person(f"person{n}", f"Person {n}") for n in range(people)]
        for person in persons:
            furnish(storage, backing.redis, person, rooms, "emptied" in sys.argv)
        services = create_services(config, Quiet())
        measure(services, persons)


def furnish(storage: Storage, redis: Any, person: Person, number: int, emptied: bool) -> None:
    names = [f"{person.username}-room{n}" for n in range(number)]
    now_ms = int(time.time() * 1000) - 3_600_000
    chat: list[Any] = [meta_row(Room(name, name, "private", generation=2)) for name in names]
    for name in names:
        membership = Membership(name, person.username, person.name, True, 1, 1, read=SAID)
        attributes = membership_attributes(membership) | {"read": SAID}
        chat += [key | attributes for key in membership_keys(membership)]
    said = [
        snapshot_row(Message(name, n, n, "c", "ann", "Ann", "words", now_ms))
        for name in names
        for n in range(1, SAID + 1)
    ]
    for table, rows in (("chat", chat), ("messages", said)):
        for start in range(0, len(rows), 25):
            puts = [{"PutRequest": {"Item": pack(row)}} for row in rows[start : start + 25]]
            storage.client.call("batch_write_item", RequestItems={storage.client.table(table): puts})
    if not emptied:
        redis.mset({f"number:2:{name}": SAID for name in names})


def measure(services: Services, persons: list[Person]) -> None:
    counts = Counter[str]()
    count(services, counts)
    clients = ClientSockets(20)
    subscriptions = Subscriptions(Quiet(), clients, SimpleNamespace(), services.followers, services.rooms)  # type: ignore[arg-type]

    def connect(person: Person) -> None:
        client = ClientSocket(f"{person.username}-socket", SimpleNamespace(sid="s", person=person), clock())  # type: ignore[arg-type]
        clients.add(client)
        subscriptions.subscribe(client)
        assert len(services.followers.heads(client.sid)) > 1

    with told("the first person connects", counts):
        connect(persons[0])
    with told(f"{len(persons) - 1} more connect", counts):
        gevent.joinall([gevent.spawn(connect, person) for person in persons[1:]], raise_error=True)
    checks = getattr(services, "checks", services.followers)
    checks.start(services.background)
    services.background.every(1.0, subscriptions._read_rooms)
    gevent.sleep(5)
    with told("a look at all heads in doubt", counts):
        checks.doubt()
        began = time.monotonic()
        while not all(each.checked_at >= began for each in attended(services)):
            gevent.sleep(0.01)
    checks._doubt_until = float("-inf")
    gevent.sleep(CALM_S)
    with told(f"{REST_S:.0f} s of rest", counts):
        gevent.sleep(REST_S)


def attended(services: Services) -> list[Any]:
    return [*services.followers.all().values(), *getattr(services.followers, "dormant", ())]


def count(services: Services, counts: Counter[str]) -> None:
    call, execute = services.storage.client.call, services.redis.execute_command

    def called(name: str, **request: Any) -> Any:
        counts[name] += 1
        return call(name, **request)

    def executed(*args: Any, **options: Any) -> Any:
        counts["redis"] += 1
        return execute(*args, **options)

    services.storage.client.call = called  # type: ignore[method-assign]
    services.redis.execute_command = executed  # type: ignore[method-assign]


@contextmanager
def told(what: str, counts: Counter[str]) -> Iterator[None]:
    counts.clear()
    began, cpu = time.monotonic(), time.process_time()
    yield
    took, used = time.monotonic() - began, time.process_time() - cpu
    redis = counts.pop("redis", 0)
    parts = ", ".join(f"{name} {number}" for name, number in counts.most_common())
    print(f"{what}: {took:.2f} s, {used:.2f} s of CPU; Redis {redis}, DynamoDB {counts.total()} ({parts})", flush=True)


if __name__ == "__main__":
    main()
