"""What was carried out before: a request that comes again is known by its claim, and answered as it was the first time.

Its claim (user, `client_id`, hash of what was asked) is written by the transaction that carries it out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chat.errors import ChatError
from chat.models import Claim, Message, Room
from chat.services.bus.events import Decided
from chat.services.bus.publisher import Publisher
from chat.services.storage.storage import Storage

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CONFLICT_PAUSE_S = 0.02
CLAIM_TRIES = 25


@dataclass(frozen=True)
class Asked:
    """A person's request. `request` is everything that makes two requests the same."""

    user: str
    client_id: str
    request: tuple[Any, ...]

    @cached_property
    def digest(self) -> str:
        """What its claim says of it."""
        return digest(self.request)


@dataclass(frozen=True)
class Appended:
    """What a request became: its entry's number (0 when it changed nothing) and the snapshot of its message, if it has
    one."""

    seq: int
    snapshot: Message | None = None


Answers = dict[Asked, Appended | ChatError]


class Claims:
    """The claims of requests, and the answers they give. `now_ms` is the clock that entries know, `pause` sleeps for
    seconds; `kept_s` is how long a request is known again, None for ever."""

    def __init__(
        self,
        storage: Storage,
        bus: Publisher,
        now_ms: Callable[[], int],
        pause: Callable[[float], None],
        kept_s: int | None = None,
    ):
        self._storage = storage
        self._bus = bus
        self._now_ms = now_ms
        self._pause = pause
        self._kept_s = kept_s

    def of(self, room: Room, asked: Asked, number: int, message: int | None) -> Claim:
        """The claim of a request that becomes the entry of that number (0: it changes nothing), and speaks of that
        message."""
        ends = self._now_ms() // 1000 + self._kept_s if self._kept_s is not None else None
        return Claim(asked.user, asked.client_id, room.id, asked.digest, number, message, ends, room.generation)

    def already(self, user: str, client_id: str, request: Iterable[Any]) -> Appended | None:
        """What that request became, if it was carried out: looked up before a rule could refuse what was done long ago.

        Raises: ChatError `client_id_reused`, `client_id_invalid`.
        """
        check_client_id(client_id)
        claim = self._storage.claims.get(user, client_id)
        return self.answer(claim, Asked(user, client_id, tuple(request))) if claim else None

    def answer(self, claim: Claim, asked: Asked) -> Appended:
        """Answers a request that was carried out before, and tells of its entry again: the first telling may be lost.
        Raises: ChatError `client_id_reused`, `unavailable` while its transaction is still under way."""
        if claim.digest != asked.digest:
            raise ChatError("client_id_reused")
        if claim.seq:
            self._bus.publish(Decided(claim.room, claim.seq))
        snapshot = None
        for _ in range(CLAIM_TRIES if claim.message else 0):
            snapshot = self._storage.entries.snapshots(claim.room, [claim.message or 0]).get(claim.message or 0)
            if snapshot is not None and _proves(claim, snapshot):
                return Appended(claim.seq, snapshot)
            self._pause(CONFLICT_PAUSE_S)  # the claim was read beside the transaction that writes both
        if claim.message and self._is_kept(claim):
            raise ChatError("unavailable", retry_after_s=1)
        return Appended(claim.seq)

    def answer_each(self, claims: Iterable[Claim], asked: Iterable[Asked]) -> Answers:
        """Answers those of these requests that have a claim among these."""
        found = {(claim.user, claim.client_id): claim for claim in claims}
        return {
            each: self._answer_or_error(found[each.user, each.client_id], each)
            for each in asked
            if (each.user, each.client_id) in found
        }

    def change_nothing(self, room: Room, asked: Asked, about: int | None) -> Appended:
        """Notes that a request about a message was carried out, and that there was nothing to change; answers it.
        Raises: ChatError as `answer` does."""
        claim = self.of(room, asked, 0, about)
        return self.answer(self._storage.claims.put(claim) or claim, asked)

    def change_nothing_for_each(self, room: Room, asked: Collection[Asked], about: int) -> Answers:
        """The same for several requests; an error is the answer to its own."""
        answers: Answers = {}
        for each in asked:
            try:
                answers[each] = self.change_nothing(room, each, about)
            except ChatError as error:
                answers[each] = error
        return answers

    def _answer_or_error(self, claim: Claim, asked: Asked) -> Appended | ChatError:
        try:
            return self.answer(claim, asked)
        except ChatError as error:
            return error

    def _is_kept(self, claim: Claim) -> bool:
        """Whether the message that a claim speaks of has to be in the table, once its transaction has ended: not when
        the room has begun anew since, from a backup that may not have it."""
        room = self._storage.rooms.get(claim.room)
        if room is None or claim.generation not in (0, room.generation):
            return False
        return (claim.message or 0) >= room.floor


def _proves(claim: Claim, snapshot: Message) -> bool:
    """Whether that is the message of which a claim speaks, as it was after the request or later; not one that has its
    number since the room began anew."""
    sent = claim.seq == claim.message
    return snapshot.rev >= claim.seq and (
        not sent or (snapshot.author, snapshot.client_id) == (claim.user, claim.client_id)
    )


def check_client_id(client_id: object) -> None:
    """Raises: ChatError `client_id_invalid` unless it is one."""
    if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id):
        raise ChatError("client_id_invalid")


def digest(request: Iterable[Any]) -> str:
    """The hash that tells whether two requests with one client id ask for the same, in whatever version: a request must
    be known again by the next one. So a field that comes later is a pair, (name, value), and without a value nothing.
    """
    asked = [part for part in request if not (isinstance(part, tuple) and part[1] is None)]
    canonical = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:32]
