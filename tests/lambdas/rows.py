"""Rows that somebody puts into `messages`, and what DynamoDB tells a function of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3

from chat.config import Config
from tests.lambdas.conftest import Handler


@dataclass
class Rows:
    """The producer's end, by boto3, and the event source mapping's: `tell` hands over what is new in the stream."""

    config: Config
    handler: Handler
    told: int = 0

    def _client(self, service: str) -> Any:
        return boto3.client(service, region_name=self.config.aws_region, endpoint_url=self.config.dynamodb_endpoint)

    @property
    def table(self) -> str:
        return f"{self.config.table_prefix}messages"

    def put(self, row_id: str, **row: str) -> None:
        item = {name: {"S": value} for name, value in {"room": "general", "id": row_id, **row}.items()}
        self._client("dynamodb").put_item(TableName=self.table, Item=item)

    def delete(self, row_id: str) -> None:
        key = {"room": {"S": "general"}, "id": {"S": row_id}}
        self._client("dynamodb").delete_item(TableName=self.table, Key=key)

    def records(self) -> list[dict[str, Any]]:
        """All that the stream has, as a function gets it."""
        streams = self._client("dynamodbstreams")
        arn = self._client("dynamodb").describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        found = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            where = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = streams.get_shard_iterator(**where)["ShardIterator"]
            while iterator:
                answer = streams.get_records(ShardIterator=iterator)
                found += answer["Records"]
                iterator = answer.get("NextShardIterator") if answer["Records"] else None
        return [record | {"eventSourceARN": arn} for record in found]

    def tell(self) -> dict[str, Any]:
        """The function's answer to what is new."""
        records = self.records()
        new, self.told = records[self.told :], len(records)
        return self.handler({"Records": new}, None)
