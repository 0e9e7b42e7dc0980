"""Projections bear what the kit does to them; and one that cannot be told twice is found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chat.models import Room
from chat.services.bus.events import Decided
from chat.services.jobs.days import Days, recount
from chat.services.jobs.projection import Projection
from chat.services.jobs.projections import HEADS_EVERY_S, REMOVED_AFTER_S, Lost
from chat.services.jobs.reading import Told, entries_of
from chat.services.storage.days import DayRows
from chat.services.storage.entries import slot_key
from chat.services.storage.projections import ProjectionRows
from chat.services.storage.values import pack
from tests.services.conftest import ALICE
from tests.services.jobs.kit import DAY_S, Scene
from tests.services.jobs.scenes import (
    SCENES,
    it_goes_back_to_an_old_cursor,
    it_is_killed_at_every_step,
    two_hold_the_lease,
)
from tests.services.worker import Worker

STALE_S = 7 * DAY_S
KEPT_S = int(2 * STALE_S)  # a mark outlives what it is about


class DaysAndTheirRows:
    """The days of rooms; what they must say is counted from the logs."""

    def make(self, worker: Worker) -> Projection:
        return Days(DayRows(worker.storage.client))

    def wrong(self, worker: Worker, rooms: Sequence[str], again: bool) -> list[str]:
        found = []
        for name in rooms:
            room = worker.storage.rooms.get(name)
            assert room is not None
            days, counted = DayRows(worker.storage.client).of(room), recount(worker.storage, room)
            if days != counted:
                found.append(f"{name}: the days are {days}, the log has {counted}")
        return found


class Letters:
    """An effect: a letter for each message. It is sent, then noted; so it may be sent twice, under one id."""

    name, effect, snapshots, stale_after_s = "letters", True, False, STALE_S

    def __init__(self, rows: ProjectionRows, post: Callable[[str], None], forgetful: bool = False):
        self._rows = rows
        self._post = post
        self._forgetful = forgetful

    def take(self, room: Room, told: Sequence[Told]) -> None:
        said = [entry for entry, _ in told if entry.kind == "message"]
        done = self._rows.done(self.name, room.id, room.generation, [entry.seq for entry in said])
        for entry in said:
            if entry.seq not in done:
                self._post(f"{room.id}/{room.generation}/{entry.seq}")
                if not self._forgetful:
                    until_s = entry.at_ms // 1000 + KEPT_S
                    self._rows.note_done(self.name, room.id, room.generation, entry.seq, until_s)

    def forget(self, room: str) -> None:
        """What was sent was sent: the marks are of one generation, and go by themselves."""

    def floor(self, room: Room) -> None:
        """The same."""


class PostOffice:
    """The world of letters: all that came, under which id. Whoever knows them apart throws the second away."""

    def __init__(self, forgetful: bool = False) -> None:
        self.came: Counter[str] = Counter()
        self._facts: set[str] = set()
        self._forgetful = forgetful

    def make(self, worker: Worker) -> Projection:
        guard = getattr(worker, "outside", lambda name, call: call)
        return Letters(ProjectionRows(worker.storage.client), guard("post", self._take), self._forgetful)

    def _take(self, letter: str) -> None:
        self.came[letter] += 1

    def wrong(self, worker: Worker, rooms: Sequence[str], again: bool) -> list[str]:
        for name in rooms:
            room = worker.storage.rooms.get(name)
            assert room is not None
            since_ms = room.generation * 1000
            self._facts |= {
                f"{name}/{room.generation}/{entry.seq}"
                for entry, _ in entries_of(worker.storage, room)
                if entry.kind == "message" and entry.at_ms >= since_ms
            }
        missing = [f"{fact} was never sent" for fact in self._facts - self.came.keys()]
        twice = [f"{letter} was sent {times} times" for letter, times in self.came.items() if times > 1]
        return missing + ([] if again else twice)


class Naive(DaysAndTheirRows):
    """Planted: counts what it is told, each time."""

    def make(self, worker: Worker) -> Projection:
        class Adding(DayRows):
            def count(self, room: Room, day: str, acts: Sequence[Any]) -> None:
                self._tables.call(
                    "update_item",
                    TableName=self._tables.table("chat"),
                    Key=pack({"pk": f"PROJ#days#{room.id}", "sk": day}),
                    UpdateExpression="SET generation = :generation, #first = if_not_exists(#first, :first),"
                    " upto = :upto, last_act_at_ms = :at ADD messages :said",
                    ExpressionAttributeNames={"#first": "first"},
                    ExpressionAttributeValues=pack(
                        {
                            ":generation": room.generation,
                            ":first": acts[0].seq,
                            ":upto": acts[-1].seq,
                            ":at": acts[-1].at_ms,
                            ":said": sum(act.said for act in acts),
                        }
                    ),
                )

        return Days(Adding(worker.storage))


@pytest.fixture
def stage(config, wire, worker) -> Callable[[Any], Scene]:
    return lambda subject: Scene(config, wire, worker, subject)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("subject", [DaysAndTheirRows, PostOffice])
def test_it_bears(stage, subject, scene):
    scene(stage(subject()))


@pytest.mark.parametrize("scene", [it_is_killed_at_every_step, it_goes_back_to_an_old_cursor, two_hold_the_lease])
def test_what_counts_each_time_that_it_is_told_is_found_out(stage, scene):
    with pytest.raises(AssertionError, match="the log has"):
        scene(stage(Naive()))


def test_an_effect_that_remembers_nothing_is_found_out(stage):
    with pytest.raises(AssertionError, match="was sent 2 times"):
        it_goes_back_to_an_old_cursor(stage(PostOffice(forgetful=True)))


def test_an_effect_begins_at_the_heads_of_when_it_was_made(stage):
    scene = stage(office := PostOffice())
    scene.say(3)
    scene.made()
    assert not office.came
    (said,) = scene.say()
    scene.follow(scene.follower(), 90)
    assert list(office.came) == [f"general/{scene.room().generation}/{said}"]


def test_an_effect_takes_all_of_a_room_that_was_made_since(stage):
    scene = stage(office := PostOffice())
    scene.made()
    room = scene.worker.memberships.create(ALICE, "make", "Later", "public")["room"]
    said = scene.say(2, room)
    holder = scene.follower()
    holder.begin()
    holder.hear(Decided(room, said[-1]))
    scene.follow(holder)
    assert sorted(office.came) == [f"{room}/{scene.room(room).generation}/{seq}" for seq in said]


def test_an_effect_is_not_told_what_is_stale(stage):
    scene = stage(office := PostOffice())
    scene.made()
    scene.say(2)
    scene.pass_s(STALE_S)
    (said,) = scene.say()
    scene.follow(scene.follower(), 90)
    assert list(office.came) == [f"general/{scene.room().generation}/{said}"]


def test_a_room_that_is_gone_leaves_nothing(stage):
    scene = stage(subject := DaysAndTheirRows())
    room = scene.worker.memberships.create(ALICE, "make", "Gone", "public")["room"]
    scene.say(2, room)
    scene.made()
    rows = ProjectionRows(scene.worker.storage.client)
    assert rows.cursors("days").keys() == {"general", room} and list(rows.in_partition(f"PROJ#days#{room}"))
    storage = scene.worker.storage
    storage.client.call(
        "delete_item", TableName=storage.client.table("chat"), Key=pack({"pk": f"ROOM#{room}", "sk": "META"})
    )
    scene.pass_s(DAY_S)
    scene.follow(scene.follower(), 90).stop()
    assert rows.cursors("days").keys() == {"general"} and not list(rows.in_partition(f"PROJ#days#{room}"))
    assert subject.wrong(scene.worker, ["general"], False) == []


def test_a_projection_that_no_version_has_had_for_a_month_leaves_nothing(stage):
    scene = stage(PostOffice())
    scene.made()
    scene.say(2)
    scene.follow(scene.follower(), 90).stop()
    rows = ProjectionRows(scene.worker.storage.client)
    assert rows.cursors("letters") and list(rows.in_partition("PROJ#letters#general"))
    without = Scene(scene.config, scene.wire, scene.worker, DaysAndTheirRows(), scene.clock)
    without.settled(again=False)
    scene.pass_s(REMOVED_AFTER_S - DAY_S)
    without.settled(again=False)
    assert rows.made().keys() == {"letters", "days"}, "an older version beside a newer one removes nothing of it"
    scene.pass_s(2 * DAY_S)
    without.settled(again=False)
    assert rows.made().keys() == {"days"} and not rows.cursors("letters")
    assert not list(rows.in_partition("PROJ#letters#general"))


def test_a_row_that_nobody_can_read_keeps_its_own_room_waiting_and_no_other(stage, caplog):
    scene = stage(subject := DaysAndTheirRows())
    scene.made()
    storage, room = scene.worker.storage, scene.worker.memberships.create(ALICE, "make", "Spoilt", "public")["room"]
    (good,) = scene.say(1, room)
    spoilt = {"TableName": storage.client.table("messages"), "Key": pack(slot_key(room, good))}
    storage.client.call("update_item", **spoilt, UpdateExpression="REMOVE kind")
    scene.say(2)
    holder = scene.follower()
    holder.begin()
    holder.hear(Decided(room, good))
    scene.follow(holder, 90)
    assert subject.wrong(scene.worker, ["general"], False) == []
    assert "Logs are not followed: KeyError" in caplog.text
    mended = {"ExpressionAttributeValues": {":kind": {"S": "m"}}, "UpdateExpression": "SET kind = :kind"}
    storage.client.call("update_item", **spoilt, **mended)
    scene.follow(holder, 300).stop()
    assert subject.wrong(scene.worker, [room], False) == []


def test_what_is_said_while_a_pass_goes_on_waits_for_the_next(stage):
    """Else a room in which people go on talking is read forty times a second, a message at a time."""
    scene = stage(subject := DaysAndTheirRows())
    scene.made()
    holder = scene.follower()
    holder.begin()
    holder._taking._pause = lambda seconds: holder.hear(Decided("general", scene.say()[0]))
    holder.hear(Decided("general", scene.say()[0]))
    assert not holder.round(), "it would go on at once"
    holder._taking._pause = scene.pass_s
    scene.follow(holder).stop()
    assert subject.wrong(scene.worker, ["general"], False) == []


def test_who_does_not_hold_the_lease_hears_nothing(stage):
    scene = stage(DaysAndTheirRows())
    holder, other = scene.follower(), scene.follower()
    assert holder.begin() and not other.begin()
    other.hear(Decided("general", 1))
    holder.stop()
    assert other.begin(), "an orderly end gives it back at once"


def test_who_lost_the_lease_stops(stage):
    scene = stage(DaysAndTheirRows())
    holder, other = scene.follower(), scene.follower()
    holder.begin()
    scene.free_the_lease()
    assert other.begin()
    scene.pass_s(60)
    with pytest.raises(Lost):
        holder.round()


def test_idle_rooms_are_compared_at_the_start_within_moments_and_then_spread_over_the_hour(stage, monkeypatch):
    scene = stage(DaysAndTheirRows())
    rooms = [Room(f"r{n}", "", "public") for n in range(200)]
    monkeypatch.setattr(scene.worker.storage.rooms, "all", lambda: iter(rooms))
    read: list[str] = []
    monkeypatch.setattr(scene.worker.sequences, "read_head", lambda room: read.append(room.id) or 0)
    holder = scene.follower(scene.worker)
    scene.follow(holder, 5)
    assert sorted(read) == sorted(room.id for room in rooms)
    read.clear()
    for _ in range(int(2 * HEADS_EVERY_S / 60)):
        scene.pass_s(60)
        before = len(read)
        holder.round()
        assert len(read) - before <= 4
    assert set(Counter(read).values()) == {1}, "within the second hour, each once"
