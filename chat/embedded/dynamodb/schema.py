"""Operations on tables: making, changing, describing, time to live."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chat.embedded.dynamodb.errors import ApiError, invalid, malformed
from chat.embedded.dynamodb.store import Store, Table, named, new_table

NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
MAX_KEY_NAME_CHARS = 255
Job = Callable[[sqlite3.Connection], dict[str, Any]]
VIEWS = {"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"}


class Schema:
    """The operations; those that write return a job for the writer. All raise ApiError."""

    def __init__(self, store: Store):
        self._store = store

    def create(self, request: dict[str, Any]) -> Job:
        """CreateTable"""
        name = named(request.get("TableName"))
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise invalid("TableName must be at least 3 characters long and at most 255 of a-z A-Z 0-9 _ - .")
        keys = _keys(request.get("KeySchema") or [], request.get("AttributeDefinitions") or [])
        table = new_table(name, keys, request.get("BillingMode", "PROVISIONED"))
        table = _with_stream(table, request.get("StreamSpecification") or {})
        table = replace(table, protected=request.get("DeletionProtectionEnabled", False))

        def job(connection: sqlite3.Connection) -> dict[str, Any]:
            stored = self._store.create_table(connection, table)
            _note_stream(connection, stored)
            return {"TableDescription": describe(stored, (0, 0))}

        return job

    def update(self, request: dict[str, Any]) -> Job:
        """UpdateTable: the stream, on or off; whether it may be deleted."""
        table = self._store.table(request.get("TableName"))
        wanted = request.get("StreamSpecification")
        if wanted is None and not request.keys() & {"BillingMode", "DeletionProtectionEnabled"}:
            raise invalid(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates "
                "or SSESpecification or ReplicaUpdates is required"
            )
        protected = request.get("DeletionProtectionEnabled", table.protected)
        changed = replace(table, billing=request.get("BillingMode", table.billing), protected=protected)
        if wanted is not None:
            if wanted.get("StreamEnabled") and table.stream_view:
                raise invalid(f"Table already has an enabled stream: TableName: {table.name}")
            if not wanted.get("StreamEnabled") and not table.stream_view:
                raise invalid(f"Table has no stream to disable: TableName: {table.name}")
            changed = _with_stream(replace(changed, stream_view=""), wanted)

        def job(connection: sqlite3.Connection) -> dict[str, Any]:
            self._store.save_table(connection, changed)
            _note_stream(connection, changed)
            return {"TableDescription": describe(changed, (0, 0))}

        return job

    def delete(self, request: dict[str, Any]) -> Job:
        """DeleteTable"""
        table = self._store.table(request.get("TableName"))
        if table.protected:
            raise invalid(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection "
                "first."
            )

        def job(connection: sqlite3.Connection) -> dict[str, Any]:
            self._store.delete_table(connection, table)
            return {"TableDescription": describe(table, (0, 0)) | {"TableStatus": "DELETING"}}

        return job

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTable"""
        table = self._store.table(request.get("TableName"))
        return {"Table": describe(table, self._store.size(table))}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTables"""
        names = [name for name in self._store.table_names() if name > request.get("ExclusiveStartTableName", "")]
        limit = min(request.get("Limit", 100), 100)
        answer: dict[str, Any] = {"TableNames": names[:limit]}
        if len(names) > limit:
            answer["LastEvaluatedTableName"] = names[limit - 1]
        return answer

    def update_ttl(self, request: dict[str, Any]) -> Job:
        """UpdateTimeToLive"""
        table = self._store.table(request.get("TableName"))
        wanted = request.get("TimeToLiveSpecification") or {}
        name, enabled = wanted.get("AttributeName"), wanted.get("Enabled")
        if not isinstance(name, str) or not name or not isinstance(enabled, bool):
            raise invalid("TimeToLiveSpecification needs AttributeName and Enabled")
        if enabled == bool(table.ttl_attribute):
            raise invalid(f"TimeToLive is already {'enabled' if enabled else 'disabled'}")
        changed = replace(table, ttl_attribute=name if enabled else "")

        def job(connection: sqlite3.Connection) -> dict[str, Any]:
            self._store.save_table(connection, changed)
            self._store.reindex_expiry(connection, changed)
            return {"TimeToLiveSpecification": {"AttributeName": name, "Enabled": enabled}}

        return job

    def describe_ttl(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTimeToLive"""
        table = self._store.table(request.get("TableName"))
        if not table.ttl_attribute:
            return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl_attribute}}


def describe(table: Table, size: tuple[int, int]) -> dict[str, Any]:
    """A table as DescribeTable shows it."""
    described: dict[str, Any] = {
        "TableName": table.name,
        "TableArn": table.arn,
        "TableId": table.table_id,
        "TableStatus": "ACTIVE",
        "CreationDateTime": table.created_at,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in table.keys],
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for (name, _), role in zip(table.keys, ("HASH", "RANGE"), strict=False)
        ],
        "ItemCount": size[0],
        "TableSizeBytes": size[1],
        "BillingModeSummary": {"BillingMode": table.billing},
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        "DeletionProtectionEnabled": table.protected,
    }
    if table.stream_arn:
        described["LatestStreamArn"] = table.stream_arn
        described["LatestStreamLabel"] = table.stream_arn.rpartition("/")[2]
    if table.stream_view:
        described["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
    return described


def _keys(schema: list[Any], definitions: list[Any]) -> tuple[tuple[str, str], ...]:
    if not all(isinstance(each, dict) for each in [*schema, *definitions]):
        raise malformed("KeySchema and AttributeDefinitions are lists of maps")
    kinds = {each.get("AttributeName"): each.get("AttributeType") for each in definitions}
    roles = [each.get("KeyType") for each in schema]
    names = [each.get("AttributeName") for each in schema]
    if roles not in (["HASH"], ["HASH", "RANGE"]) or len(set(names)) != len(names):
        raise invalid("Invalid KeySchema: one HASH key, and at most one RANGE key of another name")
    if set(names) - kinds.keys():
        raise invalid(
            "One or more parameter values were invalid: Some index key attributes are not defined in "
            f"AttributeDefinitions. Keys: [{', '.join(map(str, names))}]"
        )
    if kinds.keys() - set(names):
        raise invalid(
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly "
            "match number of attributes defined in AttributeDefinitions"
        )
    if not all(isinstance(name, str) and 1 <= len(name) <= MAX_KEY_NAME_CHARS for name in names):
        raise invalid(f"The name of a key attribute must have 1 to {MAX_KEY_NAME_CHARS} characters")
    if any(kind not in ("S", "N", "B") for kind in kinds.values()):
        raise invalid("AttributeType must be one of S, N, B")
    return tuple((name, kinds[name]) for name in names)


def _with_stream(table: Table, specification: dict[str, Any]) -> Table:
    if not specification.get("StreamEnabled"):
        return table
    view = specification.get("StreamViewType")
    if view not in VIEWS:
        raise invalid(f"StreamViewType must be one of {', '.join(sorted(VIEWS))}")
    label = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return replace(table, stream_view=view, stream_arn=f"{table.arn}/stream/{label}")


def _note_stream(connection: sqlite3.Connection, table: Table) -> None:
    """Keeps what a stream was, for readers that come after it was turned off."""
    if not table.stream_view:
        return
    if connection.execute("SELECT 1 FROM streams WHERE arn = ?", (table.stream_arn,)).fetchone():
        raise ApiError("ResourceInUseException", "A stream of that table was made in this very millisecond")
    connection.execute("INSERT INTO streams VALUES (?, ?, ?)", (table.stream_arn, table.name, table.stream_view))
