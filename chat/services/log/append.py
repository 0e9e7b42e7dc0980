"""Appending to a room's log: every message, change and membership goes through `Log.append`, once.

See docs/architecture.md for why an acked entry cannot be lost, doubled or disordered.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chat.errors import ChatError
from chat.models import Claim, Entry, Mark, Membership, Message, Room
from chat.services.bus.publisher import Publisher
from chat.services.limits.allowance import Charge
from chat.services.log.sequence import Numbers
from chat.services.storage.entries import bucket_of
from chat.services.storage.facts import AppendRefused, Fact
from chat.services.storage.rooms import membership_fact, room_facts
from chat.services.storage.storage import Storage
from chat.services.storage.transaction import Proof

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEADLINE_S = 2.5
GRACE_MIN_S, GRACE_MAX_S = 0.15, 3.0
CONFLICT_PAUSE_S = 0.02
CLAIM_TRIES = 25
FIRST_OF_BUCKET = 100  # so many first entries of a bucket note that it has begun, in case one is lost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draft:
    """What an append would store under a number: the entry, with it an image, and the facts of whichever nouns have
    their part in it (see Append)."""

    entry: Entry
    image: Message | None = None
    replaces_rev: int | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Appended:
    """What a request became: its entry's number (0 when it changed nothing) and the image of its message, if it has
    one."""

    seq: int
    image: Message | None = None


@dataclass(frozen=True)
class Placed:
    """What became of a draft: stored under a number, or there was none, or the proof of one before stands in the
    way."""

    number: int = 0
    draft: Draft | None = None
    before: AppendRefused | None = None


@dataclass(frozen=True)
class Asked:
    """A person's request. `request` is everything that makes two requests the same."""

    user: str
    client_id: str
    request: tuple[Any, ...]


DraftUnder = Callable[[int], Draft]
Judge = Callable[[], DraftUnder | None]
Answers = dict[Asked, Appended | ChatError]


class Appender(Protocol):
    """Stores entries: Transaction one by one, Commits together with others."""

    def append(
        self,
        entry: Entry,
        proof: Proof,
        image: Message | None,
        replaces_rev: int | None,
        facts: tuple[Fact, ...],
    ) -> None:
        """See Transaction.append."""


class Log:
    """The logs of all rooms. `now` gives seconds since 1970, `pause` sleeps for seconds, `defer` runs work that
    nobody waits for (in a worker: `gevent.spawn`). `claims_kept_s` is how long a request is known again, None for ever;
    longer than entries are kept. `commits` stores entries, in a worker together (Commits), else one by one."""

    def __init__(
        self,
        storage: Storage,
        numbers: Numbers,
        bus: Publisher,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        defer: Callable[..., Any] = lambda work, *args: work(*args),
        claims_kept_s: int | None = None,
        commits: Appender | None = None,
    ):
        self._storage = storage
        self._numbers = numbers
        self._bus = bus
        self._now = now
        self._pause = pause
        self._defer = defer
        self._claims_kept_s = claims_kept_s
        self._commits = commits or storage.transaction
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

        `request` is everything that makes two requests the same (its hash is kept beside the `client_id`; `_digest`
        says how it may grow). `judge` reads what is true now and refuses, says None when there is nothing to change, or
        tells how to draft the entry under a number, which is asked for only then: what is refused leaves nothing in the
        log. It may be called again. `seen` is the last entry the client knows of; `about` the message that a change
        speaks of; `charge` is taken with the number. Raises: what `judge` raises or a fact of the draft is refused
        with, and ChatError `client_id_invalid`, `client_id_reused`, `rate_limited`, `unavailable` (the outcome is
        unknown: send it again).
        """
        check_client_id(client_id)
        digest = _digest(request)

        def claim(number: int, draft: Draft) -> Claim:
            message = draft.image.seq if draft.image else None
            return Claim(user, client_id, room.room, digest, number, message, self._claims_end(), room.generation)

        placed = self._place(room, judge, claim, seen, charge)
        if placed.before is not None and placed.before.claim is not None:
            return self._already(placed.before.claim, digest)
        if placed.draft is None:
            nothing = Claim(user, client_id, room.room, digest, 0, about, self._claims_end(), room.generation)
            return self._already(self._storage.claims.put(nothing) or nothing, digest)
        return Appended(placed.number, placed.draft.image)

    def append_together(self, room: Room, asked: Collection[Asked], judge: Judge, about: int) -> Answers:
        """Carries out the requests of several people about one message by one entry, each of them once: as `append`
        does with one. At most MAX_PROOFS, no two with the same client id of one person.

        Returns all their answers; or, when some were carried out before, only those of these, and nothing was stored:
        the others go again. Raises: what `judge` raises, and ChatError `unavailable`.
        """
        placed = self._place(room, judge, lambda number, draft: tuple(self._claims(room, asked, number, about)))
        if placed.before is not None:
            claims = {(claim.user, claim.client_id): claim for claim in placed.before.claims}
            return {
                each: self._answer(claims[each.user, each.client_id], each)
                for each in asked
                if (each.user, each.client_id) in claims
            }
        if placed.draft is None:
            return self.change_nothing(room, asked, about)
        return {each: Appended(placed.number, placed.draft.image) for each in asked}

    def change_nothing(self, room: Room, asked: Collection[Asked], about: int) -> Answers:
        """Notes that requests about a message were carried out, and that there was nothing to change; answers them."""
        answers: Answers = {}
        for each, claim in zip(asked, self._claims(room, asked, 0, about), strict=True):
            try:
                answers[each] = self._answer(self._storage.claims.put(claim) or claim, each)
            except ChatError as error:
                answers[each] = error
        return answers

    def _claims(self, room: Room, asked: Iterable[Asked], number: int, about: int) -> list[Claim]:
        ends, now = self._claims_end(), room.generation
        return [
            Claim(each.user, each.client_id, room.room, _digest(each.request), number, about, ends, now)
            for each in asked
        ]

    def _answer(self, claim: Claim, asked: Asked) -> Appended | ChatError:
        try:
            return self._already(claim, _digest(asked.request))
        except ChatError as error:
            return error

    def take_over(self, room: Room, judge: Judge, mark: Callable[[int], Mark]) -> int:
        """Appends what a change of a row that somebody put makes of the log, once, however often it is told.

        `judge` as in `append`; `mark(n)` is the proof that is stored with it. Returns the entry's number, 0 when a
        later change was taken over before or there is nothing to change. Raises: ChatError `unavailable` (tell it
        again).
        """
        placed = self._place(room, judge, lambda number, draft: mark(number))
        return placed.number if placed.draft is not None else 0

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
                    number, charge = self._numbers.propose(room, seen, charge), None  # it is paid for once
                draft = draft_under(number)
                if draft.replaces_rev is not None and number <= draft.replaces_rev:
                    self._give_up(room, number)
                    self._numbers.decided(room.room, draft.replaces_rev)
                    number = 0
                    continue
                began = time.perf_counter()
                try:
                    stored = proof(number, draft)
                    self._commits.append(draft.entry, stored, draft.image, draft.replaces_rev, draft.facts)
                except AppendRefused as refused:
                    if refused.claim or refused.overtaken:
                        if all(claim.seq != number for claim in refused.claims):
                            self._give_up(room, number)
                        return Placed(before=refused)
                    if refused.final is not None:
                        raise refused.final from None
                    if refused.slot_taken:
                        number = 0
                        self._numbers.read_head(room)
                    elif refused.changed is None:
                        self._pause(CONFLICT_PAUSE_S)
                    late = refused.changed or late
                    continue
                self._commits_s.append(time.perf_counter() - began)
                self._publish(room, draft.entry, draft.image)
                self._decided(room, number)  # behind the publish: it may write, and fail
                return Placed(number, draft)
            raise late
        except BaseException:  # also a deadline, or the end of the socket that asked
            if number:
                self._defer(self._give_up, room, number)
            raise

    def draft_change(self, old: Message, new: Message, number: int) -> Draft:
        """The draft, under that number, of the change that makes `new` of a message that is `old`."""
        entry = Entry(old.room, number, "change", self.now_ms(), message=old.seq)
        return Draft(entry, replace(new, rev=number), replaces_rev=old.rev)

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
        digest = _digest(request)
        claim = Claim(user, client_id, room.room, digest, 1, None, self._claims_end(), room.generation)
        entry = Entry(room.room, 1, "joined", self.now_ms(), user=founder.username, name=founder.name)
        try:
            self._storage.transaction.append(entry, claim, facts=(membership_fact(founder), *room_facts(room, most)))
        except AppendRefused as refused:
            if refused.claim is None:
                raise refused.final or ChatError("unavailable") from None
            self._already(refused.claim, digest)
            return refused.claim.room
        self._decided(room, 1)
        return room.room

    def _claims_end(self) -> int | None:
        return int(self._now()) + self._claims_kept_s if self._claims_kept_s is not None else None

    def _decided(self, room: Room, number: int) -> None:
        self._numbers.decided(room.room, number)
        if bucket_of(number) > room.bucket and bucket_of(number) != bucket_of(number - FIRST_OF_BUCKET):
            self._storage.rooms.raise_bucket(room.room, bucket_of(number))

    def _publish(self, room: Room, entry: Entry, image: Message | None) -> None:
        """An image that is only a part of what its row says goes to nobody: each worker reads what it understands."""
        if image is not None and image.more:
            self._bus.publish("decided", room=room.room, seq=entry.seq)
            return
        self._bus.publish(
            "entry",
            room=room.room,
            generation=room.generation,
            entry=entry.to_dict(),
            image=image.to_dict(room.generation) if image else None,
        )

    def _already(self, claim: Claim, digest: str) -> Appended:
        """Answers a request that was carried out before, and tells of its entry again: the first telling may be lost.
        Raises: ChatError `client_id_reused`, `unavailable` while its transaction is still under way."""
        if claim.digest != digest:
            raise ChatError("client_id_reused")
        if claim.seq:
            self._bus.publish("decided", room=claim.room, seq=claim.seq)
        image = None
        for _ in range(CLAIM_TRIES if claim.message else 0):
            image = self._storage.entries.images(claim.room, [claim.message or 0]).get(claim.message or 0)
            if image is not None and _proves(claim, image):
                return Appended(claim.seq, image)
            self._pause(CONFLICT_PAUSE_S)  # the claim was read beside the transaction that writes both
        if claim.message and self._is_kept(claim):
            raise ChatError("unavailable", retry_after_s=1)
        return Appended(claim.seq)

    def _is_kept(self, claim: Claim) -> bool:
        """Whether the message that a claim speaks of has to be in the table, once its transaction has ended: not when
        the room has begun anew since, from a backup that may not have it."""
        room = self._storage.rooms.get(claim.room)
        if room is None or claim.generation not in (0, room.generation):
            return False
        return (claim.message or 0) >= room.floor

    def already(self, user: str, client_id: str, request: Iterable[Any]) -> Appended | None:
        """What that request became, if it was carried out: looked up before a rule could refuse what was done long ago.

        Raises: ChatError `client_id_reused`, `client_id_invalid`.
        """
        check_client_id(client_id)
        claim = self._storage.claims.get(user, client_id)
        return self._already(claim, _digest(request)) if claim else None

    def _give_up(self, room: Room, number: int) -> None:
        """Decides a number that is no longer wanted, so that nobody waits for it. Left to the followers when that
        fails."""
        try:
            self.settle(room, number)
        except ChatError:
            log.warning("%s/%d is left undecided for now", room.room, number)

    def settle(self, room: Room, number: int) -> None:
        """Makes sure that this number is decided: a tombstone, unless an entry has it. Raises: ChatError
        `unavailable`."""
        at_ms = self.now_ms()
        if self._storage.entries.tombstone(room.room, number, at_ms):
            self._decided(room, number)
            self._publish(room, Entry(room.room, number, "tombstone", at_ms), None)


def _proves(claim: Claim, image: Message) -> bool:
    """Whether that is the message of which a claim speaks, as it was after the request or later; not one that has its
    number since the room began anew."""
    sent = claim.seq == claim.message
    return image.rev >= claim.seq and (not sent or (image.author, image.client_id) == (claim.user, claim.client_id))


def check_client_id(client_id: object) -> None:
    """Raises: ChatError `client_id_invalid` unless it is one."""
    if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id):
        raise ChatError("client_id_invalid")


def _digest(request: Iterable[Any]) -> str:
    """The hash that tells whether two requests with one client id ask for the same, in whatever version: a request must
    be known again by the next one. So a field that comes later is a pair, (name, value), and without a value nothing.
    """
    asked = [part for part in request if not (isinstance(part, tuple) and part[1] is None)]
    canonical = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:32]
