"""Appending to a room's log: every message, change and membership goes through `Log.append`, once.

See docs/architecture.md for why an acked entry cannot be lost, doubled or disordered.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chat.errors import ChatError
from chat.models import CheckpointMove, Claim, Entry, Membership, Message, Room
from chat.services.bus.events import Decided, Logged
from chat.services.bus.publisher import Publisher
from chat.services.limits.allowance import Charge
from chat.services.log.idempotency import CONFLICT_PAUSE_S, Answers, Appended, Asked, Claims, check_client_id
from chat.services.log.sequence import Sequences
from chat.services.storage.entries import bucket_of
from chat.services.storage.facts import AppendRefused, Fact
from chat.services.storage.rooms import membership_fact, room_facts
from chat.services.storage.storage import Storage
from chat.services.storage.transaction import Proof

DEADLINE_S = 2.5
GRACE_MIN_S, GRACE_MAX_S = 0.15, 3.0
FIRST_OF_BUCKET = 100  # so many first entries of a bucket note that it has begun, in case one is lost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draft:
    """What an append would store under a number: the entry, with it a snapshot, and the facts of whichever nouns have
    their part in it (see Append)."""

    entry: Entry
    snapshot: Message | None = None
    replaces_rev: int | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Placed:
    """What became of a draft: stored under a number, or there was none, or the proof of one before stands in the
    way."""

    number: int = 0
    draft: Draft | None = None
    before: AppendRefused | None = None


DraftUnder = Callable[[int], Draft]
Judge = Callable[[], DraftUnder | None]


class Appender(Protocol):
    """Stores entries: Transaction one by one, GroupCommit together with others."""

    def append(
        self,
        entry: Entry,
        proof: Proof,
        snapshot: Message | None,
        replaces_rev: int | None,
        facts: tuple[Fact, ...],
    ) -> None:
        """See Transaction.append."""


class Log:
    """The logs of all rooms; `claims` knows what was carried out before. `now` gives seconds since 1970, `pause` sleeps
    for seconds, `defer` runs work that nobody waits for (in a worker: `gevent.spawn`). `claims_kept_s` is how long a
    request is known again, None for ever; longer than entries are kept. `appender` stores entries, in a worker together
    (GroupCommit), else one by one."""

    def __init__(
        self,
        storage: Storage,
        sequences: Sequences,
        bus: Publisher,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        defer: Callable[..., Any] = lambda work, *args: work(*args),
        claims_kept_s: int | None = None,
        appender: Appender | None = None,
    ):
        self._storage = storage
        self._sequences = sequences
        self._bus = bus
        self._now = now
        self._pause = pause
        self._defer = defer
        self._appender = appender or storage.transaction
        self.claims = Claims(storage, bus, self.now_ms, pause, claims_kept_s)
        self._commits_s: deque[float] = deque(maxlen=200)

    def now_ms(self) -> int:
        """The server's clock, in milliseconds since 1970: the only clock that entries know."""
        return int(self._now() * 1000)

    @property
    def grace_s(self) -> float:
        """How long a number may stay undecided below decided ones: 2.5 times the recent p99 of commits, within
        bounds."""
        if not self._commits_s:
            return 1.0
        p99 = sorted(self._commits_s)[int(len(self._commits_s) * 0.99)]
        return min(max(2.5 * p99, GRACE_MIN_S), GRACE_MAX_S)

    def append(
        self,
        room: Room,
        user: str,
        client_id: str,
        request: Iterable[Any],
        judge: Judge,
        seen: int = 0,
        about: int | None = None,
        charge: Charge | None = None,
    ) -> Appended:
        """Carries out a request once, however often it comes: stored, then published; the caller acks.

        `request` is everything that makes two requests the same (its hash is kept beside the `client_id`; `digest`
        says how it may grow). `judge` reads what is true now and refuses, says None when there is nothing to change, or
        tells how to draft the entry under a number, which is asked for only then: what is refused leaves nothing in the
        log. It may be called again. `seen` is the last entry the client knows of; `about` the message that a change
        speaks of; `charge` is taken with the number. Raises: what `judge` raises or a fact of the draft is refused
        with, and ChatError `client_id_invalid`, `client_id_reused`, `rate_limited`, `unavailable` (the outcome is
        unknown: send it again).
        """
        check_client_id(client_id)
        asked = Asked(user, client_id, tuple(request))

        def claim(number: int, draft: Draft) -> Claim:
            return self.claims.of(room, asked, number, draft.snapshot.seq if draft.snapshot else None)

        placed = self._place(room, judge, claim, seen, charge)
        if placed.before is not None and placed.before.claim is not None:
            return self.claims.answer(placed.before.claim, asked)
        if placed.draft is None:
            return self.claims.change_nothing(room, asked, about)
        return Appended(placed.number, placed.draft.snapshot)

    def append_together(self, room: Room, asked: Collection[Asked], judge: Judge, about: int) -> Answers:
        """Carries out the requests of several people about one message by one entry, each of them once: as `append`
        does with one. At most MAX_PROOFS, no two with the same client id of one person.

        Returns all their answers; or, when some were carried out before, only those of these, and nothing was stored:
        the others go again. Raises: what `judge` raises, and ChatError `unavailable`.
        """

        def claims(number: int, draft: Draft) -> Proof:
            return tuple(self.claims.of(room, each, number, about) for each in asked)

        placed = self._place(room, judge, claims)
        if placed.before is not None:
            return self.claims.answer_each(placed.before.claims, asked)
        if placed.draft is None:
            return self.claims.change_nothing_for_each(room, asked, about)
        return {each: Appended(placed.number, placed.draft.snapshot) for each in asked}

    def take_over(self, room: Room, judge: Judge, move: Callable[[int], CheckpointMove]) -> Placed:
        """Appends what a change of a row that somebody put makes of the log, once, however often it is told.

        `judge` as in `append`; `move(n)` is the proof that is stored with it. When another change of the row was
        taken over meanwhile, nothing is stored, and this one is to be judged anew by the checkpoint that there is now
        (`before`). Raises: ChatError `unavailable` (tell it again).
        """
        return self._place(room, judge, lambda number, draft: move(number))

    def _place(
        self,
        room: Room,
        judge: Judge,
        proof: Callable[[int, Draft], Proof],
        seen: int = 0,
        charge: Charge | None = None,
    ) -> Placed:
        """Finds a number for what `judge` lets pass and stores it there with its proof, then tells the workers.

        Raises: what `judge` raises, what a fact of the draft is refused with, and ChatError `unavailable`: the outcome
        is unknown, and the proof will tell.
        """
        deadline = self._now() + DEADLINE_S
        late = ChatError("unavailable", retry_after_s=1)
        number = 0
        try:
            while self._now() < deadline:
                draft_under = judge()
                if draft_under is None:
                    if number:
                        self._give_up(room, number)
                    return Placed()
                if not number:
                    number, charge = self._sequences.propose(room, seen, charge), None  # it is paid for once
                draft = draft_under(number)
                if draft.replaces_rev is not None and number <= draft.replaces_rev:
                    self._give_up(room, number)
                    self._sequences.decided(room.id, draft.replaces_rev)
                    number = 0
                    continue
                began = time.perf_counter()
                try:
                    stored = proof(number, draft)
                    self._appender.append(draft.entry, stored, draft.snapshot, draft.replaces_rev, draft.facts)
                except AppendRefused as refused:
                    if refused.claim or refused.overtaken:
                        if all(claim.seq != number for claim in refused.claims):
                            self._give_up(room, number)
                        return Placed(before=refused)
                    if refused.final is not None:
                        raise refused.final from None
                    if refused.slot_taken:
                        number = 0
                        self._sequences.read_head(room)
                    elif refused.changed is None:
                        self._pause(CONFLICT_PAUSE_S)
                    late = refused.changed or late
                    continue
                self._commits_s.append(time.perf_counter() - began)
                self._publish(room, draft.entry, draft.snapshot)
                self._decided(room, number)  # behind the publish: it may write, and fail
                return Placed(number, draft)
            raise late
        except BaseException:  # also a deadline, or the end of the socket that asked
            if number:
                self._defer(self._give_up, room, number)
            raise

    def draft_change(self, old: Message, new: Message, number: int, facts: tuple[Fact, ...] = ()) -> Draft:
        """The draft, under that number, of the change that makes `new` of a message that is `old`."""
        entry = Entry(old.room, number, "change", self.now_ms(), message=old.seq)
        return Draft(entry, replace(new, rev=number), replaces_rev=old.rev, facts=facts)

    def begin(
        self,
        room: Room,
        user: str,
        client_id: str,
        request: Iterable[Any],
        founder: Membership,
        most: int | None = None,
    ) -> str:
        """Makes a room whose log begins with its founder's joining, once. Returns the room's id: that of the first
        time when the request comes again. `most` is how many rooms their owner may make. Raises: ChatError
        `room_name_taken`, `too_many_rooms`, `client_id_invalid`, `client_id_reused`, `unavailable`.
        """
        check_client_id(client_id)
        asked = Asked(user, client_id, tuple(request))
        claim = self.claims.of(room, asked, 1, None)
        entry = Entry(room.id, 1, "joined", self.now_ms(), user=founder.username, name=founder.name)
        try:
            self._storage.transaction.append(entry, claim, facts=(membership_fact(founder), *room_facts(room, most)))
        except AppendRefused as refused:
            if refused.claim is None:
                raise refused.final or ChatError("unavailable") from None
            self.claims.answer(refused.claim, asked)
            return refused.claim.room
        self._decided(room, 1)
        return room.id

    def _decided(self, room: Room, number: int) -> None:
        self._sequences.decided(room.id, number)
        if bucket_of(number) > room.bucket and bucket_of(number) != bucket_of(number - FIRST_OF_BUCKET):
            self._storage.rooms.raise_bucket(room.id, bucket_of(number))

    def _publish(self, room: Room, entry: Entry, snapshot: Message | None) -> None:
        """A snapshot that is only a part of what its row says goes to nobody: each worker reads what it understands."""
        if snapshot is not None and snapshot.more:
            self._bus.publish(Decided(room.id, entry.seq))
            return
        told = snapshot.to_dict(room.generation) if snapshot else None
        self._bus.publish(Logged(room.id, room.generation, entry.to_dict(), told))

    def _give_up(self, room: Room, number: int) -> None:
        """Decides a number that is no longer wanted, so that nobody waits for it. Left to the followers when that
        fails."""
        try:
            self.settle(room, number)
        except ChatError:
            log.warning("%s/%d is left undecided for now", room.id, number)

    def settle(self, room: Room, number: int) -> None:
        """Makes sure that this number is decided: a tombstone, unless an entry has it. Raises: ChatError
        `unavailable`."""
        at_ms = self.now_ms()
        if self._storage.entries.tombstone(room.id, number, at_ms):
            self._decided(room, number)
            self._publish(room, Entry(room.id, number, "tombstone", at_ms), None)
