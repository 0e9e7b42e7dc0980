"""Rows as DynamoDB writes them: each value with its type."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer


class _Reader(TypeDeserializer):
    """Reads also what no version so far has written: bytes as they come, and numbers that boto3 refuses for their
    length (DynamoDB writes 10^60 with all its digits)."""

    def _deserialize_b(self, value: Any) -> Any:
        return value

    def _deserialize_n(self, value: str) -> Decimal:
        return Decimal(value)


_to_wire = TypeSerializer().serialize
_from_wire = _Reader().deserialize


def pack(row: dict[str, Any]) -> dict[str, Any]:
    """A plain dict as DynamoDB's typed item; None values are left out."""
    return {k: _to_wire(v) for k, v in row.items() if v is not None}


def texts(item: dict[str, Any], names: Collection[str]) -> dict[str, str | None]:
    """Of an item that others put, the attributes of these names that it has: the text, None where it is of another
    type. Nothing else of it is looked at, so nothing in it can be more than this takes."""
    return {name: item[name].get("S") for name in names if name in item}


def unpack(item: dict[str, Any]) -> dict[str, Any]:
    """One of the app's own items as a plain dict, whole numbers as int."""
    row = {}
    for key, value in item.items():
        plain = _from_wire(value)
        row[key] = int(plain) if "N" in value else plain
    return row
