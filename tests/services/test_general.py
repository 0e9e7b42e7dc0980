"""`general` is everybody's, rooms are told from those of their name before them, and a bad one hides no other."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from chat.errors import ChatError
from chat.models import GENERAL, Claim, Entry, Membership, Room
from chat.services.storage import schema
from chat.services.storage.rooms import membership_fact, room_facts
from chat.services.storage.values import pack
from tests.services.conftest import ALICE, BOB

LONG = "\ufb03" * 48  # of one letter each; folded, of three


def code(call):
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


def listed(worker, person):
    return [room["room"] for room in worker.overview.rooms(person)["rooms"]]


def put(worker, room, person):
    """A room as an older version would have made it."""
    claim = Claim(person.username, f"old-{room.id}"[:60], room.id, "digest", 1)
    founder = Membership(room.id, person.username, person.name, inside=True, seq=1, start=1, read=1)
    joined = Entry(room.id, 1, "joined", 1, user=person.username, name=person.name)
    worker.storage.transaction.append(joined, claim, facts=(membership_fact(founder), *room_facts(room)))


def remove_general(worker):
    worker.storage.client.call(
        "delete_item", TableName=worker.storage.client.table("chat"), Key=pack({"pk": "ROOM#general", "sk": "META"})
    )
    worker.rooms.forget_all()


@pytest.mark.parametrize("name", ["General", "GENERAL", "general", "ＧＥＮＥＲＡＬ", " general.", "--general--"])
def test_nobody_can_make_general_not_even_before_anybody_was_there(worker, name):
    remove_general(worker)
    assert code(lambda: worker.memberships.create(BOB, "c", name, "public")) == "room_name_taken"
    assert worker.storage.rooms.get("general").owner == ""


def test_general_comes_with_the_tables(config, worker):
    remove_general(worker)
    schema.create(worker.storage)
    room = worker.storage.rooms.get("general")
    assert (room.name, room.kind, room.owner) == ("General", "public", "") and room.generation > 1_700_000_000
    schema.create(worker.storage)
    assert worker.storage.rooms.get("general") == room


def test_an_owner_that_general_has_is_named_and_taken_away(worker):
    remove_general(worker)
    put(worker, Room("general", "general", "public", owner="bob", generation=1), BOB)
    assert any("general has an owner, bob" in problem for problem in schema.problems(worker.storage))
    schema.create(worker.storage)
    assert worker.storage.rooms.get("general").owner == ""
    assert schema.problems(worker.storage) == []


def test_where_tables_are_made_by_others_the_first_who_reads_general_takes_its_owner_away(worker):
    remove_general(worker)
    put(worker, Room("general", "general", "public", owner="bob", generation=1), BOB)
    assert code(lambda: worker.memberships.remove(BOB, "x", "general", "alice")) == "not_room_owner"
    assert worker.storage.rooms.get("general").owner == ""


def test_a_room_begins_with_a_generation_that_none_of_its_name_had(worker):
    first = worker.memberships.create(ALICE, "c", "Plans", "public")
    assert first["generation"] >= worker.log.now_ms() // 1000 - 60
    assert worker.storage.claims.get("alice", "c").generation == first["generation"]
    assert worker.storage.rooms.get("general").generation > 1_700_000_000


@pytest.mark.parametrize("kind", ["public", "private"])
def test_a_name_whose_id_no_request_would_take_is_refused(worker, kind):
    assert code(lambda: worker.memberships.create(ALICE, "c", LONG, kind)) == "room_name_invalid"
    assert worker.memberships.create(ALICE, "d", "\ufb03" * 21, "public")["room"] == "ffi" * 21


def test_a_room_that_cannot_be_opened_hides_no_other_and_is_named(worker, caplog):
    put(worker, Room("ffi" * 48, LONG, "public", owner="alice"), ALICE)
    worker.memberships.create(ALICE, "c", "Plans", "public")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert listed(worker, ALICE) == ["general", "plans"]
    assert len([each for each in caplog.records if "left out" in each.message]) == 1
    assert [room["room"] for room in worker.overview.rooms(BOB)["joinable"]] == ["plans"]
    (problem,) = schema.problems(worker.storage)
    assert "144 characters" in problem


@pytest.mark.parametrize("what", ["its description", "its log"])
def test_a_room_that_cannot_be_read_hides_no_other(worker, what):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    table, row = {
        "its description": ("chat", {"pk": f"ROOM#{room}", "sk": "META", "name": "Plans"}),
        "its log": ("messages", {"room": f"R#{room}#0", "id": f"{2:012d}", "kind": "m", "at_ms": 1}),
    }[what]
    worker.storage.client.call("put_item", TableName=worker.storage.client.table(table), Item=pack(row))
    worker.rooms.forget_all()
    assert listed(worker, ALICE) == ["general"]


def test_what_a_backup_does_not_have_is_answered_as_gone_and_not_for_ever_as_unavailable(worker):
    """The claim came back with one table, the message not with the other; its number may be another's now."""
    sent = worker.messages.send(ALICE, "general", "m", "hello")
    room = worker.storage.rooms.get("general")
    worker.storage.rooms.set_generation(room, room.generation + 1)
    worker.storage.entries.delete("general", [sent["seq"]])
    worker.rooms.forget_all()
    assert code(lambda: worker.messages.send(ALICE, "general", "m", "hello")) == "message_not_found"
    worker.sequences.forget()
    worker.sequences._redis.flushall()
    other = worker.messages.send(BOB, "general", "b", "not Alice's")
    assert other["seq"] == sent["seq"]
    assert code(lambda: worker.messages.send(ALICE, "general", "m", "hello")) == "message_not_found"


def test_general_is_one_room_whoever_makes_it_first(worker, other):
    remove_general(worker)
    worker.storage.rooms.put(replace(GENERAL, generation=7))
    assert other.rooms.get("general").generation == 7
