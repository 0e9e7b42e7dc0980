"""Queries, scans, pages and capacity, asked of every implementation at hand. AWS is the authority."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.embedded.asking import INVALID, Place, n, refused, s, used
from tests.embedded.conftest import Target

KEY_CONDITIONS: list[tuple[str, list[str] | str]] = [
    ("", ["a", "ab", "b", "c"]),
    (" AND sk = :b", ["b"]),
    (" AND sk < :b", ["a", "ab"]),
    (" AND sk <= :b", ["a", "ab", "b"]),
    (" AND sk > :b", ["c"]),
    (" AND sk >= :b", ["b", "c"]),
    (" AND sk BETWEEN :ab AND :b", ["ab", "b"]),
    (" AND begins_with(sk, :a)", ["a", "ab"]),
    (" AND (sk = :b)", ["b"]),
    (" AND sk <> :b", INVALID),
    (" AND sk IN (:b)", INVALID),
    (" AND contains(sk, :b)", INVALID),
    (" AND attribute_exists(sk)", INVALID),
    (" AND NOT sk = :b", INVALID),
    (" OR sk = :b", INVALID),
    (" AND sk > :a AND sk < :b", INVALID),
    (" AND other = :b", INVALID),
    (" AND sk.x = :b", INVALID),
    (" AND sk = pk", INVALID),
    (" AND sk = :five", INVALID),
    (" AND size(sk) = :five", INVALID),
    (" AND sk BETWEEN :b AND :a", INVALID),
]


@pytest.mark.parametrize(("more", "expected"), KEY_CONDITIONS, ids=[text.strip() or "pk" for text, _ in KEY_CONDITIONS])
def test_a_key_condition_finds_these_or_is_refused(place: Place, more: str, expected: list[str] | str) -> None:
    for key in ("a", "ab", "b", "c"):
        place.put(key)
    values = used(more, {":a": s("a"), ":ab": s("ab"), ":b": s("b"), ":five": n(5)})
    if isinstance(expected, str):
        assert refused(place.query, more=more, values=values) == expected
    else:
        assert place.found(more, values) == expected
        assert place.found(more, values, ScanIndexForward=False) == expected[::-1]


CONDITIONS = ["sk = :p", "pk > :p", "begins_with(pk, :p)", "pk = :n", "pk = :p AND pk = :p", "", "pk"]


@pytest.mark.parametrize("condition", CONDITIONS, ids=[text or "empty" for text in CONDITIONS])
def test_a_query_must_name_the_hash_key_by_equality(place: Place, condition: str) -> None:
    request: dict[str, Any] = {"KeyConditionExpression": condition}
    if used(condition, {":p": s("x"), ":n": n(1)}):
        request["ExpressionAttributeValues"] = used(condition, {":p": s("x"), ":n": n(1)})
    assert refused(place.client.query, TableName=place.table, **request) == INVALID


def test_a_query_needs_a_key_condition(place: Place) -> None:
    assert refused(place.client.query, TableName=place.table) == INVALID


def test_pages_of_a_query_end_with_a_key_even_when_nothing_follows(place: Place) -> None:
    for number in range(5):
        place.put(str(number))
    first = place.query(Limit=2)
    assert [item["sk"]["S"] for item in first["Items"]] == ["0", "1"]
    assert first["LastEvaluatedKey"] == place.key("1")
    exact = place.query(Limit=5)
    assert exact["Count"] == 5 and exact["LastEvaluatedKey"] == place.key("4")
    after = place.query(Limit=5, ExclusiveStartKey=exact["LastEvaluatedKey"])
    assert after["Items"] == [] and "LastEvaluatedKey" not in after
    assert "LastEvaluatedKey" not in place.query(Limit=6)


def test_a_page_begins_behind_its_start_key_whether_that_exists_or_not(place: Place) -> None:
    for number in range(5):
        place.put(str(number))
    assert place.found(ExclusiveStartKey=place.key("1")) == ["2", "3", "4"]
    assert place.found(ExclusiveStartKey=place.key("3"), ScanIndexForward=False) == ["2", "1", "0"]
    assert place.found(ExclusiveStartKey=place.key("15")) == ["2", "3", "4"]
    assert place.found(" AND sk < :4", {":4": s("4")}, ExclusiveStartKey=place.key("1")) == ["2", "3"]


def test_a_limit_is_at_least_1(place: Place) -> None:
    assert refused(place.query, Limit=0) == INVALID
    assert refused(place.query, Limit=-1) == INVALID


def test_a_start_key_of_another_partition_or_half_of_one_is_refused(place: Place) -> None:
    place.put()
    assert refused(place.query, ExclusiveStartKey={"pk": s("elsewhere"), "sk": s("1")}) == INVALID
    assert refused(place.query, ExclusiveStartKey={"pk": s(place.pk)}) == INVALID


def test_limit_counts_what_is_read_and_the_filter_takes_away_afterwards(place: Place) -> None:
    for number in range(6):
        place.put(str(number), {"even": {"BOOL": number % 2 == 0}})
    answer = place.query(values={":t": {"BOOL": True}}, FilterExpression="even = :t", Limit=3)
    assert [item["sk"]["S"] for item in answer["Items"]] == ["0", "2"]
    assert (answer["Count"], answer["ScannedCount"]) == (2, 3)
    assert answer["LastEvaluatedKey"] == place.key("2")
    nothing = place.query(FilterExpression="attribute_exists(gone)", Limit=2)
    assert nothing["Items"] == [] and nothing["LastEvaluatedKey"] == place.key("1")


def test_a_query_may_not_filter_by_its_key(place: Place) -> None:
    assert refused(place.query, FilterExpression="attribute_exists(sk)") == INVALID
    assert refused(place.query, FilterExpression="attribute_exists(a) OR sk > :pk") == INVALID


def test_count_gives_numbers_and_no_items(place: Place) -> None:
    for number in range(3):
        place.put(str(number))
    answer = place.query(Select="COUNT")
    assert (answer["Count"], answer["ScannedCount"]) == (3, 3) and "Items" not in answer
    assert place.query(Select="COUNT", Limit=2)["LastEvaluatedKey"] == place.key("1")
    assert place.query(Select="ALL_ATTRIBUTES")["Count"] == 3


def test_select_and_projection_must_agree(place: Place) -> None:
    assert refused(place.query, Select="SPECIFIC_ATTRIBUTES") == INVALID
    assert refused(place.query, Select="ALL_ATTRIBUTES", ProjectionExpression="sk") == INVALID
    assert place.query(Select="SPECIFIC_ATTRIBUTES", ProjectionExpression="sk")["Count"] == 0


def test_a_page_ends_at_1_mb_of_what_is_read(place: Place) -> None:
    for number in range(5):
        place.put(str(number), {"text": s("x" * 300_000)})
    first = place.query()
    assert first["Count"] == 4 and first["LastEvaluatedKey"] == place.key("3")
    assert place.found(ExclusiveStartKey=first["LastEvaluatedKey"]) == ["4"]
    assert place.query(Select="COUNT")["Count"] == 4
    assert place.query(ProjectionExpression="sk")["Count"] == 4
    assert place.found(ScanIndexForward=False) == ["4", "3", "2", "1"]


class Scanned:
    """A table of 12 hash keys with 3 range keys each."""

    def __init__(self, target: Target):
        self.client = target.client
        self.table = target.new_table("S")
        self.keys = sorted((f"p{p}", f"s{number}") for p in range(12) for number in range(3))
        puts = [{"PutRequest": {"Item": {"pk": s(pk), "sk": s(sk), "odd": n(int(pk[1:]) % 2)}}} for pk, sk in self.keys]
        for first in range(0, len(puts), 25):
            self.client.batch_write_item(RequestItems={self.table: puts[first : first + 25]})

    def scan(self, **request: Any) -> list[tuple[str, str]]:
        pages = self.client.get_paginator("scan").paginate(TableName=self.table, **request)
        return sorted((item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"])


def test_scans_find_everything_once_in_pages_and_through_filters(target: Target) -> None:
    scanned = Scanned(target)
    assert scanned.scan() == scanned.keys
    assert scanned.scan(Limit=7) == scanned.keys
    odd = scanned.scan(FilterExpression="odd = :1", ExpressionAttributeValues={":1": n(1)}, Limit=5)
    assert odd == [key for key in scanned.keys if int(key[0][1:]) % 2]
    assert len(scanned.scan(FilterExpression="pk = :p", ExpressionAttributeValues={":p": s("p3")})) == 3
    assert target.client.scan(TableName=scanned.table, Select="COUNT")["Count"] == len(scanned.keys)


def test_segments_share_a_scan_without_gap_or_overlap(target: Target) -> None:
    scanned = Scanned(target)
    segments = [scanned.scan(Segment=number, TotalSegments=4, Limit=5) for number in range(4)]
    assert sorted(key for segment in segments for key in segment) == scanned.keys
    for wrong in ({"Segment": 4, "TotalSegments": 4}, {"Segment": 1}, {"TotalSegments": 2}):
        assert refused(target.client.scan, TableName=scanned.table, **wrong) == INVALID


def test_what_is_not_there_is_answered_with_no_item(place: Place) -> None:
    assert place.get("nothing") is None
    assert place.query()["Items"] == []
    place.client.delete_item(TableName=place.table, Key=place.key("nothing"))


# --- capacity -----------------------------------------------------------------------------------------------------

TOTAL = {"ReturnConsumedCapacity": "TOTAL"}


def units(answer: Any) -> float:
    return answer["ConsumedCapacity"]["CapacityUnits"]


@pytest.mark.parametrize(("size", "strong"), [(100, 1), (3_900, 1), (4_200, 2), (10_000, 3)])
def test_reading_costs_a_unit_for_every_4_kb_and_half_as_much_when_eventual(
    place: Place, size: int, strong: float
) -> None:
    place.put(attributes={"text": s("x" * size)})
    key = {"TableName": place.table, "Key": place.key()}
    assert units(place.client.get_item(**key, **TOTAL)) == strong / 2
    assert units(place.client.get_item(**key, ConsistentRead=True, **TOTAL)) == strong
    assert units(place.query(**TOTAL)) == strong / 2
    assert units(place.query(ConsistentRead=True, **TOTAL)) == strong
    answer = place.client.transact_get_items(TransactItems=[{"Get": key}], **TOTAL)
    assert [each["CapacityUnits"] for each in answer["ConsumedCapacity"]] == [2 * strong]
    assert "ConsumedCapacity" not in place.client.get_item(**key)


@pytest.mark.parametrize(("size", "cost"), [(100, 1), (3_900, 4), (4_200, 5), (10_000, 10)])
def test_writing_costs_a_unit_for_every_kb_and_twice_as_much_in_a_transaction(
    place: Place, size: int, cost: float
) -> None:
    attributes = {"text": s("x" * size)}
    assert units(place.put(attributes=attributes, **TOTAL)) == cost
    write = [{"Put": {"TableName": place.table, "Item": place.key("other") | attributes}}]
    answer = place.client.transact_write_items(TransactItems=write, **TOTAL)
    assert [each["CapacityUnits"] for each in answer["ConsumedCapacity"]] == [2 * cost]
    assert units(place.put(**TOTAL)) == cost, "the larger of the two images counts"
    assert units(place.client.delete_item(TableName=place.table, Key=place.key("other"), **TOTAL)) == cost


def test_a_query_adds_sizes_before_it_rounds(place: Place) -> None:
    for number in range(10):
        place.put(str(number), {"text": s("x" * 1000)})
    size = 10 * (1000 + len("pk" + place.pk + "sk" + "1" + "text"))
    assert units(place.query(ConsistentRead=True, **TOTAL)) == math.ceil(size / 4096)
