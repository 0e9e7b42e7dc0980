"""Retention: what was said longer ago than a chat keeps is deleted, room by room, from the beginning of the log.

A room's floor, the oldest number kept, moves first and for good; what lies below it goes only when nobody can hold the
old floor any more. So a sweep may end at any call: the next one finds the floor, waits again and deletes the rest. Two
at once do no harm. The last number of a log always stays decided, or the numbers would begin anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from chat.models import EntryKind, Room
from chat.services.jobs.leases import Lease
from chat.services.log.append import Log
from chat.services.rooms.rooms import META_FRESH_S
from chat.services.runtime.background import Background, Task
from chat.services.storage.entries import bucket_of, end_of
from chat.services.storage.storage import Storage

YOUNGEST_S = 3600  # nothing younger goes: a writer that stood still for less must not find its number free again
SLACK_S = 10.0  # how long a request may go on with the floor that it began with
PAGE = 500
SWEEP_EVERY_S = 6 * 3600
ASK_EVERY_S = 60.0
LEASE_MS = 10 * 60_000
SWEPT_AT = "swept_at"

log = logging.getLogger(__name__)


class Retention:
    """Keeps entries for `keep_s` seconds, at least an hour. `pause` sleeps for seconds."""

    def __init__(self, storage: Storage, log: Log, keep_s: float, pause: Callable[[float], None] = time.sleep):
        self._storage = storage
        self._log = log
        self._keep_ms = int(max(keep_s, YOUNGEST_S) * 1000)
        self._pause = pause

    def sweep(self) -> int:
        """Moves the floors of all rooms to the first entry that is kept, and deletes what is below; takes most of a
        minute. Returns how many entries were deleted. Raises: ChatError `unavailable`; sweep again."""
        floors = [(room, self._raise_floor(room)) for room in list(self._storage.rooms.all())]
        below = [(room, floor) for room, floor in floors if room.swept < floor]
        if not below:
            return 0
        self._pause(META_FRESH_S + SLACK_S)
        return sum(self._delete(room, floor) for room, floor in below)

    def _raise_floor(self, room: Room) -> int:
        floor = self._first_kept(room)
        if floor > room.floor:
            # Where the head is must be known when nothing is left where it was.
            self._storage.rooms.raise_bucket(room.id, bucket_of(self._storage.entries.head(room.id, room.bucket)))
            self._storage.rooms.raise_floor(room.id, floor)
        return floor

    def _first_kept(self, room: Room) -> int:
        """The number behind the last entry that is too old; holes below such an entry are as old. When all are, the
        last number stays, without what was said there."""
        cutoff_ms = self._log.now_ms() - self._keep_ms
        head = self._storage.entries.head(room.id, room.bucket)
        floor, position = room.floor, room.floor - 1
        last: EntryKind | None = None
        while position < head:
            entries = [entry for entry, _ in self._storage.entries.after(room.id, position, PAGE)]
            for entry in entries:
                if entry.at_ms > cutoff_ms:
                    return floor
                floor, position, last = entry.seq + 1, entry.seq, entry.kind
            if not entries:
                position = _end_of_bucket(position + 1)
        if last is None:
            return floor
        if last != "tombstone":
            self._log.settle(room, floor)
            return floor
        return floor - 1

    def _delete(self, room: Room, floor: int) -> int:
        deleted = 0
        position = room.swept - 1
        while position < floor - 1:
            entries = self._storage.entries.after(room.id, position, PAGE)
            numbers = [entry.seq for entry, _ in entries if entry.seq < floor]
            self._storage.entries.delete(room.id, numbers)
            deleted += len(numbers)
            position = entries[-1][0].seq if entries else _end_of_bucket(position + 1)
        self._storage.rooms.note_swept(room.id, floor)
        return deleted


class Sweeper:
    """Sweeps every few hours, in one worker of all."""

    def __init__(self, retention: Retention, lease: Lease, now: Callable[[], float] = time.time):
        self._retention = retention
        self._lease = lease
        self._now = now
        self._task: Task | None = None

    def start(self, background: Background) -> None:
        """Asks every minute whether it is time."""
        self._task = background.every(ASK_EVERY_S, self.sweep_if_due)

    def stop(self) -> None:
        """Leaves the work to another worker. Raises: ChatError `unavailable`."""
        if self._task is not None:
            self._task.stop()
            self._lease.release()

    def sweep_if_due(self) -> None:
        """Sweeps if no worker did lately. Raises: ChatError `unavailable`."""
        if not self._lease.take():
            return
        swept_at = float(self._lease.notes().get(SWEPT_AT, 0))
        if self._now() - swept_at < SWEEP_EVERY_S:
            return
        deleted = self._retention.sweep()
        self._lease.note(SWEPT_AT, str(self._now()))
        log.info("retention: %d entries deleted", deleted)


def _end_of_bucket(seq: int) -> int:
    """The last number of the bucket that holds this one."""
    return end_of(bucket_of(seq))
