"""What nobody asked for and nobody waits for, cut off at any of its calls: rows that others put, and retention.

As in tests/services/crashes.py: the k-th call is the worker's last, for every k, and another worker goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chat.services.ingest.ingest import Ingest
from chat.services.jobs.retention import Retention
from chat.services.storage.changes import DIGITS, Change
from tests.services.conftest import ALICE
from tests.services.crashes import Case, Fuse, dies, is_dense, kinds, pages, stored, trials, watch
from tests.services.worker import Worker

pytestmark = pytest.mark.usefixtures("nobody_is_late")

DAY_S = 24 * 3600


def told(case: Case, number: int, kind: str, text: str | None) -> Change:
    """What the stream says of a row in the case's room."""
    row = {"room": case.room, "id": "row", "text": text, "username": "ci"} if text is not None else None
    return Change(kind, case.room, "row", row, str(number).zfill(DIGITS), "stream")  # type: ignore[arg-type]


@dataclass(frozen=True)
class Story:
    """Changes of a row: the last is cut off, then told again. `kinds` is what the room's log has at the end."""

    name: str
    changes: tuple[tuple[str, str | None], ...]
    kinds: tuple[str, ...]
    texts: tuple[str, ...]
    set_aside: int = 0

    def told(self, case: Case) -> list[Change]:
        return [told(case, number, *change) for number, change in enumerate(self.changes)]


PUT, EDIT, GONE = ("INSERT", "first"), ("MODIFY", "second"), ("REMOVE", None)
STORIES = [
    Story("put", (PUT,), ("message",), ("first",)),
    Story("edit", (PUT, EDIT), ("message", "change"), ("second",)),
    Story("an edit that changes nothing", (PUT, ("MODIFY", "first")), ("message",), ("first",)),
    Story("delete", (PUT, GONE), ("message", "change"), ("",)),
    Story("put again after a deletion", (PUT, GONE, PUT), ("message", "change", "message"), ("", "first")),
    Story("delete what never was a message", (GONE,), (), ()),
    Story("put something that is no message", (("INSERT", " "),), (), (), set_aside=1),
    Story("put it right", (("INSERT", " "), EDIT), ("message",), ("second",)),
    Story("put it right again", (PUT, ("MODIFY", " "), EDIT), ("message", "change"), ("second",)),
]


def take(worker: Worker, *changes: Change) -> None:
    Ingest(worker.storage, worker.rooms, worker.log, worker.bus).take(changes)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_change_of_a_row_cut_off_at_any_call_is_taken_over_once_by_another_worker(story, worker, config, wire):
    for n, (k, arrives, carried) in enumerate(trials()):
        if carried:
            continue  # what the bus loses is the harder case
        room = worker.memberships.create(ALICE, f"make-{n}", f"room {n}", "public")["room"]
        case = Case(room, 0)
        *before, cut_off = story.told(case)
        take(worker, *before)
        wire.carry()
        sid = watch(worker, ALICE, room)
        fuse = Fuse(k, arrives)
        if not dies(lambda doomed, _, change=cut_off: take(doomed, change), case, worker, config, wire, fuse):
            assert k > 1, "it made no call at all"
            return
        wire.waiting.clear()
        where = f"{story.name} cut off {'after' if arrives else 'before'} call {k} ({fuse.calls[-1]})"
        take(worker, cut_off)
        take(worker, *story.told(case))  # the next poller begins where the last one noted how far it was
        last = worker.messages.send(ALICE, room, case.id("last"), "last")["seq"]
        worker.catch_up(room, last)

        assert kinds(worker, room) == ["joined", *story.kinds, "message"], where
        assert is_dense(worker, room), where
        assert [snapshot.text for _, snapshot in stored(worker, room) if snapshot] == [*story.texts, "last"], where
        assert pages(worker, ALICE, room) == list(range(1, last + 1)), where
        heard = worker.numbers_sent(sid, room)
        assert heard == list(range(1, last + 1))[-len(heard) :], where
        assert sum(bad.room == room for bad in worker.storage.external.rejected_rows()) == story.set_aside, where
        checkpoint = worker.storage.external.get_checkpoint(room, "row")
        assert story.set_aside or (checkpoint is not None and checkpoint.number == cut_off.number), where
        worker.followers.forget(sid)


@dataclass
class Days:
    """The clock of every worker."""

    now: float = 1_000_000.0

    def set(self, worker: Worker) -> None:
        worker.log._now = lambda: self.now


def sweep(days: Days) -> Callable[..., int]:
    def act(worker: Worker, case: object = None) -> int:
        days.set(worker)
        return Retention(worker.storage, worker.log, 7 * DAY_S, lambda seconds: None).sweep()

    return act


def send(worker: Worker, number: int) -> int:
    return worker.messages.send(ALICE, "general", f"c-{number}", f"text {number}")["seq"]


@pytest.mark.parametrize("young", [2, 0], ids=("some is kept", "all is too old"))
def test_a_sweep_cut_off_at_any_call_is_finished_by_another_worker(young, worker, config, wire):
    days = Days()
    days.set(worker)
    sent = iter(range(10_000))
    for k, arrives, carried in trials():
        if carried:
            continue
        too_old = [send(worker, next(sent)) for _ in range(3)]
        days.now += 8 * DAY_S
        kept = [send(worker, next(sent)) for _ in range(young)]
        fuse = Fuse(k, arrives)
        died = dies(sweep(days), Case("general", 0), worker, config, wire, fuse)
        where = f"cut off {'after' if arrives else 'before'} call {k} ({fuse.calls[-1]})"
        floor = worker.storage.rooms.get("general").floor
        there = [entry.seq for entry, _ in stored_from(worker, floor)]
        assert there == list(range(floor, there[-1] + 1)), f"{where}: nothing goes above the floor"
        sweep(days)(worker)

        room = worker.storage.rooms.get("general")
        left = [entry.seq for entry, _ in stored_from(worker, 1)]
        assert room.floor == room.swept == left[0] == too_old[-1] + 1, where
        assert left[: len(kept)] == kept and len(left) == max(young, 1), where
        worker.redis.flushall()
        worker.rooms.forget("general")
        assert send(worker, next(sent)) > left[-1], where
        days.now += 8 * DAY_S
        sweep(days)(worker)
        if not died:
            assert k > 1, "it made no call at all"
            return


def stored_from(worker: Worker, first: int):
    return worker.storage.entries.before("general", 10_000, 10_000, first)
