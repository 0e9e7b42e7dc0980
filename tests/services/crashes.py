"""A worker that dies right before or right after any of its external calls leaves nothing lost, doubled or torn.

For every operation and every k the k-th call to DynamoDB, Redis or the bus is the worker's last: either the request
never arrived, or it took effect and nobody heard the answer. Then another worker carries the same request out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, product
from typing import Any

from chat.models import Person
from chat.services.storage.client import Client
from chat.services.storage.storage import Storage
from tests.services.conftest import ALICE, BOB
from tests.services.worker import Worker

MANY_CALLS = 60  # more than any operation makes


class Crash(BaseException):
    """The process ends here: nothing handles this."""


@dataclass
class Fuse:
    """Counts external calls, and ends the worker at one of them: what it would still call has no effect."""

    at: int
    arrives: bool
    calls: list[str] = field(default_factory=list)

    def guard(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) < self.at or (len(self.calls) == self.at and self.arrives):
                answer = call(*args, **kwargs)
                if len(self.calls) < self.at:
                    return answer
            raise Crash(name)

        return guarded


class Guarded:
    """A boto3 client all of whose requests pass a fuse."""

    def __init__(self, client: Any, fuse: Fuse):
        self._client = client
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return self._fuse.guard(name, getattr(self._client, name))


class Doomed(Worker):
    """A worker that dies at its k-th external call."""

    def __init__(self, other: Worker, config, wire, fuse: Fuse):
        client = Guarded(other.storage.client._client, fuse)
        super().__init__(config, wire, Storage(Client(client, config.table_prefix)))
        self.redis.execute_command = fuse.guard("redis", self.redis.execute_command)
        self.bus.publish = fuse.guard("publish", self.bus.publish)


@dataclass
class Case:
    """One trial: a room of its own, and what was said in it before."""

    room: str
    old: int  # the number of a message of Alice's

    def id(self, name: str) -> str:
        return f"{self.room}-{name}"


@dataclass(frozen=True)
class Operation:
    """`act(worker, case)` makes a request; afterwards the log has one entry more of this `kind`, None for none."""

    name: str
    act: Callable[[Worker, Case], Any]
    kind: str | None
    text: str | None = None  # what the message, old or new, must say afterwards
    gone: str | None = None  # who is out afterwards
    come: str | None = None  # who is in afterwards
    message: str = "old"


def trials() -> Iterator[tuple[int, bool, bool]]:
    """(k, whether the k-th call arrives, whether what was published gets through) for ever."""
    for k in count(1):
        assert k < MANY_CALLS
        for arrives, carried in product((False, True), repeat=2):
            yield k, arrives, carried


def stored(worker, room):
    return worker.storage.entries.after(room, 0, 1000)


def kinds(worker, room):
    return [entry.kind for entry, _ in stored(worker, room) if entry.kind != "tombstone"]


def is_dense(worker, room):
    return [entry.seq for entry, _ in stored(worker, room)] == list(range(1, len(stored(worker, room)) + 1))


def pages(worker, person, room):
    """The numbers that a client reads who has none yet and pulls until there is no more."""
    page = worker.history.page(person, room, limit=2, after=0)
    numbers = [entry.seq for entry in page.entries]
    while page.more:
        page = worker.history.page(person, room, limit=2, after=numbers[-1])
        numbers += [entry.seq for entry in page.entries]
    return numbers


def assert_memberships_agree_with_the_log(worker, room):
    last = {entry.user: entry for entry, _ in stored(worker, room) if entry.user}
    for entry in last.values():
        own = worker.storage.rooms.membership(room, entry.user)
        listed = next(m for m in worker.storage.rooms.members(room) if m.username == entry.user)
        for row in (own, listed):
            assert (row.seq, row.inside) == (entry.seq, entry.kind == "joined")
        assert own.start == listed.start


def made(worker, wire, n) -> Case:
    """A room with Alice and Bob in it, and a message of hers."""
    room = worker.memberships.create(ALICE, f"make-{n}", f"room {n}", "public")["room"]
    worker.memberships.join(BOB, f"join-{n}", room)
    old = worker.messages.send(ALICE, room, f"old-{n}", "old")["seq"]
    wire.carry()
    return Case(room, old)


def watch(worker, person, room) -> str:
    """A socket of that person in that room alone."""
    follower = worker.followers.follow(worker.rooms.get(room))
    sid = f"{person.username}-{room}"
    assert follower.subscribe(sid, worker.storage.rooms.membership(room, person.username))
    return sid


def dies(act, case, worker, config, wire, fuse) -> bool:
    """Whether the worker that carries this out dies of it; what remains of it is what it wrote and published."""
    doomed = Doomed(worker, config, wire, fuse)
    try:
        act(doomed, case)
    except Crash:
        return True
    finally:
        wire.workers.remove(doomed)
        doomed.redis.close()
    return False


def carried_out_once(operation, worker, config, wire) -> None:
    """Cuts the operation off at each of its calls, and lets another worker carry it out again."""
    for n, (k, arrives, carried) in enumerate(trials()):
        case = made(worker, wire, n)
        before = kinds(worker, case.room)
        watchers = {person.username: watch(worker, person, case.room) for person in (ALICE, BOB)}
        fuse = Fuse(k, arrives)
        if not dies(operation.act, case, worker, config, wire, fuse):
            assert k > 1, "the operation made no call at all"
            return
        wire.carry() if carried else wire.waiting.clear()
        where = f"{operation.name} cut off {'after' if arrives else 'before'} call {k} ({fuse.calls[-1]})"
        answer = operation.act(worker, case)
        assert operation.act(worker, case) == answer, where
        last = worker.messages.send(ALICE, case.room, case.id("last"), "last")["seq"]
        worker.catch_up(case.room, last)

        expected = before + [operation.kind] * (operation.kind is not None) + ["message"]
        assert kinds(worker, case.room) == expected, where
        assert is_dense(worker, case.room), where
        assert_memberships_agree_with_the_log(worker, case.room)
        everything = list(range(1, last + 1))
        heard = worker.numbers_sent(watchers["alice"], case.room)
        assert heard == everything[-len(heard) :] and heard[0] <= case.old + 1, where
        assert pages(worker, ALICE, case.room) == everything, where
        if operation.text is not None:
            texts = [snapshot.text for _, snapshot in stored(worker, case.room) if snapshot and snapshot.text != "last"]
            assert texts == (["old", operation.text] if operation.message == "new" else [operation.text]), where
        if operation.gone:
            end = worker.storage.rooms.membership(case.room, operation.gone).seq
            assert worker.numbers_sent(watchers[operation.gone], case.room)[-1] == end, where
        if operation.come:
            newcomer = Person(operation.come, operation.come)
            start = worker.storage.rooms.membership(case.room, newcomer.username).start
            assert pages(worker, newcomer, case.room) == everything[start - 1 :], where
        for sid in watchers.values():
            worker.followers.forget(sid)
