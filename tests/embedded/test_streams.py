"""Streams and time to live, asked of every implementation at hand. AWS is the authority."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import wait_until
from tests.embedded.asking import INVALID, MISSING, n, refused, s
from tests.embedded.conftest import Target

ON = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
OFF = {"StreamEnabled": False}


class Stream:
    """A table with a stream, and its records."""

    def __init__(self, target: Target, view: str = "NEW_AND_OLD_IMAGES"):
        self.target = target
        self.client = target.client
        self.table = target.new_table(StreamSpecification=ON | {"StreamViewType": view})
        self.arn = self.describe()["LatestStreamArn"]

    def describe(self) -> Any:
        return self.client.describe_table(TableName=self.table)["Table"]

    def put(self, pk: str, **attributes: Any) -> None:
        self.client.put_item(TableName=self.table, Item={"pk": s(pk), **attributes})

    def switch(self, specification: dict[str, Any]) -> None:
        self.client.update_table(TableName=self.table, StreamSpecification=specification)
        self.client.get_waiter("table_exists").wait(TableName=self.table)

    def iterator(self, kind: str = "TRIM_HORIZON", **more: Any) -> str:
        (shard,) = self.target.streams.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        asked = {"StreamArn": self.arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind, **more}
        return self.target.streams.get_shard_iterator(**asked)["ShardIterator"]

    def read(self, iterator: str, **more: Any) -> Any:
        return self.target.streams.get_records(ShardIterator=iterator, **more)

    def records(self, count: int) -> list[Any]:
        """All records, when there are that many."""
        found: list[Any] = []

        def enough() -> bool:
            found[:] = self.read(self.iterator())["Records"]
            return len(found) >= count

        # AWS takes its time; whoever answers from memory has them at once or never
        wait_until(enough, 30 if self.target.name == "endpoint" else 3, f"{count} records")
        assert len(found) == count
        return found


def keys_of(records: list[Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]


@pytest.fixture
def stream(target: Target) -> Stream:
    return Stream(target)


def test_a_stream_records_what_was_and_what_is(stream: Stream) -> None:
    stream.put("a", x=n(1))
    stream.put("a", x=n(2))
    stream.client.delete_item(TableName=stream.table, Key={"pk": s("a")})
    records = stream.records(3)
    first, second, third = (record["dynamodb"] for record in records)
    old, new = {"pk": s("a"), "x": n(1)}, {"pk": s("a"), "x": n(2)}
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert first["NewImage"] == old and "OldImage" not in first
    assert (second["OldImage"], second["NewImage"]) == (old, new)
    assert third["OldImage"] == new and "NewImage" not in third
    assert keys_of(records) == ["a", "a", "a"] and "userIdentity" not in records[2]
    assert {record["eventSource"] for record in records} == {"aws:dynamodb"}
    assert len({record["eventID"] for record in records}) == 3
    numbers = [int(change["SequenceNumber"]) for change in (first, second, third)]
    assert numbers == sorted(set(numbers))
    assert abs(first["ApproximateCreationDateTime"].timestamp() - time.time()) < 60


@pytest.mark.parametrize(("view", "image"), [("KEYS_ONLY", ""), ("NEW_IMAGE", "NewImage"), ("OLD_IMAGE", "OldImage")])
def test_a_stream_has_the_images_that_were_asked_for(target: Target, view: str, image: str) -> None:
    stream = Stream(target, view)
    stream.put("a", x=n(1))
    stream.put("a", x=n(2))
    changed = stream.records(2)[1]["dynamodb"]
    assert changed.keys() & {"NewImage", "OldImage"} == ({image} if image else set())
    assert changed["StreamViewType"] == view and changed["Keys"] == {"pk": s("a")}


def test_a_write_that_changes_nothing_leaves_no_record(stream: Stream) -> None:
    key = {"TableName": stream.table, "Key": {"pk": s("a")}}
    stream.client.delete_item(**key)
    stream.put("a", x=n(1), set={"SS": ["a", "b"]})
    stream.put("a", x=n("1.0"), set={"SS": ["b", "a"]})
    stream.client.update_item(**key, UpdateExpression="SET x = :1", ExpressionAttributeValues={":1": n(1)})
    stream.client.update_item(**key, UpdateExpression="REMOVE gone")
    stream.put("b")
    assert keys_of(stream.records(2)) == ["a", "b"]


def test_every_way_of_writing_is_recorded_in_order(stream: Stream) -> None:
    client, table = stream.client, stream.table
    stream.put("put")
    client.update_item(TableName=table, Key={"pk": s("updated")})
    client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": {"pk": s("batched")}}}]})
    puts = [{"Put": {"TableName": table, "Item": {"pk": s(pk)}}} for pk in ("first", "second")]
    client.transact_write_items(TransactItems=puts)
    with pytest.raises(ClientError):
        client.put_item(TableName=table, Item={"pk": s("no")}, ConditionExpression="attribute_exists(pk)")
    keys = keys_of(stream.records(5))
    assert keys[:3] == ["put", "updated", "batched"] and set(keys[3:]) == {"first", "second"}


def test_iterators_begin_where_they_were_asked_to(stream: Stream) -> None:
    for pk in ("a", "b", "c"):
        stream.put(pk)
    number = stream.records(3)[1]["dynamodb"]["SequenceNumber"]

    def after(kind: str) -> list[str]:
        return keys_of(stream.read(stream.iterator(kind, SequenceNumber=number))["Records"])

    assert after("AT_SEQUENCE_NUMBER") == ["b", "c"]
    assert after("AFTER_SEQUENCE_NUMBER") == ["c"]


def test_a_latest_iterator_sees_what_comes_and_nothing_that_was(stream: Stream) -> None:
    stream.put("before")
    stream.records(1)
    latest = stream.iterator("LATEST")
    empty = stream.read(latest)
    assert empty["Records"] == []
    stream.put("after")
    stream.records(2)
    assert keys_of(stream.read(latest)["Records"]) == ["after"]
    assert keys_of(stream.read(empty["NextShardIterator"])["Records"]) == ["after"]


def test_records_come_in_batches_one_after_the_other(stream: Stream) -> None:
    for pk in ("a", "b", "c"):
        stream.put(pk)
    stream.records(3)
    page = stream.read(stream.iterator(), Limit=2)
    rest = stream.read(page["NextShardIterator"])
    assert keys_of(page["Records"]) == ["a", "b"]
    assert keys_of(rest["Records"]) == ["c"]
    assert stream.read(rest["NextShardIterator"])["Records"] == []


def test_a_stream_or_shard_that_is_not_there_says_so(stream: Stream) -> None:
    streams = stream.target.streams
    asked = {"StreamArn": stream.arn, "ShardId": "shardId-00000000000000000009-00000009"}
    assert refused(streams.describe_stream, StreamArn=stream.arn[:-5] + "1.234") == MISSING
    assert refused(streams.get_shard_iterator, **asked, ShardIteratorType="LATEST") == MISSING


def test_an_iterator_needs_its_number_and_is_not_made_up(stream: Stream) -> None:
    assert refused(stream.iterator, kind="AT_SEQUENCE_NUMBER") == INVALID
    assert refused(stream.read, iterator="nonsense-nonsense") == INVALID


def test_a_stream_that_was_turned_off_is_read_to_its_end_and_a_new_one_begins(stream: Stream) -> None:
    first = stream.arn
    stream.put("a")
    stream.records(1)
    stream.switch(OFF)
    assert not stream.describe().get("StreamSpecification", {}).get("StreamEnabled")
    stream.put("unseen")
    answer = stream.read(stream.iterator())
    assert keys_of(answer["Records"]) == ["a"] and "NextShardIterator" not in answer
    stream.switch(ON)
    stream.arn = stream.describe()["LatestStreamArn"]
    assert stream.arn != first
    stream.put("b")
    assert keys_of(stream.records(1)) == ["b"]
    listed = stream.target.streams.list_streams(TableName=stream.table)["Streams"]
    assert {each["StreamArn"] for each in listed} == {first, stream.arn}


def test_an_empty_stream_that_was_turned_off_ends(stream: Stream) -> None:
    Stream(stream.target).put("elsewhere")
    stream.switch(OFF)
    assert "NextShardIterator" not in stream.read(stream.iterator())


def test_a_stream_cannot_be_turned_on_or_off_twice(stream: Stream) -> None:
    again = {"TableName": stream.table, "StreamSpecification": ON}
    assert refused(stream.client.update_table, **again) == INVALID
    stream.switch(OFF)
    assert refused(stream.client.update_table, **again | {"StreamSpecification": OFF}) == INVALID


# --- time to live -------------------------------------------------------------------------------------------------

UNTIL = {"Enabled": True, "AttributeName": "until"}


def test_time_to_live_is_turned_on_once_and_described(target: Target) -> None:
    table = target.new_table()

    def described() -> Any:
        return target.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]

    assert described()["TimeToLiveStatus"] == "DISABLED"
    answer = target.client.update_time_to_live(TableName=table, TimeToLiveSpecification=UNTIL)
    assert answer["TimeToLiveSpecification"] == UNTIL
    assert described()["AttributeName"] == "until" and described()["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    assert refused(target.client.update_time_to_live, TableName=table, TimeToLiveSpecification=UNTIL) == INVALID


def test_what_expired_is_removed_by_the_service_and_recorded_as_such(target: Target) -> None:
    if target.name == "endpoint":
        pytest.skip("AWS may take days to remove what has expired")
    stream = Stream(target)
    target.client.update_time_to_live(TableName=stream.table, TimeToLiveSpecification=UNTIL)
    stream.put("young", until=n(int(time.time()) + 3600))
    stream.put("text", until=s("1"))
    stream.put("old", until=n(int(time.time()) - 60))
    removed = stream.records(4)[3]
    assert removed["eventName"] == "REMOVE" and keys_of([removed]) == ["old"]
    assert removed["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert target.client.scan(TableName=stream.table, Select="COUNT")["Count"] == 2
