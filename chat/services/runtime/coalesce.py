"""What many ask for in one turn of the event loop is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import gevent
from gevent.event import Event

T = TypeVar("T")


class Batch:
    """Those who came in one turn: what they ask for, and what came of it when `over` is set."""

    def __init__(self) -> None:
        self.items: dict[Any, None] = {}
        self.over = Event()
        self.answered = False
        self.answer: Any = None
        self.error: Exception | None = None


class Coalescer:
    """`coalesce(name, item, ask)` answers `ask(items)`: the items of all who came by that name in this turn.

    The first of them waits for the end of the turn and asks; so nobody is answered by what was read before they came.
    A failure (Exception) is everybody's. Whoever asks may be interrupted by a deadline of its own: then the others ask
    again.
    """

    def __init__(self) -> None:
        self._gathering: dict[Hashable, Batch] = {}

    def __call__(self, name: Hashable, item: Hashable, ask: Callable[[list[Any]], T]) -> T:
        while (batch := self._gathering.get(name)) is not None:
            batch.items[item] = None
            batch.over.wait()
            if batch.error is not None:
                raise batch.error
            if batch.answered:
                found: T = batch.answer
                return found
        return self._ask(name, item, ask)

    def _ask(self, name: Hashable, item: Hashable, ask: Callable[[list[Any]], T]) -> T:
        batch = self._gathering[name] = Batch()
        batch.items[item] = None
        try:
            try:
                gevent.sleep(0)
            finally:
                del self._gathering[name]
            answer = batch.answer = ask(list(batch.items))
            batch.answered = True
        except Exception as error:
            batch.error = error
            raise
        finally:
            batch.over.set()
        return answer
