"""A bound on how long a person waits: storage that hangs is answered for, not waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent.local import local

from chat.errors import ChatError
from chat.services.runtime.budget import ANSWER_WITHIN_S
from chat.services.runtime.outages import LATE

__all__ = ["ANSWER_WITHIN_S", "deadline", "unhurried"]


class Running(local):
    """The deadlines around what a greenlet does, the innermost last."""

    def __init__(self) -> None:
        self.deadlines: list[Deadline] = []


class Deadline:
    """A timeout that can stand still."""

    def __init__(self, seconds: float):
        self._left_s = seconds
        self.go()

    def go(self) -> None:
        """It runs, for what is left of it."""
        self._since = time.monotonic()
        self.timeout = gevent.Timeout(max(self._left_s, 0.001))
        self.timeout.start()

    def stand(self) -> None:
        """It stands still."""
        self.timeout.close()
        self._left_s -= time.monotonic() - self._since


_running = Running()


@contextmanager
def deadline(seconds: float = ANSWER_WITHIN_S) -> Iterator[None]:
    """Ends the block with ChatError `unavailable` when it takes longer: the outcome of what it began is unknown.

    The greenlet is interrupted where it waits, with a BaseException, so that no library takes it for an answer that it
    might try again. Without effect where nothing yields (commands, Lambda functions: chat/services/runtime/budget.py).
    """
    running = Deadline(seconds)
    _running.deadlines.append(running)
    try:
        yield
    except gevent.Timeout as fired:
        if fired is not running.timeout:
            raise
        LATE.failed("what they ask for takes longer than they may")
        raise ChatError("unavailable", retry_after_s=1) from fired
    finally:
        running.timeout.close()
        _running.deadlines.remove(running)


@contextmanager
def unhurried() -> Iterator[None]:
    """The deadlines around this block stand still in it: for a wait that is bounded by itself."""
    standing = list(_running.deadlines)
    for each in standing:
        each.stand()
    try:
        yield
    finally:
        for each in standing:
            each.go()
