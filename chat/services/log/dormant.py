"""Dormant rooms: this worker has sockets in them, and nothing has moved since their heads were read.

Such a room costs no follower and no reading: its counter in Redis is compared with its head together with all others,
and what the bus says of it wakes it. What its sockets were told is its head then, so that is where its follower begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chat.models import Membership, Room


@dataclass(slots=True, eq=False)
class Dormant:
    """One dormant room. `head` is decided, and what its sockets were told; up to `settled` no number can become an
    entry any more, so what is heard of those is no news. `begin` is where its follower begins: at the head, or before
    what was decided late. `since` is when it was first attended, `checked_at` when its head was compared with the
    table."""

    room: Room
    head: int
    since: float
    settled: int = 0
    checked_at: float = field(default_factory=time.monotonic)
    begin: int = field(init=False)
    proposed: int = 0
    waking: bool = False
    empty_since: float | None = field(default_factory=time.monotonic)
    sockets: dict[str, tuple[Membership, float]] = field(default_factory=dict)  # and when the membership was asked for
    then: list[Callable[[Any], None]] = field(default_factory=list)  # to be done with its follower

    def __post_init__(self) -> None:
        self.begin = self.head

    def hears(self, number: int) -> bool:
        """Whether it is news that this number is decided: the room is to be woken."""
        if number <= self.settled:
            return False
        self.begin = min(self.begin, number - 1)
        return True


class DormantRooms:
    """All of this worker's."""

    def __init__(self) -> None:
        self._rooms: dict[str, Dormant] = {}
        self._by_socket: dict[str, dict[str, Dormant]] = {}

    def put(self, dormant: Dormant) -> None:
        """From now on this room is dormant."""
        self._rooms[dormant.room.id] = dormant

    def get(self, room: str) -> Dormant | None:
        """The room, if it is dormant here."""
        return self._rooms.get(room)

    def take(self, room: str) -> Dormant | None:
        """The room, which is dormant no longer."""
        dormant = self._rooms.pop(room, None)
        for sid in dormant.sockets if dormant is not None else ():
            self._forget(sid, room)
        return dormant

    def add(self, dormant: Dormant, sid: str, membership: Membership, asked_at: float) -> None:
        """A socket is in the room, by a membership that was asked for then."""
        dormant.sockets[sid] = (membership, asked_at)
        dormant.empty_since = None
        self._by_socket.setdefault(sid, {})[dormant.room.id] = dormant

    def forget(self, sid: str) -> None:
        """Takes a closed socket out of every dormant room."""
        for dormant in self._by_socket.pop(sid, {}).values():
            del dormant.sockets[sid]
            if not dormant.sockets:
                dormant.empty_since = time.monotonic()

    def of(self, sid: str) -> dict[str, Dormant]:
        """Those that the socket is in, by room."""
        return self._by_socket.get(sid, {})

    def clear(self) -> None:
        """Nothing that is known of any room holds any more."""
        self._rooms.clear()
        self._by_socket.clear()

    def _forget(self, sid: str, room: str) -> None:
        mine = self._by_socket[sid]
        del mine[room]
        if not mine:
            del self._by_socket[sid]

    def __iter__(self) -> Iterator[Dormant]:
        return iter(list(self._rooms.values()))

    def __len__(self) -> int:
        return len(self._rooms)
