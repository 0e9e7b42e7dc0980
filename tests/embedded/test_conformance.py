"""What AWS documents, asked of the engine, of moto, and of DDB_CONFORMANCE_ENDPOINT where that is set.

AWS is the authority. Where another is known to differ, DIFFERS says how, and the case must then fail for it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import uuid
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.embedded.engine import start_engine

# target → case → how it differs from AWS.
DIFFERS = {
    "moto": {
        "SET #x = :v": "answers an undefined name with a 500",
        "s > :five": "answers a comparison of text with a number with a 500",
    }
}
Item = dict[str, Any]


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    engine = start_engine(tmp_path_factory.mktemp("conformance"), synchronous="NORMAL")
    yield engine
    engine.stop()


@pytest.fixture(params=["embedded", "moto", "given"])
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "given" and not os.environ.get("DDB_CONFORMANCE_ENDPOINT"):
        pytest.skip("DDB_CONFORMANCE_ENDPOINT names no endpoint")
    if request.param == "moto" and importlib.util.find_spec("flask") is None:
        pytest.skip("moto's server needs flask")
    return request.param


@pytest.fixture
def client(target: str, request: pytest.FixtureRequest) -> Any:
    if target == "embedded":
        return request.getfixturevalue("embedded").client()
    if target == "moto":
        endpoint = request.getfixturevalue("moto_endpoint")
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        return boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-west-1", **keys)
    return boto3.client("dynamodb", endpoint_url=os.environ["DDB_CONFORMANCE_ENDPOINT"])


@pytest.fixture
def table(client: Any) -> Iterator[str]:
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("h", "r")],
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
    )
    client.get_waiter("table_exists").wait(TableName=name)
    yield name
    client.delete_table(TableName=name)


@pytest.fixture
def refused(target: str) -> Callable[..., None]:
    """Checks that a call is refused with a code; for a target that is known to differ, that it still is not."""

    def check(code: str, call: Callable[[], Any], case: str = "") -> None:
        differs = DIFFERS.get(target, {}).get(case)
        with pytest.raises(ClientError) as refusal:
            call()
        agrees = refusal.value.response["Error"]["Code"] == code
        assert agrees is not bool(differs), f"{refusal.value}; {differs or 'not known to differ'}"

    return check


def key(r: str = "a") -> Item:
    return {"h": {"S": "p"}, "r": {"S": r}}


def put(client: Any, table: str, r: str = "a", **attributes: Item) -> None:
    client.put_item(TableName=table, Item=key(r) | attributes)


def get(client: Any, table: str, r: str = "a") -> Item:
    found = client.get_item(TableName=table, Key=key(r), ConsistentRead=True).get("Item", {})
    return {name: value for name, value in found.items() if name not in ("h", "r")}


def update(client: Any, table: str, expression: str, names: Item | None = None, **values: Item) -> Item:
    request: Item = {"TableName": table, "Key": key(), "UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    found = client.update_item(**request)["Attributes"]
    return {name: value for name, value in found.items() if name not in ("h", "r")}


FULL: Item = {
    "n": {"N": "5"},
    "s": {"S": "hello"},
    "l": {"L": [{"N": "1"}, {"S": "two"}]},
    "m": {"M": {"deep": {"N": "7"}}},
    "ss": {"SS": ["x", "y"]},
    "gone": {"NULL": True},
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("attribute_exists(n)", True),
        ("attribute_not_exists(n)", False),
        ("attribute_exists(m.deep)", True),
        ("attribute_exists(m.absent)", False),
        ("n = :five", True),
        ("n <> :five", False),
        ("absent <> :five", True),
        ("absent = :five", False),
        ("n < :ten AND n > :two", True),
        ("n < :two OR n = :five", True),
        ("NOT n = :five", False),
        ("NOT (n = :two OR n = :ten)", True),
        ("n = :two AND n = :two OR n = :five", True),
        ("n BETWEEN :two AND :ten", True),
        ("n IN (:two, :five)", True),
        ("n IN (:two, :ten)", False),
        ("begins_with(s, :he)", True),
        ("begins_with(s, :lo)", False),
        ("contains(s, :lo)", True),
        ("contains(ss, :x)", True),
        ("contains(ss, :lo)", False),
        ("contains(l, :one)", True),
        ("size(s) = :five", True),
        ("size(l) = :two", True),
        ("attribute_type(s, :S)", True),
        ("attribute_type(s, :N)", False),
        ("l[0] = :one", True),
        ("l[9] = :one", False),
        ("m.deep > :five", True),
        ("s > :five", False),
    ],
)
def test_a_condition_holds_or_does_not(client, target, table, condition, holds):
    put(client, table, **FULL)
    values = {"one": "1", "two": "2", "five": "5", "ten": "10"}
    every = {f":{n}": {"N": v} for n, v in values.items()} | {f":{s}": {"S": s} for s in ("he", "lo", "x", "S", "N")}
    used = {name: value for name, value in every.items() if name in re.findall(r":\w+", condition)}
    request: Item = {"TableName": table, "Item": key() | FULL, "ConditionExpression": condition}
    if used:
        request["ExpressionAttributeValues"] = used
    if condition in DIFFERS.get(target, {}):
        with pytest.raises(ClientError, match="500"):
            client.put_item(**request)
        return
    try:
        client.put_item(**request)
        held = True
    except client.exceptions.ConditionalCheckFailedException:
        held = False
    assert held is holds


@pytest.mark.parametrize(
    ("expression", "values", "changed"),
    [
        ("SET n = n + :v", {"v": {"N": "3"}}, {"n": {"N": "8"}}),
        ("SET n = n - :v", {"v": {"N": "0.5"}}, {"n": {"N": "4.5"}}),
        ("SET fresh = if_not_exists(fresh, :v)", {"v": {"N": "1"}}, {"fresh": {"N": "1"}}),
        ("SET n = if_not_exists(n, :v)", {"v": {"N": "1"}}, {"n": {"N": "5"}}),
        ("SET l = list_append(l, :v)", {"v": {"L": [{"N": "3"}]}}, {"l": {"L": [*FULL["l"]["L"], {"N": "3"}]}}),
        ("SET l[1] = :v", {"v": {"N": "9"}}, {"l": {"L": [{"N": "1"}, {"N": "9"}]}}),
        ("SET l[7] = :v", {"v": {"N": "9"}}, {"l": {"L": [*FULL["l"]["L"], {"N": "9"}]}}),
        ("SET m.deep = :v", {"v": {"S": "x"}}, {"m": {"M": {"deep": {"S": "x"}}}}),
        ("SET m.more = s", {}, {"m": {"M": {"deep": {"N": "7"}, "more": {"S": "hello"}}}}),
        ("REMOVE l[0]", {}, {"l": {"L": [{"S": "two"}]}}),
        ("REMOVE n, nothing", {}, {"n": None}),
        ("ADD n :v", {"v": {"N": "-7"}}, {"n": {"N": "-2"}}),
        ("ADD fresh :v", {"v": {"N": "2"}}, {"fresh": {"N": "2"}}),
        ("ADD ss :v", {"v": {"SS": ["y", "z"]}}, {"ss": {"SS": ["x", "y", "z"]}}),
        ("DELETE ss :v", {"v": {"SS": ["x"]}}, {"ss": {"SS": ["y"]}}),
        ("DELETE ss :v", {"v": {"SS": ["x", "y"]}}, {"ss": None}),
        ("SET a = s, s = :v REMOVE n", {"v": {"S": "new"}}, {"a": {"S": "hello"}, "s": {"S": "new"}, "n": None}),
    ],
)
def test_an_update_changes_what_it_says(client, table, expression, values, changed):
    put(client, table, **FULL)
    found = update(client, table, expression, **values)
    expected = {name: value for name, value in (FULL | changed).items() if value is not None}
    for item in (found, expected):
        for value in item.values():
            if "SS" in value:
                value["SS"] = sorted(value["SS"])
    assert found == expected


@pytest.mark.parametrize(
    ("expression", "names", "values"),
    [
        ("SET n = :v", {}, {}),
        ("SET #x = :v", {}, {"v": {"N": "1"}}),
        ("SET n = :v", {}, {"v": {"N": "1"}, "w": {"N": "2"}}),
        ("SET n = :v", {"#u": "u"}, {"v": {"N": "1"}}),
        ("SET status = :v", {}, {"v": {"N": "1"}}),
        ("SET n :v", {}, {"v": {"N": "1"}}),
        ("SET h = :v", {}, {"v": {"S": "x"}}),
        ("SET m = :v, m.deep = :v", {}, {"v": {"N": "1"}}),
        ("SET nowhere.deep = :v", {}, {"v": {"N": "1"}}),
        ("SET s = s + :v", {}, {"v": {"N": "1"}}),
        ("ADD s :v", {}, {"v": {"S": "1"}}),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(client, table, refused, expression, names, values):
    put(client, table, **FULL)
    refused("ValidationException", lambda: update(client, table, expression, names, **values), expression)


def test_a_failed_condition_gives_the_item_to_who_asked_for_it(client, table):
    put(client, table, n={"N": "1"})
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        client.put_item(
            TableName=table,
            Item=key(),
            ConditionExpression="attribute_not_exists(h)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"] == key() | {"n": {"N": "1"}}
    assert get(client, table) == {"n": {"N": "1"}}


@pytest.mark.parametrize(("given_", "stored"), [("1.0", "1"), ("-0", "0"), ("1e3", "1000"), ("0.00010", "0.0001")])
def test_a_number_has_one_way_to_be_written(client, table, target, given_, stored):
    if target == "moto":
        pytest.skip("moto keeps numbers as they came")
    put(client, table, n={"N": given_})
    assert get(client, table) == {"n": {"N": stored}}


@pytest.mark.parametrize("value", [{"SS": []}, {"N": "x"}, {"N": ""}, {"SS": ["a", "a"]}])
def test_a_value_that_is_none_is_refused(client, table, target, refused, value):
    if target == "moto" and value != {"SS": []}:
        pytest.skip("moto does not check what numbers and sets hold")
    refused("ValidationException", lambda: put(client, table, v=value))


def test_an_item_has_a_greatest_size_and_a_key_is_not_empty(client, table, refused):
    put(client, table, v={"S": "x" * 400_000})
    refused("ValidationException", lambda: put(client, table, v={"S": "x" * 410_000}))
    refused("ValidationException", lambda: put(client, table, r=""))


def numbered(client: Any, table: str, count: int, size: int = 1) -> None:
    for i in range(count):
        put(client, table, f"{i:04d}", n={"N": str(i)}, pad={"S": "x" * size})


def walk(client: Any, **request: Any) -> list[list[str]]:
    """The range keys of every page."""
    pages = []
    while True:
        answer = client.query(**request)
        pages.append([item["r"]["S"] for item in answer["Items"]])
        if "LastEvaluatedKey" not in answer:
            return pages
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("h = :p", range(10)),
        ("h = :p AND r > :r", range(4, 10)),
        ("h = :p AND r <= :r", range(4)),
        ("r = :r AND h = :p", [3]),
        ("h = :p AND r BETWEEN :r AND :s", [3, 4, 5]),
        ("h = :p AND begins_with(r, :t)", range(10)),
    ],
)
def test_a_query_finds_a_stretch_of_a_partition_in_order(client, table, condition, found):
    numbered(client, table, 10)
    every = {":p": {"S": "p"}, ":r": {"S": "0003"}, ":s": {"S": "0005"}, ":t": {"S": "000"}}
    used = {name: value for name, value in every.items() if name in condition}
    request = {"TableName": table, "KeyConditionExpression": condition, "ExpressionAttributeValues": used}
    expected = [f"{i:04d}" for i in found]
    assert walk(client, **request) == [expected]
    assert walk(client, **request, ScanIndexForward=False) == [expected[::-1]]
    assert list(chain(*walk(client, **request, Limit=2))) == expected


def test_a_page_ends_at_a_megabyte(client, table):
    numbered(client, table, 5, size=300_000)
    request = {"TableName": table, "KeyConditionExpression": "h = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}}
    pages = walk(client, **request)
    assert len(pages) == 2 and list(chain(*pages)) == [f"{i:04d}" for i in range(5)]


def test_a_filter_comes_after_the_limit(client, table):
    numbered(client, table, 6)
    answer = client.query(
        TableName=table,
        KeyConditionExpression="h = :p",
        FilterExpression="n >= :n",
        ExpressionAttributeValues={":p": {"S": "p"}, ":n": {"N": "2"}},
        Limit=4,
        ProjectionExpression="n",
    )
    assert (answer["Count"], answer["ScannedCount"]) == (2, 4)
    assert answer["Items"] == [{"n": {"N": "2"}}, {"n": {"N": "3"}}]


def test_a_batch_writes_and_reads_but_no_item_twice(client, table, refused):
    writes = [{"PutRequest": {"Item": key(f"{i}")}} for i in range(25)]
    assert client.batch_write_item(RequestItems={table: writes})["UnprocessedItems"] == {}
    wanted = [key(f"{i}") for i in range(30)]
    found = client.batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})["Responses"][table]
    assert len(found) == 25
    twice = [{"PutRequest": {"Item": key()}}] * 2
    refused("ValidationException", lambda: client.batch_write_item(RequestItems={table: twice}))
    refused("ValidationException", lambda: client.batch_get_item(RequestItems={table: {"Keys": [key(), key()]}}))


def transact(client: Any, table: str, *rs: str, **more: Any) -> Any:
    puts = [{"Put": {"TableName": table, "Item": key(r), "ConditionExpression": "attribute_not_exists(h)"}} for r in rs]
    return client.transact_write_items(TransactItems=puts, **more)


def test_a_transaction_is_all_or_nothing_and_says_what_failed(client, table):
    put(client, table, "b")
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        transact(client, table, "a", "b", "c")
    codes = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed", "None"]
    assert client.scan(TableName=table)["Count"] == 1
    transact(client, table, "a", "c")
    assert client.scan(TableName=table)["Count"] == 3


def test_a_transaction_names_no_item_twice(client, table, refused):
    refused("ValidationException", lambda: transact(client, table, "a", "a"))


def test_a_token_stands_for_one_request(client, table, target, refused):
    if target == "moto":
        pytest.skip("moto does not keep tokens")
    token = uuid.uuid4().hex
    transact(client, table, "a", ClientRequestToken=token)
    transact(client, table, "a", ClientRequestToken=token)
    refused("IdempotentParameterMismatchException", lambda: transact(client, table, "b", ClientRequestToken=token))


def test_an_index_is_refused_by_name(embedded):
    with pytest.raises(ClientError, match="GlobalSecondaryIndexes"):
        embedded.client().create_table(
            TableName="indexed",
            AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "index",
                    "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )


def test_a_stream_tells_what_became_of_what(embedded):
    client, streams = embedded.client(), embedded.client("dynamodbstreams")
    name = f"streamed-{uuid.uuid4().hex[:8]}"
    made = client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    for item in ({"h": {"S": "a"}}, {"h": {"S": "a"}, "n": {"N": "1"}}, {"h": {"S": "a"}, "n": {"N": "1"}}):
        client.put_item(TableName=name, Item=item)
    client.delete_item(TableName=name, Key={"h": {"S": "a"}})
    arn = made["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]

    def read(kind: str, **more: str) -> list[Item]:
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)
        return streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]

    records = read("TRIM_HORIZON")
    images = [(r["eventName"], "OldImage" in r["dynamodb"], "NewImage" in r["dynamodb"]) for r in records]
    assert images == [("INSERT", False, True), ("MODIFY", True, True), ("REMOVE", True, False)]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(numbers)
    assert [len(read("AT_SEQUENCE_NUMBER", SequenceNumber=number)) for number in numbers] == [3, 2, 1]
    assert [len(read("AFTER_SEQUENCE_NUMBER", SequenceNumber=number)) for number in numbers] == [2, 1, 0]
    assert read("LATEST") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_comes_back_to_the_letter(embedded, text):
    client = embedded.client()
    if "texts" not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName="texts",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}],
        )
    client.put_item(TableName="texts", Item={"h": {"S": text}, text: {"S": text}})
    assert client.get_item(TableName="texts", Key={"h": {"S": text}})["Item"][text] == {"S": text}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(-(10**20), 10**20, places=5), min_size=2, max_size=8, unique=True))
def test_numbers_are_in_the_order_of_numbers(embedded, numbers):
    client, name = embedded.client(), f"numbers-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "h", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
    )
    for number in numbers:
        client.put_item(TableName=name, Item={"h": {"S": "p"}, "n": {"N": f"{number:f}"}})
    values = {":p": {"S": "p"}}
    found = client.query(TableName=name, KeyConditionExpression="h = :p", ExpressionAttributeValues=values)["Items"]
    assert [float(item["n"]["N"]) for item in found] == sorted(float(number) for number in numbers)
    client.delete_table(TableName=name)
