"""The poller on a stream whose shards split, expire, throttle and are trimmed, read by several that take over."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from chat.errors import ChatError
from chat.services.assembly import create_services
from chat.services.ingest.ingest import Ingest
from chat.services.jobs.leases import Lease
from chat.services.jobs.poller import Lost, Poller
from chat.services.storage.changes import Change
from chat.services.storage.stream import Streams
from chat.services.storage.values import pack
from tests.services.conftest import ALICE
from tests.services.split_stream import ARN, KEYS, SplitStream


class Recording(Ingest):
    """Notes what it is told instead of storing it."""

    def __init__(self) -> None:
        self.told: list[Change] = []
        self.compared = 0

    def take(self, changes: Any) -> None:
        self.told += changes

    def reconcile(self, stream: str, hold_on: Any = None) -> None:
        self.compared += 1


class Ours:
    """What the poller asks of storage, without DynamoDB: the stream is not its own either."""

    def __init__(self) -> None:
        self.positions: dict[str, str] = {}
        self.external = self  # it asks for no other noun

    def stream_arn(self) -> str:
        return ARN

    def stream_positions(self, stream: str) -> dict[str, str]:
        return dict(self.positions)

    def note_stream_position(self, stream: str, shard: str, position: str, kept_s: int) -> None:
        self.positions[shard] = position


def reader(redis: Any, ours: Ours, stream: SplitStream, ingest: Ingest) -> Poller:
    return Poller(ours, lambda: Streams(stream), ingest, Lease(redis, "split", 60_000))  # type: ignore[arg-type]


def turn(one: Poller, began: bool) -> bool:
    """One round of a poller that may hold or not; whether it holds after it."""
    try:
        if not began and not one.begin():
            return False
        one._listed_at = one._copied_at = one._held_at = float("-inf")  # these have waited long enough
        one.round()
    except (Lost, ChatError):
        return False
    return True


@pytest.mark.parametrize("seed", range(12))
def test_every_record_is_told_and_those_of_a_key_in_order_however_shards_split(worker, seed):
    dice = random.Random(seed)
    stream, ours, ingest = SplitStream(dice), Ours(), Recording()
    stream.expire = stream.throttle = 0.1
    readers = [reader(worker.redis, ours, stream, ingest) for _ in range(3)]
    holds = [False] * 3
    written = 0
    for _ in range(400):
        act = dice.random()
        if act < 0.5:
            key, written = dice.randrange(KEYS), written + 1
            stream.record(key, "INSERT", f"room{key}", str(written), {"room": f"room{key}", "id": str(written)})
        elif act < 0.53:
            stream.split()
        elif act < 0.55:
            worker.redis.delete("lease:split")  # the holder was away for too long; it does not know yet
        elif act < 0.56:
            worker.redis.flushall()
        else:
            who = dice.randrange(3)
            holds[who] = turn(readers[who], holds[who])
    stream.expire = stream.throttle = 0.0
    worker.redis.delete("lease:split")
    last = reader(worker.redis, ours, stream, ingest)
    assert last.begin()
    for _ in range(400):
        turn(last, True)
    first_told: dict[str, int] = {}
    for at, change in enumerate(ingest.told):
        first_told.setdefault(change.id, at)
    assert sorted(first_told, key=int) == [str(number + 1) for number in range(written)]
    for room in {change.room for change in ingest.told}:
        ids = list(dict.fromkeys(change.id for change in ingest.told if change.room == room))
        assert ids == sorted(ids, key=int), "a key's records came in their order"


def test_a_stream_that_was_trimmed_meanwhile_makes_the_tables_be_compared_and_reading_goes_on(worker):
    dice = random.Random(1)
    stream, ours, ingest = SplitStream(dice), Ours(), Recording()
    one = reader(worker.redis, ours, stream, ingest)
    assert one.begin() and ingest.compared == 1, "the first time of all"
    for number in range(3):
        stream.record(0, "INSERT", "room", str(number), {})
    turn(one, True)
    for number in range(3, 40):
        stream.record(0, "INSERT", "room", str(number), {})
    stream.trim()
    for _ in range(50):
        turn(one, True)
    assert ingest.compared == 2
    assert ingest.told[-1].id == "39"


@pytest.mark.parametrize("generations", [1, 2])
def test_shards_that_went_before_they_were_read_make_the_tables_be_compared_once(worker, generations):
    stream, ours, ingest = SplitStream(random.Random(3)), Ours(), Recording()
    one = reader(worker.redis, ours, stream, ingest)
    assert one.begin()
    stream.record(0, "INSERT", "room", "read", {})
    turn(one, True)
    for number in range(generations):
        stream.record(0, "INSERT", "room", f"unread {number}", {})
        for _ in range(4):
            stream.split()
        for shard in [shard for shard in stream.shards if shard.closed]:
            stream.shards.remove(shard)
    stream.record(0, "INSERT", "room", "new", {})
    for _ in range(20):
        turn(one, True)
    assert [change.id for change in ingest.told] == ["read", "new"]
    assert ingest.compared == 2


def test_a_first_start_on_an_old_stream_compares_once(worker):
    stream, ours, ingest = SplitStream(random.Random(4)), Ours(), Recording()
    stream.split()
    stream.shards.pop(0)
    one = reader(worker.redis, ours, stream, ingest)
    assert one.begin()
    for _ in range(5):
        turn(one, True)
    assert ingest.compared == 1


def test_it_reads_on_where_the_table_says_when_redis_has_forgotten(worker):
    stream, ours, ingest = SplitStream(random.Random(2)), Ours(), Recording()
    one = reader(worker.redis, ours, stream, ingest)
    assert one.begin()
    for number in range(5):
        stream.record(0, "INSERT", "room", str(number), {})
    for _ in range(10):
        turn(one, True)
    worker.redis.flushall()
    ingest.told.clear()
    another = reader(worker.redis, ours, stream, ingest)
    assert another.begin()
    for _ in range(10):
        turn(another, True)
    assert ingest.told == [] and ingest.compared == 1


@pytest.mark.parametrize("seed", range(3))
def test_rows_put_edited_and_deleted_through_a_splitting_stream_end_as_they_are(worker, other, seed):
    """The real ingest of two workers behind the stream, taking over from each other at any record."""
    dice = random.Random(seed)
    stream, ours = SplitStream(dice), Ours()
    rows: dict[str, str | None] = {}
    readers = [
        reader(each.redis, ours, stream, Ingest(each.storage, each.rooms, each.log, each.bus))
        for each in (worker, other)
    ]
    holds = [False, False]
    inserts = 0
    table = worker.storage.client.table("messages")
    for number in range(80):
        row_id = f"row{dice.randrange(6)}"
        before = rows.get(row_id)
        after = None if before is not None and dice.random() < 0.3 else f"text {number}"
        row = {"room": "general", "id": row_id, "text": after, "username": "ci"}
        if after is None:
            worker.storage.client.call("delete_item", TableName=table, Key=pack({"room": "general", "id": row_id}))
        else:
            worker.storage.client.call("put_item", TableName=table, Item=pack(row))
        event = "REMOVE" if after is None else "INSERT" if before is None else "MODIFY"
        inserts += event == "INSERT"
        rows[row_id] = after
        stream.record(sum(row_id.encode()) % KEYS, event, "general", row_id, row if after is not None else None)
        if dice.random() < 0.1:
            stream.split()
        if dice.random() < 0.2:
            worker.redis.delete("lease:split")
        who = dice.randrange(2)
        holds[who] = turn(readers[who], holds[who])
    worker.redis.delete("lease:split")
    last = reader(worker.redis, ours, stream, Ingest(worker.storage, worker.rooms, worker.log, worker.bus))
    assert last.begin()
    for _ in range(100):
        turn(last, True)
    messages = worker.history.page(ALICE, "general", limit=200).messages
    assert sorted(m.text for m in messages if not m.deleted) == sorted(text for text in rows.values() if text)
    assert len(messages) <= inserts, "an INSERT is one message; one compared too late may be none"
    assert worker.storage.external.rejected_rows() == []


@pytest.mark.parametrize(("mode", "reads"), [("poller", 1), ("lambda", 0), ("off", 0)])
def test_a_worker_takes_rows_over_only_where_the_settings_say_so(config, mode, reads):
    services = replace(create_services(replace(config, ingest_mode=mode), Mock()), poller=Mock())
    services.start(end=lambda: None)
    services.stop()
    assert services.poller.start.call_count == reads
