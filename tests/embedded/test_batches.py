"""Batches and transactions, asked of every implementation at hand. AWS is the authority."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.embedded.asking import INVALID, MISSING, Item, Place, n, refusal, refused, s

CANCELLED = "TransactionCanceledException"


def test_a_batch_writes_and_reads_many(place: Place) -> None:
    puts = [{"PutRequest": {"Item": place.key(str(number)) | {"a": n(number)}}} for number in range(25)]
    assert place.client.batch_write_item(RequestItems={place.table: puts})["UnprocessedItems"] == {}
    keys = [place.key(str(number)) for number in range(30)]
    request = {place.table: {"Keys": keys, "ProjectionExpression": "sk, a", "ConsistentRead": True}}
    answer = place.client.batch_get_item(RequestItems=request)
    assert answer["UnprocessedKeys"] == {}
    found = {item["sk"]["S"]: item for item in answer["Responses"][place.table]}
    assert found == {str(number): {"sk": s(str(number)), "a": n(number)} for number in range(25)}
    deletes = [{"DeleteRequest": {"Key": place.key(str(number))}} for number in range(24)]
    place.client.batch_write_item(RequestItems={place.table: deletes})
    assert place.found() == ["24"]


PUT = {"PutRequest": {"Item": {"pk": s("batch"), "sk": s("1")}}}
DELETE = {"DeleteRequest": {"Key": {"pk": s("batch"), "sk": s("1")}}}
KEYS = [{"pk": s("batch"), "sk": s(str(number))} for number in range(101)]
BAD_WRITES: dict[str, list[Any]] = {
    "put twice": [PUT, PUT],
    "put and deleted": [PUT, DELETE],
    "26": [{"PutRequest": {"Item": key}} for key in KEYS[:26]],
    "none": [],
    "two in one": [PUT | DELETE],
    "half a key": [{"PutRequest": {"Item": {"pk": s("batch")}}}],
}
BAD_READS: dict[str, list[Any]] = {"twice": [KEYS[0], KEYS[0]], "101": KEYS, "none": [], "half a key": [{"pk": s("x")}]}


@pytest.mark.parametrize("which", BAD_WRITES)
def test_a_batch_of_writes_that_cannot_be_writes_nothing(place: Place, which: str) -> None:
    writes = [*BAD_WRITES[which]]
    assert refused(place.client.batch_write_item, RequestItems={place.table: writes}) == INVALID
    read = place.client.get_item(TableName=place.table, Key=KEYS[1])
    assert "Item" not in read


@pytest.mark.parametrize("which", BAD_READS)
def test_a_batch_of_reads_that_cannot_be_is_refused(place: Place, which: str) -> None:
    assert refused(place.client.batch_get_item, RequestItems={place.table: {"Keys": BAD_READS[which]}}) == INVALID


def test_a_batch_on_a_missing_table_is_refused(place: Place) -> None:
    assert refused(place.client.batch_get_item, RequestItems={"no-such-table": {"Keys": KEYS[:1]}}) == MISSING
    assert refused(place.client.batch_write_item, RequestItems={"no-such-table": [PUT]}) == MISSING


# --- transactions -------------------------------------------------------------------------------------------------


def put_of(place: Place, sk: str, attributes: Item | None = None, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": place.table, "Item": place.key(sk) | (attributes or {}), **more}}


def check_of(place: Place, sk: str, condition: str, **more: Any) -> dict[str, Any]:
    key = {"TableName": place.table, "Key": place.key(sk)}
    return {"ConditionCheck": key | {"ConditionExpression": condition, **more}}


def update_of(place: Place, sk: str, expression: str) -> dict[str, Any]:
    values = {"ExpressionAttributeValues": {":1": n(1)}}
    return {"Update": {"TableName": place.table, "Key": place.key(sk), "UpdateExpression": expression, **values}}


def transact(place: Place, *items: Any, **more: Any) -> Any:
    return place.client.transact_write_items(TransactItems=list(items), **more)


def refused_transaction(place: Place, *items: Any, **more: Any) -> str:
    return refused(place.client.transact_write_items, TransactItems=list(items), **more)


def test_a_transaction_carries_out_all_its_writes(place: Place) -> None:
    for sk in ("updated", "deleted", "checked"):
        place.put(sk, {"a": n(1)})
    transact(
        place,
        put_of(place, "put"),
        update_of(place, "updated", "ADD a :1"),
        {"Delete": {"TableName": place.table, "Key": place.key("deleted")}},
        check_of(place, "checked", "a = :1", ExpressionAttributeValues={":1": n(1)}),
    )
    assert place.found() == ["checked", "put", "updated"]
    assert place.attributes("updated") == {"a": n(2)}


def test_a_cancelled_transaction_writes_nothing_and_says_why_in_order(place: Place) -> None:
    place.put("taken", {"a": n(1)})
    place.put("text", {"t": s("text")})
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    answer = refusal(
        place.client.transact_write_items,
        TransactItems=[
            put_of(place, "fresh", **new),
            put_of(place, "taken", **new, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            update_of(place, "text", "SET t = t + :1"),
            check_of(place, "none", "attribute_exists(pk)"),
        ],
    )
    assert answer["Error"]["Code"] == CANCELLED
    reasons = answer["CancellationReasons"]
    codes = [reason["Code"] for reason in reasons]
    assert codes == ["None", "ConditionalCheckFailed", "ValidationError", "ConditionalCheckFailed"]
    assert reasons[1]["Item"] == place.key("taken") | {"a": n(1)}
    assert "Item" not in reasons[0] and "Item" not in reasons[3]
    assert f"[{', '.join(codes)}]" in answer["Error"]["Message"]
    assert place.found() == ["taken", "text"]


def test_a_transaction_may_name_each_item_once(place: Place) -> None:
    assert refused_transaction(place, put_of(place, "a"), put_of(place, "a")) == INVALID
    assert refused_transaction(place, check_of(place, "a", "attribute_not_exists(pk)"), put_of(place, "a")) == INVALID
    assert place.found() == []


def test_a_transaction_has_1_to_100_items(place: Place) -> None:
    puts = [put_of(place, f"{number:03}") for number in range(101)]
    assert refused_transaction(place) == INVALID
    assert refused_transaction(place, *puts) == INVALID
    transact(place, *puts[:100])
    assert place.query(Select="COUNT")["Count"] == 100


def test_a_token_makes_a_repeat_harmless_and_another_request_refused(place: Place) -> None:
    token = uuid.uuid4().hex
    add = update_of(place, "counter", "ADD a :1")
    transact(place, add, ClientRequestToken=token)
    transact(place, add, ClientRequestToken=token)
    assert place.attributes("counter") == {"a": n(1)}
    mismatch = refused_transaction(place, put_of(place, "other"), ClientRequestToken=token)
    assert mismatch == "IdempotentParameterMismatchException"
    assert place.found() == ["counter"]
    transact(place, add, ClientRequestToken=uuid.uuid4().hex)
    assert place.attributes("counter") == {"a": n(2)}
    assert refused_transaction(place, add, ClientRequestToken="x" * 37) == INVALID


def test_a_cancelled_transaction_does_not_use_up_its_token(place: Place) -> None:
    token = uuid.uuid4().hex
    new = put_of(place, "a", ConditionExpression="attribute_not_exists(pk)")
    place.put("a")
    assert refused_transaction(place, new, ClientRequestToken=token) == CANCELLED
    place.client.delete_item(TableName=place.table, Key=place.key("a"))
    transact(place, new, ClientRequestToken=token)
    assert place.found() == ["a"]


WRONG = ["condition that cannot be read", "empty key", "update of the key", "undefined value", "update of nothing"]


@pytest.mark.parametrize("which", WRONG)
def test_what_is_wrong_whatever_the_items_are_is_no_cancellation(place: Place, which: str) -> None:
    items = {
        WRONG[0]: put_of(place, "a", ConditionExpression="a ="),
        WRONG[1]: put_of(place, ""),
        WRONG[2]: update_of(place, "a", "SET pk = :1"),
        WRONG[3]: check_of(place, "a", "a = :undefined"),
        WRONG[4]: {"Update": {"TableName": place.table, "Key": place.key("a")}},
    }
    assert refused_transaction(place, put_of(place, "good"), items[which]) == INVALID
    assert place.found() == []


def test_a_transaction_on_a_missing_table_writes_nothing(place: Place) -> None:
    delete = {"Delete": {"TableName": "no-such-table", "Key": place.key("a")}}
    assert refused_transaction(place, put_of(place, "good"), delete) == MISSING
    assert place.found() == []


def test_transact_get_answers_in_order_with_nothing_for_what_is_missing(place: Place) -> None:
    place.put("a", {"x": n(1), "y": n(2)})
    place.put("b", {"x": n(3)})

    def gets(*sks: str) -> list[Any]:
        return [{"Get": {"TableName": place.table, "Key": place.key(sk), "ProjectionExpression": "x"}} for sk in sks]

    answers = place.client.transact_get_items(TransactItems=gets("b", "none", "a"))["Responses"]
    assert [answer.get("Item") for answer in answers] == [{"x": n(3)}, None, {"x": n(1)}]
    assert refused(place.client.transact_get_items, TransactItems=gets("a", "a")) == INVALID
    assert refused(place.client.transact_get_items, TransactItems=[]) == INVALID
