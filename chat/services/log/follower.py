"""A follower: this worker's cursor over the log of one room that its sockets are in.

It moves over decided entries only, one after the other, and hands each to its subscribers in that order. The bus brings
entries fast and possibly not at all; what is missing a follower reads from the table. A removal is an entry like any
other, so nothing behind it reaches who was removed.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent

from chat.errors import ChatError
from chat.models import Entry, Membership, Message, Room
from chat.services.log.append import Log
from chat.services.log.push import push
from chat.services.log.sequence import Sequences
from chat.services.log.snapshots import snapshots_of_changes
from chat.services.log.subscribers import Broadcaster, Subscribers
from chat.services.storage.storage import Storage

REPAIR_AFTER_S = 0.1  # pushes of two workers overtake each other; most gaps close by themselves within this
PAGE = 500

log = logging.getLogger(__name__)


class Follower:
    """One room's cursor in this worker. Not for use by two threads; greenlets switch only where it reads the table."""

    def __init__(
        self,
        room: Room,
        cursor: int,
        storage: Storage,
        sequences: Sequences,
        log_: Log,
        broadcaster: Broadcaster,
        by_socket: dict[str, dict[str, Subscribers]],
    ):
        self.room = room
        self.cursor = cursor
        self.since = self.checked_at = self._moved_at = time.monotonic()
        self.subscribers = Subscribers(room, broadcaster, by_socket)
        self._storage = storage
        self._sequences = sequences
        self._log = log_
        self._broadcaster = broadcaster
        self._stash: dict[int, tuple[dict[str, Any], dict[str, Any] | None]] = {}
        self._holes: dict[int, float] = {}  # undecided numbers below decided ones → when first seen
        self._repairing: gevent.Greenlet | None = None
        self._wanted = 0
        self._proposed = 0  # the last number that Redis had proposed when it was asked last
        self._accounted = 0  # the highest of these that is known to be in the table, or to be given up
        self._abandoned = False

    @property
    def head(self) -> int:
        """How far the room's log has come, as it is known here."""
        return self.cursor

    def is_quiet(self, since: float) -> bool:
        """Whether nothing has moved since then, and nothing is known to be on its way."""
        ahead = max(self._known_head(), self._proposed, self._sequences.known(self.room.id))
        return self._moved_at < since and self._repairing is None and ahead <= self.cursor

    def subscribe(self, sid: str, membership: Membership, asked_at: float = float("-inf")) -> bool:
        """Adds a socket, from the next entry on that it may see; Subscribers.add says by what membership."""
        return self.subscribers.add(sid, membership, self.cursor + 1, asked_at)

    def abandon(self) -> None:
        """Forgets every socket, reads no more and hands out nothing more, also where a reading was to be tried again:
        another one follows the room for the same sockets, or nobody does."""
        self._abandoned = True
        if self._repairing is not None:
            self._repairing.kill(block=False)
        self.subscribers.clear()

    def offer(self, entry: dict[str, Any], snapshot: dict[str, Any] | None) -> None:
        """Takes a decided entry from the bus: delivers it when it is next, else keeps it and mends the gap soon."""
        seq = entry["seq"]
        if seq <= self.cursor:
            return
        self._stash[seq] = (entry, snapshot)
        self._deliver()
        if self._stash:
            self.repair(REPAIR_AFTER_S)

    def repair(self, delay_s: float = 0.0, upto: int = 0) -> None:
        """Reads what is missing from the table, in a greenlet, unless that is under way. `upto` is known to be
        decided."""
        self._wanted = max(self._wanted, upto)
        if self._repairing is None and not self._abandoned:
            self._repairing = gevent.spawn_later(delay_s, self._repair)

    def _deliver(self) -> None:
        while self.cursor + 1 in self._stash and not self._abandoned:
            entry, snapshot = self._stash.pop(self.cursor + 1)
            self.cursor += 1
            self._moved_at = time.monotonic()
            self._sequences.decided(self.room.id, self.cursor)
            self.subscribers.admit(self.cursor)
            earlier = entry.get("message") or self.cursor
            later = self.subscribers.came_after(earlier) if earlier != self.cursor else []
            self._broadcaster.emit(self.room.id, *push(self.room, entry, snapshot), skip=later)
            for sid in later:
                self._broadcaster.tell(sid, *push(self.room, entry, None))
            self.subscribers.note(entry)

    def _repair(self) -> None:
        try:
            while True:
                before = self.cursor
                self._read_on()
                self._deliver()
                if self.cursor >= self._known_head():
                    return
                gevent.sleep(0 if self.cursor > before else REPAIR_AFTER_S / 4)
        except ChatError as error:
            if error.code != "unavailable":  # of that the log knows more: chat/services/runtime/outages.py
                log.warning("the log of %s could not be read (%s); trying again", self.room.id, error.code)
            gevent.spawn_later(1.0, self.repair)
        finally:
            self._repairing = None

    def _known_head(self) -> int:
        return max(self._wanted, max(self._stash, default=0))

    def _read_on(self) -> None:
        """Stashes what the table has behind the cursor, and decides numbers that have been undecided for too long."""
        read = self._storage.entries.after(self.room.id, self.cursor, PAGE)
        snapshots = snapshots_of_changes(self._storage, self.room.id, [entry for entry, _ in read])
        for entry, snapshot in read:
            if entry.kind == "change":
                snapshot = snapshots.get(entry.message or 0)
            if snapshot is not None and snapshot.rev != entry.seq:
                snapshot = None  # it rides on the entry that made it, so that nobody removed before that sees it
            if entry.seq > self.cursor:
                self._stash.setdefault(entry.seq, _wire(entry, snapshot, self.room.generation))
        self._settle_holes()

    def _settle_holes(self) -> None:
        now = time.monotonic()
        undecided = set(range(self.cursor + 1, self._known_head())) - self._stash.keys()
        self._holes = {seq: self._holes.get(seq, now) for seq in undecided}
        old = [seq for seq, seen_at in self._holes.items() if now - seen_at > self._log.grace_s]
        if old and not self._go_on_at_floor():
            gevent.joinall([gevent.spawn(self._settle, seq) for seq in old])

    def _go_on_at_floor(self) -> bool:
        """Whether what is missing is no longer kept: then the cursor moves to what is. Who came and went in between is
        not known any more, so the memberships are read."""
        room = self._storage.rooms.get(self.room.id)
        if room is None or room.floor <= self.cursor + 1:
            return False
        memberships: dict[str, Membership | None] = {}
        asked_at = time.monotonic()
        while unread := self.subscribers.usernames() - memberships.keys():
            username = min(unread)
            memberships[username] = self._storage.rooms.membership(room.id, username)
        self.cursor = room.floor - 1
        self._stash = {seq: told for seq, told in self._stash.items() if seq > self.cursor}
        self._holes = {}
        for username, membership in memberships.items():
            self.subscribers.read_anew(username, membership, self.cursor + 1, asked_at)
        return True

    def _settle(self, seq: int) -> None:
        try:
            self._log.settle(self.room, seq)
        except ChatError:
            log.warning("%s/%d could not be decided", self.room.id, seq)

    def check_proposed(self, proposed: int) -> None:
        """Compares the cursor with the last number that Redis proposed, which costs the table nothing: what was
        proposed before the last round and has not come may be an entry whose publish was lost, and is looked for.
        Raises: ChatError `unavailable`.
        """
        before, self._proposed = self._proposed, proposed
        if before > max(self.cursor, self._accounted):
            self.check_head()
            self._accounted = before

    def check_head(self) -> None:
        """Compares the cursor with the table: finds what the bus lost. Raises: ChatError `unavailable`."""
        head = self._sequences.read_head(self.room)
        self.checked_at = time.monotonic()
        if head > self.cursor:
            self.repair(upto=head)


def _wire(entry: Entry, snapshot: Message | None, generation: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    return entry.to_dict(), snapshot.to_dict(generation) if snapshot else None
