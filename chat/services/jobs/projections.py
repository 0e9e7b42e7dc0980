"""Projections: what is derived from the logs and may lag follows them here, in one worker of all, in one pass for all.

A projection takes the entries of each room in order, decided, without holes, each at least once: so it must do no harm
to be told the same (room, generation, number) again. How far it has come is noted every half a minute, after it has
taken; a worker that dies is told the rest again in another one. What moves is heard from the bus, found by what Redis
has proposed, every half a minute, and by the table's heads, hourly, at the start and after any doubt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import gevent

from chat.errors import ChatError
from chat.models import Room
from chat.services.bus.events import Decided, Event, Logged, Restored
from chat.services.jobs.leases import Lease
from chat.services.jobs.progress import NEVER, Followed, Progress
from chat.services.jobs.projection import Projection
from chat.services.jobs.taking import ANEW, RETRY_MOST_S, Taking
from chat.services.log.append import Log
from chat.services.log.sequence import Sequences
from chat.services.runtime.background import Background, Task
from chat.services.runtime.outages import Outage
from chat.services.storage.projections import Made, ProjectionRows
from chat.services.storage.storage import Storage

LEASE_MS = 15_000
HOLD_EVERY_S = ASK_S = 5.0
PASS_EVERY_S = 1.0  # what a room's people say within it is taken together
PROPOSED_EVERY_S = 30.0
COUNTERS_AT_ONCE = 1_000
HEADS_EVERY_S = 3600.0
HEADS_PER_S = 50.0  # at most, after a doubt
SOONER = 1.1  # than within the hour
NOTE_EVERY_S = 30.0
LIST_EVERY_S, LIST_AGAIN_S, LIST_RETRY_S = 24 * 3600.0, 3600.0, 30.0
REMOVED_AFTER_S = 30 * 24 * 3600.0

log = logging.getLogger(__name__)
Watch = Callable[[Callable[[Event], None], Callable[[], None]], None]


class Lost(Exception):
    """Another one holds the lease now."""


class Projections:
    """Runs all projections while it holds the lease. `watch` (in a worker: Bus.watch) begins to tell it what happens,
    once it has held the lease; `now` gives seconds since 1970, `clock` seconds; `pause` sleeps for seconds."""

    def __init__(
        self,
        storage: Storage,
        rows: ProjectionRows,
        sequences: Sequences,
        log_: Log,
        lease: Lease,
        projections: Sequence[Projection],
        watch: Watch = lambda hear, doubt: None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = gevent.sleep,
    ):
        self._storage = storage
        self._rows = rows
        self._sequences = sequences
        self._lease = lease
        self._projections = projections
        self._watch = watch
        self._watching = False
        self._now = now
        self._clock = clock
        self._taking = Taking(storage, rows, sequences, log_, projections, now, clock, pause)
        self._outage = Outage("Logs are not followed", clock)
        self._task: Task | None = None
        self._progress: Progress | None = None  # None while another worker holds the lease
        self._made: dict[str, Made] = {}
        self._held_at = self._asked_at = self._noted_at = self._listed_at = self._compared_at = NEVER
        self._doubt_at = self._list_after = NEVER
        self._list_soon = False

    # --- what a worker hears --------------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """An event of the bus. Costs nothing in a worker that does not hold the lease."""
        if self._progress is None:
            return
        if isinstance(event, Logged):
            self._wake(event.room, event.entry["seq"], event.generation)
        elif isinstance(event, Decided):
            self._wake(event.room, event.seq)
        elif isinstance(event, Restored):
            self._listed_at = self._list_after = NEVER
            self.doubt()

    def doubt(self) -> None:
        """Something may not have been heard: everything is compared again."""
        self._doubt_at, self._asked_at, self._list_soon = self._clock(), NEVER, True

    def _wake(self, room: str, seq: int, generation: int = 0) -> None:
        followed = self._all.meet(Room(room, "", "public", generation=generation))
        if generation not in (0, followed.room.generation):
            followed.read_at = NEVER
            self._all.due[room] = None
        self._all.want(followed, seq)

    # --- the lease ------------------------------------------------------------------------------------------------

    def start(self, background: Background) -> None:
        """Asks for the lease, and follows the logs from then on."""
        self._task = background.forever(self._run)

    def stop(self) -> None:
        """Notes how far it has come, and leaves the work to another worker. Raises: ChatError `unavailable`."""
        if self._task is not None:
            self._task.stop()
        if self._progress is not None:
            self._note()
            self._progress = None
            self._lease.release()

    def _run(self) -> None:
        while True:
            self._progress = None
            gevent.sleep(ASK_S)
            if not self.begin():
                continue
            if not self._watching:
                self._watching = True
                self._watch(self.hear, self.doubt)
            try:
                self._hold()
            except Lost:
                log.info("another worker has the projections")

    def _hold(self) -> None:
        while True:
            try:
                more = self.round()
            except Lost:
                raise
            except ChatError:
                more = False  # what is away, its own line in the log says
            except Exception as error:  # no reason for this worker to end: it would end the next one too
                more = False
                self._outage.failed(f"{type(error).__name__}: {error}", trace=True)
            else:
                self._outage.succeeded()
            gevent.sleep(0 if more else PASS_EVERY_S)

    def begin(self) -> bool:
        """Takes the lease if it is free, and finds out how far others came; whether it did. Raises: ChatError
        `unavailable`."""
        if not self._lease.take():
            return False
        made, progress, now_ms = self._rows.made(), Progress(), self._now_ms()
        for each in self._projections:
            if each.name not in made:
                made[each.name] = Made(each.name, now_ms)
                self._rows.put_made(made[each.name])
            progress.know(each.name, self._rows.cursors(each.name).values())
        listed_at_ms = min((made[each.name].listed_at_ms for each in self._projections), default=0)
        now = self._clock()
        self._made, self._progress = made, progress
        self._taking.begin(progress, made)
        self._listed_at = now - (now_ms - listed_at_ms) / 1000
        self._held_at = self._noted_at = self._compared_at = self._doubt_at = now
        self._asked_at, self._list_after, self._list_soon = NEVER, NEVER, False
        return True

    @property
    def _all(self) -> Progress:
        if self._progress is None:
            raise Lost
        return self._progress

    def _hold_on(self) -> None:
        if self._clock() - self._held_at > HOLD_EVERY_S:
            if not self._lease.take():
                raise Lost
            self._held_at = self._clock()

    def _now_ms(self) -> int:
        return int(self._now() * 1000)

    # --- one pass -------------------------------------------------------------------------------------------------

    def round(self) -> bool:
        """Compares what is due, takes a page of each room that has more, and notes it in its time; whether there is
        more to take at once. Raises: Lost, ChatError `unavailable`."""
        self._hold_on()
        now = self._clock()
        if now - self._listed_at > (LIST_AGAIN_S if self._list_soon else LIST_EVERY_S) and now >= self._list_after:
            self._list_after = now + LIST_RETRY_S  # what a full table costs is not asked for every second
            self._list()
        if now - self._asked_at > PROPOSED_EVERY_S:
            self._compare_with_redis()
            self._asked_at = now
        self._compare_with_table()
        more = [self._take(name) for name in list(self._all.due)]
        if now - self._noted_at > NOTE_EVERY_S:
            self._note()
        return any(more)

    def _list(self) -> None:
        """Reads what is said of every room. The first time makes a projection: an effect begins at these heads."""
        seen: set[str] = set()
        for room in self._storage.rooms.all():
            self._hold_on()
            seen.add(room.id)
            self._alone(self._all.meet(room), partial(self._taking.learn, room=room))
        for name in [room for room in self._all.rooms if room not in seen]:
            self._alone(self._all.rooms[name], partial(self._taking.read, at_most_s=ANEW))  # made meanwhile, or gone
        self._note()
        now_ms, known = self._now_ms(), {each.name for each in self._projections}
        for name, made in list(self._made.items()):
            if name in known:
                self._made[name] = replace(made, listed_at_ms=now_ms, seen_at_ms=now_ms)
                self._rows.put_made(self._made[name])
            elif now_ms - max(made.seen_at_ms, made.made_at_ms) > REMOVED_AFTER_S * 1000:
                log.warning("no version has had the projection %s for so long: it is removed", name)
                self._rows.remove(name)
                del self._made[name]
        self._listed_at, self._list_soon = self._clock(), False

    def _compare_with_redis(self) -> None:
        """What Redis had proposed the last time and has not come is looked for in the table; at the start, at once."""
        followed = list(self._all.rooms.values())
        for start in range(0, len(followed), COUNTERS_AT_ONCE):
            chunk = followed[start : start + COUNTERS_AT_ONCE]
            proposed = self._sequences.proposed(each.room for each in chunk)
            for each in chunk:
                before, each.proposed = each.proposed, proposed[each.room.id]
                asked = each.proposed if each.checked_at == NEVER else before
                if asked > max(each.reached, each.wanted, each.accounted):
                    self._alone(each, self._taking.check)
                    each.accounted = asked
            self._hold_on()

    def _compare_with_table(self) -> None:
        """Reads heads, a few at a time: the hour's are spread over it."""
        now, oldest = self._clock(), self._all.oldest()
        if oldest is None:
            return
        hurry = oldest.checked_at < self._doubt_at
        per_s = HEADS_PER_S if hurry else min(HEADS_PER_S, SOONER * len(self._all.rooms) / HEADS_EVERY_S)
        most = int((now - self._compared_at) * per_s)
        if most:
            self._compared_at = now
        for _ in range(most):
            oldest = self._all.oldest()
            if oldest is None or oldest.checked_at >= max(self._doubt_at, now - HEADS_EVERY_S):
                return
            self._alone(oldest, self._taking.check)

    def _note(self) -> None:
        moved = self._all.moved()
        try:
            for name, cursors in moved.items():
                self._rows.note_cursors(name, cursors)
        except BaseException:
            self._all.give_back(moved)
            raise
        self._noted_at = self._clock()

    def _take(self, name: str) -> bool:
        self._hold_on()
        followed = self._all.rooms.get(name)
        return (
            followed is not None and followed.not_before <= self._clock() and self._alone(followed, self._taking.take)
        )

    def _alone(self, followed: Followed, act: Callable[[Followed], object]) -> bool:
        """What nobody can read in one room's log, the next worker could not either: it keeps that room waiting, and no
        other."""
        try:
            return bool(act(followed))
        except ChatError:
            raise
        except Exception as error:
            followed.not_before = self._clock() + RETRY_MOST_S
            self._all.checked(followed, self._clock())
            self._outage.failed(f"{type(error).__name__}: {error}", trace=True)
            return False
