"""Subscribers: who of this worker's sockets is in a room, as far as its log is known here."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from chat.models import LEAVING, Membership, Room

SETTLED_S = 10.0  # a number that has been below decided ones for so long is decided, or nobody writes it any more


class Broadcaster(Protocol):
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


class Subscribers:
    """Those of one room. Who is taken out of it, by the log, gets nothing of it from then on."""

    def __init__(self, room: Room, broadcaster: Broadcaster, by_socket: dict[str, dict[str, Subscribers]]):
        """`by_socket` is kept true for all rooms together: socket → room → those it is among."""
        self.empty_since: float | None = time.monotonic()
        self._room = room
        self._broadcaster = broadcaster
        self._by_socket = by_socket
        self._subscribers: dict[str, Subscriber] = {}
        self._sids: dict[str, set[str]] = {}  # user → their sockets here
        self._changes: dict[str, tuple[int, float]] = {}  # user → the last membership entry seen, and when

    def add(self, sid: str, membership: Membership, upcoming: int, asked_at: float = float("-inf")) -> bool:
        """Adds a socket by a membership read **after** the room was followed, and after `asked_at`, by the monotonic
        clock; `upcoming` is the entry that is handed out next. False when the log has told of a later one: of its end,
        or also of a new beginning behind that.

        What the log told long before counts no more (the tables may have been put back to different moments); lately it
        does, because the entry of a transaction may be seen before its membership is.
        """
        seq, seen_at = self._changes.get(membership.username, (0, float("-inf")))
        if seq > membership.seq and seen_at > asked_at - SETTLED_S:
            return False
        self._subscribers[sid] = Subscriber(membership.username, membership.seq, membership.start)
        self._sids.setdefault(membership.username, set()).add(sid)
        self._by_socket.setdefault(sid, {})[self._room.id] = self
        self.empty_since = None
        self._admit(sid, upcoming)
        return True

    def remove(self, sid: str) -> None:
        """Forgets a socket."""
        subscriber = self._subscribers.pop(sid, None)
        if subscriber:
            self._broadcaster.expel(self._room.id, sid)
            mine = self._by_socket.get(sid, {})
            if mine.get(self._room.id) is self:
                del mine[self._room.id]
            if not mine:
                self._by_socket.pop(sid, None)
            self._sids[subscriber.username].discard(sid)
            if not self._sids[subscriber.username]:
                del self._sids[subscriber.username]
        if not self._subscribers and self.empty_since is None:
            self.empty_since = time.monotonic()

    def clear(self) -> None:
        """Forgets every socket."""
        for sid in list(self._subscribers):
            self.remove(sid)

    def has(self, sid: str) -> bool:
        """Whether this socket is in the room, as far as the log is known here."""
        return sid in self._subscribers

    def member(self, username: str) -> Membership | None:
        """The membership of somebody whose socket is in the room; None when none is."""
        for sid in self._sids.get(username, ()):
            return self._membership(sid)
        return None

    def _membership(self, sid: str) -> Membership:
        subscriber = self._subscribers[sid]
        return Membership(self._room.id, subscriber.username, "", True, subscriber.seq, subscriber.start)

    def memberships(self) -> dict[str, Membership]:
        """Socket → by what it is in the room, as the log has it."""
        return {sid: self._membership(sid) for sid in self._subscribers}

    def usernames(self) -> Collection[str]:
        """Whose sockets are in the room, as it is now and later."""
        return self._sids.keys()

    def sids(self, username: str) -> list[str]:
        """That person's sockets in the room."""
        return list(self._sids.get(username, ()))

    def admit(self, upcoming: int) -> None:
        """Lets in whoever was waiting for the entry `upcoming`, before it is handed out."""
        for sid in [sid for sid, s in self._subscribers.items() if not s.admitted]:
            self._admit(sid, upcoming)

    def _admit(self, sid: str, upcoming: int) -> None:
        """Lets a socket in before the entry `upcoming` is handed out, if it may see that."""
        subscriber = self._subscribers[sid]
        if not subscriber.admitted and subscriber.start <= upcoming:
            subscriber.admitted = True
            self._broadcaster.admit(self._room.id, sid)

    def came_after(self, number: int) -> list[str]:
        """The sockets that are handed entries and may not see this earlier one: a change of it tells them nothing."""
        if self._room.kind == "public":
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
                self.remove(sid)
            else:  # two brought them in at once: their rows say what the later one said
                subscriber.seq = entry["seq"]
                subscriber.start = 1 if self._room.kind == "public" else entry["seq"]

    def read_anew(self, username: str, membership: Membership | None, upcoming: int, asked_at: float) -> None:
        """Somebody's membership, read at `asked_at` because the entries that changed it may be gone: their sockets
        stay, or begin anew, or leave."""
        for sid in self.sids(username):
            if membership is None or membership.seq != self._subscribers[sid].seq:
                self.remove(sid)
                if membership is not None and membership.inside:
                    self.add(sid, membership, upcoming, asked_at)
