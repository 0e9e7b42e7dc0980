"""Rooms in which nothing moves cost nothing, and what is said in one reaches all that wait in it."""

from __future__ import annotations

import time

import gevent
import pytest

from chat.models import Room
from chat.services.log import checks, followers
from chat.services.log.heads import Heads
from chat.services.log.subscribers import SETTLED_S
from chat.services.runtime.gather import one_by_one
from tests.conftest import wait_until
from tests.services.conftest import ALICE, BOB, CAROL
from tests.services.test_followers import put_back, say, sent_texts


@pytest.fixture
def room(worker, wire):
    made = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", made, "bob")
    wire.carry()  # nothing of this is on its way any more
    return made


def counted(monkeypatch, worker):
    """What DynamoDB is asked from now on."""
    asked = []
    call = worker.storage.client.call
    monkeypatch.setattr(
        worker.storage.client, "call", lambda name, **request: asked.append(name) or call(name, **request)
    )
    return asked


def delivered(worker, sid, *texts):
    wait_until(lambda: gevent.sleep(0.01) or sent_texts(worker, sid) == list(texts), what=f"{sid} has {texts}")


def asleep(worker, monkeypatch, *sids):
    """All rooms of these have been quiet."""
    with monkeypatch.context() as patch:
        patch.setattr(checks, "QUIET_S", -1.0)
        wait_until(lambda: gevent.sleep(0.01) or worker.checks.check_followers() or worker.followers.all() == {})
    assert all(worker.followers.dormant.of(sid) for sid in sids)


def test_who_waits_in_a_dormant_room_is_sent_what_is_said(worker, other, wire, room):
    alice, bob = other.wait(ALICE), other.wait(BOB)
    assert other.followers.all() == {}
    say(worker, "good morning", room=room)
    say(worker, "anybody", room=room)
    wire.carry()
    for sid in (alice, bob):
        delivered(other, sid, "good morning", "anybody")
    assert set(other.followers.all()) == {room}, "general sleeps on"


def test_its_head_is_told_as_that_of_a_follower(worker, other, room):
    say(worker, "before", room=room)
    waiting, connected = other.wait(BOB, "waits"), worker.connect(BOB)
    assert other.followers.heads(waiting) == worker.followers.heads(connected)
    meta = other.rooms.get(room)
    assert other.followers.head(meta) == worker.followers.head(meta) == 3


def test_who_was_told_a_head_is_sent_all_behind_it_however_late_it_wakes(worker, other, wire, room):
    bob = other.wait(BOB)
    texts = [f"{i}" for i in range(70)]  # more than are read at first
    for text in texts:
        say(worker, text, room=room)
    wire.waiting.clear()
    other.checks.check_proposed()
    assert other.followers.all() == {}, "it may still be on its way"
    other.checks.check_proposed()
    delivered(other, bob, *texts)


def test_how_far_it_has_come_is_known_before_it_is_awake(worker, other, wire, room):
    other.wait(BOB)
    said = say(worker, "read at once", room=room)
    wire.carry()
    assert other.followers.all() == {}
    assert other.read_positions.move(BOB, room, said) == said


def test_what_is_heard_while_its_head_is_read_wakes_it(worker, other, wire, room, monkeypatch):
    read = other.storage.entries.decided

    def slowly(slots):
        found = read(slots)
        say(worker, "meanwhile", room=room)
        wire.carry()
        monkeypatch.undo()
        return found

    other.sequences.forget()
    monkeypatch.setattr(other.storage.entries, "decided", slowly)
    bob = other.wait(BOB)
    wait_until(lambda: gevent.sleep(0.01) or room in other.followers.all(), what="it is awake")
    other.catch_up(room)
    assert sent_texts(other, bob) in (["meanwhile"], []) and other.followers.heads(bob)[room][1] == 3


def test_a_repeated_event_wakes_nobody_who_was_followed(worker, other, wire, room, monkeypatch):
    bob = other.connect(BOB)
    say(worker, "once", room=room)
    repeated = list(wire.waiting)
    wire.carry()
    asleep(other, monkeypatch, bob)
    wire.waiting.extend(repeated)
    wire.carry()
    gevent.sleep(0.05)
    assert other.followers.all() == {} and sent_texts(other, bob) == ["once"]


def test_what_is_decided_late_below_its_head_is_told(worker, other, wire, room):
    """A worker stood still between a number and its transaction; the numbers behind it were decided meanwhile."""
    meta = worker.rooms.get(room)
    late = worker.sequences.propose(meta)
    after = say(worker, "overtook it", room=room)
    bob = other.wait(BOB)
    assert other.followers.heads(bob)[room][1] == after == late + 1
    wire.waiting.clear()
    worker.storage.entries.tombstone(room, late, worker.log.now_ms())
    other.followers.decided(room, late)
    wait_until(lambda: gevent.sleep(0.01) or room in other.followers.all(), what="it is awake")
    other.catch_up(room)
    assert [event for event, _ in other.broadcaster.sent[bob]] == ["entry:skipped", "message:sent"]


def test_an_old_number_that_is_told_again_makes_nobody_read_a_long_log(worker, other, wire, room, monkeypatch):
    monkeypatch.setattr(followers, "REPLAY", 5)
    monkeypatch.setattr(followers, "SETTLED_S", -1.0)
    for i in range(40):
        say(worker, f"{i}", room=room)
    wire.waiting.clear()
    bob = other.wait(BOB)
    other.followers.decided(room, 3)
    wait_until(lambda: gevent.sleep(0.01) or room in other.followers.all(), what="it is awake")
    other.catch_up(room)
    assert len(other.broadcaster.sent[bob]) <= 5


def test_of_another_generation_nothing_wakes_it_for_its_sockets(worker, other, wire, room):
    bob = other.wait(BOB)
    put_back(worker, room, 2)
    worker.rooms.restored()
    worker.followers.restored()
    say(worker, "in another life", room=room)
    wire.carry()
    gevent.sleep(0)
    assert not any(each.waking for each in other.followers.dormant)
    assert sent_texts(other, bob) == []
    other.rooms.forget_all()
    other.followers.restored()
    assert other.followers.heads(bob) == {}
    other.wait(BOB)
    assert other.followers.heads(bob)[room] == (worker.storage.rooms.get(room).generation, 3)


def test_who_is_removed_from_a_dormant_room_is_told_so_and_nothing_behind_it(worker, other, wire, room):
    alice, bob = other.wait(ALICE), other.wait(BOB)
    worker.memberships.remove(ALICE, "x", room, "bob")
    say(worker, "after", room=room)
    wire.carry()
    delivered(other, alice, "after")
    assert [event for event, _ in other.broadcaster.sent[bob]] == ["member:removed"]


def test_a_membership_read_beside_the_transaction_that_ends_it_is_worth_nothing_when_the_room_wakes(
    worker, other, wire, room
):
    before = other.storage.rooms.membership(room, "bob")
    worker.memberships.remove(ALICE, "x", room, "bob")
    wire.waiting.clear()
    meta = other.rooms.get(room)
    assert other.followers.attend([meta]) == set()
    asked_at = time.monotonic()
    refused = []
    other.followers.on_refused = refused.append
    other.followers.subscribe("socket-bob", meta, before, asked_at)  # the row that the transaction had not written yet
    alice = other.storage.rooms.membership(room, "alice")
    other.followers.subscribe("socket-alice", meta, alice, asked_at)
    say(worker, "not for bob", room=room)
    wire.carry()
    delivered(other, "socket-alice", "not for bob")
    assert (sent_texts(other, "socket-bob"), refused) == ([], ["socket-bob"])
    assert not other.followers.has("socket-bob", room)


def test_who_went_and_came_back_while_it_slept_sees_nothing_of_between(worker, other, wire, room):
    bob = other.wait(BOB)
    worker.memberships.remove(ALICE, "x", room, "bob")
    say(worker, "between", room=room)
    worker.memberships.invite(ALICE, "i2", room, "bob")
    say(worker, "welcome back", room=room)
    wire.carry()
    wait_until(lambda: gevent.sleep(0.01) or room in other.followers.all(), what="it is awake")
    other.catch_up(room)
    assert not other.followers.has(bob, room)
    other.wait(BOB)
    say(worker, "and now", room=room)
    wire.carry()
    wait_until(lambda: gevent.sleep(0.01) or "and now" in sent_texts(other, bob), what="bob hears again")
    assert "between" not in str(other.broadcaster.sent[bob])


def test_typing_reaches_who_waits_in_it(worker, other, room):
    other.wait(BOB)
    told = []
    other.followers.when_followed(room, lambda follower: told.append(follower.subscribers.sids("bob")))
    wait_until(lambda: gevent.sleep(0.01) or told, what="it is told")
    assert told == [["socket-bob"]]
    other.followers.when_followed("nowhere", told.append)
    assert len(told) == 1


def test_a_quiet_room_falls_asleep_and_is_woken_as_often_as_need_be(worker, other, wire, room, monkeypatch):
    bob = other.connect(BOB)
    for text in ("one", "two", "three"):
        asleep(other, monkeypatch, bob)
        assert other.broadcaster.inside[room] == []
        say(worker, text, room=room)
        wire.carry()
        wait_until(lambda: gevent.sleep(0.01) or room in other.followers.all(), what="it is awake")
        other.catch_up(room)
    assert sent_texts(other, bob) == ["one", "two", "three"]


def test_a_room_stays_awake_while_something_is_on_its_way(worker, other, wire, room, monkeypatch):
    other.connect(BOB)
    worker.sequences.propose(worker.rooms.get(room))
    monkeypatch.setattr(checks, "QUIET_S", -1.0)
    other.checks.check_proposed()
    other.checks.check_followers()
    assert set(other.followers.all()) == {room}


def test_a_room_that_nobody_is_in_is_forgotten(worker, other, room, monkeypatch):
    bob = other.wait(BOB)
    other.followers.forget(bob)
    other.checks.check_dormant()
    assert len(other.followers.dormant) == 2
    monkeypatch.setattr(checks, "IDLE_S", -1.0)
    other.checks.check_dormant()
    assert len(other.followers.dormant) == 0
    assert other.followers.heads(bob) == {}


def test_a_room_that_cannot_be_read_when_it_wakes_is_tried_again(worker, other, wire, room, monkeypatch):
    monkeypatch.setattr(followers, "AGAIN_S", 0.05)
    bob = other.wait(BOB)
    say(worker, "at last", room=room)
    head, fails = other.storage.entries.head, [True, True]

    def failing(*key):
        if fails:
            fails.pop()
            raise followers.ChatError("unavailable")
        return head(*key)

    monkeypatch.setattr(other.storage.entries, "head", failing)
    wire.carry()
    delivered(other, bob, "at last")
    assert fails == []


# --- what it costs, and what a doubt finds ----------------------------------------------------------------------------


def many(worker, number):
    """So many rooms with Alice in each; their descriptions."""
    ids = [worker.memberships.create(ALICE, f"r{i}", f"Room {i}", "private")["room"] for i in range(number)]
    return [worker.rooms.get(each) for each in ids]


def test_rooms_are_attended_and_compared_in_few_requests(worker, other, wire, monkeypatch):
    rooms = many(worker, 120)
    other.sequences.forget()
    asked = counted(monkeypatch, other)
    other.wait(ALICE)
    assert len(asked) <= 2 * 2 + 2 + 4 + 1, asked  # memberships, descriptions, heads; general's
    del asked[:]
    other.checks.check_dormant()
    assert asked == [], "it is not time"
    other.checks.doubt()
    other.checks.check_dormant()
    assert 0 < len(asked) <= 3 + 2, asked  # general is empty: it is asked for alone
    for _ in range(3):
        other.checks.check_proposed()
    assert len(asked) <= 3 + 2 and other.followers.all() == {}
    assert {each.id for each in rooms} <= set(other.followers.dormant.of("socket-alice"))


def test_a_list_of_rooms_is_read_in_few_requests_and_its_heads_are_those_of_the_table(worker, other, monkeypatch):
    rooms = many(worker, 30)
    said = say(worker, "news", room=rooms[7].id)
    other.overview.rooms(BOB)
    asked = counted(monkeypatch, other)
    answer = other.overview.rooms(ALICE)
    assert len(asked) <= 8, asked
    assert {each["room"]: each["head"] for each in answer["rooms"]}[rooms[7].id] == said


@pytest.mark.parametrize("redis", ["empty", "behind", "ahead"])
def test_heads_are_right_whatever_redis_says(worker, other, redis):
    rooms = many(worker, 6)
    for number, each in enumerate(rooms):
        for i in range(number):
            say(worker, f"{number}-{i}", room=each.id)
    late = worker.sequences.propose(rooms[0])
    say(worker, "behind a hole", room=rooms[0].id)
    for each in rooms[1:]:
        key = other.sequences._key(each)
        {
            "empty": lambda key=key: other.redis.delete(key),
            "behind": lambda key=key: other.redis.set(key, 1),
            "ahead": lambda key=key: other.redis.incrby(key, 3),
        }[redis]()
    expected = {each.id: other.storage.entries.head(each.id) for each in rooms}
    assert Heads(other.storage, other.sequences, one_by_one).read(rooms) == expected
    assert expected[rooms[0].id] == late + 1
    assert Heads(other.storage, other.sequences, one_by_one).read(rooms) == expected, "and when they are known"


@pytest.mark.parametrize("doubt", [True, False])
def test_what_redis_lost_altogether_is_found_in_the_table(worker, other, wire, room, doubt, monkeypatch):
    bob = other.wait(BOB)
    say(worker, "lost", room=room)
    wire.waiting.clear()
    worker.redis.flushall()
    other.checks.check_proposed()
    other.checks.check_dormant()
    assert other.followers.all() == {}
    if doubt:
        other.checks.doubt()
    else:
        monkeypatch.setattr(checks, "DORMANT_EVERY_S", -1.0)
    other.checks.check_dormant()
    delivered(other, bob, "lost")


def test_the_hourly_look_takes_a_few_at_a_time_and_comes_to_all(worker, other, monkeypatch):
    rooms = many(worker, 40)
    other.wait(ALICE)
    monkeypatch.setattr(checks, "DORMANT_EVERY_S", 0.0)
    seen = set()
    read = other.sequences.read_head
    monkeypatch.setattr(other.sequences, "read_head", lambda room: seen.add(room.id) or read(room))
    other.checks.check_dormant()
    assert len(seen) == checks.AT_ONCE
    for each in other.followers.dormant:
        if each.room.id in seen:
            each.checked_at = time.monotonic() + 60
    other.checks.check_dormant()
    other.checks.check_dormant()
    assert len(seen) == 2 * checks.AT_ONCE
    assert len(rooms) == 40


def test_a_doubt_over_many_rooms_rests_between_two_looks(worker, other, monkeypatch):
    many(worker, 4)
    other.wait(ALICE)
    monkeypatch.setattr(checks, "DOUBT_EVERY_S", -1.0)
    looks = []
    monkeypatch.setattr(other.followers, "heads_of", lambda rooms: looks.append(1) or {r.id: 0 for r in rooms})
    other.checks.doubt()
    other.checks.check_dormant()
    monkeypatch.setattr(other.checks, "_rest_until", time.monotonic() + 60)
    other.checks.check_dormant()
    assert len(looks) == 1


def test_a_room_of_a_longer_log_wakes_where_it_slept(worker, other, wire, room, monkeypatch):
    """What was read of it for who came and went reaches back behind its head by as long as a commit may take."""
    monkeypatch.setattr(followers, "REPLAY", 2)
    bob = other.wait(BOB)
    for i in range(9):
        say(worker, f"{i}", room=room)
    wire.waiting.clear()
    meta = Room(**vars(other.rooms.get(room)))
    follower = other.followers.follow(meta)
    assert follower.cursor == 2 and SETTLED_S > 0
    delivered(other, bob, *[f"{i}" for i in range(9)])
    assert CAROL.username not in follower.subscribers.usernames()


def test_a_follower_that_gave_way_hands_out_nothing_when_its_reading_is_tried_again(worker, other, wire, room):
    bob = other.connect(BOB)
    before = other.followers.get(room)
    other.followers.sleep(before)
    say(worker, "once", room=room)
    wire.carry()
    delivered(other, bob, "once")
    before.repair(upto=other.followers.get(room).cursor)  # what it does a second after storage did not answer
    gevent.joinall([reading for reading in [before._repairing] if reading is not None])
    assert sent_texts(other, bob) == ["once"]
