"""The scenes of the kit: what is done to a projection and to the workers that have it, and what must be true then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chat.models import Room
from chat.services.bus.events import Decided, Restored
from chat.services.jobs.projections import HEADS_EVERY_S, NOTE_EVERY_S, PROPOSED_EVERY_S, Projections
from chat.services.jobs.reading import Told
from chat.services.storage.projections import ProjectionRows
from tests.services.conftest import ALICE, BOB
from tests.services.crashes import MANY_CALLS, Crash, Doomed, Fuse
from tests.services.jobs.kit import DAY_S, Scene


def it_comes_to_the_end(scene: Scene) -> None:
    scene.made()
    scene.everything()
    other = scene.worker.memberships.create(ALICE, "make", "Other", "public")["room"]
    scene.worker.memberships.join(BOB, "join", other)
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
    rows, name = ProjectionRows(scene.worker.storage.client), scene.subject.make(scene.worker).name
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
        holder.hear(Decided("general", late[-1]))
        scene.follow(holder)
        scene.pass_s(300)
        scene.worker.storage.entries.delete("general", late[1:])
        scene.worker.storage.rooms.set_generation(scene.room(), int(scene.clock.s))
        for worker in scene.wire.workers:
            worker.sequences.forget()
            worker.rooms.forget_all()
        if told:
            holder.hear(Restored())
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
        scene.worker.storage.rooms.raise_floor("general", floor)
        below = [entry.seq for entry, _ in scene.worker.storage.entries.before("general", floor, 1000)]
        scene.worker.storage.entries.delete("general", below)
        assert old[-1] in below
        scene.worker.rooms.forget_all()
        scene.pass_s(DAY_S)
        scene.settled(again=False)


def a_number_stays_undecided(scene: Scene) -> None:
    """Nothing behind it is taken until it is sure that nobody uses it; nobody else sees to that."""
    scene.made()
    hole = scene.worker.sequences.propose(scene.room())
    behind = scene.say(2)
    holder = scene.follower()
    assert holder.begin()
    holder.hear(Decided("general", behind[-1]))
    holder.round()
    assert taken(holder) == {hole - 1}
    scene.follow(holder)
    assert taken(holder) == {behind[-1]}
    found = scene.worker.storage.entries.get("general", hole)
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
    assert broken.taken[-1] == scene.worker.storage.entries.head("general")
    holder.stop()
    scene.settled(again=False)


class Broken:
    """A projection that fails until it `works`."""

    name, effect, snapshots, stale_after_s = "broken", False, True, 0.0

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
