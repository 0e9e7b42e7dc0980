"""How far people have read, on all their devices."""

from __future__ import annotations

from chat.errors import ChatError
from chat.models import Person
from chat.services.bus.events import PositionMoved
from chat.services.bus.publisher import Publisher
from chat.services.log.followers import Followers
from chat.services.rooms.rooms import Rooms
from chat.services.storage.storage import Storage


class ReadPositions:
    """The read positions of everybody, one for each of their rooms."""

    def __init__(self, storage: Storage, rooms: Rooms, followers: Followers, bus: Publisher):
        self._storage = storage
        self._rooms = rooms
        self._followers = followers
        self._bus = bus

    def move(self, person: Person, room_id: str, seq: int) -> int:
        """Moves the person's read position forward, on all their devices; returns it, never beyond the head. Raises:
        ChatError `room_not_found` when the room is not theirs."""
        room, _ = self._rooms.require(person, room_id)
        seq = min(seq, self._followers.head(room))
        if self._storage.rooms.mark_read(person.username, room.id, seq):
            self._bus.publish(PositionMoved(person.username, room.id, seq))
            return seq
        membership = self._storage.rooms.membership(room.id, person.username)
        if membership is None or not membership.inside:
            raise ChatError("room_not_found")
        return membership.read
