"""One room and its projections: reading on, handing out, mending holes, and what to do when the room is another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import gevent

from chat.errors import ChatError
from chat.models import Room
from chat.services.jobs.progress import NEVER, Followed, Progress
from chat.services.jobs.projection import Projection
from chat.services.jobs.reading import Told, read_on, with_snapshots
from chat.services.log.append import Log
from chat.services.log.sequence import Sequences
from chat.services.runtime.outages import Outage
from chat.services.storage.projections import Cursor, Made, ProjectionRows
from chat.services.storage.storage import Storage

BREATH_S = 0.02  # between two pages, for whoever else has work in this process
PAGE = 100  # entries: what reading them takes of the processor, everybody in this process waits for
READ_EVERY_S = 30.0  # how old what is known of a room may be
ANEW = -1.0
SKEW_S = 60.0  # by how much two clocks may differ
RETRY_S, RETRY_MOST_S = 1.0, 60.0


class Taking:
    """Takes the entries of one room after the other, for all projections. `now` gives seconds since 1970, `clock`
    seconds; `pause` sleeps for seconds. Any method raises ChatError `unavailable`."""

    def __init__(
        self,
        storage: Storage,
        rows: ProjectionRows,
        sequences: Sequences,
        log: Log,
        projections: Sequence[Projection],
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = gevent.sleep,
    ):
        self._storage = storage
        self._rows = rows
        self._sequences = sequences
        self._log = log
        self._projections = projections
        self._now = now
        self._clock = clock
        self._pause = pause
        self._outages = {each.name: Outage(f"The projection {each.name} is held back", clock) for each in projections}
        self._progress = Progress()
        self._made: dict[str, Made] = {}

    def begin(self, progress: Progress, made: dict[str, Made]) -> None:
        """Goes on from there."""
        self._progress, self._made = progress, made

    def take(self, followed: Followed) -> bool:
        """Takes a page for each that is behind; whether there is more to take at once: what has come meanwhile is
        taken together with what comes until the next pass."""
        wanted = followed.wanted
        if not self.read(followed, READ_EVERY_S):
            return False
        if any(not _is_current(cursor, followed.room) for cursor in followed.at.values()):
            self.learn(followed, followed.room)  # one that was held back
        behind: dict[int, list[Projection]] = {}
        for each in self._projections:
            cursor = followed.at.get(each.name)
            if cursor is None or not _is_current(cursor, followed.room) or self._is_held_back(each, followed):
                continue
            if cursor.seq < followed.wanted:
                behind.setdefault(cursor.seq, []).append(each)
        moved = [self._take_page(followed, after, group) for after, group in behind.items()]
        if all(cursor.seq >= followed.wanted for cursor in followed.at.values()) and not followed.failing:
            self._progress.due.pop(followed.room.id, None)
            return False
        return any(moved) and any(cursor.seq < wanted for cursor in followed.at.values())

    def check(self, followed: Followed) -> None:
        """Compares a room with the table."""
        head = self._sequences.read_head(followed.room)
        self._progress.checked(followed, self._clock())
        self._progress.want(followed, head)

    def _take_page(self, followed: Followed, after: int, group: list[Projection]) -> bool:
        told, decided = read_on(self._storage, followed.room.id, after, followed.wanted, PAGE)
        if not told:
            self._mend(followed, after, decided)
            return False
        followed.holes = {seq: seen_at for seq, seen_at in followed.holes.items() if seq > followed.reached}
        if any(each.snapshots for each in group):
            told = with_snapshots(self._storage, followed.room.id, told)
        for each in group:
            facts = self._facts(each, followed.room, told)
            if not facts or self._done(each, followed, partial(each.take, followed.room, facts)):
                self._progress.move(each.name, followed, replace(followed.at[each.name], seq=told[-1][0].seq))
        self._pause(BREATH_S)
        return True

    def _facts(self, projection: Projection, room: Room, told: Sequence[Told]) -> Sequence[Told]:
        if not projection.effect:
            return told
        since_ms = max(self._made[projection.name].made_at_ms, room.generation * 1000) - SKEW_S * 1000
        since_ms = max(since_ms, self._now() * 1000 - projection.stale_after_s * 1000)
        return [(entry, snapshot) for entry, snapshot in told if entry.at_ms >= since_ms]

    def _mend(self, followed: Followed, after: int, decided: int) -> None:
        """Numbers that have been undecided below a decided one for too long get a tombstone: in a room without sockets
        nobody else sees to that. Unless they are below the floor now, or of a log that began anew."""
        now = self._clock()
        missing = range(after + 1, decided)[:PAGE]
        old = [seq for seq in missing if now - followed.holes.setdefault(seq, now) > self._log.grace_s]
        if missing and not old:
            return
        generation = followed.room.generation
        if not self.read(followed, ANEW) or followed.room.generation != generation:
            return
        followed.wanted = min(followed.wanted, head := self._sequences.read_head(followed.room))
        for seq in old:
            if followed.room.floor <= seq < head:
                self._log.settle(followed.room, seq)

    def read(self, followed: Followed, at_most_s: float) -> bool:
        """Reads what is said of the room, unless that is known as of so long ago; whether there is such a room."""
        if self._clock() - followed.read_at <= at_most_s:
            return True
        room = self._storage.rooms.get(followed.room.id)
        if room is not None:
            self.learn(followed, room)
            return True
        for each in self._projections:
            if each.name in followed.at and self._done(each, followed, partial(each.forget, followed.room.id)):
                self._rows.drop_cursor(each.name, followed.room.id)
        self._progress.drop(followed.room.id)
        return False

    def learn(self, followed: Followed, room: Room) -> None:
        """Takes what was read of a room: it may have begun anew, or keep less than before."""
        if followed.room.generation != room.generation:
            followed.wanted, followed.proposed, followed.accounted = self._sequences.read_head(room), 0, 0
            followed.holes.clear()
            self._progress.due[room.id] = None
        followed.room, followed.read_at = room, self._clock()
        for each in self._projections:
            cursor = followed.at.get(each.name)
            if cursor is None:
                cursor = Cursor(room.id, room.generation, self._start(each, room), room.floor)
            elif cursor.generation != room.generation:
                if not self._done(each, followed, partial(each.forget, room.id)):
                    continue
                cursor = Cursor(room.id, room.generation, room.floor - 1, room.floor)
            elif cursor.floor < room.floor:
                if not self._done(each, followed, partial(each.floor, room)):
                    continue
                cursor = replace(cursor, seq=max(cursor.seq, room.floor - 1), floor=room.floor)
            self._progress.move(each.name, followed, cursor)

    def _start(self, projection: Projection, room: Room) -> int:
        """Where a projection begins that was not in this room yet."""
        if projection.effect and not self._made[projection.name].listed_at_ms:
            return self._sequences.read_head(room)
        return room.floor - 1

    # --- what fails -----------------------------------------------------------------------------------------------

    def _is_held_back(self, projection: Projection, followed: Followed) -> bool:
        return self._clock() < followed.failing.get(projection.name, (NEVER, 0.0))[0]

    def _done(self, projection: Projection, followed: Followed, act: Callable[[], None]) -> bool:
        """Whether a projection did that. What it cannot do is its own matter: it is held back in this room, and the
        others go on."""
        if self._is_held_back(projection, followed):
            return False
        try:
            act()
        except Exception as error:
            if isinstance(error, ChatError) and error.code == "unavailable":
                raise
            _, pause_s = followed.failing.get(projection.name, (NEVER, RETRY_S / 2))
            pause_s = min(2 * pause_s, RETRY_MOST_S)
            followed.failing[projection.name] = self._clock() + pause_s, pause_s
            self._progress.due[followed.room.id] = None
            self._outages[projection.name].failed(f"{type(error).__name__}: {error}", trace=True)
            return False
        if followed.failing.pop(projection.name, None):
            self._outages[projection.name].succeeded()
        return True


def _is_current(cursor: Cursor, room: Room) -> bool:
    """Whether a projection knows which log that is, and what is kept of it."""
    return (cursor.generation, cursor.floor) == (room.generation, max(room.floor, cursor.floor))
