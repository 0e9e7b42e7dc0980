"""How far many rooms have come, in few requests."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from chat.models import Room
from chat.services.log.sequence import Sequences
from chat.services.runtime.gather import Gather
from chat.services.storage.rows import UNREADABLE
from chat.services.storage.storage import Storage

AHEAD = 2  # so many numbers behind a head are looked for: two that are written at once may be decided in either order


log = logging.getLogger(__name__)


class Heads:
    """The highest decided number of each of many rooms. Redis says to which number a room has come, and the table
    whether that is decided and nothing stands behind it, for fifty rooms in a request. Where they disagree, or Redis
    knows nothing, the room is asked for alone."""

    def __init__(self, storage: Storage, sequences: Sequences, gather: Gather):
        self._storage = storage
        self._sequences = sequences
        self._gather = gather

    def read(self, rooms: Iterable[Room]) -> dict[str, int]:
        """Room → its head, as `Numbers.read_head` has it; without those whose log cannot be read. Raises: ChatError
        `unavailable`."""
        asked = {room.id: room for room in rooms}
        heads = self._agreed(asked)
        alone = [room for name, room in asked.items() if name not in heads]
        found = self._gather([partial(self._read, room) for room in alone])
        return heads | {room.id: head for room, head in zip(alone, found, strict=True) if head is not None}

    def _read(self, room: Room) -> int | None:
        try:
            return self._sequences.read_head(room)
        except UNREADABLE:
            log.error("the log of %.80r cannot be read", room.id)
            return None

    def _agreed(self, rooms: dict[str, Room]) -> dict[str, int]:
        proposed = self._sequences.proposed(rooms.values())
        known = {name: self._sequences.known(name) for name in rooms}
        likely = {name: max(proposed[name], known[name], 1) for name in rooms}
        unsure = [(name, head) for name, head in likely.items() if head != known[name]]
        behind = [(name, head + ahead) for name, head in likely.items() for ahead in range(1, AHEAD + 1)]
        decided = self._storage.entries.decided(unsure + behind)
        beyond = {name for name, _ in decided.intersection(behind)}
        missing = {name for name, _ in set(unsure) - decided}
        agreed = {name: head for name, head in likely.items() if name not in beyond and name not in missing}
        for name, head in agreed.items():
            self._sequences.decided(name, head)
        return agreed
