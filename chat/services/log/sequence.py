"""Numbers for log entries: Redis proposes, DynamoDB disposes.

A number proposed here is only a proposal; the transaction that stores the entry decides. So a counter that is lost,
emptied or set back costs time, never a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis import Redis

from chat.errors import ChatError
from chat.models import Room
from chat.services.limits.allowance import TAKE, WINDOW_MS, Allowance, Charge, too_fast
from chat.services.runtime.keyed_lock import KeyedLock
from chat.services.storage.entries import MAX_AHEAD, bucket_of
from chat.services.storage.redis_client import answering
from chat.services.storage.storage import Storage

AT_ONCE = 1_000  # counters in one question: more would keep Redis, and who decodes the answer, from others

# GETSET and not SET: who may count can then not put a number in the place of what is none, such as the bus (`ingest` in
# deploy/redis-users.json).
# KEYS[1] the counter. ARGV[1] what the asker has seen: the numbers must exceed it. ARGV[2] the highest number allowed.
# ARGV[3] how many are wanted. Answers the first of them, or 0 when the counter is missing or may not be believed.
# With further KEYS, the allowances of those who ask, as many as are wanted: ARGV[4] how much each holds, ARGV[5] in how
# many milliseconds it fills, then what each is to pay. Answers the first number and how many milliseconds each has to
# wait; those who need not have the numbers, in this order. Who pays nothing is not looked for.
PROPOSE = (
    TAKE
    + """
local last = redis.call('GET', KEYS[1])
if not last then return 0 end
local first, highest = tonumber(last) + 1, tonumber(last) + tonumber(ARGV[3])
if first <= tonumber(ARGV[1]) or highest > tonumber(ARGV[2]) then return 0 end
if #KEYS == 1 then
  redis.call('GETSET', KEYS[1], highest)
  return first
end
local answer, given = {first}, 0
for i = 2, #KEYS do
  local cost = tonumber(ARGV[i + 4])
  answer[i] = cost > 0 and take(KEYS[i], tonumber(ARGV[4]), tonumber(ARGV[5]), cost) or 0
  if answer[i] == 0 then given = given + 1 end
end
if given > 0 then redis.call('GETSET', KEYS[1], first + given - 1) end
return answer
"""
)
RAISE = """
local last = redis.call('GET', KEYS[1])
if not last or tonumber(last) < tonumber(ARGV[1]) or tonumber(last) >= tonumber(ARGV[2]) then
  redis.call('GETSET', KEYS[1], ARGV[1])
end
return 1
"""


@dataclass(eq=False)
class Proposal:
    """Somebody waits for a number, and pays for it: None until it is known, 0 when Redis may not be believed."""

    charge: Charge | None = None
    number: int | None = None
    error: ChatError | None = None


class Sequences:
    """Proposes entry numbers for rooms, and knows the highest decided number this worker has seen of each. Numbers are
    paid for with the `allowance` of whoever asks."""

    def __init__(self, redis: Redis, storage: Storage, allowance: Allowance | None = None):
        self._writes = allowance.writes if allowance is not None else 0
        self._redis = redis
        self._storage = storage
        self._propose = redis.register_script(PROPOSE)
        self._raise = redis.register_script(RAISE)
        self._asking = KeyedLock()
        self._proposals: dict[str, list[Proposal]] = {}
        self._known: dict[str, int] = {}
        self._trusted: set[str] = set()

    def propose(self, room: Room, seen: int = 0, charge: Charge | None = None) -> int:
        """A number above every decided one that this worker, or the client (`seen`), knows of.

        Reads the table's head when Redis has no counter, contradicts what is known, or was away. A client's `seen` can
        cause that reading but never raise the counter. Raises: ChatError `rate_limited` when the `charge` is more than
        its person has left, `unavailable`.
        """
        head = self._known.get(room.id, 0)
        if room.id in self._trusted:
            number = self._share(room, charge) if seen <= head else self._ask_alone(room, seen, charge)
            if number:
                return number
        while True:
            head = self.read_head(room)
            with answering():
                self._raise(keys=[self._key(room)], args=[head, head + MAX_AHEAD])
            self._trusted.add(room.id)
            number = self._ask_alone(room, head, charge)
            if number:
                return number

    def _share(self, room: Room, charge: Charge | None) -> int:
        """A number above all that this worker knows of; whoever asks while Redis is being asked shares the next
        question. Interrupted, it leaves a number undecided at worst."""
        proposal = Proposal(charge)
        self._proposals.setdefault(room.id, []).append(proposal)
        try:
            with self._asking(room.id):
                if proposal.number is None and proposal.error is None:
                    self._fulfil(room, proposal)
        finally:
            if proposal in (waiting := self._proposals.get(room.id, [])):
                waiting.remove(proposal)
        return _outcome(proposal)

    def _fulfil(self, room: Room, proposal: Proposal) -> None:
        proposals = self._proposals.pop(room.id, [])
        if proposal not in proposals:  # who asked for it was interrupted
            proposals.append(proposal)
        try:
            self._ask(room, self.known(room.id), proposals)
        except ChatError as error:
            for each in proposals:
                each.error = error

    def _ask_alone(self, room: Room, seen: int, charge: Charge | None) -> int:
        proposal = Proposal(charge)
        self._ask(room, seen, [proposal])
        return _outcome(proposal)

    def _ask(self, room: Room, seen: int, proposals: Sequence[Proposal]) -> None:
        """Gives each its number above `seen`, 0 when Redis may not be believed; who cannot pay has an error."""
        highest = self.known(room.id) + MAX_AHEAD
        keys: list[str] = [self._key(room)]
        args: list[float] = [seen, highest, len(proposals)]
        if any(proposal.charge for proposal in proposals):
            keys += [Allowance.key(proposal.charge.username) if proposal.charge else keys[0] for proposal in proposals]
            costs = [proposal.charge.cost if proposal.charge else 0 for proposal in proposals]
            args = [*args, self._writes, WINDOW_MS, *costs]
        with answering():
            answer: Any = self._propose(keys=keys, args=args)
        first, *waits = answer if isinstance(answer, list) else [answer]
        number = int(first)
        for proposal, wait_ms in zip(proposals, waits or [0] * len(proposals), strict=True):
            if wait_ms:
                proposal.error = too_fast(int(wait_ms))
                continue
            proposal.number = number
            number += 1 if first else 0

    def read_head(self, room: Room) -> int:
        """The highest decided number, from the table."""
        known = self._known.get(room.id, 0)
        head = self._storage.entries.head(room.id, max(room.bucket, bucket_of(known)))
        if head < max(known, 1):  # nothing was said, or these buckets are no longer kept and the log went on elsewhere
            now = self._storage.rooms.get(room.id)
            head = self._storage.entries.head(room.id, now.bucket) if now is not None and now.bucket else head
        self.decided(room.id, head)
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
        found: dict[str, int] = {}
        rest = iter(rooms)
        while asked := list(islice(rest, AT_ONCE)):
            with answering():
                counters: list[Any] = self._redis.mget([self._key(room) for room in asked])
            found |= {room.id: int(counter or 0) for room, counter in zip(asked, counters, strict=True)}
        return found

    def forget(self) -> None:
        """The tables are others than before: no number is known to be decided."""
        self._known.clear()
        self._trusted.clear()

    def doubt(self) -> None:
        """Redis was away or was emptied: read each room's head before the next number from it."""
        self._trusted.clear()

    @staticmethod
    def _key(room: Room) -> str:
        return f"number:{room.generation}:{room.id}"


def _outcome(proposal: Proposal) -> int:
    if proposal.error is not None:
        raise proposal.error
    return proposal.number or 0
