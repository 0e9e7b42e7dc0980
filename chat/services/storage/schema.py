"""Making, checking and dropping the three tables. What lies in them says each noun's file."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from chat import names
from chat.models import GENERAL
from chat.services.storage.rows import KEYS
from chat.services.storage.storage import Storage

# name → (its key attributes, whether it has a stream)
TABLES: dict[str, tuple[tuple[str, ...], bool]] = {
    "users": (KEYS["users"], False),
    "messages": (KEYS["messages"], True),
    "chat": (KEYS["chat"], False),
}
TTL_ATTRIBUTE = "expires_at"
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
MISSING = "ResourceNotFoundException"


def create(storage: Storage) -> list[str]:
    """Creates what is missing, waits until it is ACTIVE, turns the stream and TTL on; repeating it changes nothing.

    `general` comes with the tables, so that nobody else can make it; an owner that it has is taken away. Returns the
    real names of the tables it created. Raises: ChatError `unavailable`.
    """
    created = []
    for name, (keys, streamed) in TABLES.items():
        table = storage.client.table(name)
        request: dict[str, Any] = {
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
            "KeySchema": [
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        }
        if streamed:
            request["StreamSpecification"] = STREAM
        if storage.client.unless("ResourceInUseException", "create_table", **request):
            created.append(table)
        storage.client.wait_until("table_exists", table)
        if streamed and not _has_stream(storage, table):
            storage.client.call("update_table", TableName=table, StreamSpecification=STREAM)
            storage.client.wait_until("table_exists", table)
        _turn_on_ttl(storage, table)
    storage.rooms.put(replace(GENERAL, generation=int(time.time())))
    storage.rooms.disown(GENERAL.id)
    return created


def drop(storage: Storage) -> list[str]:
    """Deletes the tables and all that is in them. Returns the real names of those that existed."""
    dropped = []
    for name in TABLES:
        table = storage.client.table(name)
        if storage.client.unless(MISSING, "delete_table", TableName=table):
            storage.client.wait_until("table_not_exists", table)
            dropped.append(table)
    return dropped


def problems(storage: Storage) -> list[str]:
    """What is wrong with the tables, one plain sentence each. Raises: ChatError `unavailable`."""
    found = []
    for name, (_, streamed) in TABLES.items():
        table = storage.client.table(name)
        described = storage.client.unless(MISSING, "describe_table", TableName=table)
        if described is None:
            found.append(f"table {table} does not exist: run `flask create-tables`")
        elif described["Table"]["TableStatus"] != "ACTIVE":
            found.append(f"table {table} is {described['Table']['TableStatus']}, not ACTIVE")
        elif streamed and not _has_stream(storage, table):
            found.append(f"table {table} has no stream: run `flask create-tables`")
    return found or _room_problems(storage)


def _room_problems(storage: Storage) -> list[str]:
    found = []
    general = storage.rooms.get(GENERAL.id)
    if general is not None and general.owner:
        found.append(f"the room general has an owner, {general.owner}: run `flask create-tables`, which ends that")
    for room, name in storage.rooms.public():
        if not names.may_be_room(room):
            found.append(f"the room {name!r} has an id of {len(room)} characters, with which nobody can open it")
    return found


def _has_stream(storage: Storage, table: str) -> bool:
    described = storage.client.call("describe_table", TableName=table)["Table"]
    return bool(described.get("StreamSpecification", {}).get("StreamEnabled"))


def _turn_on_ttl(storage: Storage, table: str) -> None:
    described = storage.client.call("describe_time_to_live", TableName=table)["TimeToLiveDescription"]
    if described["TimeToLiveStatus"] in ("DISABLED", "DISABLING"):
        specification = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        storage.client.call("update_time_to_live", TableName=table, TimeToLiveSpecification=specification)
