"""What is too old goes, everything else stays, and nobody who reads meanwhile is surprised."""

from __future__ import annotations

import gevent
import pytest

from chat.errors import ChatError
from chat.models import Entry
from chat.services.jobs import retention as module
from chat.services.jobs.leases import Lease
from chat.services.jobs.retention import Retention, Sweeper
from chat.services.log.append import Log
from chat.services.messages.history import OLD_HOLE_S
from chat.services.rooms import rooms as rooms_module
from chat.services.runtime.background import Background
from chat.services.storage.claims import claim_key
from chat.services.storage.entries import bucket_of
from tests.services.conftest import ALICE, BOB
from tests.services.worker import Worker

DAY_S = 24 * 3600


class Time:
    """The clock of all workers, which the test moves, and how long somebody paused."""

    def __init__(self, *workers: Worker):
        self.now = 1_000_000.0
        self.pauses: list[float] = []
        for worker in workers:
            worker.log._now = lambda: self.now

    def pass_days(self, days: float) -> None:
        self.now += days * DAY_S

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def time(worker: Worker, other: Worker) -> Time:
    return Time(worker, other)


@pytest.fixture
def retention(worker: Worker, time: Time) -> Retention:
    return Retention(worker.storage, worker.log, 7 * DAY_S, time.pause)


def say(worker, n, room="general"):
    return [worker.messages.send(ALICE, room, f"c-{room}-{text}", f"text {text}")["seq"] for text in n]


def lying(worker, room="general"):
    """The numbers that lie in the table."""
    return [entry.seq for entry, _ in worker.storage.entries.before(room, 100, 100)]


def forget_all(worker):
    worker.rooms._metas.clear()


def code(act):
    with pytest.raises(ChatError) as error:
        act()
    return error.value.code


def test_what_is_older_than_is_kept_goes_and_the_rest_stays(worker, retention, time):
    say(worker, range(3))
    time.pass_days(8)
    say(worker, range(3, 5))
    assert retention.sweep() == 3
    assert lying(worker) == [4, 5]
    assert worker.storage.rooms.get("general").floor == 4
    assert retention.sweep() == 0 and lying(worker) == [4, 5]


def test_nothing_goes_before_its_time(worker, retention, time):
    say(worker, range(3))
    time.pass_days(6.9)
    assert retention.sweep() == 0 and lying(worker) == [1, 2, 3] and time.pauses == []


def test_nothing_younger_than_an_hour_goes_whatever_is_asked_for(worker, time):
    say(worker, range(3))
    hasty = Retention(worker.storage, worker.log, 0, time.pause)
    time.now += 3599
    assert hasty.sweep() == 0
    time.now += 2
    assert hasty.sweep() == 3


def test_the_floor_moves_first_and_nothing_goes_while_somebody_may_hold_the_old_one(worker, retention, time):
    say(worker, range(3))
    time.pass_days(8)
    say(worker, [3])
    seen = []

    def pause(seconds):
        seen.append((seconds, worker.storage.rooms.get("general").floor, lying(worker)))

    retention._pause = pause
    retention.sweep()
    ((waited_s, floor, there),) = seen
    assert (floor, there) == (4, [1, 2, 3, 4]) and waited_s > rooms_module.META_FRESH_S


def test_a_room_where_everything_is_too_old_keeps_its_last_number_and_counts_on(worker, other, retention, time):
    say(worker, range(3))
    time.pass_days(8)
    retention.sweep()
    assert [(e.seq, e.kind) for e, _ in worker.storage.entries.after("general", 0, 9)] == [(4, "tombstone")]
    worker.redis.flushall()
    assert other.messages.send(BOB, "general", "again", "again")["seq"] == 5
    time.pass_days(30)
    retention.sweep()
    time.pass_days(30)
    assert retention.sweep() == 0, "a tombstone that is the head is not replaced again and again"
    assert lying(worker) == [6]


def test_every_room_is_swept_over_the_edges_of_its_buckets(worker, retention, time, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    monkeypatch.setattr("chat.services.storage.entries.MAX_AHEAD", 2)
    monkeypatch.setattr(module, "PAGE", 3)
    room = worker.memberships.create(ALICE, "make", "side", "private")["room"]
    say(worker, range(9))
    say(worker, range(6), room)
    time.pass_days(8)
    say(worker, [9])
    say(worker, [6], room)
    retention.sweep()
    assert lying(worker) == [10] and lying(worker, room) == [8]
    assert worker.storage.entries.head("general", worker.storage.rooms.get("general").bucket) == 10


def test_a_hole_below_what_is_too_old_goes_with_it_and_one_above_is_kept_free(worker, retention, time):
    for seq in (1, 2, 4, 7):
        worker.storage.entries.tombstone("general", seq, worker.log.now_ms() + (seq == 7) * 8 * DAY_S * 1000)
    time.pass_days(8)
    retention.sweep()
    assert worker.storage.rooms.get("general").floor == 5 and lying(worker) == [7]


def test_more_than_a_batch_goes_at_once(worker, retention, time):
    for seq in range(1, 61):
        worker.storage.entries.tombstone("general", seq, worker.log.now_ms())
    time.pass_days(8)
    say(worker, [1])
    assert retention.sweep() == 60 and lying(worker) == [61]


def test_who_is_behind_the_floor_gets_the_newest_page_with_a_gap(worker, retention, time):
    say(worker, range(5))
    time.pass_days(8)
    say(worker, range(5, 8))
    retention.sweep()
    forget_all(worker)
    page = worker.history.open(ALICE, "general", 2)
    assert page.gap and page.floor == 6 and [e.seq for e in page.entries] == [6, 7, 8]
    page = worker.history.open(ALICE, "general", 5)
    assert not page.gap and [e.seq for e in page.entries] == [6, 7, 8]
    page = worker.history.page(ALICE, "general", after=0)
    assert [e.seq for e in page.entries] == [6, 7, 8]
    assert code(lambda: worker.history.page(ALICE, "general", before=3)) == "expired"
    assert worker.history.page(ALICE, "general", before=6).entries == []


def test_a_page_that_began_with_the_old_floor_is_asked_for_again(worker, retention, time):
    say(worker, range(5))
    worker.rooms.get("general")  # and it is kept for a while
    time.pass_days(8)
    say(worker, range(5, 8))
    retention.sweep()
    time.now += OLD_HOLE_S + 1
    assert code(lambda: worker.history.open(ALICE, "general", 2)) == "unavailable"
    assert worker.history.open(ALICE, "general", 2).gap
    assert lying(worker) == [6, 7, 8], "what was deleted is not settled as if nobody had written it"


def test_a_follower_left_behind_the_floor_goes_on_at_it(worker, other, retention, time):
    room = worker.memberships.create(ALICE, "make", "side", "private")["room"]
    worker.memberships.invite(ALICE, "invite", room, "bob")
    sids = {}
    for person in (ALICE, BOB):
        follower = other.followers.follow(other.rooms.get(room))
        sids[person.username] = person.username
        assert follower.subscribe(person.username, other.storage.rooms.membership(room, person.username))
    worker.memberships.remove(ALICE, "remove", room, "bob")
    say(worker, range(60), room)
    time.pass_days(8)
    (last,) = say(worker, [60], room)
    retention.sweep()
    other.catch_up(room, last)
    assert other.numbers_sent("alice", room) == [last]
    assert other.numbers_sent("bob", room) == [], "who was put out meanwhile gets nothing"
    assert lying(worker, room) == [last]


def test_a_message_below_the_floor_can_no_longer_be_changed(worker, retention, time):
    (old,) = say(worker, [0])
    time.pass_days(8)
    say(worker, [1])
    retention._raise_floor(worker.storage.rooms.get("general"))
    forget_all(worker)
    assert code(lambda: worker.messages.edit(ALICE, "general", "e", old, "other")) == "message_not_found"


def test_a_message_sent_again_after_it_went_is_not_stored_again(worker, retention, time):
    say(worker, [0])
    time.pass_days(8)
    say(worker, [1])
    retention.sweep()
    forget_all(worker)
    assert code(lambda: say(worker, [0])) == "expired"
    assert [e.kind for e, _ in worker.storage.entries.after("general", 0, 9)] == ["message", "tombstone"]


def test_what_went_is_not_counted_as_unread(worker, retention, time):
    say(worker, range(3))
    time.pass_days(8)
    say(worker, [3])
    retention._raise_floor(worker.storage.rooms.get("general"))
    forget_all(worker)
    assert worker.overview.describe(BOB, "general")["unread"] == 1


def test_a_claim_goes_after_what_it_proves(worker, time):
    log = Log(worker.storage, worker.sequences, worker.bus, now=lambda: time.now, claims_kept_s=14 * DAY_S)
    worker.messages._log = log
    say(worker, [0])
    row = worker.storage.client.get("chat", claim_key("alice", "c-general-0"))
    assert row["expires_at"] == time.now + 14 * DAY_S


def test_a_claim_is_kept_for_ever_when_messages_are(worker):
    say(worker, [0])
    assert "expires_at" not in worker.storage.client.get("chat", claim_key("alice", "c-general-0"))


def test_one_worker_of_all_sweeps_every_few_hours(worker, other, retention, time):
    first, second = (Sweeper(retention, Lease(w.redis, "retention", 60_000), lambda: time.now) for w in (worker, other))
    say(worker, [0])
    time.pass_days(8)
    first.sweep_if_due()
    assert lying(worker) == [2]
    time.pass_days(8)
    second.sweep_if_due()
    assert lying(worker) == [2], "the first holds the lease"
    worker.storage.entries.tombstone("general", 3, worker.log.now_ms())
    first.sweep_if_due()
    assert lying(worker) == [3]
    worker.storage.entries.tombstone("general", 4, worker.log.now_ms() + 8 * DAY_S * 1000)
    time.now += module.SWEEP_EVERY_S - 1
    first.sweep_if_due()
    assert lying(worker) == [3, 4], "it is not time yet"


def test_a_worker_that_ends_leaves_the_sweeping_to_another(worker, other, retention, monkeypatch):
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.01)
    first, second = (Lease(w.redis, "retention", 60_000) for w in (worker, other))
    sweeper = Sweeper(retention, first)
    sweeper.start(Background())
    with gevent.Timeout(10):
        while second.take():
            second.release()
            gevent.sleep(0.02)
    sweeper.stop()
    assert second.take()


def test_an_entry_of_a_deleted_message_does_not_hold_a_follower_up(worker, other, retention, time):
    (old,) = say(worker, [0])
    time.pass_days(8)
    (change,) = [worker.messages.edit(ALICE, "general", "e", old, "edited")["rev"]]
    sid = other.connect(BOB)
    retention.sweep()
    (last,) = say(worker, [1])
    other.catch_up("general", last)
    assert other.numbers_sent(sid) == [last] and lying(worker) == [change, last]
    page = other.history.page(BOB, "general", after=old)
    assert [e for e in page.entries if e.seq == change] == [Entry("general", change, "change", int(time.now * 1000), 1)]


def test_a_worker_that_knows_only_buckets_that_went_finds_the_head_again(worker, other, retention, time, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    monkeypatch.setattr("chat.services.storage.entries.MAX_AHEAD", 2)
    say(worker, range(2))
    sid = other.connect(BOB)
    say(worker, range(2, 9))
    time.pass_days(8)
    (last,) = say(worker, [9])
    retention.sweep()
    other.sequences._known = {"general": 2}
    other.follower().check_head()
    other.catch_up("general", last)
    assert other.numbers_sent(sid) == [last]


def test_a_sweep_notes_where_the_log_goes_on_when_nobody_else_did(worker, other, retention, time, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    monkeypatch.setattr("chat.services.storage.entries.MAX_AHEAD", 2)
    for seq in range(1, 10):
        worker.storage.entries.tombstone("general", seq, worker.log.now_ms())
    time.pass_days(8)
    worker.storage.entries.tombstone("general", 10, worker.log.now_ms())
    assert worker.storage.rooms.get("general").bucket == 0
    retention.sweep()
    assert worker.storage.rooms.get("general").bucket == bucket_of(10)
    assert other.messages.send(ALICE, "general", "c", "on")["seq"] == 11
