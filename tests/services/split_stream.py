"""A stream whose shards end and split while it is read, as AWS's do and no emulator's: its client's three calls."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chat.services.storage.values import pack

ARN = "arn:aws:dynamodb:eu-west-1:000000000000:table/messages/stream/2026-01-01T00:00:00.000"
KEYS = 64


@dataclass
class Shard:
    """Records of the keys from `low` to below `high`; `closed` when its children have taken over."""

    id: str
    parent: str | None
    low: int
    high: int
    records: list[dict[str, Any]] = field(default_factory=list)
    trimmed: int = 0  # of its records, the oldest so many are gone
    closed: bool = False


class SplitStream:
    """Takes the place of boto3's client of DynamoDB Streams. Deals a few records a call; fails when told to."""

    def __init__(self, dice: random.Random):
        self._dice = dice
        self.shards = [Shard("shard-0", None, 0, KEYS)]
        self._number = self._made = 0
        self.expire = 0.0  # the chance that an iterator has expired
        self.throttle = 0.0  # the chance that a call is throttled

    def record(self, key: int, event: str, room: str, row_id: str, image: dict[str, Any] | None) -> None:
        """A change of the row that lives under this key of the stream."""
        self._number += self._dice.randrange(1, 1_000)
        shard = next(s for s in self.shards if not s.closed and s.low <= key < s.high)
        told = {"Keys": pack({"room": room, "id": row_id}), "SequenceNumber": str(self._number)}
        if image is not None:
            told["NewImage"] = pack(image)
        shard.records.append({"eventName": event, "dynamodb": told})

    def split(self) -> None:
        """Ends an open shard: two children take its keys, or one does."""
        shard = self._dice.choice([s for s in self.shards if not s.closed])
        shard.closed = True
        middle = (shard.low + shard.high) // 2
        cuts = [(shard.low, middle), (middle, shard.high)] if shard.high - shard.low > 1 else [(shard.low, shard.high)]
        for low, high in cuts if self._dice.random() < 0.7 else [(shard.low, shard.high)]:
            self._made += 1
            self.shards.append(Shard(f"shard-{self._made}", shard.id, low, high))

    def trim(self) -> None:
        """Forgets what is old: whole shards at the beginning, and half of the records of the first that stays."""
        while len(self.shards) > 2 and self.shards[0].closed:
            self.shards.pop(0)
        self.shards[0].trimmed = len(self.shards[0].records) // 2

    # --- the client -----------------------------------------------------------------------------------------------

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str = "") -> dict[str, Any]:
        self._maybe_throttled()
        ids = [shard.id for shard in self.shards]
        begin = ids.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        page = self.shards[begin : begin + 3]
        described: dict[str, Any] = {
            "Shards": [{"ShardId": s.id} | ({"ParentShardId": s.parent} if s.parent else {}) for s in page]
        }
        if begin + 3 < len(self.shards):
            described["LastEvaluatedShardId"] = page[-1].id
        return {"StreamDescription": described}

    def get_shard_iterator(
        self, StreamArn: str, ShardId: str, ShardIteratorType: str, SequenceNumber: str = ""
    ) -> dict[str, Any]:
        self._maybe_throttled()
        shard = self._shard(ShardId)
        if ShardIteratorType == "TRIM_HORIZON":
            return {"ShardIterator": f"{ShardId}/{shard.trimmed}"}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in shard.records]
        at = numbers.index(SequenceNumber) + 1
        if at < shard.trimmed:
            raise _error("TrimmedDataAccessException")
        return {"ShardIterator": f"{ShardId}/{at}"}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:
        self._maybe_throttled()
        if self._dice.random() < self.expire:
            raise _error("ExpiredIteratorException")
        shard_id, _, at = ShardIterator.partition("/")
        shard = self._shard(shard_id)
        if int(at) < shard.trimmed:
            raise _error("TrimmedDataAccessException")
        found = shard.records[int(at) : int(at) + self._dice.randrange(1, 5)]
        answer: dict[str, Any] = {"Records": found}
        end = int(at) + len(found)
        if not (shard.closed and end == len(shard.records)):
            answer["NextShardIterator"] = f"{shard_id}/{end}"
        return answer

    def _shard(self, shard_id: str) -> Shard:
        found = next((s for s in self.shards if s.id == shard_id), None)
        if found is None:
            raise _error("ResourceNotFoundException")
        return found

    def _maybe_throttled(self) -> None:
        if self._dice.random() < self.throttle:
            raise _error("LimitExceededException")


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "operation")
