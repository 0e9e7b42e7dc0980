"""Every socket is sent every entry of its rooms once and in order, and nothing behind its person's removal."""

from __future__ import annotations

import random
import time

import gevent
import pytest

from chat.services.log.subscribers import SETTLED_S
from chat.services.storage.rooms import member_key, user_room_key
from chat.services.storage.values import pack
from tests.services.conftest import ALICE, BOB, CAROL


def say(worker, text, person=ALICE, room="general"):
    return worker.messages.send(person, room, f"{person.username}-{text}".replace(" ", "_"), text)["seq"]


def sent_texts(worker, sid):
    return [payload["text"] for event, payload in worker.broadcaster.sent.get(sid, []) if event == "message:sent"]


def is_dense(numbers):
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_member_is_sent_what_is_said_in_order(worker, other, wire):
    sid = other.connect(BOB)
    for i in range(5):
        say(worker, f"{i}")
    wire.carry()
    assert sent_texts(other, sid) == ["0", "1", "2", "3", "4"]


def test_the_sender_is_sent_their_own_message(worker):
    sid = worker.connect(ALICE)
    say(worker, "to myself")
    assert sent_texts(worker, sid) == ["to myself"]


def test_an_event_that_comes_twice_is_delivered_once(worker, other, wire):
    sid = other.connect(BOB)
    say(worker, "once")
    wire.waiting.extend(list(wire.waiting))
    wire.carry()
    assert sent_texts(other, sid) == ["once"]


def test_an_event_from_the_past_is_not_kept(worker):
    worker.connect(ALICE)
    say(worker, "one")
    entry, snapshot = worker.heard[-1]["entry"], worker.heard[-1]["image"]
    worker.follower().offer(entry, snapshot)
    assert worker.follower()._stash == {}
    assert worker.follower()._repairing is None


@pytest.mark.parametrize("seed", range(6))
def test_lost_and_shuffled_events_are_delivered_in_order_all_the_same(worker, other, wire, seed):
    rng = random.Random(seed)
    here, there = worker.connect(ALICE), other.connect(BOB)
    for i in range(30):
        say(*rng.choice([(worker, f"{i}", ALICE), (other, f"{i}", BOB)]))
        if rng.random() < 0.3:
            wire.carry(rng, lose=0.4)
    wire.carry(rng, lose=0.4)
    for each, sid in ((worker, here), (other, there)):
        each.catch_up()
        assert is_dense(each.numbers_sent(sid))
        assert sorted(sent_texts(each, sid), key=int) == [str(i) for i in range(30)]
    assert worker.broadcaster.sent[here] == other.broadcaster.sent[there]


def test_the_head_in_the_table_reveals_what_the_bus_lost_altogether(worker, other, wire):
    sid = other.connect(BOB)
    say(worker, "lost")
    wire.waiting.clear()
    other.follower().check_head()
    assert other.follower()._repairing is not None
    other.catch_up()
    assert sent_texts(other, sid) == ["lost"]


def test_after_a_doubt_about_the_bus_the_heads_are_read_at_once(worker, other, wire):
    sid = other.connect(BOB)
    say(worker, "lost")
    wire.waiting.clear()
    other.checks.check_followers()
    assert other.follower()._repairing is None, "it was not time yet"
    other.checks.doubt()
    other.checks.check_followers()
    assert other.follower()._repairing is not None
    other.catch_up()
    assert sent_texts(other, sid) == ["lost"]


def test_a_crowd_that_comes_at_once_starts_a_follower_once(worker, monkeypatch):
    room = worker.rooms.get("general")
    read = []

    def slow(*key, real=worker.storage.entries.head):
        read.append(key)
        gevent.sleep(0.02)
        return real(*key)

    monkeypatch.setattr(worker.storage.entries, "head", slow)
    started = [gevent.spawn(worker.followers.follow, room) for _ in range(30)]
    gevent.joinall(started)
    assert len(read) == 1
    assert {job.value for job in started} == {worker.follower()}


def test_a_lost_publish_shows_in_what_redis_has_proposed(worker, other, wire):
    sid = other.connect(BOB)
    say(worker, "lost")
    wire.waiting.clear()
    other.checks.check_proposed()
    assert other.follower()._repairing is None, "it may still be on its way"
    other.checks.check_proposed()
    assert other.follower()._repairing is not None
    other.catch_up()
    assert sent_texts(other, sid) == ["lost"]


def test_a_number_that_was_only_proposed_is_looked_for_once(worker, other, monkeypatch):
    other.connect(BOB)
    worker.sequences.propose(worker.rooms.get("general"))
    read = []
    monkeypatch.setattr(
        other.storage.entries, "head", lambda *key, real=other.storage.entries.head: read.append(key) or real(*key)
    )
    for _ in range(5):
        other.checks.check_proposed()
    assert len(read) == 1


def test_a_number_nobody_used_is_decided_and_skipped(worker, other, wire):
    sid = worker.connect(ALICE)
    abandoned = other.sequences.propose(other.rooms.get("general"))
    after = say(worker, "behind the hole")
    assert sent_texts(worker, sid) == []
    worker.catch_up(seq=after)
    assert [event for event, _ in worker.broadcaster.sent[sid]] == ["entry:skipped", "message:sent"]
    assert worker.storage.entries.get("general", abandoned)[0].kind == "tombstone"


def test_a_writer_that_was_slow_past_the_tombstone_takes_another_number(worker, other, monkeypatch):
    worker.connect(ALICE)
    append = other.storage.transaction.append

    def slow(*args, **kwargs):
        monkeypatch.undo()
        worker.catch_up(seq=say(worker, "meanwhile"))
        append(*args, **kwargs)

    monkeypatch.setattr(other.storage.transaction, "append", slow)
    late = say(other, "late", BOB)
    assert late == 3
    worker.catch_up()
    assert sent_texts(worker, "socket-alice") == ["meanwhile", "late"]


def test_who_was_removed_is_told_so_and_nothing_behind_it(worker, other, wire):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", room, "bob")
    sid = other.connect(BOB)
    say(worker, "before", room=room)
    worker.memberships.remove(ALICE, "x", room, "bob")
    say(worker, "after", room=room)
    wire.carry(random.Random(1))
    other.catch_up(room)
    assert sent_texts(other, sid) == ["before"]
    assert other.broadcaster.sent[sid][-1][0] == "member:removed"


def test_a_message_edited_behind_a_removal_does_not_reach_who_was_removed_before_it(worker, other, wire):
    """The table's row has the later snapshot; read ahead of the cursor it must not be handed out early."""
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", room, "bob")
    sid = other.connect(BOB)
    seq = say(worker, "before", room=room)
    worker.memberships.remove(ALICE, "x", room, "bob")
    worker.messages.edit(ALICE, room, "e", seq, "not for bob")
    wire.waiting.clear()
    other.catch_up(room)
    assert "not for bob" not in str(other.broadcaster.sent[sid])
    assert other.broadcaster.sent[sid][-1][0] == "member:removed"


def test_an_edit_that_the_bus_lost_arrives_with_its_snapshot(worker, other, wire):
    sid = other.connect(BOB)
    seq = say(worker, "first")
    worker.messages.edit(ALICE, "general", "e1", seq, "second")
    worker.messages.edit(ALICE, "general", "e2", seq, "third")
    wire.waiting.clear()
    other.catch_up()
    assert [event for event, _ in other.broadcaster.sent[sid]] == ["entry:skipped", "entry:skipped", "message:changed"]
    assert other.broadcaster.sent[sid][-1][1]["message"]["text"] == "third"


def test_who_joins_a_private_room_is_sent_nothing_of_before(worker, other, wire):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    other.followers.follow(other.rooms.get(room))
    say(worker, "before", room=room)
    worker.memberships.invite(ALICE, "i", room, "bob")
    say(worker, "after", room=room)
    sid = other.connect(BOB)  # reads the membership while its follower is still behind it
    assert other.follower(room).cursor == 1
    wire.carry()
    other.catch_up(room)
    assert sent_texts(other, sid) == ["after"]


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_changed_of_before_tells_who_came_later_nothing(worker, other, wire, lost):
    """The same as their pages do, so a page that was pushed it once would never hear of the next change."""
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    seq = say(worker, "before", room=room)
    worker.memberships.invite(ALICE, "i", room, "bob")
    alice, bob = other.connect(ALICE), other.connect(BOB)
    own = say(worker, "after", room=room)
    worker.messages.edit(ALICE, room, "e1", seq, "not for bob")
    worker.messages.edit(ALICE, room, "e2", own, "for both")
    if lost:
        wire.waiting.clear()
    wire.carry()
    other.catch_up(room)
    assert [event for event, _ in other.broadcaster.sent[alice]][-2:] == ["message:changed", "message:changed"]
    assert [event for event, _ in other.broadcaster.sent[bob]][-2:] == ["entry:skipped", "message:changed"]
    assert "not for bob" not in str(other.broadcaster.sent[bob])
    assert [payload["entry"] for _, payload in other.broadcaster.sent[bob][-2:]] == [own + 1, own + 2]


def test_a_membership_read_before_a_removal_does_not_subscribe_behind_it(worker, wire):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", room, "bob")
    follower = worker.followers.follow(worker.rooms.get(room))
    stale = worker.storage.rooms.membership(room, "bob")
    worker.memberships.remove(ALICE, "x", room, "bob")
    assert follower.subscribe("socket-bob", stale) is False
    assert not follower.subscribers.has("socket-bob")


def test_a_membership_read_before_who_left_came_back_shows_nothing_of_the_time_between(worker, other, wire):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i1", room, "bob")
    worker.connect(ALICE)
    follower, asked_at = worker.follower(room), time.monotonic()
    before = worker.storage.rooms.membership(room, "bob")
    worker.memberships.leave(BOB, "l", room)
    say(worker, "between", room=room)
    worker.memberships.invite(ALICE, "i2", room, "bob")
    assert not follower.subscribe("socket-bob", before, asked_at)
    assert follower.subscribe("socket-bob", worker.storage.rooms.membership(room, "bob"), time.monotonic())
    assert [m.text for m in worker.history.open(BOB, room, 0).messages] == []
    assert [m.text for m in worker.history.open(ALICE, room, 0).messages] == ["between"]


def test_a_membership_read_beside_the_transaction_that_ends_it_does_not_subscribe(worker):
    """The entry of a transaction may be seen before its membership is."""
    room = worker.memberships.create(ALICE, "r", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j", room)
    before = worker.storage.rooms.membership(room, "bob")
    worker.connect(ALICE)
    worker.memberships.leave(BOB, "l", room)
    asked_at = time.monotonic()
    assert not worker.follower(room).subscribe("socket-bob", before, asked_at)
    # Long behind that the table counts: a backup may have tables of different moments.
    assert worker.follower(room).subscribe("socket-bob", before, asked_at + SETTLED_S)


def test_whom_two_bring_in_at_once_reads_their_room(worker, monkeypatch):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i1", room, "bob")
    worker.memberships.remove(ALICE, "x", room, "bob")
    outside = worker.storage.rooms.membership(room, "bob")
    worker.memberships.invite(ALICE, "i2", room, "bob")
    worker.connect(BOB)
    with monkeypatch.context() as patch:
        reads = worker.storage.rooms.membership
        patch.setattr(worker.storage.rooms, "membership", lambda r, who: outside if who == "bob" else reads(r, who))
        worker.memberships.invite(ALICE, "i3", room, "bob")
    say(worker, "welcome", room=room)
    assert [m.text for m in worker.history.open(BOB, room, 0).messages] == ["welcome"]


def test_who_left_and_came_back_is_not_put_out_by_the_earlier_leaving(worker, other, wire):
    room = worker.memberships.create(ALICE, "r", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j1", room)
    other.followers.follow(other.rooms.get(room))
    worker.memberships.leave(BOB, "l1", room)
    worker.memberships.join(BOB, "j2", room)
    sid = other.connect(BOB)
    wire.carry()
    say(worker, "welcome back", room=room)
    wire.carry()
    other.catch_up(room)
    assert sent_texts(other, sid) == ["welcome back"]


def test_an_outsider_is_not_told_about_a_message(worker, wire):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    insider, outsider = worker.connect(ALICE), worker.connect(CAROL)
    say(worker, "among us", room=room)
    assert sent_texts(worker, insider) == ["among us"]
    assert sent_texts(worker, outsider) == []


def test_a_follower_that_starts_does_not_replay_what_is_past(worker, other):
    say(worker, "long ago")
    sid = other.connect(BOB)
    other.catch_up()
    assert sent_texts(other, sid) == []
    assert other.followers.heads(sid) == {"general": (worker.rooms.get("general").generation, 1)}


def test_a_follower_begins_below_the_first_number_that_is_undecided(worker, other):
    room = worker.rooms.get("general")
    late = worker.sequences.propose(room)
    say(worker, "overtakes")
    follower = other.followers.follow(room)
    assert (late, follower.cursor) == (1, 0)
    other.catch_up()
    assert follower.cursor == 2


def test_the_replay_goes_back_as_long_as_a_commit_may_take(worker, other, monkeypatch):
    monkeypatch.setattr("chat.services.log.followers.REPLAY", 2)
    room = worker.rooms.get("general")
    late = worker.sequences.propose(room)
    for i in range(9):
        say(worker, f"{i}")
    assert other.followers.follow(room).cursor == late - 1


def test_a_membership_read_before_its_end_does_not_come_back_through_a_new_follower(worker, other):
    room = worker.memberships.create(ALICE, "make", "Private", "private")["room"]
    worker.memberships.invite(ALICE, "invite", room, "bob")
    before = worker.storage.rooms.membership(room, "bob")
    worker.memberships.remove(ALICE, "remove", room, "bob")
    follower = other.followers.follow(other.rooms.get(room))
    assert not follower.subscribe("socket-bob", before)
    assert follower.subscribe("socket-alice", worker.storage.rooms.membership(room, "alice"))


def put_back(worker, room, last):
    """The table as it was when that entry was the room's last."""
    head = worker.storage.entries.head(room)
    worker.storage.entries.delete(room, range(last + 1, head + 1))


def test_a_worker_that_runs_while_a_backup_is_put_back_begins_the_log_anew(worker, other):
    sid = worker.connect(ALICE)
    for text in ("one", "two", "three"):
        say(worker, text)
    old = worker.follower()
    put_back(worker, "general", 1)
    other.rooms.restored()
    worker.rooms.forget_all()
    worker.followers.restored()
    assert worker.broadcaster.inside["general"] == [] and worker.followers.heads(sid) == {}
    worker.connect(ALICE)
    assert worker.followers.heads(sid)["general"] == (worker.storage.rooms.get("general").generation, 1)
    assert say(worker, "another two") == 2
    assert sent_texts(worker, sid)[-1] == "another two" and worker.follower() is not old


def test_what_is_said_after_the_backup_does_not_go_on_from_what_was_before(worker, other, wire):
    sid = worker.connect(ALICE)
    for text in ("one", "two"):
        say(worker, text)
    wire.carry()
    put_back(worker, "general", 1)
    other.rooms.restored()
    other.followers.restored()
    assert [say(other, text) for text in ("another two", "three")] == [2, 3]
    wire.carry()  # this worker has not heard yet that there was a backup
    assert sent_texts(worker, sid) == ["one", "two"]
    worker.rooms.forget_all()
    worker.followers.restored()
    worker.connect(ALICE)
    say(other, "four")
    wire.carry()
    assert sent_texts(worker, sid) == ["one", "two", "four"]


def test_who_was_let_in_after_the_backup_is_out_again(worker, other):
    room = worker.memberships.create(ALICE, "make", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "invite", room, "bob")
    sid, here = worker.connect(BOB), worker.connect(ALICE)
    say(worker, "for both", room=room)
    for key in (user_room_key("bob", room), member_key(room, "bob")):
        worker.storage.client.call("delete_item", TableName=worker.storage.client.table("chat"), Key=pack(key))
    put_back(worker, room, 1)
    other.rooms.restored()
    worker.rooms.forget_all()
    worker.connect(ALICE)  # the event of the bus is lost: the first who looks finds another generation
    say(worker, "for alice", room=room)
    assert sent_texts(worker, here) == ["for both", "for alice"]
    assert sent_texts(worker, sid) == ["for both"]
