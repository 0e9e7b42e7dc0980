"""What a person sees of their rooms: the list, one of them, and who is in it."""

from __future__ import annotations

from functools import partial
from typing import Any

from chat import names
from chat.errors import ChatError
from chat.models import Membership, Person, Room
from chat.services.limits.allowance import Allowance
from chat.services.log.heads import Heads
from chat.services.log.sequence import Sequences
from chat.services.rooms.rooms import Rooms, longest, place
from chat.services.runtime.gather import Gather, one_by_one
from chat.services.storage.rows import UNREADABLE
from chat.services.storage.storage import Storage

MAX_UNREAD_ENTRIES = 500
LISTED_AT_ONCE = 200  # rooms of a person's in one answer
JOINABLE_AT_ONCE = 500
MAX_CURSOR_CHARS = 256  # older versions made rooms of longer ids than a request takes: they are left out, but passed by
ROOMS_PER_READ = 10  # described for what a page of messages costs


class Overview:
    """The rooms of whoever asks."""

    def __init__(
        self,
        storage: Storage,
        sequences: Sequences,
        rooms: Rooms,
        gather: Gather = one_by_one,
        allowance: Allowance | None = None,
    ):
        self._storage = storage
        self._sequences = sequences
        self._rooms = rooms
        self._heads = Heads(storage, sequences, gather)
        self._gather = gather
        self._allowance = allowance or Allowance()

    def rooms(
        self, person: Person, rooms_after: str | None = None, joinable_after: str | None = None
    ) -> dict[str, Any]:
        """The person's rooms with heads and unread counts, and the public rooms they may join (docs/protocol.md): the
        first of both, or what follows those that are named. Raises: ChatError `cursor_invalid`, `rate_limited`."""
        for after in (rooms_after, joinable_after):
            if after is not None and not 0 < len(after) <= MAX_CURSOR_CHARS:
                raise ChatError("cursor_invalid")
        inside = self._rooms.inside(person)
        rest = [m for m in inside if rooms_after is None or place(m.room) > place(rooms_after)]
        listed = rest[:LISTED_AT_ONCE] if joinable_after is None else []
        answer: dict[str, Any] = {"rooms": [], "joinable": []}
        with self._allowance.reading(person.username, "rooms", max(1.0, len(listed) / ROOMS_PER_READ)):
            found = self._rooms.readable(listed)
            heads = self._heads.read(room for room, _ in found)
            mine = [partial(self._described_if_readable, person, room, m, heads.get(room.id)) for room, m in found]
            answer["rooms"] = [each for each in self._gather(mine) if each is not None]
            if len(rest) > len(listed) > 0:
                answer["rooms_after"] = listed[-1].room
            if rooms_after is None:
                self._list_joinable({m.room for m in inside}, joinable_after, answer)
        return answer

    def _list_joinable(self, inside: set[str], after: str | None, answer: dict[str, Any]) -> None:
        found = self._storage.rooms.public(after or "", JOINABLE_AT_ONCE)
        others = [(room, name) for room, name in found if room not in inside and names.may_be_room(room)]
        answer["joinable"] = [{"room": room, "name": name} for room, name in others]
        if len(found) == JOINABLE_AT_ONCE:
            answer["joinable_after"] = found[-1][0]

    def _described_if_readable(
        self, person: Person, room: Room, membership: Membership, head: int | None
    ) -> dict[str, Any] | None:
        try:
            if head is not None:
                return self._described(person, room, membership, head)
        except UNREADABLE:
            pass
        self._rooms.leave_out(room.id)  # in its log is what this version cannot read
        return None

    def describe(self, person: Person, room_id: str) -> dict[str, Any]:
        """One of the person's rooms as `rooms` shows it."""
        room, membership = self._rooms.require(person, room_id)
        return self._described(person, room, membership, self._sequences.read_head(room))

    def _described(self, person: Person, room: Room, membership: Membership, head: int) -> dict[str, Any]:
        unread, more = self._unread(person, room, max(membership.read, membership.start - 1, room.floor - 1), head)
        return {
            "room": room.id,
            "name": room.name,
            "kind": room.kind,
            "owner": room.owner,
            "generation": room.generation,
            "head": head,
            "read": membership.read,
            "from": membership.start,
            "unread": unread,
            "unread_more": more,
        }

    def _unread(self, person: Person, room: Room, read: int, head: int) -> tuple[int, bool]:
        """How many messages of others follow `read`, counted over at most 500 entries, and whether there may be
        more."""
        if head <= read:
            return 0, False
        count, entries = self._storage.entries.count_messages(room.id, read, head, MAX_UNREAD_ENTRIES, person.username)
        return count, entries == MAX_UNREAD_ENTRIES

    def members(self, person: Person, room_id: str) -> list[dict[str, Any]]:
        """`{username, name}` of everybody in one of the person's rooms, by name; `next` beside them at who owns it when
        its owner goes and names nobody. Raises: ChatError `rate_limited`."""
        with self._allowance.reading(person.username, "members"):
            room, _ = self._rooms.require(person, room_id)
            inside = [m for m in self._storage.rooms.members(room_id) if m.inside]
        heir = longest(inside, room.owner) if room.owner else None
        return [
            {"username": m.username, "name": m.name} | ({"next": True} if m.username == heir else {})
            for m in sorted(inside, key=lambda m: m.name.casefold())
        ]
