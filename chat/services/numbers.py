"""Numbers for log entries: Redis proposes, DynamoDB disposes.

A number proposed here is only a wish; the transaction that stores the entry decides. So a counter that is lost,
emptied or set back costs time, never a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis import Redis

from chat.errors import ChatError
from chat.models import Room
from chat.services import rows
from chat.services.dynamodb import MAX_AHEAD, Storage
from chat.services.one_at_a_time import OneAtATime
from chat.services.redis import answering

# GETSET and not SET: who may count can then not put a number in the place of what is none, such as the bus (`ingest` in
# deploy/redis-users.json).
# KEYS[1] the counter. ARGV[1] what the asker has seen: the numbers must exceed it. ARGV[2] the highest number allowed.
# ARGV[3] how many are wanted. Answers the first of them, or 0 when the counter is missing or may not be believed.
PROPOSE = """
local last = redis.call('GET', KEYS[1])
if not last then return 0 end
local first, highest = tonumber(last) + 1, tonumber(last) + tonumber(ARGV[3])
if first <= tonumber(ARGV[1]) or highest > tonumber(ARGV[2]) then return 0 end
redis.call('GETSET', KEYS[1], highest)
return first
"""
RAISE = """
local last = redis.call('GET', KEYS[1])
if not last or tonumber(last) < tonumber(ARGV[1]) or tonumber(last) >= tonumber(ARGV[2]) then
  redis.call('GETSET', KEYS[1], ARGV[1])
end
return 1
"""


@dataclass(eq=False)
class Wish:
    """Somebody waits for a number: None until it is known, 0 when Redis may not be believed."""

    number: int | None = None
    error: ChatError | None = None


class Numbers:
    """Proposes entry numbers for rooms, and knows the highest decided number this worker has seen of each."""

    def __init__(self, redis: Redis, storage: Storage):
        self._redis = redis
        self._storage = storage
        self._propose = redis.register_script(PROPOSE)
        self._raise = redis.register_script(RAISE)
        self._asking = OneAtATime()
        self._wishes: dict[str, list[Wish]] = {}
        self._known: dict[str, int] = {}
        self._trusted: set[str] = set()

    def propose(self, room: Room, seen: int = 0) -> int:
        """A number above every decided one that this worker, or the client (`seen`), knows of.

        Reads the table's head when Redis has no counter, contradicts what is known, or was away. A client's `seen` can
        cause that reading but never raise the counter. Raises: ChatError `unavailable`.
        """
        head = self._known.get(room.room, 0)
        if room.room in self._trusted:
            number = self._share(room) if seen <= head else self._ask(room, seen)
            if number:
                return number
        while True:
            head = self.read_head(room)
            with answering():
                self._raise(keys=[self._key(room)], args=[head, head + MAX_AHEAD])
            self._trusted.add(room.room)
            number = self._ask(room, head)
            if number:
                return number

    def _share(self, room: Room) -> int:
        """A number above all that this worker knows of; whoever asks while Redis is being asked shares the next
        question. Interrupted, it leaves a number undecided at worst."""
        wish = Wish()
        self._wishes.setdefault(room.room, []).append(wish)
        try:
            with self._asking(room.room):
                if wish.number is None and wish.error is None:
                    self._fulfil(room, wish)
        finally:
            if wish in (waiting := self._wishes.get(room.room, [])):
                waiting.remove(wish)
        if wish.error is not None:
            raise wish.error
        return wish.number or 0

    def _fulfil(self, room: Room, wish: Wish) -> None:
        wishes = self._wishes.pop(room.room, [])
        if wish not in wishes:  # who asked for it was interrupted
            wishes.append(wish)
        try:
            first = self._ask(room, self.known(room.room), len(wishes))
        except ChatError as error:
            for each in wishes:
                each.error = error
        else:
            for at, each in enumerate(wishes):
                each.number = first and first + at

    def _ask(self, room: Room, seen: int, count: int = 1) -> int:
        """The first of so many numbers above `seen`, 0 when Redis may not be believed."""
        highest = self.known(room.room) + MAX_AHEAD
        with answering():
            return int(self._propose(keys=[self._key(room)], args=[seen, highest, count]))

    def read_head(self, room: Room) -> int:
        """The highest decided number, from the table."""
        known = self._known.get(room.room, 0)
        head = self._storage.head(room.room, max(room.bucket, rows.bucket_of(known)))
        if head < max(known, 1):  # nothing was said, or these buckets are no longer kept and the log went on elsewhere
            now = self._storage.get_room(room.room)
            head = self._storage.head(room.room, now.bucket) if now is not None and now.bucket else head
        self.decided(room.room, head)
        return head

    def decided(self, room: str, seq: int) -> None:
        """Notes that this number is decided."""
        if seq > self._known.get(room, 0):
            self._known[room] = seq

    def known(self, room: str) -> int:
        """The highest decided number this worker knows of, 0 when it knows none."""
        return self._known.get(room, 0)

    def proposed(self, rooms: Iterable[Room]) -> dict[str, int]:
        """Room → the last number that Redis proposed, 0 where it knows none. Raises: ChatError `unavailable`."""
        asked = list(rooms)
        if not asked:
            return {}
        with answering():
            counters: list[Any] = self._redis.mget([self._key(room) for room in asked])
        return {room.room: int(counter or 0) for room, counter in zip(asked, counters, strict=True)}

    def forget(self) -> None:
        """The tables are others than before: no number is known to be decided."""
        self._known.clear()
        self._trusted.clear()

    def doubt(self) -> None:
        """Redis was away or was emptied: read each room's head before the next number from it."""
        self._trusted.clear()

    @staticmethod
    def _key(room: Room) -> str:
        return f"number:{room.generation}:{room.room}"
