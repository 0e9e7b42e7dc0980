"""What people do to rooms, cut off at any of its calls (tests/services/crashes.py)."""

from __future__ import annotations

import pytest

from tests.services.conftest import ALICE, BOB, CAROL
from tests.services.crashes import (
    Case,
    Fuse,
    Operation,
    assert_memberships_agree_with_the_log,
    carried_out_once,
    dies,
    kinds,
    pages,
    trials,
)

pytestmark = pytest.mark.usefixtures("nobody_is_late")  # who holds a number dies with it

OPERATIONS = [
    Operation("join", lambda w, c: w.memberships.join(CAROL, c.id("join"), c.room)["room"], "joined", come="carol"),
    Operation("leave", lambda w, c: w.memberships.leave(BOB, c.id("leave"), c.room), "left", gone="bob"),
    Operation(
        "invite", lambda w, c: w.memberships.invite(ALICE, c.id("invite"), c.room, "carol"), "joined", come="carol"
    ),
    Operation("remove", lambda w, c: w.memberships.remove(ALICE, c.id("remove"), c.room, "bob"), "removed", gone="bob"),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_request_cut_off_at_any_call_is_carried_out_once_by_another_worker(operation, worker, config, wire):
    carried_out_once(operation, worker, config, wire)


def test_a_room_whose_making_was_cut_off_at_any_call_is_made_once_by_another_worker(worker, config, wire):
    def create(who, case):
        return who.memberships.create(ALICE, case.id("create"), case.room, "public")["room"]

    for n, (k, arrives, carried) in enumerate(trials()):
        case = Case(f"fresh-{n}", 0)
        if not dies(create, case, worker, config, wire, Fuse(k, arrives)):
            return
        wire.carry() if carried else wire.waiting.clear()
        assert create(worker, case) == create(worker, case) == case.room
        last = worker.messages.send(ALICE, case.room, case.id("last"), "last")["seq"]
        assert kinds(worker, case.room) == ["joined", "message"]
        assert pages(worker, ALICE, case.room) == list(range(1, last + 1))
        assert_memberships_agree_with_the_log(worker, case.room)
        assert [room for room, _ in worker.storage.rooms.public()].count(case.room) == 1
