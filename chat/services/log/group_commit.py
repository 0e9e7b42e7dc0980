"""Entries that are stored together. One alone goes at once; what comes while a call is under way shares the next.

A transaction of fifty messages costs a worker, the wire and DynamoDB's door a fraction of fifty transactions, and
nobody waits for company: the busier it is, the more there is to share (docs/decisions/0018-group-commit.md).
"""

from __future__ import annotations

from typing import Any

import gevent
from gevent.event import Event

from chat.services.runtime.deadline import deadline
from chat.services.storage.storage import Storage
from chat.services.storage.transaction import MAX_ITEMS, Append

PATIENCE_S = 0.05  # so long one waits for a call of others; then a further call goes beside it


class Pending:
    """An append on its way, and how it ended: `error` is None when it was stored."""

    def __init__(self, append: Append):
        self.append = append
        self.error: Exception | None = None
        self.ended = Event()

    def end(self, error: Exception | None) -> None:
        """Tells whoever waits for it."""
        self.error = error
        self.ended.set()


class GroupCommit:
    """The appends of one worker."""

    def __init__(self, storage: Storage):
        self._storage = storage
        self._waiting: list[Pending] = []
        self._under_way = 0

    def append(self, *args: Any, **kwargs: Any) -> None:
        """As Transaction.append, which see: each meets its own conditions and none of another's.

        Whoever is interrupted takes back what has not left yet; of what has, the outcome is unknown.
        """
        pending = Pending(Append(*args, **kwargs))
        if self._under_way or self._waiting:
            self._wait_for(pending)
        else:
            try:
                self._commit_batch([pending])
            finally:
                self._commit_soon()
        if pending.error is not None:
            raise pending.error

    def _wait_for(self, pending: Pending) -> None:
        self._waiting.append(pending)
        try:
            if not pending.ended.wait(PATIENCE_S) and pending in self._waiting:
                gevent.spawn(self._commit_waiting)
            pending.ended.wait()
        finally:
            if pending in self._waiting:
                self._waiting.remove(pending)

    def _commit_soon(self) -> None:
        if self._waiting and not self._under_way:
            gevent.spawn(self._commit_waiting)

    def _commit_waiting(self) -> None:
        """Carries all that waits, in as few calls as hold it."""
        while self._waiting:
            batch = self._next_batch()
            try:
                with deadline():
                    self._commit_batch(batch)
            except Exception as error:
                for pending in batch:
                    pending.end(error)

    def _next_batch(self) -> list[Pending]:
        """Takes as many of those that wait as one transaction holds, in which no item may stand twice."""
        batch: list[Pending] = []
        items: set[tuple[str, ...]] = set()
        for pending in self._waiting:
            its_own = pending.append.items
            if len(items) + len(its_own) > MAX_ITEMS:
                break
            if items.isdisjoint(its_own):
                items |= its_own
                batch.append(pending)
        self._waiting = [pending for pending in self._waiting if pending not in batch]
        return batch

    def _commit_batch(self, batch: list[Pending]) -> None:
        """One call, and what it says to each, in the order of their numbers, which is that of a room's entries."""
        self._under_way += 1
        try:
            ends = self._storage.transaction.append_each([pending.append for pending in batch])
        finally:
            self._under_way -= 1
        for pending, end in sorted(zip(batch, ends, strict=True), key=lambda pair: pair[0].append.entry.seq):
            pending.end(end)
