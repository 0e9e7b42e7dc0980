"""Attribute values in DynamoDB's JSON, `{"S": "text"}`, `{"N": "1"}` and so on: checking, comparing, measuring.

Rules and limits: the Amazon DynamoDB Developer Guide, "Supported data types and naming rules" and "Service quotas".
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from chat.embedded.dynamodb.errors import invalid, malformed

Value = dict[str, Any]
Item = dict[str, Value]

MAX_ITEM_BYTES = 400 * 1024
MAX_DEPTH = 32
MAX_NAME_BYTES = 65_535
MAX_HASH_BYTES, MAX_RANGE_BYTES = 2048, 1024
SETS = {"SS": "S", "NS": "N", "BS": "B"}
ORDERED = {"S", "N", "B"}
KINDS = {*ORDERED, *SETS, "BOOL", "NULL", "M", "L"}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")
_NUMBERS = Context(prec=38, traps=[Inexact, InvalidOperation])
_SUMS = Context(prec=300)  # any sum of two numbers is exact: from 1E+126 down to 1E-130, and 38 digits further


def check(value: Any, depth: int = 0) -> Value:
    """The value in its normal form. Raises: ApiError ValidationException."""
    if not isinstance(value, dict):
        raise malformed("An attribute value must be a map of its type to its content")
    if len(value) != 1:
        raise invalid(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
            if not value
            else "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "datatypes"
        )
    if depth > MAX_DEPTH:
        raise invalid("Nesting Levels have exceeded supported limits: Attributes can have at most 32 levels")
    ((kind, content),) = value.items()
    if kind == "S" and isinstance(content, str):
        return value
    if kind == "N" and isinstance(content, str):
        return {"N": number(content)}
    if kind == "B" and isinstance(content, str):
        return {"B": base64.b64encode(_bytes(content)).decode()}
    if kind == "BOOL" and isinstance(content, bool):
        return value
    if kind == "NULL" and isinstance(content, bool):
        if not content:
            raise invalid(
                "One or more parameter values were invalid: Null attribute value types must have the value of true"
            )
        return value
    if kind == "M" and isinstance(content, dict):
        return {"M": {check_name(name): check(inner, depth + 1) for name, inner in content.items()}}
    if kind == "L" and isinstance(content, list):
        return {"L": [check(inner, depth + 1) for inner in content]}
    if kind in SETS and isinstance(content, list):
        return {kind: _set(kind, content)}
    if kind in KINDS:
        raise malformed(f"The content of an attribute value of type {kind} is of another type")
    raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def _set(kind: str, content: list[Any]) -> list[str]:
    if not content:
        raise invalid(
            "One or more parameter values were invalid: An number set  may not be empty"
            if kind == "NS"
            else f"One or more parameter values were invalid: An {'string' if kind == 'SS' else 'binary'} set  "
            "may not be empty"
        )
    members = [check({SETS[kind]: member})[SETS[kind]] for member in content]
    if len(set(members)) != len(members):
        raise invalid(
            f"One or more parameter values were invalid: Input collection [{', '.join(members)}] contains duplicates."
        )
    return members


def number(text: str) -> str:
    """A number as DynamoDB writes it: no exponent, no zeros that say nothing."""
    if not _NUMBER.fullmatch(text):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    try:
        value = _NUMBERS.create_decimal(text)
    except Inexact:
        raise invalid("Attempting to store more than 38 significant digits in a Number") from None
    except InvalidOperation:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not value:
        return "0"
    if value.adjusted() > 125:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if value.adjusted() < -130:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    return format(value.normalize(_NUMBERS), "f")


def add(a: str, b: str, sign: int = 1) -> str:
    """a + b, or a - b."""
    return number(str(_SUMS.add(Decimal(a), Decimal(b) if sign > 0 else Decimal(b).copy_negate())))


def check_item(item: Any) -> Item:
    """A whole item in its normal form. Raises: ApiError ValidationException, also when it is too large."""
    if not isinstance(item, dict):
        raise invalid("Item must be a map")
    checked = {check_name(name): check(value) for name, value in item.items()}
    if item_size(checked) > MAX_ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    return checked


def check_name(name: str) -> str:
    """The name of an attribute. Raises: ApiError ValidationException."""
    if not name:
        raise invalid("One or more parameter values were invalid: An attribute name must not be empty")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise invalid("Attribute name is too large, must be less than 65536 bytes")
    return name


def item_size(item: Item) -> int:
    """Bytes, as DynamoDB counts them: names and contents, numbers by their digits."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Value) -> int:
    """Bytes of one value."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        digits = content.lstrip("-").replace(".", "").strip("0")
        return (len(digits) + 1) // 2 + 1 + content.startswith("-")
    if kind == "B":
        return len(_bytes(content))
    if kind == "M":
        return 3 + sum(len(name.encode()) + value_size(inner) + 1 for name, inner in content.items())
    if kind == "L":
        return 3 + sum(value_size(inner) + 1 for inner in content)
    if kind in SETS:
        return sum(value_size({SETS[kind]: member}) for member in content)
    return 1


def order(value: Value) -> Any:
    """What values of one type are compared by: text by its UTF-8 bytes, as DynamoDB does."""
    ((kind, content),) = value.items()
    if kind == "S":
        return content.encode()
    if kind == "N":
        return Decimal(content)
    if kind == "B":
        return _bytes(content)
    return None


def same(a: Value | None, b: Value | None) -> bool:
    """Whether two values are equal; sets regardless of order."""
    if a is None or b is None:
        return False
    ((kind, x),) = a.items()
    ((other, y),) = b.items()
    if kind != other:
        return False
    if kind in SETS:
        return len(x) == len(y) and set(x) == set(y)
    if kind == "L":
        return len(x) == len(y) and all(same(p, q) for p, q in zip(x, y, strict=True))
    if kind == "M":
        return x.keys() == y.keys() and all(same(x[name], y[name]) for name in x)
    return bool(x == y)


def key_bytes(value: Value, kind: str, limit: int, name: str) -> bytes:
    """A checked key attribute as bytes that sort as DynamoDB sorts. Raises: ApiError ValidationException."""
    ((given, content),) = value.items()
    if given != kind:
        raise invalid(
            f"One or more parameter values were invalid: Type mismatch for key {name} expected: {kind} actual: {given}"
        )
    if kind == "N":
        return _number_bytes(Decimal(content))
    raw = content.encode() if kind == "S" else _bytes(content)
    if not raw:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )
    if len(raw) > limit:
        what = "hashkey" if limit == MAX_HASH_BYTES else "rangekey"
        raise invalid(
            f"One or more parameter values were invalid: Size of {what} has exceeded the maximum size limit of{limit} "
            "bytes"
        )
    return raw


def _number_bytes(value: Decimal) -> bytes:
    """Sign, exponent, digits; for negative numbers all of it upside down."""
    if not value:
        return b"\x01"
    _, digits, _ = value.normalize(_NUMBERS).as_tuple()
    body = (value.adjusted() + 200).to_bytes(2, "big") + bytes(digit + 1 for digit in digits)
    if value > 0:
        return b"\x02" + body
    return b"\x00" + bytes(255 - byte for byte in body) + b"\xff"


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Invalid attribute value type: the binary value is not base64") from None
