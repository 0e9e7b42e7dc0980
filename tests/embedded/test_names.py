"""What attributes and tables may be called, tables by their ARN too, and tables that may not be deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chat.embedded.dynamodb.store import _description, _table, new_table
from tests.embedded.asking import INVALID, MISSING, Place, n, refusal, refused, s
from tests.embedded.conftest import Target
from tests.embedded.test_tables import KEYS, embedded  # noqa: F401  # a fixture

LONGEST = "n" * 65_535
REFUSED = {"empty": "", "of 65,536 bytes": "n" * 65_536, "of 65,536 bytes in fewer letters": "é" * 32_768}


@pytest.fixture
def place(target: Target) -> Place:
    return Place(target)


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_an_attribute_has_a_name_of_1_to_65535_bytes(place: Place, name: str) -> None:
    assert refused(place.put, attributes={name: s("a")}) == INVALID
    assert refused(place.put, attributes={"a": {"M": {name: s("a")}}}) == INVALID
    assert refused(place.put, attributes={"a": {"L": [{"M": {"b": {"M": {name: s("a")}}}}]}}) == INVALID
    names = {"ExpressionAttributeNames": {"#a": name}}
    assert refused(place.update, expression="SET #a = :v", ExpressionAttributeValues={":v": s("a")}, **names) == INVALID
    assert refused(place.get, ProjectionExpression="#a", **names) == INVALID
    items = [{"PutRequest": {"Item": place.key() | {name: s("a")}}}]
    assert refused(place.client.batch_write_item, RequestItems={place.table: items}) == INVALID
    writes: list[Any] = [{"Put": {"TableName": place.table, "Item": place.key() | {name: s("a")}}}]
    assert refused(place.client.transact_write_items, TransactItems=writes) in (
        INVALID, "TransactionCanceledException",
    )  # fmt: skip
    assert place.get() is None


def test_one_of_65535_bytes_is_a_name(place: Place) -> None:
    place.put(attributes={LONGEST: n(1), "a": {"M": {LONGEST: n(2), "x": n(3)}}})
    assert place.attributes() == {LONGEST: n(1), "a": {"M": {LONGEST: n(2), "x": n(3)}}}


def test_the_name_of_a_key_has_255_letters_at_most(target: Target) -> None:
    name = "k" * 256
    keys: dict[str, Any] = {"KeySchema": [{"AttributeName": name, "KeyType": "HASH"}]}
    keys["AttributeDefinitions"] = [{"AttributeName": name, "AttributeType": "S"}]
    options = {"TableName": "conformance-long-key", "BillingMode": "PAY_PER_REQUEST"}
    assert refused(target.client.create_table, **keys, **options) == INVALID


def test_a_table_answers_to_its_arn(target: Target) -> None:
    client, name = target.client, target.new_table()
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    key = {"pk": s("a")}
    assert client.describe_table(TableName=arn)["Table"]["TableName"] == name
    client.put_item(TableName=arn, Item=key | {"n": n(1)})
    up = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": n(1)}}
    client.update_item(TableName=arn, Key=key, **up)
    assert client.get_item(TableName=name, Key=key)["Item"]["n"] == n(2)
    assert client.get_item(TableName=arn, Key=key)["Item"]["n"] == n(2)
    where = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": s("a")}}
    assert client.query(TableName=arn, **where)["Count"] == client.scan(TableName=arn)["Count"] == 1
    client.transact_write_items(TransactItems=[{"Put": {"TableName": arn, "Item": {"pk": s("b")}}}])
    got = client.transact_get_items(TransactItems=[{"Get": {"TableName": arn, "Key": {"pk": s("b")}}}])
    assert got["Responses"][0]["Item"] == {"pk": s("b")}
    client.delete_item(TableName=arn, Key={"pk": s("b")})
    assert client.scan(TableName=name)["Count"] == 1
    assert client.describe_time_to_live(TableName=arn)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert refused(client.get_item, TableName=arn + "x", Key=key) == MISSING
    client.delete_table(TableName=arn)
    client.get_waiter("table_not_exists").wait(TableName=name)


def test_in_a_batch_it_does_too_and_the_answer_says_what_was_asked(target: Target) -> None:
    client, name = target.client, target.new_table()
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    client.batch_write_item(RequestItems={arn: [{"PutRequest": {"Item": {"pk": s("a")}}}]})
    assert client.batch_get_item(RequestItems={arn: {"Keys": [{"pk": s("a")}]}})["Responses"] == {arn: [{"pk": s("a")}]}


def test_an_item_is_one_by_whichever_name_of_its_table(embedded: Target) -> None:  # noqa: F811
    client, name = embedded.client, embedded.new_table()
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    keys = {"Keys": [{"pk": s("a")}]}
    assert refused(client.batch_get_item, RequestItems={arn: keys, name: keys}) == INVALID
    puts: list[Any] = [{"Put": {"TableName": each, "Item": {"pk": s("a")}}} for each in (arn, name)]
    assert refused(client.transact_write_items, TransactItems=puts) == INVALID
    assert refused(client.create_table, TableName=arn, **KEYS) == "ResourceInUseException"
    assert refused(client.get_item, TableName=arn.replace(":local:", ":eu-west-1:"), Key={"pk": s("a")}) == MISSING


# --- what a table may be made with -----------------------------------------------------------------------------------


def test_a_table_that_is_protected_is_not_deleted(target: Target) -> None:
    name = target.new_table(DeletionProtectionEnabled=True)
    described = target.client.describe_table(TableName=name)["Table"]
    assert described["DeletionProtectionEnabled"] is True
    assert refused(target.client.delete_table, TableName=name) == INVALID
    target.client.put_item(TableName=name, Item={"pk": s("a")})
    changed = target.client.update_table(TableName=name, DeletionProtectionEnabled=False)
    assert changed["TableDescription"]["DeletionProtectionEnabled"] is False
    target.client.get_waiter("table_exists").wait(TableName=name)
    target.client.delete_table(TableName=name)
    other = target.new_table()
    assert target.client.describe_table(TableName=other)["Table"]["DeletionProtectionEnabled"] is False
    target.client.update_table(TableName=other, DeletionProtectionEnabled=True)
    target.client.get_waiter("table_exists").wait(TableName=other)
    assert refused(target.client.delete_table, TableName=other) == INVALID
    target.client.update_table(TableName=other, DeletionProtectionEnabled=False)
    target.client.get_waiter("table_exists").wait(TableName=other)


NOT_DONE = {
    "Tags": [{"Key": "a", "Value": "b"}],
    "SSESpecification": {"Enabled": True},
    "TableClass": "STANDARD_INFREQUENT_ACCESS",
}


@pytest.mark.parametrize("parameter", NOT_DONE)
def test_what_the_engine_does_not_do_it_does_not_take(embedded: Target, parameter: str) -> None:  # noqa: F811
    more = {parameter: NOT_DONE[parameter]}
    answer = refusal(embedded.client.create_table, TableName="conformance-more", **KEYS, **more)
    assert answer["Error"]["Code"] == INVALID and parameter in answer["Error"]["Message"]
    assert refused(embedded.client.describe_table, TableName="conformance-more") == MISSING


def test_an_engine_of_before_reads_the_tables_that_are_not_protected() -> None:
    table = new_table("things", (("pk", "S"),), "PAY_PER_REQUEST")
    assert "protected" not in _description(table) and "protected" in _description(replace(table, protected=True))
    for each in (table, replace(table, protected=True)):
        assert _table(0, "things", _description(each)) == each
