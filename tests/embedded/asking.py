"""How the conformance tests ask: one hash key per test, and refusals by their code."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Target

Item = dict[str, dict[str, Any]]
INVALID = "ValidationException"
FAILED = "ConditionalCheckFailedException"
MISSING = "ResourceNotFoundException"


def s(text: str) -> dict[str, str]:
    return {"S": text}


def n(number: int | str) -> dict[str, str]:
    return {"N": str(number)}


def refusal(call: Callable[..., Any], **request: Any) -> Any:
    """The answer to a request that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response


def refused(call: Callable[..., Any], **request: Any) -> str:
    """The error code of a request that must be refused."""
    return refusal(call, **request)["Error"]["Code"]


def used(expression: str, given: dict[str, Any]) -> dict[str, Any]:
    """Those of the given names or values that the expression uses."""
    return {name: value for name, value in given.items() if re.search(re.escape(name) + r"\b", expression)}


class Place:
    """One hash key of a table, this test's own, and requests about it."""

    def __init__(self, target: Target, range_type: str = "S"):
        self.client = target.client
        self.table = target.table(range_type)
        self.pk = uuid.uuid4().hex

    def key(self, sk: Any = "1") -> Item:
        return {"pk": s(self.pk), "sk": s(sk) if isinstance(sk, str) else sk}

    def put(self, sk: Any = "1", attributes: Item | None = None, **request: Any) -> Any:
        return self.client.put_item(TableName=self.table, Item=self.key(sk) | (attributes or {}), **request)

    def get(self, sk: Any = "1", **request: Any) -> Item | None:
        return self.client.get_item(TableName=self.table, Key=self.key(sk), ConsistentRead=True, **request).get("Item")

    def attributes(self, sk: Any = "1") -> Item | None:
        """All but the key, None when there is no item."""
        item = self.get(sk)
        return None if item is None else {name: value for name, value in item.items() if name not in ("pk", "sk")}

    def update(self, expression: str | None, sk: Any = "1", **request: Any) -> Any:
        if expression is not None:
            request["UpdateExpression"] = expression
        return self.client.update_item(TableName=self.table, Key=self.key(sk), **request)

    def query(self, more: str = "", values: Item | None = None, **request: Any) -> Any:
        return self.client.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk" + more,
            ExpressionAttributeValues={":pk": s(self.pk)} | (values or {}),
            **request,
        )

    def found(self, more: str = "", values: Item | None = None, **request: Any) -> list[Any]:
        """The range keys that a query finds."""
        return [next(iter(item["sk"].values())) for item in self.query(more, values, **request)["Items"]]
