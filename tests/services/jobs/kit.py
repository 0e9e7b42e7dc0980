"""What every projection must bear, whatever it does: `SCENES`, each played on real tables and a real Redis.

A subject says how another worker makes the projection anew, and what its world says that the logs do not (`wrong`). A
scene ends, whatever was done to the workers, with a world in which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol

from chat.config import Config
from chat.models import Room
from chat.services.jobs.leases import Lease
from chat.services.jobs.projection import Projection
from chat.services.jobs.projections import HEADS_EVERY_S, NOTE_EVERY_S, PROPOSED_EVERY_S, Projections
from chat.services.jobs.reading import Told
from chat.services.storage.projections import ProjectionRows
from tests.services.conftest import ALICE, BOB
from tests.services.crashes import MANY_CALLS, Crash, Doomed, Fuse
from tests.services.worker import Wire, Worker

ROUNDS = 400
DAY_S = 24 * 3600.0


class Subject(Protocol):
    """A projection and its world."""

    def make(self, worker: Worker) -> Projection:
        """The projection, as a worker makes it; what it asks of the world outside passes `worker.outside`."""

    def wrong(self, worker: Worker, rooms: Sequence[str], again: bool) -> list[str]:
        """What the world says that the logs of these rooms do not. `again`: somebody died, or two did it at once, so
        what cannot be taken back may have been done twice, if it can be known as the same."""


class Clock:
    """All time in a scene: the test moves it."""

    def __init__(self) -> None:
        self.s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.s


@dataclass
class Scene:
    """A worker on which people write, and others that follow the logs."""

    config: Config
    wire: Wire
    worker: Worker
    subject: Subject
    clock: Clock = field(default_factory=Clock)
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self._tell_time(self.worker)

    def _tell_time(self, worker: Worker) -> None:
        worker.log._now = self.clock
        worker.log._pause = lambda seconds: self.pass_s(seconds)

    def pass_s(self, seconds: float) -> None:
        self.clock.s += seconds

    # --- who follows ----------------------------------------------------------------------------------------------

    def follower(self, worker: Worker | None = None, *beside: Projection) -> Projections:
        """The projections of a worker, another one when none is named."""
        worker = worker or Worker(self.config, self.wire)
        self._tell_time(worker)
        lease = Lease(worker.redis, "projections", 60_000)
        made = [*beside, self.subject.make(worker)]
        rows = ProjectionRows(worker.storage)
        time = {"now": self.clock, "clock": self.clock, "pause": self.pass_s}
        return Projections(worker.storage, rows, worker.numbers, worker.log, lease, made, **time)

    def free_the_lease(self) -> None:
        """The lease of one that is gone runs out."""
        self.worker.redis.delete("lease:projections")

    def follow(self, projections: Projections, for_s: float = 10.0) -> Projections:
        """Lets it follow for so long, in some five rounds, and for as long as there is more to take at once."""
        assert projections._progress is not None or projections.begin()
        until = self.clock.s + for_s
        for _ in range(ROUNDS):
            if not projections.round() and self.clock.s > until:
                return projections
            self.pass_s(for_s / 5)
        raise AssertionError("it never comes to an end")

    def made(self) -> None:
        """The projection exists, and has come to the end of what is said."""
        self.follow(self.follower()).stop()

    def settled(self, again: bool, rooms: Sequence[str] = ("general",)) -> None:
        """Another one goes on to the end of all logs, by itself; then nothing is wrong."""
        self.free_the_lease()
        self.follow(self.follower(), 2 * PROPOSED_EVERY_S + NOTE_EVERY_S).stop()
        wrong = self.subject.wrong(self.worker, rooms, again)
        assert not wrong, "\n".join(wrong)

    # --- who writes -----------------------------------------------------------------------------------------------

    def say(self, times: int = 1, room: str = "general") -> list[int]:
        """Somebody says something, so many times; a minute apart."""
        said = []
        for _ in range(times):
            self.pass_s(60)
            said.append(self.worker.messages.send(ALICE, room, f"c{next(self.numbers)}", "words")["seq"])
        return said

    def everything(self) -> None:
        """A bit of all that may happen in a room."""
        first, *_ = self.say(3)
        self.worker.messages.edit(ALICE, "general", f"c{next(self.numbers)}", first, "other words")
        self.worker.messages.delete(ALICE, "general", f"c{next(self.numbers)}", self.say()[0])
        self.worker.log.settle(self.room(), self.worker.numbers.propose(self.room()))
        self.pass_s(DAY_S)
        self.say(2)

    def room(self, name: str = "general") -> Room:
        room = self.worker.storage.get_room(name)
        assert room is not None
        return room


# --- the scenes -------------------------------------------------------------------------------------------------------


def it_comes_to_the_end(scene: Scene) -> None:
    scene.made()
    scene.everything()
    other = scene.worker.rooms.create(ALICE, "make", "Other", "public")["room"]
    scene.worker.rooms.join(BOB, "join", other)
    scene.say(3, other)
    scene.settled(again=False, rooms=["general", other])


def it_is_killed_at_every_step(scene: Scene) -> None:
    """After each request that it makes, to whomever, when its memory is all that is lost; then another one goes on."""
    scene.made()
    for k in range(1, MANY_CALLS):
        scene.say(2)
        scene.pass_s(DAY_S)
        scene.say()
        scene.free_the_lease()
        doomed = Doomed(scene.worker, scene.config, scene.wire, fuse := Fuse(k, arrives=True))
        doomed.outside = fuse.guard  # type: ignore[attr-defined]
        try:
            scene.follow(scene.follower(doomed), NOTE_EVERY_S + 1).stop()
            assert {"redis", "query", "batch_write_item"} <= set(fuse.calls)
            return
        except Crash:
            scene.settled(again=True)
        finally:
            scene.wire.workers.remove(doomed)
            doomed.redis.close()
    raise AssertionError("it never comes to an end")


def it_goes_back_to_an_old_cursor(scene: Scene) -> None:
    scene.made()
    rows, name = ProjectionRows(scene.worker.storage), scene.subject.make(scene.worker).name
    before = rows.cursors(name)["general"]
    scene.everything()
    scene.settled(again=False)
    after = rows.cursors(name)["general"].seq
    assert after > before.seq
    for seq in range(before.seq, after):
        rows.note_cursors(name, [replace(before, seq=seq)])
        scene.settled(again=False)


def the_bus_is_lost(scene: Scene) -> None:
    """Who holds the lease hears nothing, and finds what was said by what Redis has proposed; when Redis was emptied
    too, by the table, within the hour."""
    scene.made()
    deaf = scene.follow(scene.follower(), HEADS_EVERY_S)
    last = scene.say(3)[-1]
    scene.follow(deaf, 3 * PROPOSED_EVERY_S)
    assert taken(deaf) == {last}
    last = scene.say(3)[-1]
    scene.worker.redis.flushall()
    scene.follow(deaf, 3 * PROPOSED_EVERY_S)
    assert taken(deaf) != {last}
    scene.follow(deaf, 2 * HEADS_EVERY_S)
    assert taken(deaf) == {last}
    deaf.stop()
    scene.settled(again=False)


def taken(projections: Projections, room: str = "general") -> set[int]:
    """How far it has come in a room."""
    return {cursor.seq for cursor in projections._all.rooms[room].at.values()}


def two_hold_the_lease(scene: Scene) -> None:
    """For a while, and each takes what it sees."""
    scene.made()
    first, second = scene.follower(), scene.follower()
    assert first.begin()
    scene.free_the_lease()
    assert second.begin()
    for _ in range(4):
        scene.say(2)
        for each in (first, second):
            each._hold_on = lambda: None  # type: ignore[method-assign]
            each.doubt()
            scene.follow(each)
    for each in (second, first):
        each._note()
    scene.settled(again=True)


def the_rooms_begin_anew(scene: Scene) -> None:
    """The tables are put back to where they were, numbers are used again, and who holds the lease is told or is not."""
    scene.made()
    for told in (True, False):
        scene.say(3)
        holder = scene.follow(scene.follower())
        late = scene.say(3)
        holder.hear({"kind": "decided", "room": "general", "seq": late[-1]})
        scene.follow(holder)
        scene.pass_s(300)
        scene.worker.storage.delete_entries("general", late[1:])
        scene.worker.storage.set_generation(scene.room(), int(scene.clock.s))
        for worker in scene.wire.workers:
            worker.numbers.forget()
            worker.rooms.forget_all()
        if told:
            holder.hear({"kind": "restored"})
        scene.say(4)
        scene.follow(holder, 120)
        holder.stop()
        scene.settled(again=False)


def the_floor_moves(scene: Scene) -> None:
    """Behind the cursor, and past it."""
    scene.made()
    for ahead in (False, True):
        scene.everything()
        if not ahead:
            scene.settled(again=False)
        old = scene.say(3)
        scene.pass_s(3 * DAY_S)
        kept = scene.say(3)
        if not ahead:
            scene.settled(again=False)
        floor = kept[0]
        scene.worker.storage.raise_floor("general", floor)
        below = [entry.seq for entry, _ in scene.worker.storage.entries_before("general", floor, 1000)]
        scene.worker.storage.delete_entries("general", below)
        assert old[-1] in below
        scene.worker.rooms.forget_all()
        scene.pass_s(DAY_S)
        scene.settled(again=False)


def a_number_stays_undecided(scene: Scene) -> None:
    """Nothing behind it is taken until it is sure that nobody uses it; nobody else sees to that."""
    scene.made()
    hole = scene.worker.numbers.propose(scene.room())
    behind = scene.say(2)
    holder = scene.follower()
    assert holder.begin()
    holder.hear({"kind": "decided", "room": "general", "seq": behind[-1]})
    holder.round()
    assert taken(holder) == {hole - 1}
    scene.follow(holder)
    assert taken(holder) == {behind[-1]}
    found = scene.worker.storage.get_entry("general", hole)
    assert found is not None and found[0].kind == "tombstone"
    holder.stop()
    scene.settled(again=False)


def another_one_fails(scene: Scene) -> None:
    """What one projection cannot take keeps no other from its own; and is told again when it can."""
    scene.made()
    scene.say(3)
    broken = Broken()
    holder = scene.follow(scene.follower(None, broken))
    assert scene.subject.wrong(scene.worker, ["general"], False) == [] and not broken.taken
    broken.works = True
    scene.follow(holder, 70)
    assert broken.taken[-1] == scene.worker.storage.head("general")
    holder.stop()
    scene.settled(again=False)


class Broken:
    """A projection that fails until it `works`."""

    name, effect, images, stale_after_s = "broken", False, True, 0.0

    def __init__(self) -> None:
        self.works = False
        self.taken: list[int] = []

    def take(self, room: Room, told: Sequence[Told]) -> None:
        if not self.works:
            raise LookupError("planted")
        self.taken += [entry.seq for entry, _ in told]

    def forget(self, room: str) -> None:
        self.taken.clear()

    def floor(self, room: Room) -> None:
        pass


SCENES: list[Callable[[Scene], None]] = [
    it_comes_to_the_end,
    it_is_killed_at_every_step,
    it_goes_back_to_an_old_cursor,
    the_bus_is_lost,
    two_hold_the_lease,
    the_rooms_begin_anew,
    the_floor_moves,
    a_number_stays_undecided,
    another_one_fails,
]
