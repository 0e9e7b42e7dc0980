"""Days: counted as said, each act once, by UTC, in order for a calendar."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.errors import ChatError
from chat.models import Entry, Message, Room
from chat.services.jobs.days import Days, day_of, recount
from chat.services.jobs.reading import Told
from chat.services.storage import days as module
from chat.services.storage.days import Act, Day, DayRows
from tests.faults.days import miscounts
from tests.services.conftest import ALICE

MIDNIGHT_MS = 1_772_496_000_000  # 2026-03-03
MONDAY, TUESDAY = "2026-03-02", "2026-03-03"
ROOM = Room("general", "General", "public", generation=5)


def told(seq: int, at_ms: int, kind: str = "message") -> Told:
    snapshot = Message("general", seq, seq, f"c{seq}", "alice", "Alice", "words", at_ms) if kind == "message" else None
    return Entry("general", seq, kind, at_ms), snapshot  # type: ignore[arg-type]


@pytest.fixture
def rows(worker) -> DayRows:
    return DayRows(worker.storage.client)


@pytest.fixture
def days(rows) -> Days:
    return Days(rows)


def test_a_day_ends_at_midnight_by_utc():
    assert (day_of(MIDNIGHT_MS - 1), day_of(MIDNIGHT_MS)) == (MONDAY, TUESDAY)


def test_a_day_says_how_much_was_said_from_where_to_where_and_when_the_last_act_was(days, rows):
    entries = [
        (1, "joined"),
        (2, "message"),
        (3, "tombstone"),
        (4, "change"),
        (5, "unknown"),
        (6, "message"),
        (7, "left"),
    ]
    days.take(ROOM, [told(seq, MIDNIGHT_MS + seq, kind) for seq, kind in entries])
    assert rows.of(ROOM) == [Day(TUESDAY, 2, 1, 7, MIDNIGHT_MS + 7)]


def test_what_counts_nothing_makes_no_day(days, rows):
    days.take(ROOM, [told(1, MIDNIGHT_MS, "tombstone"), told(2, MIDNIGHT_MS, "unknown")])
    assert rows.of(ROOM) == []


def test_clocks_that_differ_alternate_the_days_and_each_act_is_of_its_own(days, rows):
    entries = [told(n, MIDNIGHT_MS + (5 if n % 2 else -5)) for n in range(1, 7)]
    for first in range(0, 6, 2):
        days.take(ROOM, entries[first : first + 2])
    days.take(ROOM, entries)
    assert rows.of(ROOM) == [Day(MONDAY, 3, 2, 6, MIDNIGHT_MS - 5), Day(TUESDAY, 3, 1, 5, MIDNIGHT_MS + 5)]


@pytest.mark.parametrize("again", [range(1, 4), range(3, 9), range(5, 6), range(1, 9)])
def test_what_is_told_again_counts_once(days, rows, again):
    days.take(ROOM, [told(seq, MIDNIGHT_MS + seq) for seq in range(1, 6)])
    days.take(ROOM, [told(seq, MIDNIGHT_MS + seq) for seq in again])
    last = max(5, again[-1])
    assert rows.of(ROOM) == [Day(TUESDAY, last, 1, last, MIDNIGHT_MS + last)]


def test_a_log_that_began_anew_counts_anew_and_who_knows_only_the_old_one_counts_nothing(days, rows):
    before, now = ROOM, replace(ROOM, generation=6)
    days.take(before, [told(seq, MIDNIGHT_MS) for seq in range(1, 6)])
    days.take(now, [told(1, MIDNIGHT_MS)])
    days.take(before, [told(6, MIDNIGHT_MS), told(7, MIDNIGHT_MS - 1)])
    assert rows.of(now) == [Day(TUESDAY, 1, 1, 1, MIDNIGHT_MS)]


def test_days_that_are_wholly_below_the_floor_go_and_the_one_it_lies_in_says_what_was_counted(worker, days, rows):
    days.take(ROOM, [told(1, MIDNIGHT_MS - 1), *[told(seq, MIDNIGHT_MS + seq) for seq in range(2, 6)]])
    days.floor(replace(ROOM, floor=4))
    assert rows.of(replace(ROOM, floor=4)) == [Day(TUESDAY, 4, 4, 5, MIDNIGHT_MS + 5)]
    assert len(worker.storage.client.partition("chat", "PROJ#days#general")) == 1


def test_a_day_that_grows_beside_the_floor_stays(worker, days, rows):
    days.take(ROOM, [told(1, MIDNIGHT_MS)])
    row = worker.storage.client.partition("chat", "PROJ#days#general")[0]
    days.take(ROOM, [told(9, MIDNIGHT_MS)])
    rows._delete("general", row, "upto < :floor", {":floor": 4})
    assert rows.of(ROOM)[0].last == 9


def test_whoever_counts_a_row_that_never_stands_still_gives_up_for_now(rows, monkeypatch):
    monkeypatch.setattr(rows, "_add", lambda room, day, acts: False)
    with pytest.raises(ChatError) as error:
        rows.count(ROOM, TUESDAY, [Act(1, MIDNIGHT_MS, True)])
    assert error.value.code == "unavailable" and module.TRIES < 100


def test_what_was_deleted_was_said(worker, days, rows):
    seqs = [worker.messages.send(ALICE, "general", f"c{n}", "words")["seq"] for n in range(3)]
    worker.messages.delete(ALICE, "general", "delete", seqs[1])
    room = worker.storage.rooms.get("general")
    days.take(room, worker.storage.entries.after("general", 0, 100))
    assert rows.of(room) == recount(worker.storage, room)
    assert [(day.messages, day.first, day.last) for day in rows.of(room)] == [(3, 1, 4)]


def test_the_fault_runs_see_days_that_are_not_what_the_log_says(worker, days, rows):
    for n in range(3):
        worker.messages.send(ALICE, "general", f"c{n}", "words")
    room = worker.storage.rooms.get("general")
    assert room is not None and len(miscounts(worker.storage, ["general", "nowhere"], 0)) == 1
    days.take(room, worker.storage.entries.after("general", 0, 2))
    assert "messages=2" in miscounts(worker.storage, ["general"], 0)[0]
    days.take(room, worker.storage.entries.after("general", 2, 1))
    assert miscounts(worker.storage, ["general"], 0) == []
