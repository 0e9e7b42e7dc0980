"""What people do to messages, cut off at any of its calls (tests/services/crashes.py)."""

from __future__ import annotations

import pytest

from tests.services.conftest import ALICE
from tests.services.crashes import Operation, carried_out_once

pytestmark = pytest.mark.usefixtures("nobody_is_late")  # who holds a number dies with it

OPERATIONS = [
    Operation(
        "send",
        lambda w, c: w.messages.send(ALICE, c.room, c.id("send"), "new"),
        "message",
        text="new",
        message="new",
    ),
    Operation(
        "edit",
        lambda w, c: w.messages.edit(ALICE, c.room, c.id("edit"), c.old, "edited"),
        "change",
        text="edited",
    ),
    Operation(
        "edit nothing", lambda w, c: w.messages.edit(ALICE, c.room, c.id("same"), c.old, "old"), None, text="old"
    ),
    Operation("delete", lambda w, c: w.messages.delete(ALICE, c.room, c.id("delete"), c.old), "change", text=""),
    Operation("mark read", lambda w, c: w.read_positions.move(ALICE, c.room, c.old), None),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_request_cut_off_at_any_call_is_carried_out_once_by_another_worker(operation, worker, config, wire):
    carried_out_once(operation, worker, config, wire)
