"""The stream of the table `messages`: every write in order, and a reader of one process."""

from __future__ import annotations

from typing import Any

from chat.errors import ChatError
from chat.services.storage.changes import DIGITS, Change, label
from chat.services.storage.external import is_own
from chat.services.storage.stream import BATCH, Batch, Shard
from chat.services.storage.values import unpack
from tests.model.network import DYNAMODB_TIMEOUT_S, LOST, Network
from tests.model.tables import STREAM_ARN, Item, Place, Tables

SHARD = "shard-1"


class Stream:
    """One shard that is never trimmed."""

    def __init__(self, tables: Tables):
        self.changes: list[Change] = []
        tables.watchers.append(self._written)

    @property
    def end(self) -> str:
        """The position of the last change, empty when there is none."""
        return str(len(self.changes)) if self.changes else ""

    def _written(self, place: Place, old: Item | None, new: Item | None) -> None:
        table, room, row_id = place
        if table == "messages":
            kind: Any = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
            before, row = (unpack(i) if i is not None and not is_own(room) else None for i in (old, new))
            number = str(len(self.changes) + 1).zfill(DIGITS)
            self.changes.append(Change(kind, room, row_id, row, number, label(STREAM_ARN), before=before))

    def read(self, position: int) -> Batch:
        """What follows a position; the iterator of the answer is the next."""
        found = self.changes[position : position + BATCH]
        after = position + len(found)
        return Batch(found, str(after) if found else None, str(after))


class Reader:
    """chat.services.storage.stream.Streams of one process."""

    def __init__(self, network: Network, stream: Stream):
        self._network = network
        self._stream = stream

    def shards(self, arn: str) -> list[Shard]:
        return self._ask(lambda: [Shard(SHARD, None)])

    def iterator(self, arn: str, shard: str, after: str | None) -> str:
        return self._ask(lambda: after or "0")

    def read(self, arn: str, iterator: str) -> Batch:
        return self._ask(lambda: self._stream.read(int(iterator)))

    def _ask(self, work: Any) -> Any:
        answer = self._network.exchange(lambda reply: reply(work()), DYNAMODB_TIMEOUT_S)
        if answer is LOST:
            raise ChatError("unavailable", retry_after_s=1)
        return answer
