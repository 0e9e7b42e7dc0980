"""Conditions, updates and projections, asked of every implementation at hand. AWS is the authority."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.asking import FAILED, INVALID, Item, Place, n, refusal, refused, s, used

SUBJECT: Item = {
    "n": n(5),
    "t": s("hello"),
    "bin": {"B": b"hello"},
    "flag": {"BOOL": True},
    "nil": {"NULL": True},
    "many": {"L": [n(1), s("two"), {"L": [s("deep")]}]},
    "nest": {"M": {"a": n(1), "b": {"M": {"c": s("deep")}}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": [b"x", b"y"]},
    "name": s("reserved"),
    "dot.ted": s("dotted"),
}
CONSTANTS: Item = {
    ":one": n(1),
    ":two": n(2),
    ":four": n(4),
    ":five": n("5.00"),
    ":six": n(6),
    ":hello": s("hello"),
    ":he": s("he"),
    ":z": s("z"),
    ":bhe": {"B": b"he"},
    ":a": s("a"),
    ":x": {"B": b"x"},
    ":list": {"L": [n(1)]},
    ":set": {"SS": ["b", "a"]},
    ":true": {"BOOL": True},
    ":nil": {"NULL": True},
    ":N": s("N"),
    ":S": s("S"),
    ":M": s("M"),
    ":odd": s("ODD"),
    ":map": {"M": {"c": s("deep")}},
}
NAMES = {"#name": "name", "#dot": "dot.ted", "#a": "a", "#nest": "nest"}

CONDITIONS: list[tuple[str, bool | str]] = [
    ("attribute_exists(n)", True),
    ("attribute_exists(gone)", False),
    ("attribute_not_exists(gone)", True),
    ("attribute_not_exists(n)", False),
    ("attribute_exists(nest.b.c)", True),
    ("attribute_exists(many[2][0])", True),
    ("attribute_exists(many[3])", False),
    ("attribute_exists(n.a)", False),
    ("attribute_exists(#nest.#a)", True),
    ("#name = :hello", False),
    ("#dot <> :hello", True),
    ("attribute_type(n, :N)", True),
    ("attribute_type(n, :S)", False),
    ("attribute_type(nest, :M)", True),
    ("attribute_type(gone, :M)", False),
    ("attribute_type(n, :odd)", INVALID),
    ("attribute_type(n, t)", INVALID),
    ("begins_with(t, :he)", True),
    ("begins_with(t, :z)", False),
    ("begins_with(bin, :bhe)", True),
    ("begins_with(t, :bhe)", False),
    ("begins_with(n, :he)", False),
    ("begins_with(t, :five)", INVALID),
    ("begins_with(:hello, t)", True),
    ("contains(t, :he)", True),
    ("contains(t, :z)", False),
    ("contains(bin, :bhe)", True),
    ("contains(ss, :a)", True),
    ("contains(ss, :z)", False),
    ("contains(ns, :one)", True),
    ("contains(bs, :x)", True),
    ("contains(many, :one)", True),
    ("contains(many, :z)", False),
    ("contains(n, :five)", False),
    ("size(t) = :five", True),
    ("size(bin) = :five", True),
    ("size(many) > :two", True),
    ("size(nest) = :two", True),
    ("size(ss) = :two", True),
    ("size(gone) = :two", False),
    ("n = :five", True),
    ("n <> :five", False),
    ("gone <> :five", True),
    ("gone = gone", False),
    ("n < :six", True),
    ("n < :hello", False),
    ("n <= :five", True),
    ("n > :four", True),
    ("n >= :six", False),
    (":four < n", True),
    ("gone < :six", False),
    ("t < :z", True),
    ("many < :six", False),
    ("n < :list", INVALID),
    ("n < :true", INVALID),
    ("ss = :set", True),
    ("flag = :true", True),
    ("nil = :nil", True),
    ("nest.b = :map", True),
    ("n = t", False),
    ("n BETWEEN :four AND :six", True),
    ("n between :five and :five", True),
    ("n BETWEEN :six AND :four", INVALID),
    ("n BETWEEN :four AND :z", INVALID),
    ("n BETWEEN :four AND nest.a", False),
    ("n IN (:four, :five)", True),
    ("n in (:hello, :four)", False),
    ("n IN ()", INVALID),
    ("NOT n = :five", False),
    ("NOT gone = :five", True),
    # AND binds closer than OR, NOT closer than both
    ("n = :five OR n = :four AND n = :six", True),
    ("(n = :five OR n = :four) AND n = :six", False),
    ("NOT n = :four AND n = :five", True),
    ("NOT (n = :four OR n = :five)", False),
    ("n = :five AND NOT (n BETWEEN :one AND :four) AND t = :hello", True),
    ("n = :five and not attribute_exists(gone) or n = :four", True),
    # what cannot be read
    ("n", INVALID),
    ("n = ", INVALID),
    ("n == :five", INVALID),
    ("n != :five", INVALID),
    ("(n = :five", INVALID),
    ("n = :five)", INVALID),
    ("n = :five AND", INVALID),
    ("n = 5", INVALID),
    ("ATTRIBUTE_EXISTS(n)", INVALID),
    ("nothing(n)", INVALID),
    ("attribute_exists(n, t)", INVALID),
    ("attribute_exists(:five)", INVALID),
    ("begins_with(t)", INVALID),
    ("contains(t, :he, :z)", INVALID),
    ("n = :undefined", INVALID),
    ("#undefined = :five", INVALID),
    ("name = :five", INVALID),
    ("many[x] = :five", INVALID),
    ("many[-1] = :five", INVALID),
    ("nest..a = :five", INVALID),
    ("", INVALID),
    ("   ", INVALID),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS, ids=[text or "empty" for text, _ in CONDITIONS])
def test_a_condition_holds_fails_or_is_refused(place: Place, condition: str, expected: bool | str) -> None:
    place.put(attributes=SUBJECT)
    request: dict[str, Any] = {"ConditionExpression": condition}
    if used(condition, CONSTANTS):
        request["ExpressionAttributeValues"] = used(condition, CONSTANTS)
    if used(condition, NAMES):
        request["ExpressionAttributeNames"] = used(condition, NAMES)
    try:
        place.put(attributes={"rewritten": n(1)}, **request)
        outcome: bool | str = True
    except ClientError as error:
        code = error.response["Error"]["Code"]
        outcome = False if code == FAILED else code
    assert outcome == expected
    assert (place.attributes() == {"rewritten": n(1)}) == (expected is True)


def test_a_condition_is_tested_against_no_item_too(place: Place) -> None:
    assert refused(place.put, ConditionExpression="attribute_exists(pk)") == FAILED
    place.put(ConditionExpression="attribute_not_exists(pk)")
    assert refused(place.put, ConditionExpression="attribute_not_exists(pk)") == FAILED
    delete = {"TableName": place.table, "Key": place.key(), "ConditionExpression": "attribute_not_exists(pk)"}
    assert refused(place.client.delete_item, **delete) == FAILED
    assert refused(place.update, expression="REMOVE a", ConditionExpression="attribute_not_exists(pk)") == FAILED


def test_a_failed_condition_shows_the_item_only_when_asked_to(place: Place) -> None:
    place.put(attributes={"a": n(1)})
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    assert "Item" not in refusal(place.put, **condition)
    condition["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    assert refusal(place.put, **condition)["Item"] == place.key() | {"a": n(1)}
    assert refusal(place.update, expression="REMOVE a", **condition)["Item"] == place.key() | {"a": n(1)}


PLACEHOLDERS: dict[str, dict[str, Any]] = {
    "unused value": {"ExpressionAttributeValues": {":a": n(1), ":b": n(1)}},
    "unused name": {"ExpressionAttributeValues": {":a": n(1)}, "ExpressionAttributeNames": {"#x": "x"}},
    "no values": {"ExpressionAttributeValues": {}},
    "no names": {"ExpressionAttributeValues": {":a": n(1)}, "ExpressionAttributeNames": {}},
    "name without #": {"ExpressionAttributeValues": {":a": n(1)}, "ExpressionAttributeNames": {"x": "x"}},
}


@pytest.mark.parametrize("which", PLACEHOLDERS)
def test_placeholders_must_be_defined_used_and_named_as_such(place: Place, which: str) -> None:
    assert refused(place.put, ConditionExpression="a = :a", **PLACEHOLDERS[which]) == INVALID


@pytest.mark.parametrize("which", ["ExpressionAttributeValues", "ExpressionAttributeNames"])
def test_placeholders_without_an_expression_are_refused(place: Place, which: str) -> None:
    given = {":a": n(1)} if which == "ExpressionAttributeValues" else {"#a": "a"}
    assert refused(place.put, **{which: given}) == INVALID


@pytest.mark.parametrize("word", ["name", "Status", "ttl", "bucket", "READ", "hash", "zone", "state", "count"])
def test_reserved_words_may_not_stand_bare(place: Place, word: str) -> None:
    assert refused(place.put, ConditionExpression=f"attribute_not_exists({word})") == INVALID
    place.put(ConditionExpression="attribute_not_exists(#w)", ExpressionAttributeNames={"#w": word})


@pytest.mark.parametrize("word", ["seq", "room", "username", "deleted", "rev", "id"])
def test_other_words_may_stand_bare(place: Place, word: str) -> None:
    place.put(ConditionExpression=f"attribute_not_exists({word}) AND attribute_not_exists(x.{word})")
    assert place.get() is not None


def test_an_expression_over_4_kb_is_refused(place: Place) -> None:
    assert refused(place.put, ConditionExpression=f"attribute_not_exists({'a' * 4096})") == INVALID


# --- updates ------------------------------------------------------------------------------------------------------

OLD: Item = {"num": n(5), "txt": s("old"), "lst": {"L": [n(1), n(2), n(3)]}, "m": {"M": {"a": n(1)}}}
OLD |= {"strs": {"SS": ["a", "b"]}, "nums": {"NS": ["1", "2"]}}
OPERANDS: Item = {
    ":1": n(1),
    ":2": n(2),
    ":s": s("new"),
    ":l": {"L": [s("x")]},
    ":ss": {"SS": ["b", "c"]},
    ":ab": {"SS": ["a", "b"]},
    ":ns": {"NS": ["2.0", "3"]},
    ":m": {"M": {}},
}
ALL_CLAUSES: Item = {"txt": s("new"), "num": {}, "fresh": n(1), "strs": {"SS": ["a"]}}
# what becomes of OLD; {} is an attribute that is gone
UPDATES: list[tuple[str, Item | str]] = [
    ("SET txt = :s", {"txt": s("new")}),
    ("set txt = :s", {"txt": s("new")}),
    ("SET fresh = :s, txt = :s", {"fresh": s("new"), "txt": s("new")}),
    ("SET #n = :s", {"name": s("new")}),
    ("SET num = num + :1", {"num": n(6)}),
    ("SET num = num - :2", {"num": n(3)}),
    ("SET num = :1 - num", {"num": n(-4)}),
    ("SET num = gone + :1", INVALID),
    ("SET num = txt + :1", INVALID),
    ("SET num = num + :s", INVALID),
    ("SET num = num + :1 + :2", INVALID),
    ("SET txt = num, num = :1", {"txt": n(5), "num": n(1)}),
    ("SET txt = gone", INVALID),
    ("SET num = if_not_exists(num, :1)", {}),
    ("SET fresh = if_not_exists(gone, :1)", {"fresh": n(1)}),
    ("SET fresh = if_not_exists(num, :1)", {"fresh": n(5)}),
    ("SET fresh = if_not_exists(gone, :1) + :2", {"fresh": n(3)}),
    ("SET fresh = if_not_exists(gone, if_not_exists(gone2, :1))", {"fresh": n(1)}),
    ("SET num = if_not_exists(:1, :2)", INVALID),
    ("SET lst = list_append(lst, :l)", {"lst": {"L": [n(1), n(2), n(3), s("x")]}}),
    ("SET lst = list_append(:l, lst)", {"lst": {"L": [s("x"), n(1), n(2), n(3)]}}),
    ("SET fresh = list_append(if_not_exists(gone, :l), :l)", {"fresh": {"L": [s("x"), s("x")]}}),
    ("SET lst = list_append(list_append(lst, :l), :l)", INVALID),
    ("SET lst = list_append(lst, :1)", INVALID),
    ("SET lst = list_append(gone, :l)", INVALID),
    ("SET lst = list_append(lst)", INVALID),
    ("SET lst = append_list(lst, :l)", INVALID),
    ("SET lst[1] = :s", {"lst": {"L": [n(1), s("new"), n(3)]}}),
    ("SET lst[9] = :s", {"lst": {"L": [n(1), n(2), n(3), s("new")]}}),
    ("SET lst[9] = :1, lst[7] = :2", {"lst": {"L": [n(1), n(2), n(3), n(2), n(1)]}}),
    ("SET m.b = :s", {"m": {"M": {"a": n(1), "b": s("new")}}}),
    ("SET m.b.c = :s", INVALID),
    ("SET gone.b = :s", INVALID),
    ("SET txt.b = :s", INVALID),
    ("SET txt[0] = :s", INVALID),
    ("SET m[0] = :s", INVALID),
    ("SET lst.a = :s", INVALID),
    ("SET fresh = :m, m.a = :2", {"fresh": {"M": {}}, "m": {"M": {"a": n(2)}}}),
    ("REMOVE txt", {"txt": {}}),
    ("REMOVE gone", {}),
    ("REMOVE txt, num", {"txt": {}, "num": {}}),
    ("REMOVE lst[0]", {"lst": {"L": [n(2), n(3)]}}),
    ("REMOVE lst[0], lst[2]", {"lst": {"L": [n(2)]}}),
    ("REMOVE lst[9]", {}),
    ("REMOVE m.a", {"m": {"M": {}}}),
    ("REMOVE m.gone", {}),
    ("REMOVE gone.a", INVALID),
    ("SET lst[1] = :s REMOVE lst[0]", {"lst": {"L": [s("new"), n(3)]}}),
    ("ADD num :2", {"num": n(7)}),
    ("ADD fresh :2", {"fresh": n(2)}),
    ("ADD strs :ss", {"strs": {"SS": ["a", "b", "c"]}}),
    ("ADD nums :ns", {"nums": {"NS": ["1", "2", "3"]}}),
    ("ADD fresh :ss", {"fresh": {"SS": ["b", "c"]}}),
    ("ADD m.a :2", {"m": {"M": {"a": n(3)}}}),
    ("ADD num :ss", INVALID),
    ("ADD num :s", INVALID),
    ("ADD txt :1", INVALID),
    ("ADD strs :ns", INVALID),
    ("ADD lst :l", INVALID),
    ("DELETE strs :ss", {"strs": {"SS": ["a"]}}),
    ("DELETE strs :ab", {"strs": {}}),
    ("DELETE gone :ss", {}),
    ("DELETE nums :ns", {"nums": {"NS": ["1"]}}),
    ("DELETE num :1", INVALID),
    ("DELETE strs :ns", INVALID),
    ("SET txt = :s REMOVE num ADD fresh :1 DELETE strs :ss", ALL_CLAUSES),
    ("SET txt = :s, txt = :1", INVALID),
    ("SET m = :m, m.a = :1", INVALID),
    ("SET m.a = :1 REMOVE m", INVALID),
    ("SET lst[0] = :1, lst[0] = :2", INVALID),
    ("SET txt = :s SET num = :1", INVALID),
    ("SET pk = :s", INVALID),
    ("REMOVE sk", INVALID),
    ("ADD sk :1", INVALID),
    ("SET name = :s", INVALID),
    ("SET txt = :undefined", INVALID),
    ("SET #undefined = :1", INVALID),
    ("SET txt :s", INVALID),
    ("SET txt = ", INVALID),
    ("SET txt = :s,", INVALID),
    ("SET", INVALID),
    ("CHANGE txt = :s", INVALID),
    ("REMOVE :s", INVALID),
    ("ADD num num", INVALID),
    ("SET num = (num + :1)", {"num": n(6)}),
    ("", INVALID),
]


@pytest.mark.parametrize(("expression", "expected"), UPDATES, ids=[text or "empty" for text, _ in UPDATES])
def test_an_update_changes_just_this_or_is_refused(place: Place, expression: str, expected: Item | str) -> None:
    place.put(attributes=OLD)
    request: dict[str, Any] = {}
    if used(expression, OPERANDS):
        request["ExpressionAttributeValues"] = used(expression, OPERANDS)
    if "#n " in expression:
        request["ExpressionAttributeNames"] = {"#n": "name"}
    if isinstance(expected, str):
        assert refused(place.update, expression=expression, **request) == expected
        assert _sorted_sets(place.attributes()) == OLD
        return
    place.update(expression, **request)
    after = {name: value for name, value in (OLD | expected).items() if value}
    assert _sorted_sets(place.attributes()) == after


def _sorted_sets(item: Item | None) -> Any:
    return item and {
        name: {kind: sorted(content) if kind in ("SS", "NS", "BS") else content for kind, content in value.items()}
        for name, value in item.items()
    }


def test_an_update_makes_the_item_unless_it_only_takes_away(place: Place) -> None:
    place.update("REMOVE a", sk="removed")
    assert place.get("removed") is None
    place.update(None, sk="touched")
    assert place.get("touched") == place.key("touched")
    place.update("SET a = :a", sk="set", ExpressionAttributeValues={":a": n(1)})
    assert place.get("set") == place.key("set") | {"a": n(1)}
    place.update("ADD a :a", sk="added", ExpressionAttributeValues={":a": n(1)})
    assert place.get("added") == place.key("added") | {"a": n(1)}


def test_an_update_that_may_not_be_is_refused_before_its_condition_is_tested(place: Place) -> None:
    request = {"ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":a": n(1)}}
    assert refused(place.update, expression="SET sk = :a", **request) == INVALID
    assert refused(place.update, expression="SET a = :a, a = :a", **request) == INVALID
    assert refused(place.update, expression="SET a = :a", **request) == FAILED


RETURNED: dict[str, Item] = {
    "NONE": {},
    "ALL_OLD": {"a": n(1), "m": {"M": {"x": n(1), "y": n(1)}}},
    "ALL_NEW": {"a": n(2), "m": {"M": {"x": n(2), "y": n(1)}}, "b": n(2)},
    "UPDATED_OLD": {"a": n(1), "m": {"M": {"x": n(1)}}},
    "UPDATED_NEW": {"a": n(2), "m": {"M": {"x": n(2)}}, "b": n(2)},
}


@pytest.mark.parametrize("what", RETURNED)
def test_an_update_returns_what_was_asked_for(place: Place, what: str) -> None:
    place.put(attributes=RETURNED["ALL_OLD"])
    update = "SET a = :2, m.x = :2, b = :2"
    answer = place.update(update, ReturnValues=what, ExpressionAttributeValues={":2": n(2)})
    expected = RETURNED[what] | (place.key() if what.startswith("ALL") else {})
    assert answer.get("Attributes", {}) == expected


def test_an_update_of_a_list_member_returns_that_member(place: Place) -> None:
    place.put(attributes={"l": {"L": [n(1), n(2), n(3)]}})
    values = {":9": n(9)}
    old = place.update("SET l[1] = :9", ReturnValues="UPDATED_OLD", ExpressionAttributeValues=values)
    assert old["Attributes"] == {"l": {"L": [n(2)]}}


def test_put_and_delete_return_the_old_item_or_nothing(place: Place) -> None:
    assert "Attributes" not in place.put(attributes={"a": n(1)}, ReturnValues="ALL_OLD")
    assert place.put(attributes={"a": n(2)}, ReturnValues="ALL_OLD")["Attributes"] == place.key() | {"a": n(1)}
    assert "Attributes" not in place.put(attributes={"a": n(2)})
    assert refused(place.put, ReturnValues="ALL_NEW") == INVALID
    assert refused(place.put, ReturnValues="UPDATED_OLD") == INVALID
    delete = {"TableName": place.table, "Key": place.key(), "ReturnValues": "ALL_OLD"}
    assert place.client.delete_item(**delete)["Attributes"] == place.key() | {"a": n(2)}
    assert "Attributes" not in place.client.delete_item(**delete)
    assert refused(place.client.delete_item, **delete | {"ReturnValues": "ALL_NEW"}) == INVALID


# --- projections --------------------------------------------------------------------------------------------------

PROJECTIONS: list[tuple[str, Item | str]] = [
    ("n", {"n": n(5)}),
    ("n, t", {"n": n(5), "t": s("hello")}),
    ("gone", {}),
    ("#name", {"name": s("reserved")}),
    ("nest.b.c", {"nest": {"M": {"b": {"M": {"c": s("deep")}}}}}),
    ("nest.a, nest.b", {"nest": SUBJECT["nest"]}),
    ("many[1]", {"many": {"L": [s("two")]}}),
    ("many[0], many[2][0]", {"many": {"L": [n(1), {"L": [s("deep")]}]}}),
    ("many[9]", {}),
    ("nest.gone", {}),
    ("n, n", INVALID),
    ("nest, nest.a", INVALID),
    ("name", INVALID),
    ("n,", INVALID),
    (":x", INVALID),
    ("size(n)", INVALID),
    ("", INVALID),
]


@pytest.mark.parametrize(("projection", "expected"), PROJECTIONS, ids=[text or "empty" for text, _ in PROJECTIONS])
def test_a_projection_gives_these_parts_or_is_refused(place: Place, projection: str, expected: Item | str) -> None:
    place.put(attributes=SUBJECT)
    request: dict[str, Any] = {"ProjectionExpression": projection}
    if used(projection, NAMES):
        request["ExpressionAttributeNames"] = used(projection, NAMES)
    if isinstance(expected, str):
        assert refused(place.get, **request) == expected
        assert refused(place.query, **request) == expected
        return
    assert (place.get(**request) or {}) == expected
    assert place.query(**request)["Items"] == [expected]
