"""Rooms, and whose they are: what every request about one asks first."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chat import names
from chat.errors import ChatError
from chat.models import GENERAL, Membership, Person, Room
from chat.services.bus.events import Restored
from chat.services.bus.publisher import Publisher
from chat.services.log.append import Log
from chat.services.log.sequence import Sequences
from chat.services.runtime.keyed_lock import KeyedLock
from chat.services.storage.rows import UNREADABLE
from chat.services.storage.storage import Storage

if TYPE_CHECKING:
    from chat.services.limits.limits import Limit

META_FRESH_S = 30.0
PRIVATE_ID = re.compile(r"[0-9a-f]{16}")

log = logging.getLogger(__name__)

# (room, username) → the membership as a follower of this worker knows it from the log, None when it does not.
Known = Callable[[str, str], Membership | None]


@dataclass(frozen=True)
class Bounds:
    """How many rooms a person may make, and be in: others bring them into half as many, so many an hour each."""

    made: int | None = None
    memberships: int | None = None
    invitations: Limit | None = None


UNBOUNDED = Bounds()


class Rooms:
    """What rooms are, and who is in them. Raises ChatError `room_not_found` alike for a room that is not there and one
    that is not theirs."""

    def __init__(
        self,
        storage: Storage,
        sequences: Sequences,
        log: Log,
        bus: Publisher,
        known: Known = lambda room_id, username: None,
        bounds: Bounds = UNBOUNDED,
    ):
        self._storage = storage
        self._sequences = sequences
        self._log = log
        self._bus = bus
        self._known = known
        self._bounds = bounds
        self._metas: dict[str, tuple[float, Room]] = {}
        self._left_out: set[str] = set()
        self._reading = KeyedLock()

    def get(self, room_id: str) -> Room:
        """A room's description, at most META_FRESH_S seconds old."""
        room = self._fresh(room_id)
        if room is not None:
            return room
        with self._reading(room_id):
            return self._fresh(room_id) or self._read(room_id)

    def _fresh(self, room_id: str) -> Room | None:
        fresh_until, room = self._metas.get(room_id, (0.0, None))
        return room if time.monotonic() <= fresh_until else None

    def _read(self, room_id: str) -> Room:
        room = self._storage.rooms.get(room_id) if names.may_be_room(room_id) else None
        if room_id == GENERAL.id:
            room = self._general(room)
        if room is None:
            raise ChatError("room_not_found")
        self._metas[room_id] = (time.monotonic() + META_FRESH_S, room)
        return room

    def _general(self, room: Room | None) -> Room | None:
        """`general` where the tables were made without it; without its owner, whom an older version may have let be."""
        if room is None:
            self._storage.rooms.put(replace(GENERAL, generation=self._log.now_ms() // 1000))
            return self._storage.rooms.get(GENERAL.id)  # another worker may have been first
        if room.owner:
            self._storage.rooms.disown(room.id)
        return replace(room, owner="")

    def forget(self, room_id: str) -> None:
        """Reads the room's description anew when it is asked for next."""
        self._metas.pop(room_id, None)

    def forget_all(self) -> None:
        """Reads every room's description anew when it is asked for next."""
        self._metas.clear()

    def restored(self) -> int:
        """Gives every room a generation that it never had, because the tables were put back to an earlier state: then
        every worker and every page starts over. Returns how many rooms there are."""
        now, count = int(time.time()), 0
        for room in self._storage.rooms.all():
            self._storage.rooms.set_generation(room, max(room.generation + 1, now))
            count += 1
        self.forget_all()
        self._bus.publish(Restored())
        return count

    def require(self, person: Person, room_id: str) -> tuple[Room, Membership]:
        """The room and the person's membership of it: as this worker follows it, else read now.

        Raises: ChatError `room_not_found`.
        """
        if not names.may_be_room(room_id):
            raise ChatError("room_not_found")
        membership = self._known(room_id, person.username) or self._storage.rooms.membership(room_id, person.username)
        if membership is None and room_id == GENERAL.id:
            self._enter_general(person)
            membership = self._storage.rooms.membership(room_id, person.username)
        if membership is None or not membership.inside:
            raise ChatError("room_not_found")
        return self.get(room_id), membership

    def is_known(self, person: Person, room_id: str) -> bool:
        """Whether `require` would return without waiting for anything."""
        return self._known(room_id, person.username) is not None and self._fresh(room_id) is not None

    def memberships(self, person: Person) -> list[tuple[Room, Membership]]:
        """The rooms the person is in; `general` always, from the first time on. One that cannot be read is left out,
        and who was brought into more than anybody may be in has the first of them."""
        return self.readable(self.inside(person))

    def inside(self, person: Person) -> list[Membership]:
        """Where the person is: `general`, public rooms, private ones."""
        mine = self._storage.rooms.memberships(person.username)
        if all(m.room != GENERAL.id for m in mine):
            self._enter_general(person)
            mine = self._storage.rooms.memberships(person.username)
        inside = sorted((m for m in mine if m.inside), key=lambda m: place(m.room))
        return inside[: self._bounds.memberships]

    def readable(self, memberships: list[Membership]) -> list[tuple[Room, Membership]]:
        """The rooms of somebody's list. One that cannot be read, now or ever, does not take the others with it."""
        self._read_many([m.room for m in memberships])
        found = [(self._readable(m.room), m) for m in memberships]
        return [(room, m) for room, m in found if room is not None]

    def _read_many(self, room_ids: list[str]) -> None:
        """Reads many descriptions together. What is missing then is read alone, and says why."""
        stale = [each for each in room_ids if each != GENERAL.id and not self._fresh(each)]
        fresh_until = time.monotonic() + META_FRESH_S
        try:
            for room in self._storage.rooms.each(filter(names.may_be_room, stale)):
                self._metas[room.id] = (fresh_until, room)
        except UNREADABLE:
            pass

    def _readable(self, room_id: str) -> Room | None:
        try:
            return self.get(room_id)
        except ChatError as error:
            if error.retry:
                raise
        except UNREADABLE:
            pass
        self.leave_out(room_id)
        return None

    def leave_out(self, room_id: str) -> None:
        """Notes, once, that lists are shown without a room that cannot be read."""
        if room_id not in self._left_out:
            self._left_out.add(room_id)
            log.error("room %.80r cannot be read and is left out of lists (`flask doctor`)", room_id)

    def _enter_general(self, person: Person) -> None:
        room = self.get(GENERAL.id)
        head = self._sequences.read_head(room)
        self._storage.rooms.put_membership(Membership(room.id, person.username, person.name, inside=True, read=head))


def place(room_id: str) -> tuple[bool, bool, str]:
    """Where a room stands in a list: `general`, public rooms, private ones."""
    return room_id != GENERAL.id, bool(PRIVATE_ID.fullmatch(room_id)), room_id


def longest(members: Iterable[Membership], but: str) -> str | None:
    """Who of these has been in the room for longest without going, that one apart; None when there is nobody."""
    others = [(m.seq, m.username) for m in members if m.inside and m.username != but]
    return min(others)[1] if others else None


def first_visible(room: Room, membership: Membership) -> int:
    """The first entry of the room that this member may see, and that is still kept: whatever shows one of its messages,
    in whatever way, shows none from before."""
    return max(membership.start, room.floor)
