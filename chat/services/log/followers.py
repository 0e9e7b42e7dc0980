"""Followers: all of this worker's, one for each room that its sockets are in."""

from __future__ import annotations

import random
import time
from typing import Any

from chat.models import Entry, Membership, Message, Room
from chat.services.log.append import Log
from chat.services.log.follower import Follower
from chat.services.log.sequence import Numbers
from chat.services.log.subscribers import SETTLED_S, Outlet, Subscribers
from chat.services.runtime.background import Background
from chat.services.runtime.keyed_lock import OneAtATime
from chat.services.storage.storage import Storage

REPLAY, MAX_REPLAY = 50, 3_200
CHECK_EVERY_S = 60.0
PROPOSED_EVERY_S = 2.0
DOUBT_S, DOUBT_EVERY_S = 60.0, 3.0
IDLE_S = 60.0


class Followers:
    """All followers of this worker: made when a socket needs one, checked against the table, dropped when idle."""

    def __init__(self, storage: Storage, numbers: Numbers, log_: Log, outlet: Outlet):
        self._storage = storage
        self._numbers = numbers
        self._log = log_
        self._outlet = outlet
        self._followers: dict[str, Follower] = {}
        self._by_socket: dict[str, dict[str, Subscribers]] = {}  # socket → room: leaving costs one's own rooms
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
        return follower.subscribers.member(username) if follower is not None else None

    def head(self, room: Room) -> int:
        """How far the room's log has come: as this worker follows it, else as the table has it. Raises: ChatError
        `unavailable`."""
        follower = self._followers.get(room.room)
        return follower.cursor if follower is not None else self._numbers.read_head(room)

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
        follower = Follower(room, cursor, self._storage, self._numbers, self._log, self._outlet, self._by_socket)
        for entry, _ in last:
            if entry.seq <= cursor:
                follower.subscribers.note(entry.to_dict())
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
        for subscribers in list(self._by_socket.get(sid, {}).values()):
            subscribers.remove(sid)

    def heads(self, sid: str) -> dict[str, tuple[int, int]]:
        """Room → (generation, last delivered entry) for every room this socket is in."""
        mine = self._by_socket.get(sid, {})
        found = [(follower, mine[room]) for room in mine if (follower := self._followers.get(room)) is not None]
        return {
            follower.room.room: (follower.room.generation, follower.cursor)
            for follower, subscribers in found
            if follower.subscribers is subscribers
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

    def start(self, background: Background) -> None:
        """Checks followers from now on."""
        background.every(0.5 + random.random() / 2, self._check_due)
        background.every(PROPOSED_EVERY_S, self._check_proposed)

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
            empty_since = follower.subscribers.empty_since
            if empty_since is not None and now - empty_since > IDLE_S:
                del self._followers[room]
            elif now - follower.checked_at > every_s:
                follower.check_head()
