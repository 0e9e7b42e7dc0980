"""Whatever two workers, their people, Redis and the bus do in whatever order: a room is what a plain list says it is.

Hypothesis looks for a short sequence of acts after which it is not: for others in every run, and PARLEY_MACHINE_ROOMS
says for how many (12 unless it is set). A sequence that fails is printed step by step, and tried first the next time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from chat.config import Config
from chat.errors import ChatError
from chat.models import User
from tests.services.conftest import ALICE, BOB, CAROL
from tests.services.worker import Wire, Worker

GUESTS = {person.username: person for person in (BOB, CAROL)}
PEOPLE = {ALICE.username: ALICE, **GUESTS}
ROOMS = int(os.environ.get("PARLEY_MACHINE_ROOMS", "12"))

_rooms = count(1)


@dataclass
class Said:
    """A message as the list has it."""

    author: str
    client_id: str
    first: str
    text: str
    seq: int
    deleted: bool = False


def attempt(act: Callable[[], Any]) -> tuple[Any, str | None]:
    """What an act answers, or the code with which it is refused."""
    try:
        return act(), None
    except ChatError as error:
        return None, error.code


class Room(RuleBasedStateMachine):
    """One room that Alice made and never leaves; Bob and Carol come and go."""

    messages = Bundle("messages")
    which = st.sampled_from([0, 1])
    anyone = st.sampled_from(sorted(PEOPLE))
    guest = st.sampled_from(sorted(GUESTS))

    def __init__(self, config: Config):
        super().__init__()
        self._config = config
        self._wire = Wire()
        self._workers = [Worker(config, self._wire) for _ in range(2)]
        self._ids = (f"m{number}" for number in count())
        self.said: list[Said] = []
        self.inside = {ALICE.username}

    @initialize()
    def alice_makes_a_room(self) -> None:
        worker = self._workers[0]
        name = f"Machine {next(_rooms)}"
        self.room = worker.memberships.create(ALICE, self._id(), name, "private")["room"]
        for each in self._workers:
            each.connect(ALICE)

    def _id(self) -> str:
        return f"{id(self)}-{next(self._ids)}"

    # --- acts -----------------------------------------------------------------------------------------------------

    @rule(target=messages, author=anyone, which=which)
    def says(self, author: str, which: int) -> Said | None:
        said = Said(author, self._id(), f"text {len(self.said)}", f"text {len(self.said)}", 0)
        messages = self._workers[which].messages
        snapshot, code = attempt(lambda: messages.send(PEOPLE[author], self.room, said.client_id, said.text))
        assert code == (None if author in self.inside else "room_not_found")
        if code:
            return None
        said.seq = snapshot["seq"]
        assert all(said.seq > other.seq for other in self.said)
        self.said.append(said)
        return said

    @rule(said=messages, which=which)
    def says_it_again(self, said: Said | None, which: int) -> None:
        """The answer to the first time was lost."""
        if said is not None and said.author in self.inside:
            snapshot = self._workers[which].messages.send(PEOPLE[said.author], self.room, said.client_id, said.first)
            assert (snapshot["seq"], snapshot["text"], snapshot["deleted"]) == (said.seq, said.text, said.deleted)

    @rule(said=messages, which=which, who=anyone)
    def edits(self, said: Said | None, which: int, who: str) -> None:
        if said is None:
            return
        text = f"{said.first}, edited {self._id()}"
        messages = self._workers[which].messages
        _, code = attempt(lambda: messages.edit(PEOPLE[who], self.room, self._id(), said.seq, text))
        assert code == self._refusal(said, who)
        if not code:
            said.text = text

    @rule(said=consumes(messages), which=which, who=anyone)
    def deletes(self, said: Said | None, which: int, who: str) -> None:
        if said is None:
            return
        messages = self._workers[which].messages
        _, code = attempt(lambda: messages.delete(PEOPLE[who], self.room, self._id(), said.seq))
        assert code == self._refusal(said, who)
        if not code:
            said.text, said.deleted = "", True

    def _refusal(self, said: Said, who: str) -> str | None:
        if who not in self.inside:
            return "room_not_found"
        if who != said.author:
            # Somebody who came later may not know that the message exists.
            return "not_author" if self._sees(who, said.seq) else "message_not_found"
        if not self._sees(who, said.seq):
            return "message_not_found"
        return "message_deleted" if said.deleted else None

    def _sees(self, who: str, seq: int) -> bool:
        membership = self._workers[0].storage.rooms.membership(self.room, who)
        return membership is not None and membership.start <= seq

    @rule(guest=guest, which=which)
    def alice_invites(self, guest: str, which: int) -> None:
        self._workers[which].memberships.invite(ALICE, self._id(), self.room, guest)
        self.inside.add(guest)

    @rule(guest=guest, which=which)
    def alice_removes(self, guest: str, which: int) -> None:
        memberships = self._workers[which].memberships
        _, code = attempt(lambda: memberships.remove(ALICE, self._id(), self.room, guest))
        assert code == (None if guest in self.inside else "user_not_found")
        self.inside.discard(guest)

    @rule(guest=guest, which=which)
    def a_guest_leaves(self, guest: str, which: int) -> None:
        memberships = self._workers[which].memberships
        _, code = attempt(lambda: memberships.leave(PEOPLE[guest], self._id(), self.room))
        assert code == (None if guest in self.inside else "room_not_found")
        self.inside.discard(guest)

    # --- what goes wrong ------------------------------------------------------------------------------------------

    @rule()
    def redis_is_emptied(self) -> None:
        self._workers[0].redis.flushall()

    @rule()
    def the_bus_loses_what_is_under_way(self) -> None:
        self._wire.waiting.clear()

    @rule(seed=st.integers(0, 1000))
    def the_bus_delivers_in_some_order(self, seed: int) -> None:
        self._wire.carry(random.Random(seed))

    @rule(which=which)
    def a_worker_dies_and_another_takes_its_place(self, which: int) -> None:
        self._wire.workers.remove(self._workers[which])
        self._workers[which] = Worker(self._config, self._wire)
        self._workers[which].connect(ALICE)

    @rule(guest=guest, which=which)
    def a_guest_looks_in(self, guest: str, which: int) -> None:
        """A page shows what a member may see, and an outsider nothing."""
        history = self._workers[which].history
        page, code = attempt(lambda: history.page(PEOPLE[guest], self.room, limit=200))
        assert code == (None if guest in self.inside else "room_not_found")
        if code:
            return
        assert [m.seq for m in page.messages] == [said.seq for said in self.said if self._sees(guest, said.seq)]

    # --- what must be so ------------------------------------------------------------------------------------------

    @invariant()
    def alices_page_is_the_list(self) -> None:
        if hasattr(self, "room"):
            page = self._workers[0].history.page(ALICE, self.room, limit=200)
            told = [(m.seq, m.author, m.client_id, m.text, m.deleted) for m in page.messages]
            assert told == [(s.seq, s.author, s.client_id, s.text, s.deleted) for s in self.said]

    def teardown(self) -> None:
        if not hasattr(self, "room"):
            return
        for worker in self._workers:
            worker.catch_up(self.room)
            numbers = worker.numbers_sent("socket-alice", self.room)
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
            snapshots = {}
            for event, told in worker.broadcaster.sent.get("socket-alice", []):
                snapshot = told if event == "message:sent" else told.get("message")
                if (
                    snapshot
                    and snapshot["room"] == self.room
                    and snapshot["rev"] >= snapshots.get(snapshot["seq"], {"rev": 0})["rev"]
                ):
                    snapshots[snapshot["seq"]] = snapshot
            expected = {said.seq: (said.text, said.deleted) for said in self.said}
            for seq, snapshot in snapshots.items():
                assert (snapshot["text"], snapshot["deleted"]) == expected[seq]


@pytest.mark.usefixtures("nobody_is_late")
def test_a_room_is_what_a_plain_list_says(config: Config) -> None:
    worker = Worker(config, Wire())
    for person in PEOPLE.values():
        worker.storage.users.put(User(person.username, person.name))
    run_state_machine_as_test(
        lambda: Room(config),
        settings=settings(
            max_examples=ROOMS,
            stateful_step_count=20,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
