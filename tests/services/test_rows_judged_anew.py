"""What a change of a row means is judged by the row's mark. When another reader takes one over between that and the
commit, it is judged anew: a reader that lost its lease may be late with what it found by comparing the tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.errors import ChatError
from chat.services.ingest.ingest import Ingest
from chat.services.storage.changes import DIGITS, Change
from chat.services.storage.values import pack
from tests.services.conftest import ALICE
from tests.services.worker import Worker

STREAM = "2026-01-01"
ROW = {"room": "general", "id": "x", "text": "first", "username": "ci"}


def taker(worker: Worker) -> Ingest:
    return Ingest(worker.storage, worker.rooms, worker.log, worker.bus)


def told(kind: str, number: int, text: str = "first", by_ttl: bool = False) -> Change:
    """What the stream says of the row."""
    new = None if kind == "REMOVE" else ROW | {"text": text}
    return Change(kind, "general", "x", new, f"{number:0{DIGITS}d}", STREAM, by_ttl)  # type: ignore[arg-type]


def said(worker: Worker) -> list[str]:
    """What each message of the room says, deleted or not."""
    return [message.text for message in worker.history.page(ALICE, "general", limit=200).messages]


@pytest.fixture
def late(worker: Worker, other: Worker) -> Callable[[], None]:
    """What the other worker makes of the row by comparing the tables: it found the row there, which has gone since."""
    row = pack(ROW)
    table = {"TableName": worker.storage.client.table("messages")}

    def compare() -> None:
        worker.storage.client.call("put_item", **table, Item=row)
        try:
            taker(other).reconcile(STREAM)
        finally:
            worker.storage.client.call("delete_item", **table, Key={name: row[name] for name in ("room", "id")})

    return compare


@pytest.fixture
def meanwhile(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """`meanwhile(act)`: once, right after this worker has read a mark."""

    def arrange(act: Callable[[], None]) -> None:
        read, acts = worker.storage.external.get_checkpoint, [act]

        def get_checkpoint(room: str, row_id: str):
            found = read(room, row_id)
            if acts:
                acts.pop()()
            return found

        monkeypatch.setattr(worker.storage.external, "get_checkpoint", get_checkpoint)

    return arrange


def test_a_row_that_another_reader_found_meanwhile_is_one_message(worker, late, meanwhile):
    """Seed 65153954 of tests/model: two messages of one row, one of which nothing ever changed or deleted."""
    meanwhile(late)
    taker(worker).take([told("INSERT", 1), told("MODIFY", 2, "second")])
    assert said(worker) == ["second"]
    taker(worker).take([told("REMOVE", 3)])
    assert said(worker) == [""]


def test_a_row_that_goes_takes_the_message_with_it_that_another_reader_made_meanwhile(worker, late, meanwhile):
    meanwhile(late)
    taker(worker).take([told("REMOVE", 1)])
    assert said(worker) == [""]


def test_a_row_whose_time_is_over_leaves_what_another_reader_made_of_it_meanwhile(worker, late, meanwhile):
    meanwhile(late)
    taker(worker).take([told("REMOVE", 1, by_ttl=True), told("INSERT", 2, "again")])
    assert said(worker) == ["first", "again"]


def test_a_row_whose_message_another_reader_deletes_meanwhile_is_a_new_message(worker, other, meanwhile):
    """It was deleted and put again while the stream was not read for so long that it no longer tells."""
    taker(worker).take([told("INSERT", 1)])
    meanwhile(lambda: taker(other).reconcile(STREAM))  # there is no such row
    taker(worker).take([told("INSERT", 5, "again")])
    assert said(worker) == ["", "again"]


def test_a_reader_that_never_comes_first_stores_nothing_and_asks_to_be_told_again(worker, other, monkeypatch):
    taker(other).take([told("INSERT", 1)])
    with monkeypatch.context() as patched:
        patched.setattr(worker.storage.external, "get_checkpoint", lambda *key: None)
        with pytest.raises(ChatError) as raised:
            taker(worker).take([told("MODIFY", 2, "second")])
    assert raised.value.retry and said(worker) == ["first"]
    taker(worker).take([told("MODIFY", 2, "second")])
    assert said(worker) == ["second"]
