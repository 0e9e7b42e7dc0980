"""Which workers there are, whether they hear the bus and what they read: each says so in the table, which Redis cannot
keep from it.

So a worker that hears nothing can tell whether Redis is away for all, or for itself alone; and a later version can tell
when nobody is left who would not read what it adds.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from chat.errors import ChatError
from chat.models import Worker
from chat.services.bus.bus import Bus
from chat.services.storage import rows
from chat.services.storage.storage import Storage

BEAT_EVERY_S = 2.0
HEARS_WITHIN_S = 1.8  # a heartbeat comes every second
DEAF_AFTER_S = 3.0  # so much later that nobody who says to hear can have become deaf at the same moment
ALONE_AFTER_S = 5.0
FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000
LOOK_EVERY_S = 3.0
KNOWN_FOR_S = 10.0  # what was seen so long ago tells nothing any more
GONE_AFTER_S = 60.0  # a row that stood still for so long while it was looked at is of a worker that was killed


class Workers:
    """All workers of this chat, as this one sees them. `now` gives seconds since 1970, and judges no worker by another
    one's clock: what counts is whether its row moves, by `clock`, in seconds. `url` is the address that this one
    answers to."""

    def __init__(
        self,
        storage: Storage,
        bus: Bus,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        url: str = "",
    ):
        self._storage = storage
        self._bus = bus
        self._url = url
        self._now = now
        self._clock = clock
        self._id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._beats = 0
        self._left = False
        self._others: dict[str, int] | None = None  # worker that hears → its beats when this worker became deaf
        self._moved: dict[str, tuple[int, float]] = {}  # worker → its beats, and when they were first seen so
        self._looked_at = self._seen_at = float("-inf")
        self._least = 0  # the lowest format that a worker reads, as seen last

    @property
    def deaf(self) -> bool:
        """Whether this worker has not heard the bus for three seconds."""
        return self._bus.deaf_s > DEAF_AFTER_S

    def beat(self) -> None:
        """Says that this worker lives, and whether it hears the bus; a write, so it also shows that the table takes
        one. One that has left says nothing more. Raises: ChatError `unavailable`.
        """
        if self._left:
            return
        self._beats += 1
        hears = self._bus.deaf_s < HEARS_WITHIN_S
        me = Worker(self._id, self._beats, hears, int(self._now() * 1000), rows.FORMAT, self._url)
        self._storage.workers.put(me)

    def woke(self) -> None:
        """This process was stopped, and could hear nothing: that does not count."""
        self._bus.listen_again()

    def alone_deaf(self) -> bool:
        """Whether this worker has heard nothing for five seconds while another one that still beats does hear.

        To be asked again and again, about every second. Raises: ChatError `unavailable`.
        """
        if not self.deaf:
            self._others = None
            return False
        hearing = {worker.id: worker.beats for worker in self._storage.workers.all() if worker.hears}
        hearing.pop(self._id, None)
        if self._others is None:
            self._others = hearing
        moved = any(beats > self._others.get(worker, 0) for worker, beats in hearing.items())
        return moved and self._bus.deaf_s > ALONE_AFTER_S

    def all_read(self, number: int) -> bool:
        """Whether every worker reads that format (chat.services.storage.rows.FORMAT): then what it added may be
        written. No when that is not known.

        Looked up every few seconds, so when a worker of an earlier version starts, the answer is no so much later: what
        that one finds written it passes by, and keeps. One that was killed counts for a minute more; one that leaves
        does not.
        """
        if self._clock() - self._looked_at > LOOK_EVERY_S:
            self._looked_at = self._clock()  # whoever asks meanwhile is answered by what was seen before
            with suppress(ChatError):
                self._look()
        return self._clock() - self._seen_at < KNOWN_FOR_S and number <= self._least

    def _look(self) -> None:
        workers, now, before = self._storage.workers.all(), self._clock(), self._moved
        stood = {w.id: before[w.id] for w in workers if w.id in before and before[w.id][0] == w.beats}
        self._moved = {w.id: stood.get(w.id, (w.beats, now)) for w in workers}
        living = [w.format for w in workers if now - self._moved[w.id][1] < GONE_AFTER_S]
        self._least, self._seen_at = min([rows.FORMAT, *living]), now

    def leave(self) -> None:
        """Takes this worker off the list, and those that ended without doing so a day ago. Raises: ChatError
        `unavailable`."""
        self._left = True
        long_ago = self._now() * 1000 - FORGOTTEN_AFTER_MS
        for worker in self._storage.workers.all():
            if worker.id == self._id or worker.at_ms < long_ago:
                self._storage.workers.delete(worker.id)
