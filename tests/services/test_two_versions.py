"""What a later version writes beside this one is lost to nobody: what of the tables and the bus is not known here stays
where it is, and stops nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chat.models import GENERAL, Checkpoint, Claim, Entry, Membership, RejectedRow, Worker
from chat.services.ingest.ingest import Ingest
from chat.services.jobs.retention import YOUNGEST_S, Retention
from chat.services.sessions.sessions import Sessions
from chat.services.storage.changes import DIGITS, Change
from chat.services.storage.claims import claim_row, read_claim
from chat.services.storage.entries import SNAPSHOT_ROW, log_row, slot_key
from chat.services.storage.external import (
    checkpoint_attributes,
    checkpoint_key,
    read_checkpoint,
    read_rejected,
    rejected_row,
)
from chat.services.storage.rooms import (
    member_key,
    membership_attributes,
    meta_key,
    meta_row,
    read_membership,
    read_meta,
    user_room_key,
)
from chat.services.storage.values import pack, unpack
from chat.services.storage.workers import read_worker, worker_row
from tests.services.conftest import ALICE, BOB, CAROL

LATER = {  # as only DynamoDB has them: to write any of them anew, it would have to be understood
    "votes": {"N": "12345678901234567890123456789012345678"},
    "mentions": {"SS": ["bob", "carol"]},
    "thread": {"M": {"count": {"N": "3"}, "last": {"NULL": True}}},
    "sum": {"B": b"\x00\xff"},
    "large": {"N": "1" + 60 * "0"},
}


def by_boto3(worker):
    """A client that knows all types of attributes."""
    return worker.storage.client._client._client


def write_more(worker, key, table="messages", later=LATER):
    """What a later version has in a row of ours."""
    by_boto3(worker).update_item(
        TableName=worker.storage.client.table(table),
        Key=pack(key),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in later),
        ExpressionAttributeNames={f"#{name}": name for name in later},
        ExpressionAttributeValues={f":{name}": value for name, value in later.items()},
    )


def item(worker, key, table="messages"):
    return by_boto3(worker).get_item(TableName=worker.storage.client.table(table), Key=pack(key))["Item"]


def more_of(worker, key, table="messages"):
    return {name: value for name, value in item(worker, key, table).items() if name in LATER}


def put_entry(worker, seq, room="general", **further):
    """An entry of a kind that only a later version knows."""
    row = slot_key(room, seq) | {"kind": "poll", "at_ms": worker.log.now_ms(), "user": "bob"} | further
    worker.storage.client.call("put_item", TableName=worker.storage.client.table("messages"), Item=pack(row))


@pytest.fixture
def seq(worker):
    """Alice's message, into whose row a later version has written more."""
    seq = worker.messages.send(ALICE, "general", "m", "hello")["seq"]
    write_more(worker, slot_key("general", seq))
    return seq


# --- messages ---------------------------------------------------------------------------------------------------------


CHANGES = {
    "an edit": lambda worker, seq: worker.messages.edit(ALICE, "general", "c", seq, "hello again"),
    "a reaction": lambda worker, seq: worker.messages.react(BOB, "general", "c", seq, "👍", True),
    "a reaction and its end": lambda worker, seq: [
        worker.messages.react(BOB, "general", f"c{wanted}", seq, "👍", wanted) for wanted in (True, False)
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_in_a_row_what_a_later_version_wrote(worker, seq, change):
    before = item(worker, slot_key("general", seq))
    CHANGES[change](worker, seq)
    after = item(worker, slot_key("general", seq))
    assert after["rev"] != before["rev"]
    assert {name: after[name] for name in LATER} == LATER


def test_what_a_change_takes_back_is_gone_from_the_row(worker, seq):
    CHANGES["a reaction and its end"](worker, seq)
    assert "reactions" not in item(worker, slot_key("general", seq))


def test_a_deletion_leaves_nothing_of_it(worker, seq):
    worker.messages.delete(ALICE, "general", "d", seq)
    assert item(worker, slot_key("general", seq)).keys() <= SNAPSHOT_ROW


def test_a_row_that_others_put_may_change_its_message_too(worker):
    ingest = Ingest(worker.storage, worker.rooms, worker.log, worker.bus)

    def told(kind, number, text):
        row = {"text": text} if text else None
        return Change(kind, "general", "row", row, f"{number:0{DIGITS}d}", "2026-01-01")

    ingest.take([told("INSERT", 1, "one")])
    place, checkpoint = slot_key("general", 1), checkpoint_key("general", "row")
    write_more(worker, place)
    write_more(worker, checkpoint, "chat")
    ingest.take([told("MODIFY", 2, "two")])
    assert more_of(worker, place) == more_of(worker, checkpoint, "chat") == LATER
    assert worker.storage.entries.get("general", 1)[1].text == "two"
    ingest.take([told("REMOVE", 3, None)])
    assert more_of(worker, place) == {}
    assert worker.storage.external.get_checkpoint("general", "row").seq == 0


def test_nobody_is_shown_what_this_version_does_not_know(worker, seq):
    shown = worker.messages.edit(ALICE, "general", "c", seq, "hello again")
    assert shown.keys() == {*SNAPSHOT_ROW - {"id", "kind", "at_ms", "via", "reactions", "reply_to"}} | {
        "seq",
        "generation",
        "created_at_ms",
    }
    assert worker.history.page(ALICE, "general").to_dict()["messages"] == [shown]


# --- snapshots on the bus ---------------------------------------------------------------------------------------------


def told_of_changes(worker):
    return [event["kind"] for event in worker.heard if event["kind"] in ("entry", "decided")]


def test_a_snapshot_that_is_a_part_of_its_row_is_read_by_every_worker_itself(worker, other, wire, seq):
    here, there = worker.connect(CAROL), other.connect(BOB)
    other.heard.clear()
    change = worker.messages.edit(ALICE, "general", "c", seq, "hello again")
    wire.carry()
    assert told_of_changes(other)[-1] == "decided"
    for each, sid in ((worker, here), (other, there)):
        each.catch_up()
        (event, payload) = each.broadcaster.sent[sid][-1]
        assert (event, payload["entry"], payload["message"]["text"]) == (
            "message:changed",
            change["rev"],
            "hello again",
        )


def test_a_deleted_message_is_whole_and_told_as_ever(worker, other, wire, seq):
    other.connect(BOB)
    other.heard.clear()
    worker.messages.delete(ALICE, "general", "d", seq)
    wire.carry()
    assert told_of_changes(other)[-1] == "entry"


def test_what_is_read_instead_of_told_keeps_the_order(worker, other, wire, seq):
    sid = other.connect(BOB)
    for n in range(3):
        worker.messages.edit(ALICE, "general", f"c{n}", seq, f"text {n}")
        worker.messages.send(ALICE, "general", f"s{n}", f"between {n}")
    wire.carry()
    other.catch_up()
    numbers = other.numbers_sent(sid)
    assert numbers == list(range(seq + 1, seq + 7))
    texts = [payload["message"]["text"] for event, payload in other.broadcaster.sent[sid] if event == "message:changed"]
    assert texts[-1] == "text 2", "a snapshot rides on the entry that is its rev, and on no other"


# --- entries of another kind ------------------------------------------------------------------------------------------


@pytest.fixture
def polled(worker):
    """A room of Alice's and Bob's at whose head is an entry that only a later version understands."""
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j", room)
    worker.messages.send(ALICE, room, "m", "hello")
    put_entry(worker, 4, room, message=3)
    return room


def test_a_room_goes_on_behind_an_entry_that_is_not_known(worker, polled):
    listed = {room["room"]: room for room in worker.overview.rooms(BOB)["rooms"]}
    assert (listed[polled]["head"], listed[polled]["unread"]) == (4, 1)
    assert worker.messages.send(BOB, polled, "s", "after it")["seq"] == 5
    assert worker.messages.edit(ALICE, polled, "e", 3, "hello again")["rev"] == 6


def test_pages_say_that_a_number_is_to_be_skipped(worker, polled):
    worker.messages.send(BOB, polled, "s", "after it")
    skipped = {"seq": 4, "kind": "tombstone"}
    for page in (
        worker.history.open(BOB, polled, 3),
        worker.history.page(BOB, polled),
        worker.history.page(BOB, polled, before=5),
        worker.history.page(BOB, polled, after=2),
        worker.history.page(BOB, polled, around=3),
    ):
        entries = [{"seq": each["seq"], "kind": each["kind"]} for each in page.to_dict()["entries"]]
        assert skipped in entries
        assert all(each.keys() == {"seq", "kind", "at_ms"} for each in page.to_dict()["entries"] if each["seq"] == 4)
    sparse = worker.history.page(BOB, polled, before=5, sparse=True)
    assert [entry.seq for entry in sparse.entries] == [1, 2, 3]


def test_a_follower_skips_it_where_it_starts_reads_and_is_told(worker, other, wire, polled):
    sid = other.connect(BOB)
    assert other.follower(polled).cursor == 4
    put_entry(worker, 5, polled, message=3)
    other.catch_up(polled)
    told = {"seq": 6, "kind": "poll", "at_ms": 1, "user": "bob", "message": 3, "options": ["a", "b"]}
    generation = other.follower(polled).room.generation
    other.followers.offer(polled, generation, told, None)
    where = {"room": polled, "generation": generation}
    assert other.broadcaster.sent[sid] == [("entry:skipped", where | {"entry": seq}) for seq in (5, 6)]


def test_retention_deletes_it_with_the_others(worker, polled, monkeypatch):
    now = worker.log._now() + 2 * YOUNGEST_S
    monkeypatch.setattr(worker.log, "_now", lambda: now)
    Retention(worker.storage, worker.log, YOUNGEST_S, lambda s: None).sweep()
    left = worker.storage.entries.before(polled, 100, 100)
    assert [(entry.seq, entry.kind) for entry, _ in left] == [(5, "tombstone")], "what it said is as old as the rest"


def test_the_stream_announces_it_like_any_other(worker, polled):
    heard = len(worker.heard)
    key = slot_key(polled, 4)
    Ingest(worker.storage, worker.rooms, worker.log, worker.bus).take(
        [Change("INSERT", key["room"], key["id"], None, "1", "2026-01-01")]
    )
    assert worker.heard[heard:] == [{"kind": "decided", "room": polled, "seq": 4}]


def test_nobody_writes_what_is_not_known(worker):
    with pytest.raises(KeyError):
        log_row(Entry("general", 1, "unknown", 1), None)


# --- other rows -------------------------------------------------------------------------------------------------------

CLAIM = Claim("alice", "c", "general", "digest", 1)
MEMBERSHIP = Membership("general", "alice", "Alice", inside=True)
OTHERS = {
    "a room": (meta_row(GENERAL), read_meta),
    "a membership": (
        member_key("general", "alice") | membership_attributes(MEMBERSHIP),
        read_membership,
    ),
    "a claim": (claim_row(CLAIM), read_claim),
    "a worker": (worker_row(Worker("id", 1, True, 1)), read_worker),
    "a checkpoint": (
        checkpoint_key("general", "row") | checkpoint_attributes(Checkpoint("general", "row", "1", "2026-01-01")),
        read_checkpoint,
    ),
    "what was set aside": (rejected_row(RejectedRow("general", "row", "why", 1)), read_rejected),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_more_a_row_says_is_passed_by(what):
    row, read = OTHERS[what]
    row = unpack(pack(row))
    assert read(unpack(pack(row) | LATER)) == read(row)


def test_coming_and_going_leaves_in_a_membership_and_a_room_what_a_later_version_wrote(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j", room)
    places = [member_key(room, "bob"), user_room_key("bob", room), meta_key(room)]
    for place in places:
        write_more(worker, place, "chat")
    worker.memberships.leave(BOB, "l", room)
    worker.memberships.join(BOB, "j2", room)
    worker.messages.send(ALICE, room, "m", "hello")
    assert worker.read_positions.move(BOB, room, 5) == 5
    worker.storage.rooms.raise_floor(room, 2)
    assert [more_of(worker, place, "chat") for place in places] == [LATER] * 3


def test_a_session_keeps_what_a_later_version_wrote_into_its_record(worker):
    sessions = Sessions(worker.redis, 1800, 43_200, worker.storage.users.epochs)
    session = sessions.create(worker.storage.users.get("alice"))
    key, later = sessions.key(session.sid), {"second": {"at": 1.5}, "via": ["totp"]}
    worker.redis.set(key, json.dumps(json.loads(worker.redis.get(key)) | later), keepttl=True)
    found = sessions.read(session.sid)
    assert (found.person, found.iat) == (session.person, session.iat)
    sessions.write_back(replace(found, device="Firefox"))
    epoch = worker.storage.users.raise_epoch("alice")
    sessions.raise_epoch("alice", epoch, "password", keep=sessions.read(session.sid))
    record = json.loads(worker.redis.get(key))
    assert (record["device"], record["epoch"]) == ("Firefox", epoch)
    assert {name: record[name] for name in later} == later
