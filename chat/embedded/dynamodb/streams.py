"""DynamoDB Streams: one shard for a table's stream, in the order of the commits."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from chat.embedded.dynamodb.errors import ApiError, invalid
from chat.embedded.dynamodb.store import REGION, Store

KEPT_S = 24 * 3600
ITERATOR_S = 15 * 60
MAX_RECORDS, MAX_BYTES = 1000, 1024 * 1024
MAX_SEQUENCE = 2**63 - 1
SHARD = "shardId-00000000000000000001-00000001"


class Streams:
    """The operations; records survive as the items do, because they are written in the same commit."""

    def __init__(self, store: Store):
        self._store = store

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListStreams"""
        rows = self._store.reader.execute("SELECT arn, name FROM streams ORDER BY arn").fetchall()
        wanted, after = request.get("TableName"), request.get("ExclusiveStartStreamArn", "")
        found = [
            {"StreamArn": arn, "TableName": name, "StreamLabel": arn.rpartition("/")[2]}
            for arn, name in rows
            if wanted in (None, name) and arn > after
        ]
        limit = min(request.get("Limit", 100), 100)
        answer: dict[str, Any] = {"Streams": found[:limit]}
        if len(found) > limit:
            answer["LastEvaluatedStreamArn"] = found[limit - 1]["StreamArn"]
        return answer

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeStream"""
        arn = self._arn(request)
        name, view = self._store.reader.execute(
            "SELECT name, description FROM streams WHERE arn = ?", (arn,)
        ).fetchone()
        numbers: dict[str, str] = {"StartingSequenceNumber": _sequence(1)}
        open_ = self._is_open(arn)
        if not open_:
            numbers["EndingSequenceNumber"] = _sequence(self._last(arn))
        shards = [{"ShardId": SHARD, "SequenceNumberRange": numbers}]
        if request.get("ExclusiveStartShardId", "") >= SHARD:
            shards = []
        description = {
            "StreamArn": arn,
            "StreamLabel": arn.rpartition("/")[2],
            "StreamStatus": "ENABLED" if open_ else "DISABLED",
            "StreamViewType": view,
            "TableName": name,
            "Shards": shards,
        }
        return {"StreamDescription": description}

    def iterator(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetShardIterator"""
        arn, kind = self._arn(request), request.get("ShardIteratorType")
        if request.get("ShardId") != SHARD:
            raise ApiError("ResourceNotFoundException", f"Requested resource not found: Shard {request.get('ShardId')}")
        if kind == "TRIM_HORIZON":
            after = 0
        elif kind == "LATEST":
            after = self._last(arn)
        else:
            number = request.get("SequenceNumber", "")
            if not number.isdecimal() or len(number) > len(_sequence(0)) or int(number) > MAX_SEQUENCE:
                raise invalid("SequenceNumber must be given, and be one of a record")
            after = int(number) - (kind == "AT_SEQUENCE_NUMBER")
            if after < self._first(arn) - 1:
                raise ApiError(
                    "TrimmedDataAccessException", f"The operation attempted to read past the oldest record: {number}"
                )
        return {"ShardIterator": _iterator(arn, after)}

    def records(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetRecords"""
        arn, after, made_at = _read_iterator(request.get("ShardIterator"))
        if time.time() - made_at > ITERATOR_S:
            raise ApiError("ExpiredIteratorException", "The shard iterator has expired")
        limit = min(request.get("Limit", MAX_RECORDS), MAX_RECORDS)
        rows = self._store.reader.execute(
            "SELECT sequence, at, record FROM records WHERE arn = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (arn, after, limit),
        )
        found: list[dict[str, Any]] = []
        size = 0
        for sequence, at, text in rows:
            size += len(text)
            if found and size > MAX_BYTES:
                break
            record = json.loads(text)
            record["dynamodb"] |= {"SequenceNumber": _sequence(sequence), "ApproximateCreationDateTime": int(at)}
            found.append(
                {
                    "eventID": f"{sequence:032x}",
                    "eventVersion": "1.1",
                    "eventSource": "aws:dynamodb",
                    "awsRegion": REGION,
                    **record,
                }
            )
            after = sequence
        answer: dict[str, Any] = {"Records": found}
        if self._is_open(arn) or self._has_more(arn, after):
            answer["NextShardIterator"] = _iterator(arn, after)
        return answer

    def _arn(self, request: dict[str, Any]) -> str:
        arn = request.get("StreamArn", "")
        if not self._store.reader.execute("SELECT 1 FROM streams WHERE arn = ?", (arn,)).fetchone():
            raise ApiError("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
        return str(arn)

    def _is_open(self, arn: str) -> bool:
        name = arn.split("/")[1]
        table = self._store.table(name) if name in self._store.table_names() else None
        return table is not None and table.stream_arn == arn and bool(table.stream_view)

    def _has_more(self, arn: str, after: int) -> bool:
        row = self._store.reader.execute("SELECT 1 FROM records WHERE arn = ? AND sequence > ?", (arn, after))
        return row.fetchone() is not None

    def _last(self, arn: str) -> int:
        row = self._store.reader.execute("SELECT max(sequence) FROM records WHERE arn = ?", (arn,)).fetchone()
        return row[0] or self._trimmed_upto()

    def _first(self, arn: str) -> int:
        row = self._store.reader.execute("SELECT min(sequence) FROM records WHERE arn = ?", (arn,)).fetchone()
        return row[0] or self._trimmed_upto() + 1

    def _trimmed_upto(self) -> int:
        """The last number given out at all: what a stream without records has come to."""
        row = self._store.reader.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
        return row[0] if row else 0


def _sequence(number: int) -> str:
    return f"{number:021d}"


def _iterator(arn: str, after: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([arn, after, time.time()]).encode()).decode()


def _read_iterator(text: Any) -> tuple[str, int, float]:
    try:
        arn, after, made_at = json.loads(base64.urlsafe_b64decode(text))
        return str(arn), min(int(after), MAX_SEQUENCE), float(made_at)
    except (ValueError, TypeError, OverflowError):
        raise invalid("Invalid ShardIterator") from None
