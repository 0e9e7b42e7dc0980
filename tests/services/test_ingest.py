"""Rows that somebody puts become messages, once, whatever is told twice, late or by two at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chat.errors import ChatError
from chat.models import Person
from chat.services.ingest.ingest import Ingest
from chat.services.jobs.leases import Lease
from chat.services.jobs.poller import Lost, Poller
from chat.services.storage.changes import DIGITS, Change, label
from chat.services.storage.stream import Streams
from chat.services.storage.values import pack
from tests.services.conftest import ALICE, BOB
from tests.services.worker import Worker

Row = dict[str, Any]
ROW = {"room": "general", "id": "deploy-1", "text": "Deploy finished", "username": "ci"}


@pytest.fixture
def put(worker: Worker) -> Callable[..., None]:
    """What anybody with the right to write does: `put(**attributes)`."""

    def do(**row: Any) -> None:
        producer = worker.storage.client._client._client  # boto3's, as others put rows; the lean way is for our own
        producer.put_item(TableName=worker.storage.client.table("messages"), Item=pack(ROW | row))

    return do


@pytest.fixture
def delete(worker: Worker) -> Callable[..., None]:
    def do(room: str = ROW["room"], id: str = ROW["id"]) -> None:
        key = pack({"room": room, "id": id})
        worker.storage.client.call("delete_item", TableName=worker.storage.client.table("messages"), Key=key)

    return do


def poller(worker: Worker, config: Any, name: str = "stream") -> Poller:
    """A poller of that worker, which reads the real stream of the test's table."""
    ingest = Ingest(worker.storage, worker.rooms, worker.log, worker.bus)
    return Poller(worker.storage, partial(Streams.connect, config), ingest, Lease(worker.redis, name, 60_000))


@pytest.fixture
def poll(worker: Worker, config: Any) -> Callable[[], None]:
    """Reads the stream to its end."""
    reader = poller(worker, config)
    assert reader.begin()

    def do() -> None:
        while reader.round():
            pass

    return do


def told(kind: str, number: int, stream: str = "2026-01-01", by_ttl: bool = False, **row: Any) -> Change:
    """A record as a stream would tell it."""
    new = None if kind == "REMOVE" else ROW | row
    return Change(kind, ROW["room"], ROW["id"], new, f"{number:0{DIGITS}d}", stream, by_ttl)  # type: ignore[arg-type]


def taker(worker: Worker) -> Ingest:
    return Ingest(worker.storage, worker.rooms, worker.log, worker.bus)


def said(worker: Worker, person: Person = ALICE, room: str = "general") -> list[tuple[str, str, bool]]:
    """(author's name, text, deleted) of every message of the room."""
    return [(m.name, m.text, m.deleted) for m in worker.history.page(person, room, limit=200).messages]


def test_a_row_that_is_put_is_sent_to_every_member_and_stands_in_the_room(worker, put, poll):
    sid = worker.connect(BOB)
    put()
    poll()
    (event, message) = worker.broadcaster.sent[sid][-1]
    assert event == "message:sent"
    assert (message["text"], message["name"], message["via"]) == ("Deploy finished", "ci", "table")
    assert said(worker) == [("ci", "Deploy finished", False)]


def test_the_row_itself_is_left_as_it_was_put(worker, put, poll):
    put(extra="kept")
    poll()
    assert as_it_stands(worker) == pack(ROW | {"extra": "kept"})


def as_it_stands(worker: Worker) -> Row:
    """The row in the table, as DynamoDB writes it."""
    key = pack({"room": ROW["room"], "id": ROW["id"]})
    return worker.storage.client.call("get_item", TableName=worker.storage.client.table("messages"), Key=key)["Item"]


@pytest.mark.parametrize("names", [("text", "username"), ("message", "user"), ("text", "user")])
def test_both_names_of_the_attributes_are_accepted(worker, poll, names):
    text, user = names
    row = {"room": "general", "id": "x", text: "hello", user: "bot"}
    worker.storage.client.call("put_item", TableName=worker.storage.client.table("messages"), Item=pack(row))
    poll()
    assert said(worker) == [("bot", "hello", False)]


def test_putting_the_row_again_with_another_text_is_an_edit(worker, put, poll):
    put()
    poll()
    put(text="Deploy failed")
    poll()
    (message,) = worker.history.page(ALICE, "general").messages
    assert (message.text, message.edited_at_ms is not None, message.rev) == ("Deploy failed", True, 2)


def test_putting_the_same_row_again_changes_nothing(worker, put, poll):
    for number in range(3):
        put(attempt=number)
        poll()
    taker(worker).reconcile("2027-01-01")
    assert [entry.kind for entry, _ in worker.storage.entries.after("general", 0, 10)] == ["message"]
    worker.messages.send(ALICE, "general", "c1", "next")
    assert [message.seq for message in worker.history.page(ALICE, "general").messages] == [1, 2], "no number is spent"


def test_reactions_outlast_an_edit_of_the_row_and_go_with_the_row(worker, put, delete, poll):
    put()
    poll()
    worker.messages.react(BOB, "general", "r", 1, "👍", True)
    put(text="Deploy failed")
    poll()
    (message,) = worker.history.page(ALICE, "general").messages
    assert (message.text, message.reactions) == ("Deploy failed", {"👍": ("bob",)})
    delete()
    poll()
    (message,) = worker.history.page(ALICE, "general").messages
    assert (message.deleted, message.reactions) == (True, {})


def test_deleting_the_row_deletes_the_message_and_its_text(worker, put, delete, poll):
    put()
    poll()
    delete()
    poll()
    assert said(worker) == [("ci", "", True)]


def test_a_row_put_again_after_it_was_deleted_is_a_new_message(worker, put, delete, poll):
    put()
    delete()
    put(text="again")
    poll()
    assert said(worker) == [("ci", "", True), ("ci", "again", False)]


def test_a_row_that_expires_leaves_its_message(worker):
    ingest = taker(worker)
    ingest.take([told("INSERT", 1), told("REMOVE", 2, by_ttl=True)])
    assert said(worker) == [("ci", "Deploy finished", False)]


def test_a_row_put_after_one_of_its_key_expired_is_a_new_message(worker):
    ingest = taker(worker)
    ingest.take([told("INSERT", 1), told("REMOVE", 2, by_ttl=True), told("INSERT", 3, text="next")])
    assert said(worker) == [("ci", "Deploy finished", False), ("ci", "next", False)]


def test_a_row_that_expired_is_not_taken_for_deleted_when_the_tables_are_compared(worker):
    ingest = taker(worker)
    ingest.take([told("INSERT", 1), told("REMOVE", 2, by_ttl=True)])
    ingest.reconcile("2026-01-01")
    assert said(worker) == [("ci", "Deploy finished", False)]


def test_an_expiry_told_late_changes_nothing(worker):
    ingest = taker(worker)
    ingest.take([told("INSERT", 1), told("REMOVE", 2, by_ttl=True), told("INSERT", 3, text="next")])
    ingest.take([told("REMOVE", 2, by_ttl=True), told("MODIFY", 4, text="edited")])
    assert said(worker) == [("ci", "Deploy finished", False), ("ci", "edited", False)]


def no_longer_kept(worker: Worker) -> None:
    """What was said so far is below the floor."""
    worker.messages.send(ALICE, "general", "c1", "the last")
    worker.storage.rooms.raise_floor("general", 2)
    worker.storage.entries.delete("general", [1])
    worker.rooms.forget("general")


def test_a_row_whose_message_is_no_longer_kept_speaks_again_when_it_says_something_else(worker, put, poll):
    put()
    poll()
    no_longer_kept(worker)
    put(text="Deploy failed")
    poll()
    put(text="Deploy mended")
    poll()
    assert said(worker) == [("Alice", "the last", False), ("ci", "Deploy mended", False)]


def test_a_row_whose_message_is_no_longer_kept_does_not_say_the_same_again(worker, put, poll):
    put()
    poll()
    no_longer_kept(worker)
    put(attempt=2)
    poll()
    taker(worker).reconcile("2027-01-01")
    assert said(worker) == [("Alice", "the last", False)]


def test_whoever_puts_rows_is_taken_for_no_user(worker, put, poll):
    put(username="Alice")
    poll()
    (message,) = worker.history.page(ALICE, "general").messages
    assert message.author != "alice" and message.via == "table"
    with pytest.raises(ChatError) as error:
        worker.messages.edit(ALICE, "general", "c1", message.seq, "mine now")
    assert error.value.code == "not_author"


BAD = [
    ({"text": None}, "no text"),
    ({"text": 5}, "no text"),
    ({"text": b"bytes"}, "no text"),
    ({"text": "   "}, "cannot be empty"),
    ({"text": "x" * 4_001}, "4,000"),
    ({"username": ""}, "is not a name"),
    ({"username": "x" * 33}, "is not a name"),
    ({"username": "two\nlines"}, "is not a name"),
    ({"username": 7}, "is not a name"),
    ({"room": "nowhere"}, "no such room"),
    ({"room": "x" * 300}, "no such room"),
]


@pytest.mark.parametrize(("change", "reason"), BAD)
def test_a_bad_row_is_set_aside_with_its_reason_and_stops_nothing(worker, put, poll, change, reason):
    put(**change)
    put(id="good", text="behind it")
    poll()
    (bad,) = worker.storage.external.rejected_rows()
    assert reason in bad.reason and bad.id == "deploy-1"
    assert said(worker) == [("ci", "behind it", False)]


def test_what_else_is_in_a_row_is_its_owners_business(worker, put, poll):
    put(picture=b"\x89PNG", pages={b"one", b"two"}, nested={"list": [b"bytes", None, True, 1]})
    poll()
    assert said(worker) == [("ci", "Deploy finished", False)]
    assert as_it_stands(worker)["picture"] == {"B": "iVBORw=="}


def test_a_bad_row_that_is_put_right_becomes_a_message_and_leaves_the_list(worker, put, poll):
    put(text=5)
    poll()
    put(text="right")
    poll()
    assert said(worker) == [("ci", "right", False)]
    assert worker.storage.external.rejected_rows() == []


def test_a_row_that_breaks_us_is_set_aside_and_those_behind_it_come(worker, put, poll, monkeypatch):
    put(room="breaks")
    put(text="behind it")
    get = worker.rooms.get

    def broken(room):
        if room == "breaks":
            raise ZeroDivisionError
        return get(room)

    monkeypatch.setattr(worker.rooms, "get", broken)
    poll()
    assert [bad.room for bad in worker.storage.external.rejected_rows()] == ["breaks"]
    assert said(worker) == [("ci", "behind it", False)]


def test_keys_of_our_own_shape_are_never_adopted(worker, put, poll):
    put(room="R#general#0", id="x")
    put(room="#", id="y")
    poll()
    assert said(worker) == [] and worker.storage.external.rejected_rows() == []


def test_our_own_entries_are_announced_again_and_no_more(worker, other, wire, poll):
    """A worker died between the commit and the publish."""
    sid = other.connect(BOB)
    worker.messages.send(ALICE, "general", "c1", "lost")
    wire.waiting.clear()
    poll()
    announced = [event for who, event in wire.waiting if who is other]
    assert announced == [{"kind": "decided", "room": "general", "seq": 1}]
    wire.carry()
    other.catch_up()
    assert [m["text"] for e, m in other.broadcaster.sent[sid] if e == "message:sent"] == ["lost"]
    worker.messages.edit(ALICE, "general", "c2", 1, "edited")
    wire.waiting.clear()
    poll()
    assert [event["seq"] for who, event in wire.waiting if who is other] == [2], "the change, not the snapshot again"


# --- told twice, late, by two at once --------------------------------------------------------------------------------


def test_a_stream_that_is_read_again_from_its_beginning_changes_nothing(worker, config, put, delete, poll):
    put()
    put(text="edited")
    put(id="other", text="goes")
    delete(id="other")
    poll()
    before = [(m.seq, m.rev, m.text, m.deleted) for m in worker.history.page(ALICE, "general").messages]
    worker.redis.flushall()
    again = poller(worker, config)
    assert again.begin()
    while again.round():
        pass
    assert [(m.seq, m.rev, m.text, m.deleted) for m in worker.history.page(ALICE, "general").messages] == before


CHANGES = [told("INSERT", 1), told("MODIFY", 2, text="two"), told("REMOVE", 3), told("INSERT", 4, text="four")]


@pytest.mark.parametrize("late", range(4))
def test_a_change_told_late_by_a_stale_reader_does_not_undo_a_later_one(worker, other, late):
    taker(worker).take(CHANGES)
    taker(other).take([CHANGES[late]])
    assert said(worker) == [("ci", "", True), ("ci", "four", False)]


def test_two_readers_at_once_adopt_a_row_once(worker, other, monkeypatch):
    """The second one reads the mark before the first one has written it."""
    read, early = other.storage.external.get_checkpoint, iter([None])
    monkeypatch.setattr(other.storage.external, "get_checkpoint", lambda *key: next(early, read(*key)))
    taker(worker).take([CHANGES[0]])
    taker(other).take([CHANGES[0]])
    assert said(worker) == [("ci", "Deploy finished", False)]


def test_a_reader_that_dies_after_the_commit_adopts_nothing_twice(worker, other, monkeypatch):
    append = worker.storage.transaction.append

    def dies(*args: Any, **options: Any) -> None:
        append(*args, **options)
        raise SystemExit

    monkeypatch.setattr(worker.storage.transaction, "append", dies)
    with pytest.raises(SystemExit):
        taker(worker).take([CHANGES[0]])
    taker(other).take(CHANGES[:2])
    assert said(other) == [("ci", "two", False)]


def test_a_storage_that_does_not_answer_leaves_the_change_to_be_told_again(worker, monkeypatch):
    def silent(*args: Any, **options: Any) -> None:
        raise ChatError("unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(worker.storage.transaction, "append", silent)
        with pytest.raises(ChatError):
            taker(worker).take([CHANGES[0]])
    taker(worker).take([CHANGES[0]])
    assert said(worker) == [("ci", "Deploy finished", False)]
    assert worker.storage.external.rejected_rows() == []


def test_what_was_deleted_in_the_chat_is_not_brought_back_by_a_later_edit_of_the_row(worker):
    ingest = taker(worker)
    ingest.take([CHANGES[0]])
    room = worker.rooms.get("general")
    mark = worker.storage.external.get_checkpoint("general", ROW["id"])
    ingest._change(
        room, mark, lambda old: type(old)(**{**vars(old), "text": "", "deleted": True}), told("MODIFY", 2), 1
    )
    ingest.take([told("MODIFY", 3, text="back")])
    assert said(worker) == [("ci", "", True)]
    ingest.take([told("REMOVE", 4), told("INSERT", 5, text="new")])
    assert said(worker) == [("ci", "", True), ("ci", "new", False)]


def test_a_stream_made_anew_counts_as_later_than_the_old_one(worker):
    ingest = taker(worker)
    ingest.take([told("INSERT", 900, stream="2026-01-01")])
    ingest.take([told("MODIFY", 1, stream="2026-02-01", text="in the new stream")])
    ingest.take([told("MODIFY", 901, stream="2026-01-01", text="from the old one")])
    assert said(worker) == [("ci", "in the new stream", False)]


# --- a stream that has lost records ----------------------------------------------------------------------------------


def test_what_the_stream_no_longer_tells_is_found_by_comparing_the_tables(worker, config, put, delete, poll):
    put(id="stays")
    put(id="changes")
    put(id="goes")
    poll()
    put(id="changes", text="changed unseen")
    delete(id="goes")
    put(id="comes", text="came unseen")
    ingest, stream = taker(worker), label(worker.storage.external.stream_arn() or "")
    ingest.reconcile(stream)
    texts = sorted(text for _, text, _ in said(worker))
    assert texts == ["", "Deploy finished", "came unseen", "changed unseen"]
    ingest.reconcile(stream)
    poll()
    assert sorted(text for _, text, _ in said(worker)) == texts, "neither again, nor by the stream as well"


def test_rows_that_were_there_before_the_first_start_become_messages(worker, config, put):
    put()
    taker(worker).reconcile("2026-01-01")
    assert said(worker) == [("ci", "Deploy finished", False)]


# --- who reads -------------------------------------------------------------------------------------------------------


def test_one_reads_and_another_takes_over_where_it_was(worker, other, config, put):
    here, there = poller(worker, config), poller(other, config)
    assert here.begin() and not there.begin()
    put()
    here.round()
    worker.redis.delete("lease:stream")  # its time is over
    assert there.begin()
    put(id="second")
    here._held_at = float("-inf")
    with pytest.raises(Lost):
        here.round()
    while there.round():
        pass
    assert len(said(worker)) == 2


def test_a_holder_that_lost_the_lease_notes_nothing_more(worker, other):
    stale, holder = (Lease(each.redis, "work", 60_000) for each in (worker, other))
    assert stale.take()
    worker.redis.delete("lease:work")
    assert holder.take() and holder.note("shard", "7")
    assert not stale.note("shard", "3")
    assert holder.notes() == {"shard": "7"}
    stale.release()
    assert holder.take(), "only a holder gives up"
    holder.release()
    assert stale.take()


def test_a_row_that_goes_while_the_tables_are_compared_does_not_come_back(worker, put, delete, monkeypatch):
    ingest = Ingest(worker.storage, worker.rooms, worker.log, worker.bus)
    put()
    found = list(worker.storage.external.rows())
    delete()
    told = Change("REMOVE", ROW["room"], ROW["id"], None, "7".zfill(DIGITS), "stream")
    ingest.take([told])  # by another poller, while this one stood still with what it had found
    monkeypatch.setattr(worker.storage.external, "rows", lambda: iter(found))
    ingest.reconcile("stream")
    assert worker.storage.entries.after("general", 0, 10) == []
