"""Work that would stand in the hub's way, done in threads of its own: C that takes more than 5 ms, and files.

The work itself knows nothing of greenlets: no sockets, no locks, no log, which are gevent's in a worker and would make
a hub in the thread. What a stranger's bytes could crash belongs into a child (chat/services/runtime/child.py).
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gevent.event import Event
from gevent.threadpool import ThreadPool

from chat.errors import ChatError

NOBODY = ""  # for whom work is that is nobody's in particular: only the bounds for all hold for it
T = TypeVar("T")


class Busy(ChatError):
    """ChatError `busy`: there is no place for it now."""

    def __init__(self) -> None:
        super().__init__("busy", retry_after_s=2)


class Late(Busy):
    """ChatError `busy`: it was not done in time."""


@dataclass(eq=False)
class Waiting:
    """Somebody's wish for a place, until `called`."""

    who: str
    called: Event = field(default_factory=Event)


class Places:
    """So many places at something scarce, and a queue of an end before them.

    Each `who` is served in turn, and has at most half of the places and half of the queue: one whose work hangs leaves
    room for others.
    """

    def __init__(self, places: int, queue: int):
        self._free = places
        self._queue = queue
        self._most_places, self._most_waiting = (places + 1) // 2, (queue + 1) // 2
        self._at_it: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()  # whoever was served last stands last

    def take(self, who: str, until: float) -> None:
        """Returns when there is a place for them, which `leave` gives back. Raises: Busy; Late after `until`, in the
        time of `time.monotonic`."""
        if self._may_begin(who) and who not in self._waiting:
            self._begin(who)
            return
        waiting = self._wait(who)
        try:
            called = waiting.called.wait(max(0.0, until - time.monotonic()))
        except BaseException:
            self._give_up(waiting)
            raise
        if not called:
            self._give_up(waiting)
            raise Late

    def leave(self, who: str) -> None:
        """A place of theirs is free."""
        self._free += 1
        self._at_it[who] -= 1
        self._at_it += Counter()  # without those who have none
        self._call()

    def _may_begin(self, who: str) -> bool:
        return self._free > 0 and (who == NOBODY or self._at_it[who] < self._most_places)

    def _begin(self, who: str) -> None:
        self._free -= 1
        self._at_it[who] += 1

    def _wait(self, who: str) -> Waiting:
        theirs = len(self._waiting.get(who, ()))
        full = sum(map(len, self._waiting.values())) >= self._queue
        if full or (who != NOBODY and theirs >= self._most_waiting):
            raise Busy
        waiting = Waiting(who)
        self._waiting.setdefault(who, deque()).append(waiting)
        return waiting

    def _give_up(self, waiting: Waiting) -> None:
        if waiting.called.is_set():  # in this very moment
            self.leave(waiting.who)
        else:
            self._drop(waiting)

    def _drop(self, waiting: Waiting) -> None:
        theirs = self._waiting[waiting.who]
        theirs.remove(waiting)
        if not theirs:
            del self._waiting[waiting.who]

    def _call(self) -> None:
        while (who := next(filter(self._may_begin, self._waiting), None)) is not None:
            waiting = self._waiting[who][0]
            self._waiting.move_to_end(who)
            self._drop(waiting)
            self._begin(who)
            waiting.called.set()


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What work came to: a value, or what it raised."""

    value: T | None
    error: BaseException | None = None

    @classmethod
    def of(cls, work: Callable[[], T]) -> Outcome[T]:
        try:
            return cls(work())
        except BaseException as error:  # the hub would print what a thread raises
            return cls(None, error)


class Pool:
    """`threads` threads, begun with the first work, and room for `queue` that wait for one. For one hub's greenlets;
    gevent need not be patched in."""

    def __init__(self, threads: int, queue: int):
        self._threads = threads
        self._places = Places(threads, queue)
        self._pool: Any = None

    def run(self, work: Callable[[], T], within_s: float, who: str = NOBODY) -> T:
        """What the work returns, or raises; the hub goes on meanwhile.

        Raises: Busy when the queue is full, or their half of it; Late when it is not done `within_s`. Work that has
        not begun by then never will; work that has goes on unheard, and keeps its thread until it ends.
        """
        until = time.monotonic() + within_s
        self._places.take(who, until)
        running = self._begin(work, who)
        running.wait(max(0.0, until - time.monotonic()))
        if not running.ready():
            raise Late
        outcome: Outcome[T] = running.get()
        if outcome.error is not None:
            raise outcome.error
        return outcome.value  # type: ignore[return-value]

    def _begin(self, work: Callable[[], T], who: str) -> Any:
        try:
            if self._pool is None:
                self._pool = ThreadPool(self._threads)
            running = self._pool.spawn(Outcome.of, work)
        except BaseException:
            self._places.leave(who)
            raise
        running.rawlink(lambda _: self._places.leave(who))
        return running
