"""Rows in the table become messages by way of the function, once each, whatever is told twice."""

from __future__ import annotations

import pytest

from chat.config import Config
from chat.services.storage.storage import Storage
from tests.lambdas.conftest import Runtime
from tests.lambdas.rows import Rows


@pytest.fixture
def rows(runtime: Runtime, config: Config) -> Rows:
    return Rows(config, runtime.handler("ingest"))


def log(config: Config) -> list[tuple[str, str | None]]:
    """(kind, text) of each entry of General."""
    pairs = Storage.connect(config).entries.after("general", 0, 100)
    return [(entry.kind, snapshot.text if snapshot else None) for entry, snapshot in pairs]


def test_a_row_is_a_message_and_follows_its_row(rows: Rows, config: Config) -> None:
    rows.put("deploy-1", text="Deploy began", username="ci")
    assert rows.tell() == {"batchItemFailures": []}
    assert log(config) == [("message", "Deploy began")]
    rows.put("deploy-1", text="Deploy finished", username="ci")
    rows.put("deploy-2", text="Another", username="ci")
    rows.delete("deploy-2")
    rows.tell()
    assert log(config) == [("message", "Deploy finished"), ("change", None), ("message", ""), ("change", None)]


def test_a_batch_that_is_told_again_changes_nothing(rows: Rows, config: Config) -> None:
    rows.put("1", text="once", username="ci")
    for _ in range(3):
        rows.told = 0
        assert rows.tell() == {"batchItemFailures": []}
    assert [text for kind, text in log(config) if kind == "message"] == ["once"]


def test_a_row_that_is_no_message_is_set_aside_and_stops_nobody(rows: Rows, config: Config) -> None:
    rows.put("bad", note="no text")
    rows.put("good", text="here", username="ci")
    assert rows.tell() == {"batchItemFailures": []}
    assert log(config) == [("message", "here")]
    assert [bad.id for bad in Storage.connect(config).external.rejected_rows()] == ["bad"]


def test_what_storage_does_not_take_is_told_again_from_the_first(rows: Rows, runtime: Runtime, config: Config) -> None:
    rows.put("1", text="later", username="ci")
    [record] = rows.records()
    runtime.settings = {"DYNAMODB_ENDPOINT": "http://127.0.0.1:1"}  # nobody answers there
    assert rows.tell() == {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    assert log(config) == []
    runtime.settings, rows.told = {}, 0
    assert rows.tell() == {"batchItemFailures": []}
    assert log(config) == [("message", "later")]
