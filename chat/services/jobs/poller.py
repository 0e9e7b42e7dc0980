"""The poller of the table's stream: one worker of all holds the lease and reads, a shard's parent before the shard.

How far it has read stands in Redis, written only while the lease is held, and every ten seconds in the table, which
survives Redis. What is read twice does no harm (chat/services/ingest/ingest.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

from chat.errors import ChatError
from chat.services.ingest.ingest import Ingest
from chat.services.jobs.leases import Lease
from chat.services.runtime.background import Background, Task
from chat.services.runtime.outages import Outage
from chat.services.storage.changes import Change, label
from chat.services.storage.external import is_own
from chat.services.storage.storage import Storage
from chat.services.storage.stream import Expired, Shard, Streams, Trimmed

LEASE_MS = 2_500
ASK_S = 0.5  # how often the others ask for the lease
BUSY_S, IDLE_S = 0.1, 0.25
SHARDS_EVERY_S = 5.0
COPY_EVERY_S = 10.0
COPY_KEPT_S = 7 * 24 * 60 * 60
HOLD_EVERY_S = 0.5
RETRY_S = 1.0
END = "END"  # the position of a shard that has been read to its end
COMPARED = "compared"  # no shard: a note that the tables have been compared since the stream began

log = logging.getLogger(__name__)


class Lost(Exception):
    """Another one holds the lease now."""


class Poller:
    """Reads the stream of `messages` for as long as it holds the lease. `note` is told after each round in which
    nothing was left waiting, with no words, and why when it could not be read on."""

    def __init__(
        self,
        storage: Storage,
        connect: Callable[[], Streams],
        ingest: Ingest,
        lease: Lease,
        now: Callable[[], float] = time.monotonic,
        note: Callable[[str], None] = lambda why: None,
    ):
        self._storage = storage
        self._connect = connect
        self._streams: Streams
        self._ingest = ingest
        self._lease = lease
        self._now = now
        self._say = note
        self._outage = Outage("The stream is not read")
        self._expired = False
        self._task: Task | None = None
        self._arn = ""
        self._shards: list[Shard] = []
        self._positions: dict[str, str] = {}
        self._iterators: dict[str, str] = {}
        self._copied: dict[str, str] = {}
        self._compared = False  # just now, so that what is gone is known to be accounted for
        self._listed_at = self._copied_at = self._held_at = float("-inf")

    def start(self, background: Background) -> None:
        """Asks for the lease and polls from now on. What a row does to it is no reason for this worker to end: it would
        do the same to the next one; so it says what it is (`note`), and tries again."""
        self._task = background.forever(self._run)

    def stop(self) -> None:
        """Gives the lease up, so that another one goes on at once. Raises: ChatError `unavailable`."""
        if self._task is not None:
            self._task.stop()
            self._lease.release()

    def _run(self) -> None:
        while True:
            try:
                gevent.sleep(ASK_S)
                if self.begin():
                    self._hold()
            except Lost:
                continue
            except ChatError as error:
                self._say(error.code)  # what is unavailable, its own line in the log says
                gevent.sleep(RETRY_S)
            except Exception as error:
                self._outage.failed(type(error).__name__, trace=True)
                self._say(type(error).__name__)
                gevent.sleep(RETRY_S)

    def begin(self) -> bool:
        """Takes the lease if it is free, and finds out where to read on; whether it did.

        Raises: Lost, ChatError `unavailable`.
        """
        if not self._lease.take():
            return False
        self._streams = self._connect()
        self._arn = self._storage.external.stream_arn() or ""
        if not self._arn:
            self._outage.failed("the table of messages has none: run `flask create-tables`")
            raise ChatError("unavailable")
        stream = label(self._arn)
        self._iterators = {}
        self._listed_at = float("-inf")
        self._copied = self._storage.external.stream_positions(stream)
        noted = self._lease.notes()
        prefix = f"{stream}/"
        self._positions = self._copied | {
            name.removeprefix(prefix): position for name, position in noted.items() if name.startswith(prefix)
        }
        if not self._positions:
            self._reconcile()
            self._note(COMPARED, END)
            self._compared = True
        return True

    def _hold(self) -> None:
        while True:
            found = self.round()
            gevent.sleep(BUSY_S if found else IDLE_S)

    def round(self) -> int:
        """Reads each shard once that may be read; how many changes there were. Raises: Lost, ChatError."""
        self._hold_on()
        self._expired = False
        if self._now() - self._listed_at > SHARDS_EVERY_S:
            self._list()
        found = 0
        for shard in self._readable():
            found += self._read(shard)
        if not self._expired:
            self._outage.succeeded()
            self._say("")
        if self._now() - self._copied_at > COPY_EVERY_S:
            self._copy()
        return found

    def _hold_on(self) -> None:
        if self._now() - self._held_at > HOLD_EVERY_S:
            if not self._lease.take():
                raise Lost
            self._held_at = self._now()

    def _list(self) -> None:
        try:
            self._shards = self._streams.shards(self._arn)
        except Expired:
            raise ChatError("unavailable") from None  # the stream is another one now
        self._listed_at = self._now()
        gone = self._gone()
        if gone and not self._compared:
            log.warning("the stream was not read for so long that shards are gone: comparing the tables")
            self._reconcile()
        for shard in gone:
            self._note(shard, END)
        self._compared = False

    def _gone(self) -> set[str]:
        """The shards that are no longer listed and were not read to their end, as far as can be told."""
        listed = {shard.id for shard in self._shards}
        begun = {shard for shard, position in self._positions.items() if position != END}
        parents = {shard.parent for shard in self._shards if shard.parent and shard.id not in self._positions}
        return {shard for shard in begun | parents if shard not in listed and self._positions.get(shard) != END}

    def _readable(self) -> list[Shard]:
        listed = {shard.id for shard in self._shards}
        return [
            shard
            for shard in self._shards
            if self._positions.get(shard.id) != END
            and (shard.parent not in listed or self._positions.get(shard.parent or "") == END)
        ]

    def _read(self, shard: Shard) -> int:
        try:
            if shard.id not in self._iterators:
                after = self._positions.get(shard.id)
                self._iterators[shard.id] = self._streams.iterator(self._arn, shard.id, after)
            batch = self._streams.read(self._arn, self._iterators.pop(shard.id))
        except Expired:
            self._expired = True
            self._listed_at = float("-inf")
            return 0
        except Trimmed:
            log.warning("the stream was not read for so long that records are gone: comparing the tables")
            self._reconcile()
            self._positions.pop(shard.id, None)
            return 0
        self._take(batch.changes)
        if batch.last is not None:
            self._note(shard.id, batch.last)
        if batch.iterator is None:
            self._note(shard.id, END)
            self._listed_at = float("-inf")
        else:
            self._iterators[shard.id] = batch.iterator
        return len(batch.changes)

    def _take(self, changes: list[Change]) -> None:
        own: list[Change] = []
        for change in changes:
            if is_own(change.room):
                own.append(change)
            else:
                self._ingest.take([change])
                self._hold_on()
        self._ingest.take(own)

    def _note(self, shard: str, position: str) -> None:
        if not self._lease.note(f"{label(self._arn)}/{shard}", position):
            raise Lost
        self._positions[shard] = position

    def _copy(self) -> None:
        for shard, position in self._positions.items():
            if self._copied.get(shard) != position:
                self._storage.external.note_stream_position(label(self._arn), shard, position, COPY_KEPT_S)
        self._copied = dict(self._positions)
        self._copied_at = self._now()

    def _reconcile(self) -> None:
        self._ingest.reconcile(label(self._arn), self._hold_on)
