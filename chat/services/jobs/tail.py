"""Tailing logs: every decided entry of a room, or of all, in order, as it comes. A reader: it writes nothing.

What has moved is seen by what Redis proposed, every half a second, and by the tables' heads every minute; when Redis is
away, by these every few seconds.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any

from gevent.monkey import get_original

from chat.errors import ChatError
from chat.models import Entry, Message, Room
from chat.services.jobs.reading import Told, read_on, with_snapshots
from chat.services.log.sequence import Sequences
from chat.services.storage.days import NAME as DAYS
from chat.services.storage.projections import ProjectionRows
from chat.services.storage.storage import Storage

LOOK_EVERY_S = 0.5
AGAIN_EVERY_S = 2.0  # for what does not answer
ROOMS_EVERY_S = 30.0  # room by room: a floor that moved, a room that began anew; and rooms that came
HEADS_EVERY_S = 60.0
COUNTERS_AT_ONCE = 1_000
NEVER = float("-inf")

Position = tuple[int, int]  # of a room: the generation, and the last number that was told


@dataclass
class Tailed:
    """A room, and how far it was told."""

    room: Room
    seq: int
    head: int = 0
    read_at: float = NEVER
    checked_at: float = NEVER


class Tail:
    """`only` names one room, None all. `positions` says where to go on, and from there on how far it was told; a room
    that is not in it begins behind the number `after`, or with `new` at its head. `complain` is told once that Redis
    does not answer, and that it does again."""

    def __init__(
        self,
        storage: Storage,
        sequences: Sequences,
        only: str | None = None,
        positions: Mapping[str, Position] | None = None,
        after: int = 0,
        new: bool = False,
        complain: Callable[[str], None] = lambda words: None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._storage = storage
        self._sequences = sequences
        self._only = only
        self._after = after
        self._new = new
        self._complain = complain
        self._clock = clock
        self.positions: dict[str, Position] = dict(positions or {})
        self._tailed: dict[str, Tailed] = {}
        self._listed_at = NEVER
        self._away = ""

    def lines(self) -> Iterator[dict[str, Any]]:
        """What has been decided since: `{room, generation, entry, message?}`. Ends at the heads. Raises: ChatError
        `room_not_found`, `unavailable`; go on then."""
        self._list()
        self._look()
        for tailed in list(self._tailed.values()):
            while tailed.seq < tailed.head:
                told = self._read(tailed)
                if not told:
                    break
                for entry, snapshot in told:
                    yield _line(tailed.room, entry, snapshot)
                    tailed.seq = entry.seq
                    self.positions[tailed.room.id] = tailed.room.generation, entry.seq

    def undecided(self) -> list[str]:
        """Numbers at which it waits, because they may still become entries: `room/number`."""
        return [f"{each.room.id}/{each.seq + 1}" for each in self._tailed.values() if each.seq < each.head]

    # --- rooms ----------------------------------------------------------------------------------------------------

    def _list(self) -> None:
        if self._clock() - self._listed_at <= ROOMS_EVERY_S:
            return
        first = self._listed_at == NEVER
        if self._only is not None:
            room = self._storage.rooms.get(self._only)
            if room is None:
                raise ChatError("room_not_found")
            self._meet(room)
        elif first:
            for room in self._storage.rooms.all():
                self._meet(room)
        else:  # those that came since: whoever counts the days knows them (chat/services/jobs/projections.py)
            for name in ProjectionRows(self._storage.client).cursors(DAYS).keys() - self._tailed.keys():
                found = self._storage.rooms.get(name)
                if found is not None:
                    self._meet(found, came=True)
        self._listed_at = self._clock()

    def _meet(self, room: Room, came: bool = False) -> None:
        generation, seq = self.positions.get(room.id, (room.generation, self._after))
        if room.id in self._tailed:
            generation, seq = self._tailed[room.id].room.generation, self._tailed[room.id].seq
        elif self._new and not came and room.id not in self.positions:
            generation, seq = room.generation, self._sequences.read_head(room)
        seq = seq if generation == room.generation else 0
        tailed = self._tailed.setdefault(room.id, Tailed(room, seq))
        if tailed.room.generation != room.generation:
            tailed.head, tailed.checked_at = 0, NEVER
        tailed.room, tailed.seq, tailed.read_at = room, max(seq, room.floor - 1), self._clock()
        self.positions[room.id] = room.generation, tailed.seq

    # --- what moved -----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        tailed = list(self._tailed.values())
        every_s = HEADS_EVERY_S
        for start in range(0, len(tailed), COUNTERS_AT_ONCE):
            chunk = tailed[start : start + COUNTERS_AT_ONCE]
            try:
                proposed = self._sequences.proposed(each.room for each in chunk)
            except ChatError:
                self._say("Redis does not answer; reading the tables instead.")
                every_s = AGAIN_EVERY_S
                break
            self._say("")
            for each in chunk:
                if proposed[each.room.id] > max(each.seq, each.head):
                    self._check(each)
        for each in tailed:
            if self._clock() - each.checked_at > every_s:
                self._check(each)

    def _check(self, tailed: Tailed) -> None:
        tailed.head = max(tailed.head, self._sequences.read_head(tailed.room))
        tailed.checked_at = self._clock()

    def _say(self, away: str) -> None:
        if away != self._away:
            self._complain(away or "Redis answers again.")
            self._away = away

    # --- one room -------------------------------------------------------------------------------------------------

    def _read(self, tailed: Tailed) -> list[Told]:
        """A page; nothing while the next number is undecided. What is below the floor by now is passed by."""
        if self._clock() - tailed.read_at > ROOMS_EVERY_S:
            self._read_room(tailed)
        told, _ = read_on(self._storage, tailed.room.id, tailed.seq, tailed.head)
        if not told:
            before = tailed.room.generation, tailed.seq
            self._read_room(tailed)
            if before == (tailed.room.generation, tailed.seq):
                return []
            told, _ = read_on(self._storage, tailed.room.id, tailed.seq, tailed.head)
        return with_snapshots(self._storage, tailed.room.id, told)

    def _read_room(self, tailed: Tailed) -> None:
        room = self._storage.rooms.get(tailed.room.id)
        self._meet(room if room is not None else replace(tailed.room, floor=tailed.head + 1))


def _line(room: Room, entry: Entry, snapshot: Message | None) -> dict[str, Any]:
    line: dict[str, Any] = {"room": room.id, "generation": room.generation, "entry": entry.to_dict()}
    return line | {"message": snapshot.to_dict(room.generation)} if snapshot is not None else line


def nobody_reads(output: IO[str]) -> bool:
    """Whether that is a pipe that nobody reads any more: seen without writing, so that a quiet chat shows it too."""
    poll = get_original("select", "poll")()  # gevent's waits for what is never told
    try:
        poll.register(output.fileno(), 0)
    except OSError:
        return False
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))
