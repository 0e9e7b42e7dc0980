"""Who is writing just now: told, never stored."""

from __future__ import annotations

from chat.models import Person
from chat.services.bus import events
from chat.services.bus.publisher import Publisher
from chat.services.rooms.rooms import Rooms


class Typing:
    """Tells rooms that somebody in them types."""

    def __init__(self, rooms: Rooms, bus: Publisher):
        self._rooms = rooms
        self._bus = bus

    def is_known(self, person: Person, room_id: str) -> bool:
        """Whether it is known here and now that the person is in the room: then `tell` waits for nothing."""
        return self._rooms.is_known(person, room_id)

    def tell(self, person: Person, room_id: str, typing: bool) -> None:
        """Tells the other members that the person types, or no longer; may be lost. Raises: ChatError `room_not_found`
        when the room is not theirs."""
        room, _ = self._rooms.require(person, room_id)
        self._bus.publish(events.Typing(room.id, person.username, person.name, typing))
