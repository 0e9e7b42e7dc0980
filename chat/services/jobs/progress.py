"""How far each projection has come in each room, and which rooms to look at next: memory, no I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from chat.models import Room
from chat.services.storage.entries import bucket_of
from chat.services.storage.projections import Cursor

NEVER = float("-inf")


@dataclass
class Followed:
    """A room. `wanted` is known to be decided; `proposed` and `accounted` as a follower has them
    (chat/services/log/followers.py). Times are of the monotonic clock."""

    room: Room  # as read last, or what its cursor says of it
    at: dict[str, Cursor] = field(default_factory=dict)
    read_at: float = NEVER
    checked_at: float = NEVER
    not_before: float = NEVER
    wanted: int = 0
    proposed: int = 0
    accounted: int = 0
    holes: dict[int, float] = field(default_factory=dict)
    failing: dict[str, tuple[float, float]] = field(default_factory=dict)  # projection → not before, and the pause

    @property
    def reached(self) -> int:
        """How far all of them have come."""
        return min((cursor.seq for cursor in self.at.values()), default=self.room.floor - 1)


class Progress:
    """All rooms that are known. The first to be compared with the table is the one that was so longest ago."""

    def __init__(self) -> None:
        self.rooms: OrderedDict[str, Followed] = OrderedDict()
        self.due: dict[str, None] = {}  # rooms with something to take, in the order in which that was heard
        self._moved: dict[str, set[str]] = {}  # projection → rooms whose cursor is not noted as it is

    def know(self, name: str, cursors: Iterable[Cursor]) -> None:
        """Takes cursors as they are noted."""
        for cursor in cursors:
            stub = Room(cursor.room, "", "public", generation=cursor.generation, bucket=bucket_of(cursor.seq))
            self.meet(stub).at[name] = cursor

    def meet(self, room: Room) -> Followed:
        """That room; a new one is compared with the table before all others."""
        if room.id not in self.rooms:
            self.rooms[room.id] = Followed(room)
            self.rooms.move_to_end(room.id, last=False)
        return self.rooms[room.id]

    def drop(self, room: str) -> None:
        """There is no such room any more."""
        self.rooms.pop(room, None)
        self.due.pop(room, None)
        for moved in self._moved.values():
            moved.discard(room)

    def want(self, followed: Followed, seq: int) -> None:
        """That number is decided."""
        followed.wanted = max(followed.wanted, seq)
        if followed.wanted > followed.reached or not followed.at:
            self.due[followed.room.id] = None

    def move(self, name: str, followed: Followed, cursor: Cursor) -> None:
        """A projection has come so far."""
        if followed.at.get(name) != cursor:
            followed.at[name] = cursor
            self._moved.setdefault(name, set()).add(cursor.room)

    def oldest(self) -> Followed | None:
        """The room that was compared with the table longest ago."""
        return next(iter(self.rooms.values()), None)

    def checked(self, followed: Followed, now: float) -> None:
        """It was compared with the table just now."""
        followed.checked_at = now
        self.rooms.move_to_end(followed.room.id)

    def moved(self) -> dict[str, list[Cursor]]:
        """What is to be noted, by projection; nothing of it is left here."""
        moved, self._moved = self._moved, {}
        return {name: [self.rooms[room].at[name] for room in sorted(rooms)] for name, rooms in moved.items()}

    def give_back(self, moved: dict[str, list[Cursor]]) -> None:
        """It could not be noted."""
        for name, cursors in moved.items():
            self._moved.setdefault(name, set()).update(c.room for c in cursors if c.room in self.rooms)
