"""A lock for each of many names: what a crowd asks for at once is read once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

try:
    from gevent.lock import BoundedSemaphore
except ImportError:  # a Lambda function has no greenlets
    from threading import BoundedSemaphore


class KeyedLock:
    """`with reading(name): …` lets one in at a time for each name, or `many`; whoever waited looks first whether it is
    done.

    Names that nobody asks for cost nothing.
    """

    def __init__(self, many: int = 1) -> None:
        self._many = many
        self._locks: dict[Hashable, tuple[BoundedSemaphore, list[None]]] = {}

    @contextmanager
    def __call__(self, name: Hashable) -> Iterator[None]:
        lock, users = self._locks.setdefault(name, (BoundedSemaphore(self._many), []))
        users.append(None)
        try:
            with lock:
                yield
        finally:
            users.pop()
            if not users:
                self._locks.pop(name, None)
