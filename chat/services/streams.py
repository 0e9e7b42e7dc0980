"""DynamoDB Streams: the second module that knows boto3, with a client of its own, so that reading the stream cannot
starve what people do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chat.config import Config
from chat.errors import ChatError
from chat.services import endpoint, rows
from chat.services.ingest import DIGITS, Change, Row
from chat.services.items import texts
from chat.services.outages import DYNAMODB, words

BATCH = 200
TTL = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


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


def label(arn: str) -> str:
    """The part of a stream's ARN that tells it from others of the table: when it was made, the later the greater."""
    return arn.rpartition("/")[2]


def read_record(arn: str, record: dict[str, Any]) -> Change:
    """A record of a stream as a change; as Lambda functions get them, too."""
    told = record["dynamodb"]
    key = {name: value["S"] for name, value in told["Keys"].items()}
    by = record.get("userIdentity") or {}
    return Change(
        kind=record["eventName"],
        room=key["room"],
        id=key["id"],
        row=_foreign(key, told.get("NewImage")),
        number=str(told["SequenceNumber"]).zfill(DIGITS),
        stream=label(arn),
        by_ttl={name[0].upper() + name[1:]: value for name, value in by.items()} == TTL,
        before=_foreign(key, told.get("OldImage")),
    )


def _foreign(key: dict[str, str], image: dict[str, Any] | None) -> Row | None:
    """What a row says that others put, None for one of the app's own."""
    return texts(image, rows.SAID) if image is not None and "#" not in key["room"] else None
