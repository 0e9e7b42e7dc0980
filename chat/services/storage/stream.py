"""DynamoDB Streams: the second module that knows boto3, with a client of its own, so that reading the stream cannot
starve what people do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chat.config import Config
from chat.errors import ChatError
from chat.services.runtime.outages import DYNAMODB, words
from chat.services.storage.changes import Change, read_record
from chat.services.storage.wire import endpoint

BATCH = 200


class Trimmed(Exception):
    """What comes after that position is no longer in the stream."""


class Expired(Exception):
    """The iterator is too old, or the shard is gone: ask for another one."""


@dataclass(frozen=True)
class Shard:
    """A part of a stream; `parent` has everything that was before."""

    id: str
    parent: str | None


@dataclass(frozen=True)
class Batch:
    """Changes of one shard, in order. `iterator` leads on, and is None at the shard's end; `last` is the position of
    the last record, None when there is none."""

    changes: list[Change]
    last: str | None
    iterator: str | None


class Streams:
    """Reads one table's stream. Raises ChatError `unavailable` when it does not answer, throttles or fails."""

    def __init__(self, client: Any):
        self._client = client

    @classmethod
    def connect(cls, config: Config) -> Streams:
        """On `config.dynamodb_endpoint`, or on AWS."""
        return cls(endpoint.connect(config.aws_region, config.dynamodb_endpoint or None, 1, "dynamodbstreams"))

    def shards(self, arn: str) -> list[Shard]:
        """The shards of a stream that there are now."""
        found: list[Shard] = []
        request: dict[str, Any] = {"StreamArn": arn}
        while True:
            described = self._call("describe_stream", **request)["StreamDescription"]
            found += [Shard(shard["ShardId"], shard.get("ParentShardId")) for shard in described["Shards"]]
            if "LastEvaluatedShardId" not in described:
                return found
            request["ExclusiveStartShardId"] = described["LastEvaluatedShardId"]

    def iterator(self, arn: str, shard: str, after: str | None) -> str:
        """Leads to what follows a position, or to the oldest that there is. Raises: Trimmed, Expired."""
        where = (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
            if after
            else {"ShardIteratorType": "TRIM_HORIZON"}
        )
        answer = self._call("get_shard_iterator", StreamArn=arn, ShardId=shard, **where)
        return str(answer["ShardIterator"])

    def newest(self, arn: str, shard: str) -> str:
        """An iterator that leads to what comes from now on. Raises: Expired."""
        answer = self._call("get_shard_iterator", StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")
        return str(answer["ShardIterator"])

    def read(self, arn: str, iterator: str) -> Batch:
        """The next changes. Raises: Trimmed, Expired."""
        answer = self._call("get_records", ShardIterator=iterator, Limit=BATCH)
        records = answer["Records"]
        last = records[-1]["dynamodb"]["SequenceNumber"] if records else None
        return Batch([read_record(arn, record) for record in records], last, answer.get("NextShardIterator"))

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "TrimmedDataAccessException":
                raise Trimmed from error
            if code in ("ExpiredIteratorException", "ResourceNotFoundException"):
                raise Expired from error
            DYNAMODB.failed(words(error))
            raise ChatError("unavailable", retry_after_s=1) from error
        except BotoCoreError as error:
            DYNAMODB.failed(words(error))
            raise ChatError("unavailable", retry_after_s=1) from error
