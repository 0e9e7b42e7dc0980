"""Followers: this worker's cursors over the logs of the rooms that its sockets are in.

A follower moves over decided entries only, one after the other, and hands each to its subscribers in that order. The
bus brings entries fast and possibly not at all; what is missing a follower reads from the table. A removal is an entry
like any other, so nothing behind it reaches who was removed.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import gevent

from chat.errors import ChatError
from chat.models import Entry, Membership, Message, Room
from chat.services.log.append import Log
from chat.services.log.sequence import Numbers
from chat.services.runtime.background import run_every
from chat.services.runtime.keyed_lock import OneAtATime
from chat.services.storage.storage import Storage

REPAIR_AFTER_S = 0.1  # pushes of two workers overtake each other; most gaps close by themselves within this
REPLAY, MAX_REPLAY = 50, 3_200
SETTLED_S = 10.0  # a number that has been below decided ones for so long is decided, or nobody writes it any more
PAGE = 500
CHECK_EVERY_S = 60.0
PROPOSED_EVERY_S = 2.0
DOUBT_S, DOUBT_EVERY_S = 60.0, 3.0
IDLE_S = 60.0
LEAVING = ("left", "removed")

log = logging.getLogger(__name__)


class Outlet(Protocol):
    """Where a follower's entries go: the sockets of this worker."""

    def emit(self, room: str, event: str, payload: dict[str, Any], skip: Collection[str] = ()) -> None:
        """Queues an event for every admitted socket of the room but those; never blocks."""

    def tell(self, sid: str, event: str, payload: dict[str, Any]) -> None:
        """Queues an event for one socket; never blocks."""

    def admit(self, room: str, sid: str) -> None:
        """From the next event on, this socket gets the room's."""

    def expel(self, room: str, sid: str) -> None:
        """From the next event on, it does not."""


@dataclass
class Subscriber:
    """A socket in a room: what its membership said when it was read."""

    username: str
    seq: int
    start: int
    admitted: bool = False


class Follower:
    """One room's cursor in this worker. Not for use by two threads; greenlets switch only where it reads the table."""

    def __init__(
        self,
        room: Room,
        cursor: int,
        storage: Storage,
        numbers: Numbers,
        log_: Log,
        outlet: Outlet,
        followed: dict[str, dict[str, Follower]],
    ):
        """`followed` is kept true for all followers together: socket → room → its follower."""
        self.room = room
        self._followed = followed
        self.cursor = cursor
        self.checked_at = time.monotonic()
        self.empty_since: float | None = time.monotonic()
        self._storage = storage
        self._numbers = numbers
        self._log = log_
        self._outlet = outlet
        self._stash: dict[int, tuple[dict[str, Any], dict[str, Any] | None]] = {}
        self._subscribers: dict[str, Subscriber] = {}
        self._sids: dict[str, set[str]] = {}  # user → their sockets here
        self._changes: dict[str, tuple[int, float]] = {}  # user → the last membership entry seen, and when
        self._holes: dict[int, float] = {}  # undecided numbers below decided ones → when first seen
        self._repairing: gevent.Greenlet | None = None
        self._wanted = 0
        self._proposed = 0  # the last number that Redis had proposed when it was asked last
        self._accounted = 0  # the highest of these that is known to be in the table, or to be given up

    # --- subscribers ----------------------------------------------------------------------------------------------

    def subscribe(self, sid: str, membership: Membership, asked_at: float = float("-inf")) -> bool:
        """Adds a socket by a membership read **after** this follower existed, and after `asked_at`, by the monotonic
        clock. False when the log has told of a later one: of its end, or also of a new beginning behind that.

        What the log told long before counts no more (the tables may have been put back to different moments); lately it
        does, because the entry of a transaction may be seen before its membership is.
        """
        seq, seen_at = self._changes.get(membership.username, (0, float("-inf")))
        if seq > membership.seq and seen_at > asked_at - SETTLED_S:
            return False
        self._subscribers[sid] = Subscriber(membership.username, membership.seq, membership.start)
        self._sids.setdefault(membership.username, set()).add(sid)
        self._followed.setdefault(sid, {})[self.room.room] = self
        self.empty_since = None
        self._admit(sid, self.cursor + 1)
        return True

    def unsubscribe(self, sid: str) -> None:
        """Forgets a socket."""
        subscriber = self._subscribers.pop(sid, None)
        if subscriber:
            self._outlet.expel(self.room.room, sid)
            mine = self._followed.get(sid, {})
            if mine.get(self.room.room) is self:
                del mine[self.room.room]
            if not mine:
                self._followed.pop(sid, None)
            self._sids[subscriber.username].discard(sid)
            if not self._sids[subscriber.username]:
                del self._sids[subscriber.username]
        if not self._subscribers and self.empty_since is None:
            self.empty_since = time.monotonic()

    def abandon(self) -> None:
        """Forgets every socket and reads no more: this room's log is another one now."""
        if self._repairing is not None:
            self._repairing.kill(block=False)
        for sid in list(self._subscribers):
            self.unsubscribe(sid)

    def has(self, sid: str) -> bool:
        """Whether this socket is in the room, as far as the log is known here."""
        return sid in self._subscribers

    def member(self, username: str) -> Membership | None:
        """The membership of somebody whose socket is in the room; None when none is."""
        for sid in self._sids.get(username, ()):
            subscriber = self._subscribers[sid]
            return Membership(self.room.room, username, "", True, subscriber.seq, subscriber.start)
        return None

    def sids(self, username: str) -> list[str]:
        """That person's sockets in the room."""
        return list(self._sids.get(username, ()))

    def _admit(self, sid: str, upcoming: int) -> None:
        """Lets a socket in before the entry `upcoming` is handed out, if it may see that."""
        subscriber = self._subscribers[sid]
        if not subscriber.admitted and subscriber.start <= upcoming:
            subscriber.admitted = True
            self._outlet.admit(self.room.room, sid)

    # --- the log --------------------------------------------------------------------------------------------------

    def offer(self, entry: dict[str, Any], image: dict[str, Any] | None) -> None:
        """Takes a decided entry from the bus: delivers it when it is next, else keeps it and mends the gap soon."""
        seq = entry["seq"]
        if seq <= self.cursor:
            return
        self._stash[seq] = (entry, image)
        self._deliver()
        if self._stash:
            self.repair(REPAIR_AFTER_S)

    def repair(self, delay_s: float = 0.0, upto: int = 0) -> None:
        """Reads what is missing from the table, in a greenlet, unless that is under way. `upto` is known to be
        decided."""
        self._wanted = max(self._wanted, upto)
        if self._repairing is None:
            self._repairing = gevent.spawn_later(delay_s, self._repair)

    def _deliver(self) -> None:
        while self.cursor + 1 in self._stash:
            entry, image = self._stash.pop(self.cursor + 1)
            self.cursor += 1
            self._numbers.decided(self.room.room, self.cursor)
            for sid in [sid for sid, s in self._subscribers.items() if not s.admitted]:
                self._admit(sid, self.cursor)
            later = self._came_after(entry.get("message") or self.cursor)
            self._outlet.emit(self.room.room, *push(self.room, entry, image), skip=later)
            for sid in later:
                self._outlet.tell(sid, *push(self.room, entry, None))
            self.note(entry)

    def _came_after(self, number: int) -> list[str]:
        """The sockets that are handed entries and may not see this earlier one: a change of it tells them nothing."""
        if number == self.cursor or self.room.kind == "public":
            return []
        return [sid for sid, s in self._subscribers.items() if s.admitted and s.start > number]

    def note(self, entry: dict[str, Any]) -> None:
        """Remembers who is in the room after this entry: a membership read beside the transaction that ends it must
        not bring it back."""
        if entry["kind"] not in (*LEAVING, "joined"):
            return
        self._changes[entry["user"]] = (entry["seq"], time.monotonic())
        for sid in self.sids(entry["user"]):
            subscriber = self._subscribers[sid]
            if subscriber.seq >= entry["seq"]:
                continue
            if entry["kind"] in LEAVING:
                self.unsubscribe(sid)
            else:  # two brought them in at once: their rows say what the later one said
                subscriber.seq = entry["seq"]
                subscriber.start = 1 if self.room.kind == "public" else entry["seq"]

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
                log.warning("the log of %s could not be read (%s); trying again", self.room.room, error.code)
            gevent.spawn_later(1.0, self.repair)
        finally:
            self._repairing = None

    def _known_head(self) -> int:
        return max(self._wanted, max(self._stash, default=0))

    def _read_on(self) -> None:
        """Stashes what the table has behind the cursor, and decides numbers that have been undecided for too long."""
        read = self._storage.entries.after(self.room.room, self.cursor, PAGE)
        images = images_of_changes(self._storage, self.room.room, [entry for entry, _ in read])
        for entry, image in read:
            if entry.kind == "change":
                image = images.get(entry.message or 0)
            if image is not None and image.rev != entry.seq:
                image = None  # it rides on the entry that made it, so that nobody removed before that sees it
            if entry.seq > self.cursor:
                self._stash.setdefault(entry.seq, _wire(entry, image, self.room.generation))
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
        room = self._storage.rooms.get(self.room.room)
        if room is None or room.floor <= self.cursor + 1:
            return False
        memberships: dict[str, Membership | None] = {}
        asked_at = time.monotonic()
        while unread := self._sids.keys() - memberships.keys():
            username = min(unread)
            memberships[username] = self._storage.rooms.membership(room.room, username)
        self.cursor = room.floor - 1
        self._stash = {seq: told for seq, told in self._stash.items() if seq > self.cursor}
        self._holes = {}
        for username, membership in memberships.items():
            for sid in self.sids(username):
                if membership is None or membership.seq != self._subscribers[sid].seq:
                    self.unsubscribe(sid)
                    if membership is not None and membership.inside:
                        self.subscribe(sid, membership, asked_at)
        return True

    def _settle(self, seq: int) -> None:
        try:
            self._log.settle(self.room, seq)
        except ChatError:
            log.warning("%s/%d could not be decided", self.room.room, seq)

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
        self.checked_at = time.monotonic()
        head = self._numbers.read_head(self.room)
        if head > self.cursor:
            self.repair(upto=head)


def _wire(entry: Entry, image: Message | None, generation: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    return entry.to_dict(), image.to_dict(generation) if image else None


def images_of_changes(storage: Storage, room: str, entries: list[Entry]) -> dict[int, Message]:
    """The images that the changes among these entries speak of, each at least as new as the change.

    A read beside a transaction may see the change before the image: then it is read again.
    Raises: ChatError `unavailable` when the images stay behind.
    """
    needed: dict[int, int] = {}
    for entry in entries:
        if entry.kind == "change" and entry.message:
            needed[entry.message] = max(needed.get(entry.message, 0), entry.seq)
    images: dict[int, Message] = {}
    for _ in range(20):
        images |= storage.entries.images(room, needed)
        needed = {seq: rev for seq, rev in needed.items() if seq in images and images[seq].rev < rev}
        if not needed:
            return images
        gevent.sleep(0.05)
    raise ChatError("unavailable")


def push(room: Room, entry: dict[str, Any], image: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """The event and payload of docs/protocol.md that tell of an entry."""
    kind = entry["kind"]
    if kind == "message" and image:
        return "message:sent", image
    where = {"room": room.room, "generation": room.generation, "entry": entry["seq"]}
    if kind == "change" and image:
        return "message:changed", where | {"message": image}
    if kind in ("joined", *LEAVING):
        facts = {key: entry[key] for key in ("user", "name", "by", "at_ms") if key in entry}
        return f"member:{kind}", where | facts
    if kind == "room":
        return "room:changed", where | {"name": entry["name"], "at_ms": entry["at_ms"]}
    return "entry:skipped", where


class Followers:
    """All followers of this worker: made when a socket needs one, checked against the table, dropped when idle."""

    def __init__(self, storage: Storage, numbers: Numbers, log_: Log, outlet: Outlet):
        self._storage = storage
        self._numbers = numbers
        self._log = log_
        self._outlet = outlet
        self._followers: dict[str, Follower] = {}
        self._followed: dict[str, dict[str, Follower]] = {}  # socket → room → follower: leaving costs one's own rooms
        self._starting = OneAtATime()
        self._doubt_until = float("-inf")

    def get(self, room: str) -> Follower | None:
        """The room's follower, if this worker has one."""
        return self._followers.get(room)

    def all(self) -> dict[str, Follower]:
        """Room → its follower, as they are now."""
        return dict(self._followers)

    def member(self, room: str, username: str) -> Membership | None:
        """What the log, as far as it is known here, says of somebody with a socket in the room; None without one."""
        follower = self._followers.get(room)
        return follower.member(username) if follower is not None else None

    def follow(self, room: Room) -> Follower:
        """The room's follower; a new one starts at the head of the log, or before the first number still undecided, and
        knows who came and went lately.

        Raises: ChatError `unavailable`.
        """
        existing = self._following(room)
        if existing is not None:
            return existing
        with self._starting(room.room):
            return self._following(room) or self._start(room)

    def _following(self, room: Room) -> Follower | None:
        follower = self._followers.get(room.room)
        return follower if follower is not None and follower.room.generation == room.generation else None

    def _start(self, room: Room) -> Follower:
        head = self._numbers.read_head(room)
        last, first = self._recent(room, head)
        cursor = first - 1
        for entry, _ in last:
            if entry.seq != cursor + 1:
                break
            cursor = entry.seq
        follower = Follower(room, cursor, self._storage, self._numbers, self._log, self._outlet, self._followed)
        for entry, _ in last:
            if entry.seq <= cursor:
                follower.note(entry.to_dict())
        before = self._followers.get(room.room)
        if before is not None:
            before.abandon()
        self._followers[room.room] = follower
        if cursor < head:
            follower.repair(upto=head)
        return follower

    def _recent(self, room: Room, head: int) -> tuple[list[tuple[Entry, Message | None]], int]:
        """The last entries, and the number that they begin with: no number below it can still become an entry.

        So they go back for as long as a commit may take, or to the beginning of the log.
        """
        wanted = REPLAY
        while True:
            last = self._storage.entries.before(room.room, head + 1, wanted, room.floor)
            if len(last) < wanted:
                return last, room.floor
            if last[-1][0].at_ms - last[0][0].at_ms > SETTLED_S * 1000 or wanted >= MAX_REPLAY:
                return last, last[0][0].seq
            wanted *= 4

    def forget(self, sid: str) -> None:
        """Takes a closed socket out of every room."""
        for follower in list(self._followed.get(sid, {}).values()):
            follower.unsubscribe(sid)

    def heads(self, sid: str) -> dict[str, tuple[int, int]]:
        """Room → (generation, last delivered entry) for every room this socket is in."""
        return {
            room: (follower.room.generation, follower.cursor)
            for room, follower in self._followed.get(sid, {}).items()
            if self._followers.get(room) is follower
        }

    def offer(self, room: str, generation: int, entry: dict[str, Any], image: dict[str, Any] | None) -> None:
        """An entry from the bus."""
        self._numbers.decided(room, entry["seq"])
        follower = self._followers.get(room)
        if follower is not None and follower.room.generation == generation:
            follower.offer(entry, image)

    def decided(self, room: str, seq: int) -> None:
        """The bus says that this number is decided, without saying what it is."""
        follower = self._followers.get(room)
        if follower is not None and follower.cursor < seq:
            follower.repair(upto=seq)

    def restored(self) -> None:
        """The tables were put back to an earlier state: nothing that is known here holds any more. Sockets are to be
        subscribed anew."""
        self._numbers.forget()
        for follower in self._followers.values():
            follower.abandon()
        self._followers.clear()

    def doubt(self) -> None:
        """The bus may have lost events: for the next minute every head is read often, beginning now."""
        self._doubt_until = time.monotonic() + DOUBT_S
        self._numbers.doubt()
        for follower in self._followers.values():
            follower.checked_at = float("-inf")

    def run(self) -> None:
        """Checks followers for ever, in greenlets."""
        gevent.spawn(run_every, 0.5 + random.random() / 2, self._check_due)
        gevent.spawn(run_every, PROPOSED_EVERY_S, self._check_proposed)

    def _check_proposed(self) -> None:
        """Raises: ChatError `unavailable`; then the heads are read from the table instead, once Redis is back."""
        followers = dict(self._followers)
        proposed = self._numbers.proposed(follower.room for follower in followers.values())
        for room, follower in followers.items():
            follower.check_proposed(proposed[room])

    def _check_due(self) -> None:
        """Raises: ChatError `unavailable`; the rest is checked in the next round."""
        now = time.monotonic()
        every_s = DOUBT_EVERY_S if now < self._doubt_until else CHECK_EVERY_S
        for room, follower in list(self._followers.items()):
            if follower.empty_since is not None and now - follower.empty_since > IDLE_S:
                del self._followers[room]
            elif now - follower.checked_at > every_s:
                follower.check_head()
