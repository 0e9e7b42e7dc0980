"""What is deleted or replaced stands nowhere in the files of the engine, once its stream keeps it no more."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat.embedded.dynamodb.items import Items
from chat.embedded.dynamodb.schema import Schema
from chat.embedded.dynamodb.server import Engine
from chat.embedded.dynamodb.store import Store
from chat.embedded.dynamodb.streams import KEPT_S

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
Ask = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "db"


@pytest.fixture
def store(file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    connect = sqlite3.connect

    def as_others_build_it(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.execute("PRAGMA secure_delete=OFF")  # Debian builds SQLite with it
        return connection

    monkeypatch.setattr(sqlite3, "connect", as_others_build_it)
    store = Store(str(file), "NORMAL")
    request = {"TableName": "things", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
    request |= {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}  # type: ignore[dict-item]
    store.write(Schema(store).create(request | {"StreamSpecification": STREAM})).result(10)  # type: ignore[arg-type]
    yield store
    store.close()


def found(file: Path, text: str) -> set[str]:
    """In which of the engine's files it stands."""
    return {each.name for each in file.parent.iterdir() if text.encode() in each.read_bytes()}


def put(store: Store, key: str, text: str) -> None:
    item = {"pk": {"S": key}, "text": {"S": text}}
    store.write(Items(store).writer("PutItem", {"TableName": "things", "Item": item})).result(10)


def forget(store: Store, seconds_later: float) -> None:
    asyncio.run(Engine(store, None).sweep_once(time.time() + seconds_later))


def test_what_is_deleted_and_what_is_replaced_is_written_over(store: Store, file: Path) -> None:
    others = range(2_000)
    for n in others:
        put(store, f"other {n}", f"stays {n} " * (n % 40))
    secrets = {f"{n}": f"SECRET-{n}-" + "word " * length for n, length in enumerate((1, 50, 900, 20_000))}
    for key, text in secrets.items():
        put(store, key, text)
        put(store, f"{key} replaced", text)
    assert found(file, "SECRET-"), "or nothing could be found at all"
    for n in others:  # pages are split and joined around them
        put(store, f"another {n}", "x" * (n % 700))
    for key in secrets:
        put(store, f"{key} replaced", "")
        delete = {"TableName": "things", "Key": {"pk": {"S": key}}}
        store.write(Items(store).writer("DeleteItem", delete)).result(10)
    forget(store, 0)
    assert found(file, "SECRET-") == {"db"}, "the stream tells of it for a day, as DynamoDB's does"
    forget(store, KEPT_S + 1)
    assert found(file, "SECRET-") == set()
    assert found(file, "stays 7 ") == {"db"}


def test_a_reader_that_is_in_the_way_keeps_nobody_waiting(store: Store, file: Path) -> None:
    put(store, "a", "SECRET")
    rows = store.reader.execute("SELECT * FROM items UNION ALL SELECT * FROM items")
    assert rows.fetchone()
    began = time.monotonic()
    store.fold().result(10)
    put(store, "b", "meanwhile")
    assert time.monotonic() - began < 4
    rows.close()
    put(store, "a", "")
    forget(store, KEPT_S + 1)
    assert found(file, "SECRET") == set()
