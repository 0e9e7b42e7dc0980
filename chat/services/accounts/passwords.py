"""Passwords: what is accepted, and hashing them without stalling everybody else."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import bcrypt

from chat.errors import ChatError

if TYPE_CHECKING:
    from chat.services.runtime.turns import Turns, Who

MIN_CHARS = 8
SHORT_NAME_CHARS = 3  # a name this short stands in many a good password by chance
MAX_BYTES = 72  # bcrypt reads no further; bcrypt 5 raises beyond
COMMON = Path(__file__).with_name("common_passwords.txt")

log = logging.getLogger(__name__)
T = TypeVar("T")


def check(password: str, username: str) -> bytes:
    """The password's bytes, if a new account may have it. Raises: ChatError `password_length`, `password_common`."""
    try:
        raw = password.encode()
    except UnicodeEncodeError:
        raise ChatError("body_invalid") from None
    if len(password) < MIN_CHARS or len(raw) > MAX_BYTES or b"\0" in raw:
        raise ChatError("password_length")
    folded = password.casefold()
    if folded in common() or (len(username) > SHORT_NAME_CHARS and username in folded):
        raise ChatError("password_common")
    return raw


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """Passwords that are tried first by whoever guesses."""
    return frozenset(COMMON.read_text(encoding="utf-8").split())


class Passwords:
    """Hashes and checks at one cost, in a few threads, in turns that are fair between accounts and addresses (`who`:
    for whom it is done); beyond `queue` waiting ones: ChatError `busy`."""

    def __init__(self, cost: int, queue: int):
        self.cost = cost
        self._queue = queue
        self._under_way = 0
        self._dummy = bcrypt.gensalt(cost).decode() + "x" * 31  # no password's hash, and as much work to compare with
        self._pool: Any = None
        self._turns: Turns | None = None

    def refuse_if_full(self, who: Who) -> None:
        """Before anything else is done for somebody who would be refused in the end.

        Raises: ChatError `busy`.
        """
        if self._full and (self._turns is None or not self._turns.would_displace(who)):
            raise ChatError("busy", retry_after_s=2)

    def hash(self, raw: bytes, who: Who) -> str:
        """A salted hash. Raises: ChatError `busy`."""
        return self._run(lambda: bcrypt.hashpw(raw, bcrypt.gensalt(self.cost)).decode(), who)

    def matches(self, password: str, hashed: str | None, who: Who, first: Callable[[], object] | None = None) -> bool:
        """Whether the password is the one that was hashed; the same work when there is no account (`hashed` is None).

        `first` is done when it is their turn, before the work. Raises: ChatError `busy`, and what `first` raises.
        """
        raw = password.encode("utf-8", "surrogatepass")
        usable = len(raw) <= MAX_BYTES and b"\0" not in raw
        try:
            same = self._run(
                lambda: bcrypt.checkpw(raw if usable else b"x", (hashed or self._dummy).encode()), who, first
            )
        except ValueError:
            log.error("a stored password hash cannot be read")
            self._run(lambda: bcrypt.checkpw(b"x", self._dummy.encode()), who)
            return False
        return same and usable and hashed is not None

    def is_weak(self, hashed: str) -> bool:
        """Whether the hash was made at a lower cost than today's."""
        try:
            return int(hashed.split("$")[2]) < self.cost
        except (IndexError, ValueError):
            return False

    @property
    def _full(self) -> bool:
        return self._under_way >= self._queue

    def _run(self, work: Callable[[], T], who: Who, first: Callable[[], object] | None = None) -> T:
        """In a worker: in one of max(1, cores - 1) threads, so that others go on (bcrypt lets go of the GIL)."""
        gevent = sys.modules.get("gevent.monkey")
        if gevent is None or not gevent.is_module_patched("threading"):
            if first is not None:
                first()
            return work()
        from chat.services.runtime.deadline import unhurried

        turns, full = self._begin(), self._full
        self._under_way += 1
        try:
            with unhurried():  # the queue is bounded, and fair
                turns.take(who, full)
            hashing = self._hashing(turns, work, first)
            with unhurried():
                return cast(T, hashing.get())
        finally:
            self._under_way -= 1

    def _hashing(self, turns: Turns, work: Callable[[], T], first: Callable[[], object] | None) -> Any:
        """The work, begun in a turn that ends with it: who waits for it may be interrupted, the thread goes on."""
        try:
            if first is not None:
                first()
            hashing = self._pool.spawn(work)
        except BaseException:
            turns.end()
            raise
        hashing.rawlink(lambda _: turns.end())
        return hashing

    def _begin(self) -> Turns:
        if self._turns is None:
            from gevent.threadpool import ThreadPool

            from chat.services.runtime.turns import Turns

            threads = max(1, (os.cpu_count() or 2) - 1)
            self._pool, self._turns = ThreadPool(threads), Turns(threads)
        return self._turns
