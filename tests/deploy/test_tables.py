"""The tables that the template makes are those that `flask create-tables` makes."""

from __future__ import annotations

import pytest

from chat.services.storage.schema import STREAM, TABLES, TTL_ATTRIBUTE
from tests.deploy.tools import Json, resources


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_same_keys_stream_and_ttl(template: Json, name: str) -> None:
    keys, streamed = TABLES[name]
    table = _tables(template)[name]
    assert table["KeySchema"] == [
        {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]
    assert table["AttributeDefinitions"] == [{"AttributeName": key, "AttributeType": "S"} for key in keys]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table.get("StreamSpecification", {}).get("StreamViewType") == (
        (streamed and STREAM["StreamViewType"]) or None
    )
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}


def test_there_is_no_further_table(template: Json) -> None:
    assert set(_tables(template)) == set(TABLES)


def test_a_table_is_kept_and_can_be_brought_back_unless_somebody_says_otherwise(template: Json) -> None:
    for table in _tables(template).values():
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["Keep", True, False]}
    assert template["Parameters"]["KeepData"]["Default"] == "yes"


def _tables(template: Json) -> dict[str, Json]:
    """Name without the prefix → properties."""
    tables = resources(template, "AWS::DynamoDB::Table").values()
    return {table["TableName"]["Fn::Sub"].removeprefix("${TablePrefix}"): table for table in tables}
