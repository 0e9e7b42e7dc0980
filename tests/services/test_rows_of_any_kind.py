"""Rows that others put may hold whatever DynamoDB takes: nothing in one of them stops those behind it, wherever rows
are read. Of a row only what makes the message is looked at."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from chat.services.ingest.ingest import Ingest
from chat.services.jobs.leases import Lease
from chat.services.jobs.poller import Poller
from chat.services.storage.changes import read_record
from chat.services.storage.stream import Streams
from tests.services.conftest import ALICE

# All legal in DynamoDB, which gives 38 digits, and 1e125 at most.
NUMBERS = ["1" + "0" * 38, "9" * 38, "1E125", "-1E-130", "0." + "1" * 38, "100000000000000000000000000000000000000E2"]
VALUES: dict[str, dict[str, Any]] = {
    **{f"the number {number[:12]}": {"N": number} for number in NUMBERS},
    "a set of numbers": {"NS": [NUMBERS[0], "2"]},
    "a list of numbers": {"L": [{"N": NUMBERS[0]}]},
    "a map of maps": {"M": {"a": {"M": {"b": {"N": NUMBERS[0]}}}}},
    "nothing": {"NULL": True},
    "bytes": {"B": "iVBORw=="},
    "a set of bytes": {"BS": ["iVBORw=="]},
    "an empty text": {"S": ""},
    "a thousand of them, nested": {"L": [{"M": {str(n): {"N": NUMBERS[2]}}} for n in range(1_000)]},
}


@pytest.fixture
def put(worker):
    """Puts a typed item, as the AWS CLI does."""

    def put(row_id: str, **values: dict[str, Any]) -> None:
        item = {"room": {"S": "general"}, "id": {"S": row_id}, **values}
        worker.storage.client.call("put_item", TableName=worker.storage.client.table("messages"), Item=item)

    return put


def ingest(worker):
    return Ingest(worker.storage, worker.rooms, worker.log, worker.bus)


@pytest.fixture
def poll(worker, config):
    reader = Poller(worker.storage, partial(Streams.connect, config), ingest(worker), Lease(worker.redis, "s", 60_000))
    assert reader.begin()

    def poll() -> None:
        while reader.round():
            pass

    return poll


def said(worker):
    return [m.text for m in worker.history.page(ALICE, "general").messages]


def test_an_attribute_that_nobody_reads_may_be_anything(worker, put, poll):
    for name, value in VALUES.items():
        put(name, text={"S": name}, extra=value)
        put(name, text={"S": f"{name}, again"}, extra=value)  # what it was before is told too
    put("behind", text={"S": "behind them"})
    poll()
    everything = [*(f"{name}, again" for name in VALUES), "behind them"]
    assert said(worker) == everything
    ingest(worker).reconcile("2099")
    assert said(worker) == everything


@pytest.mark.parametrize("name", ["text", "message", "username", "user"])
def test_an_attribute_that_is_read_sets_its_row_aside_at_most(worker, put, poll, name):
    pair = ("text", "message") if name in ("text", "message") else ("username", "user")
    rest = {other: {"S": "fine"} for other in ("text", "username") if other not in pair}
    for row_id, value in VALUES.items():
        put(row_id, **rest, **{name: value})
    put("behind", text={"S": "behind them"})
    poll()
    assert said(worker) == ["behind them"]
    ingest(worker).reconcile("2099")
    assert said(worker) == ["behind them"]
    assert {bad.id for bad in worker.storage.external.rejected_rows()} == set(VALUES)


def test_a_function_is_told_the_same_rows(worker):
    """As Lambda gets its records: by the same reader, from JSON."""
    arn = "arn:aws:dynamodb:eu-west-1:0:table/messages/stream/2026"
    for number, (name, value) in enumerate(VALUES.items(), 1):
        key = {"room": {"S": "general"}, "id": {"S": name}}
        told = {
            "Keys": key,
            "NewImage": key | {"text": {"S": name}, "extra": value},
            "OldImage": key | {"text": value},
            "SequenceNumber": str(number),
        }
        change = read_record(arn, {"eventName": "MODIFY", "dynamodb": told})
        assert change.row == {"text": name}
        ingest(worker).take([change])
    assert said(worker) == list(VALUES)
