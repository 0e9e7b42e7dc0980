"""Numbers, sets, sizes and keys, asked of every implementation at hand. AWS is the authority."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.embedded.asking import INVALID, Item, Place, n, refused, s
from tests.embedded.conftest import Target

NUMBERS = [
    ("1", "1"),
    ("01", "1"),
    ("+1", "1"),
    ("1.0", "1"),
    ("-0", "0"),
    ("0.000", "0"),
    ("1e3", "1000"),
    ("1E-3", "0.001"),
    (".5", "0.5"),
    ("100", "100"),
    ("9" * 38, "9" * 38),
    ("1" + "0" * 50, "1" + "0" * 50),
    ("-1." + "2" * 37, "-1." + "2" * 37),
    ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
]


@pytest.mark.parametrize(("given_", "kept"), NUMBERS, ids=[given_[:8] for given_, _ in NUMBERS])
def test_a_number_is_kept_by_its_value(place: Place, given_: str, kept: str) -> None:
    place.put(attributes={"a": n(given_), "set": {"NS": [given_]}, "deep": {"L": [{"M": {"x": n(given_)}}]}})
    expected = {"a": n(kept), "set": {"NS": [kept]}, "deep": {"L": [{"M": {"x": n(kept)}}]}}
    assert place.attributes() == expected


NO_NUMBERS = ["", "abc", "1_000", "0x10", "NaN", "Infinity", "1e", "--1", "1 2", "9" * 39, "1e126", "1e-131", "٣"]


@pytest.mark.parametrize("number", NO_NUMBERS, ids=[number[:8] or "empty" for number in NO_NUMBERS])
def test_what_is_no_number_of_38_digits_is_refused(place: Place, number: str) -> None:
    assert refused(place.put, attributes={"a": n(number)}) == INVALID


def test_sums_keep_38_digits_or_are_refused(place: Place) -> None:
    place.put(attributes={"a": n("9" * 37 + "8")})
    place.update("SET a = a + :1", ExpressionAttributeValues={":1": n(1)})
    assert place.attributes() == {"a": n("9" * 38)}
    place.update("ADD a :d", ExpressionAttributeValues={":d": n("-" + "9" * 38)})
    assert place.attributes() == {"a": n(0)}
    place.put(attributes={"a": n("1e125")})
    for small in ("0.1", "1e-130", "1e60"):
        assert refused(place.update, expression="ADD a :d", ExpressionAttributeValues={":d": n(small)}) == INVALID


BAD_VALUES: dict[str, dict[str, Any]] = {
    "empty string set": {"SS": []},
    "empty number set": {"NS": []},
    "empty binary set": {"BS": []},
    "string twice": {"SS": ["a", "a"]},
    "number twice": {"NS": ["1", "1.0"]},
    "binary twice": {"BS": [b"a", b"a"]},
    "NULL that is false": {"NULL": False},
}


@pytest.mark.parametrize("which", BAD_VALUES)
def test_a_value_that_cannot_be_is_refused_at_any_depth(place: Place, which: str) -> None:
    assert refused(place.put, attributes={"a": BAD_VALUES[which]}) == INVALID
    assert refused(place.put, attributes={"a": {"L": [{"M": {"x": BAD_VALUES[which]}}]}}) == INVALID


def test_empty_strings_lists_and_maps_are_values(place: Place) -> None:
    empty: Item = {"a": s(""), "b": {"B": b""}, "c": {"L": []}, "d": {"M": {}}, "e": {"NULL": True}}
    place.put(attributes=empty)
    assert place.attributes() == empty


def test_values_nest_32_levels_deep_and_no_further(place: Place) -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = s("deep")
        for _ in range(levels):
            value = {"L": [value]}
        return value

    place.put(attributes={"a": nested(31)})
    assert refused(place.put, attributes={"a": nested(33)}) == INVALID


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60), data=st.binary(min_size=1))
def test_any_text_and_bytes_come_back_as_they_were(target: Target, text: str, data: bytes) -> None:
    place = Place(target)
    attributes: Item = {"text": s(text), "data": {"B": data}, "deep": {"M": {text: {"SS": [text]}}}}
    place.put(text, attributes)
    assert place.get(text) == place.key(text) | attributes
    assert place.query(" AND sk = :sk", {":sk": s(text)})["Items"] == [place.key(text) | attributes]


NUMBER = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**6), max_value=10**6),
    st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-999, 999), st.integers(-99, 99)),
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(numbers=st.sets(NUMBER, min_size=2, max_size=12))
def test_number_keys_are_in_the_order_of_their_values(target: Target, numbers: set[Decimal]) -> None:
    place = Place(target, "N")
    for number in numbers:
        place.put(n(str(number)))
    ordered = sorted(numbers)
    assert [Decimal(sk) for sk in place.found()] == ordered
    assert [Decimal(sk) for sk in place.found(ScanIndexForward=False)] == ordered[::-1]
    middle = ordered[len(ordered) // 2]
    above = place.found(" AND sk >= :m", {":m": n(str(middle))})
    assert [Decimal(sk) for sk in above] == [number for number in ordered if number >= middle]


def test_neighbouring_numbers_of_38_digits_are_different_keys(target: Target) -> None:
    place = Place(target, "N")
    keys = ["-" + "9" * 38, "-" + "9" * 37 + "8", "-1", "0", "1e-130", "0.1", "9" * 37 + "8", "9" * 38, "1e125"]
    for key in reversed(keys):
        place.put(n(key))
    assert [Decimal(sk) for sk in place.found()] == [Decimal(key) for key in keys]


def test_string_keys_are_in_the_order_of_their_utf_8_bytes(place: Place) -> None:
    keys = ["a", "B", "aa", "é", "z", "\uffff", "\U0001f600", "\x01", "~", "a\x00b"]
    for key in keys:
        place.put(key)
    assert place.found() == sorted(keys, key=str.encode)


def test_binary_keys_are_in_the_order_of_their_unsigned_bytes(target: Target) -> None:
    place = Place(target, "B")
    keys = [b"\x00", b"\x7f", b"\x80", b"\xff", b"\x00\x00", b"\xff\x00", b"a"]
    for key in keys:
        place.put({"B": key})
    assert place.found() == sorted(keys)
    assert place.found(" AND begins_with(sk, :p)", {":p": {"B": b"\xff"}}) == [b"\xff", b"\xff\x00"]
    assert place.found(" AND begins_with(sk, :p)", {":p": {"B": b"\x00"}}) == [b"\x00", b"\x00\x00"]


def test_an_item_may_have_400_kb_with_its_names_and_no_more(place: Place) -> None:
    largest = 400 * 1024 - len("pk" + place.pk + "sk" + "1" + "text")
    place.put(attributes={"text": s("x" * largest)})
    assert refused(place.put, attributes={"text": s("x" * (largest + 1))}) == INVALID
    assert refused(place.put, attributes={"text": s("é" * (largest // 2 + 1))}) == INVALID
    assert refused(place.update, expression="SET a = :a", ExpressionAttributeValues={":a": s("")}) == INVALID
    assert place.attributes() == {"text": s("x" * largest)}


def test_keys_have_their_own_limits_and_may_not_be_empty(target: Target, place: Place) -> None:
    def put(pk: str, sk: str) -> Any:
        return target.client.put_item(TableName=place.table, Item={"pk": s(pk), "sk": s(sk)})

    put(place.pk + "p" * (2048 - len(place.pk)), "s" * 1024)
    assert refused(put, pk=place.pk + "p" * (2049 - len(place.pk)), sk="s") == INVALID
    assert refused(put, pk=place.pk, sk="s" * 1025) == INVALID
    assert refused(put, pk=place.pk, sk="é" * 513) == INVALID
    assert refused(put, pk="", sk="s") == INVALID
    assert refused(put, pk=place.pk, sk="") == INVALID


def test_a_key_must_be_all_there_of_its_type_and_nothing_else(place: Place) -> None:
    def get(key: Item) -> Any:
        return place.client.get_item(TableName=place.table, Key=key)

    def put(item: Item) -> Any:
        return place.client.put_item(TableName=place.table, Item=item)

    for key in ({"pk": s("x")}, {"pk": s("x"), "sk": n(1)}, place.key() | {"x": s("x")}, {"pk": s("x"), "x": s("x")}):
        assert refused(get, key=key) == INVALID
    for item in ({"pk": s("x")}, {"pk": s("x"), "sk": n(1)}):
        assert refused(put, item=item) == INVALID
