"""The life of a table, asked of every implementation at hand; and what the embedded engine alone refuses, by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.asking import INVALID, MISSING, n, refusal, refused, s
from tests.embedded.conftest import Target

KEYS: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_a_table_is_made_described_listed_and_deleted(target: Target) -> None:
    name = target.new_table("N")
    table = target.client.describe_table(TableName=name)["Table"]
    assert (table["TableName"], table["TableStatus"]) == (name, "ACTIVE")
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    kinds = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert kinds == {"pk": "S", "sk": "N"}
    assert table["TableArn"].endswith(f"table/{name}")
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    target.client.put_item(TableName=name, Item={"pk": s("a"), "sk": n(1)})
    target.client.delete_table(TableName=name)
    target.client.get_waiter("table_not_exists").wait(TableName=name)
    assert refused(target.client.describe_table, TableName=name) == MISSING
    assert refused(target.client.delete_table, TableName=name) == MISSING


def test_tables_are_listed_by_name_and_in_pages(target: Target) -> None:
    made = [target.new_table() for _ in range(3)]
    pages = target.client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2})
    names = [each for page in pages for each in page["TableNames"]]
    assert set(made) <= set(names) and names == sorted(set(names))


def test_a_table_that_is_made_again_is_empty(target: Target) -> None:
    name = target.new_table()
    target.client.put_item(TableName=name, Item={"pk": s("a")})
    assert refused(target.client.create_table, TableName=name, **KEYS) == "ResourceInUseException"
    target.client.delete_table(TableName=name)
    target.client.get_waiter("table_not_exists").wait(TableName=name)
    target.client.create_table(TableName=name, **KEYS)
    target.client.get_waiter("table_exists").wait(TableName=name)
    assert target.client.scan(TableName=name)["Count"] == 0


QUERY = {"KeyConditionExpression": "pk = :x", "ExpressionAttributeValues": {":x": s("x")}}
ON_A_MISSING_TABLE: dict[str, dict[str, Any]] = {
    "get_item": {"Key": {"pk": s("x")}},
    "put_item": {"Item": {"pk": s("x")}},
    "update_item": {"Key": {"pk": s("x")}},
    "delete_item": {"Key": {"pk": s("x")}},
    "query": QUERY,
    "scan": {},
    "update_table": {"StreamSpecification": STREAM},
    "describe_time_to_live": {},
    "update_time_to_live": {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}},
}


@pytest.mark.parametrize("operation", ON_A_MISSING_TABLE)
def test_every_operation_on_a_missing_table_says_so(target: Target, operation: str) -> None:
    request = ON_A_MISSING_TABLE[operation]
    assert refused(getattr(target.client, operation), TableName="no-such-table", **request) == MISSING


SCHEMAS: dict[str, dict[str, Any]] = {
    "no key": {"keys": [], "attributes": []},
    "only a range key": {"keys": [("a", "RANGE")], "attributes": [("a", "S")]},
    "two hash keys": {"keys": [("a", "HASH"), ("b", "HASH")], "attributes": [("a", "S"), ("b", "S")]},
    "one name twice": {"keys": [("a", "HASH"), ("a", "RANGE")], "attributes": [("a", "S")]},
    "key not defined": {"keys": [("a", "HASH")], "attributes": [("b", "S")]},
    "attribute too many": {"keys": [("a", "HASH")], "attributes": [("a", "S"), ("b", "S")]},
    "type that no key has": {"keys": [("a", "HASH")], "attributes": [("a", "BOOL")]},
    "name too short": {"name": "ab", "keys": [("a", "HASH")], "attributes": [("a", "S")]},
    "name with a space": {"name": "a table", "keys": [("a", "HASH")], "attributes": [("a", "S")]},
}


@pytest.mark.parametrize("which", SCHEMAS)
def test_a_table_that_cannot_be_is_refused(target: Target, which: str) -> None:
    schema = SCHEMAS[which]
    request = {
        "TableName": schema.get("name", f"conformance-refused-{which.replace(' ', '-')}"),
        "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role in schema["keys"]],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in schema["attributes"]],
        "BillingMode": "PAY_PER_REQUEST",
    }
    assert refused(target.client.create_table, **request) == INVALID


# --- what AWS has and the embedded engine has not -----------------------------------------------------------------


@pytest.fixture
def embedded(target: Target) -> Target:
    if target.name != "embedded":
        pytest.skip("AWS has these")
    return target


INDEX = {"IndexName": "index", "KeySchema": KEYS["KeySchema"], "Projection": {"ProjectionType": "ALL"}}
UNKNOWN_PARAMETERS: list[tuple[str, str, Any]] = [
    ("query", "IndexName", "index"),
    ("query", "KeyConditions", {}),
    ("scan", "IndexName", "index"),
    ("scan", "ScanFilter", {}),
    ("get_item", "AttributesToGet", ["a"]),
    ("put_item", "Expected", {}),
    ("update_item", "AttributeUpdates", {}),
    ("delete_item", "ConditionalOperator", "AND"),
    ("create_table", "GlobalSecondaryIndexes", [INDEX]),
    ("create_table", "LocalSecondaryIndexes", [INDEX]),
    ("update_table", "GlobalSecondaryIndexUpdates", []),
    ("update_table", "ReplicaUpdates", []),
]


@pytest.mark.parametrize(("operation", "parameter", "value"), UNKNOWN_PARAMETERS)
def test_a_parameter_that_is_not_understood_is_refused_by_name(
    embedded: Target, operation: str, parameter: str, value: Any
) -> None:
    answer = refusal(getattr(embedded.client, operation), TableName=embedded.table(), **{parameter: value})
    assert answer["Error"]["Code"] == INVALID and parameter in answer["Error"]["Message"]


def test_a_parameter_inside_a_batch_is_refused_by_name_too(embedded: Target) -> None:
    keys = {embedded.table(): {"Keys": [{"pk": s("a"), "sk": s("a")}], "AttributesToGet": ["pk"]}}
    answer = refusal(embedded.client.batch_get_item, RequestItems=keys)
    assert answer["Error"]["Code"] == INVALID and "AttributesToGet" in answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("execute_statement", {"Statement": "SELECT * FROM t"}),
        ("list_backups", {}),
        ("describe_limits", {}),
        ("list_tags_of_resource", {"ResourceArn": "arn:aws:dynamodb:local:000000000000:table/t"}),
        ("describe_continuous_backups", {"TableName": "t"}),
    ],
)
def test_an_operation_that_is_not_there_is_refused_by_name(
    embedded: Target, operation: str, request_: dict[str, Any]
) -> None:
    answer = refusal(getattr(embedded.client, operation), **request_)
    assert answer["Error"]["Code"] == "UnknownOperationException"
    assert operation.replace("_", "") in answer["Error"]["Message"].lower()
