"""Of a new public room everybody is told; of a private one nobody beside its maker."""

from __future__ import annotations

from chat.models import Person
from chat.services.bus.events import RoomMade, kind_of

ALICE = Person("alice", "Alice")


def test_of_a_public_room_all_workers_are_told_and_of_a_private_one_none(worker):
    told = []
    publish = worker.bus.publish
    worker.memberships._bus.publish = lambda event: (told.append(event), publish(event))
    worker.memberships.create(ALICE, "a", "New plans", "public")
    worker.memberships.create(ALICE, "a", "New plans", "public")  # the answer was lost
    worker.memberships.create(ALICE, "b", "Secret", "private")
    assert [event for event in told if kind_of(event) == "room_made"] == [RoomMade("new-plans", "New plans")] * 2
