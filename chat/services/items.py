"""Rows as DynamoDB writes them: each value with its type."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer


class _Values(TypeDeserializer):
    """boto3's, also for binary values as they come over the wire: others may put such into their rows."""

    def _deserialize_b(self, value: Any) -> Any:
        return super()._deserialize_b(b64decode(value) if isinstance(value, str) else value)


_to_wire = TypeSerializer().serialize
_from_wire = _Values().deserialize


def pack(row: dict[str, Any]) -> dict[str, Any]:
    """A plain dict as DynamoDB's typed item; None values are left out."""
    return {k: _to_wire(v) for k, v in row.items() if v is not None}


def unpack(item: dict[str, Any]) -> dict[str, Any]:
    """A typed item as a plain dict, whole numbers as int."""
    row = {}
    for key, value in item.items():
        plain = _from_wire(value)
        row[key] = int(plain) if "N" in value else plain
    return row
