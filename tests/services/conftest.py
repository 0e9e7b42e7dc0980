from __future__ import annotations

import pytest

from chat.models import Person, User
from chat.services.log import follower
from chat.services.log.append import Log
from tests.services.worker import Wire, Worker

ALICE = Person("alice", "Alice")
BOB = Person("bob", "Bob")
CAROL = Person("carol", "Carol")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def worker(config, wire) -> Worker:
    """One worker on fresh tables and an empty Redis, with three accounts."""
    worker = Worker(config, wire)
    for person in (ALICE, BOB, CAROL):
        worker.storage.users.put(User(person.username, person.name))
    worker.rooms.memberships(ALICE)
    worker.rooms.memberships(BOB)
    return worker


@pytest.fixture
def nobody_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is not used when it is looked for never will be: a follower looks once more, and decides it."""
    monkeypatch.setattr(Log, "grace_s", 0.0)
    monkeypatch.setattr(follower, "REPAIR_AFTER_S", 0.01)


@pytest.fixture
def other(worker, config, wire) -> Worker:
    """Another worker on the same tables and Redis."""
    return Worker(config, wire)
