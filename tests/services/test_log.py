"""Stored once, in one dense order, whatever happens to Redis, to answers and to resends."""

from __future__ import annotations

import threading

import gevent
import pytest
from botocore.exceptions import ClientError

from chat.errors import ChatError
from chat.services.runtime.deadline import deadline
from chat.services.storage.entries import MAX_AHEAD
from tests.services.conftest import ALICE, BOB


def send(worker, text="hello", client_id="c1", person=ALICE, seen=0):
    return worker.messages.send(person, "general", client_id, text, seen)


def stored(worker):
    """(number, kind, text) of the whole log."""
    return [
        (entry.seq, entry.kind, snapshot.text if snapshot else None)
        for entry, snapshot in worker.storage.entries.after("general", 0, 1000)
    ]


def texts(worker):
    return [text for _, kind, text in stored(worker) if kind == "message"]


def is_dense(worker):
    return [seq for seq, _, _ in stored(worker)] == list(range(1, len(stored(worker)) + 1))


def test_messages_are_numbered_one_after_the_other(worker):
    assert [send(worker, client_id=f"c{i}")["seq"] for i in range(5)] == [1, 2, 3, 4, 5]


def test_the_same_request_again_is_stored_once_and_answered_alike(worker, other):
    first = send(worker)
    assert send(worker) == first
    assert send(other) == first
    assert texts(worker) == ["hello"]


def test_a_resend_is_published_again_because_the_first_telling_may_be_lost(worker):
    first = send(worker)
    worker.heard.clear()
    send(worker)
    assert {"kind": "decided", "room": "general", "seq": first["seq"]} in worker.heard


def test_a_client_id_with_another_text_is_refused_and_the_first_kept(worker):
    send(worker, "one")
    with pytest.raises(ChatError) as refused:
        send(worker, "two")
    assert refused.value.code == "client_id_reused"
    assert texts(worker) == ["one"]


def test_two_people_may_use_the_same_client_id(worker):
    assert send(worker)["seq"] != send(worker, person=BOB)["seq"]
    assert texts(worker) == ["hello", "hello"]


@pytest.mark.parametrize("client_id", ["", "a" * 65, "a b", "a#b", "ä", "a\n"])
def test_an_unusable_client_id_is_refused(worker, client_id):
    with pytest.raises(ChatError) as refused:
        send(worker, client_id=client_id)
    assert refused.value.code == "client_id_invalid"


def test_an_emptied_redis_neither_repeats_a_number_nor_doubles_a_resend(worker, other):
    first = send(worker, client_id="a")
    worker.redis.flushall()
    assert send(other, client_id="a") == first
    assert send(other, client_id="b")["seq"] > first["seq"]
    assert texts(worker) == ["hello", "hello"]
    assert is_dense(worker)


def test_a_counter_set_back_overwrites_nothing(worker):
    for i in range(5):
        send(worker, f"text {i}", f"c{i}")
    worker.redis.set("number:1:general", 2)
    send(worker, "after", "after")
    assert texts(worker) == [f"text {i}" for i in range(5)] + ["after"]


def test_a_counter_set_back_overwrites_nothing_through_a_worker_that_knows_no_head(worker, other):
    for i in range(5):
        send(worker, f"text {i}", f"c{i}")
    other.sequences._trusted.add("general")  # as if it had trusted this Redis before a failover
    worker.redis.set("number:1:general", 2)
    send(other, "after", "after")
    assert texts(worker) == [f"text {i}" for i in range(5)] + ["after"]


def test_a_number_that_somebody_has_passed_is_not_proposed(worker):
    for i in range(5):
        send(worker, f"text {i}", f"c{i}")
    worker.redis.set("number:1:general", 2)
    assert worker.sequences.propose(worker.rooms.get("general")) == 6


def test_a_counter_far_ahead_is_brought_back_to_the_head(worker):
    send(worker, client_id="a")
    worker.redis.set("number:1:general", 10 * MAX_AHEAD)
    assert send(worker, client_id="b")["seq"] == 2


def test_a_counter_at_the_very_limit_is_brought_back_to_the_head(worker):
    send(worker, client_id="a")
    worker.redis.set("number:1:general", 1 + MAX_AHEAD)  # as after so many sends that DynamoDB did not take
    assert send(worker, client_id="b")["seq"] == 2


def test_a_client_that_claims_to_have_seen_the_future_cannot_raise_the_counter(worker):
    send(worker, client_id="a")
    assert send(worker, client_id="b", seen=10**9)["seq"] == 2


def test_a_lost_answer_and_a_resend_leave_one_message(worker, monkeypatch):
    append = worker.storage.transaction.append

    def commits_but_does_not_answer(*args, **kwargs):
        append(*args, **kwargs)
        raise ChatError("unavailable")

    monkeypatch.setattr(worker.storage.transaction, "append", commits_but_does_not_answer)
    with pytest.raises(ChatError):
        send(worker)
    monkeypatch.undo()
    assert send(worker)["text"] == "hello"
    assert texts(worker) == ["hello"]
    assert is_dense(worker)


def test_a_write_that_meets_a_transaction_under_way_is_to_be_tried_again(worker, monkeypatch):
    def meets_a_transaction(**request):
        answer = {"Error": {"Code": "TransactionConflictException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answer, "any")

    first = send(worker)
    claim = worker.storage.claims.get("alice", "c1")
    for operation, write in (
        ("put_item", lambda: worker.storage.claims.put(claim)),
        ("update_item", lambda: worker.storage.rooms.mark_read("alice", "general", first["seq"])),
    ):
        monkeypatch.setattr(worker.storage.client._client, operation, meets_a_transaction)
        with pytest.raises(ChatError) as refused:
            write()
        assert refused.value.code == "unavailable"


def test_a_claim_read_before_its_message_is_answered_with_the_message(worker, other, monkeypatch):
    first = send(worker)
    snapshots, asked = other.storage.entries.snapshots, []

    def not_there_yet(room, seqs):
        asked.append(seqs)
        return snapshots(room, seqs) if len(asked) > 2 else {}

    monkeypatch.setattr(other.storage.entries, "snapshots", not_there_yet)
    assert send(other) == first


def test_a_number_that_is_given_up_is_decided_at_once(worker, monkeypatch):
    def does_not_commit(*args, **kwargs):
        raise ChatError("unavailable")

    monkeypatch.setattr(worker.storage.transaction, "append", does_not_commit)
    with pytest.raises(ChatError):
        send(worker)
    assert [kind for _, kind, _ in stored(worker)] == ["tombstone"]


def test_a_deadline_gives_the_number_up_and_the_resend_is_stored_once(worker, monkeypatch):
    """Like a storage that hangs: the transaction may or may not happen after who asked was told to try again."""
    append = worker.storage.transaction.append

    def hang(*args, **options):
        gevent.sleep(10)

    monkeypatch.setattr(worker.storage.transaction, "append", hang)
    with pytest.raises(ChatError) as error, deadline(0.5):
        worker.messages.send(ALICE, "general", "hung", "hello")
    assert error.value.code == "unavailable" and error.value.retry
    assert [entry.kind for entry, _ in worker.storage.entries.after("general", 0, 10)] == ["tombstone"]
    monkeypatch.setattr(worker.storage.transaction, "append", append)
    assert worker.messages.send(ALICE, "general", "hung", "hello")["seq"] == 2


def test_many_senders_of_two_workers_leave_a_dense_log_with_each_message_once(worker, other):
    def sender(where, person, name):
        for i in range(10):
            send(where, f"{name} {i}", f"{name}-{i}", person)

    threads = [
        threading.Thread(target=sender, args=(where, person, f"{person.username}{k}{where is other}"))
        for where in (worker, other)
        for person in (ALICE, BOB)
        for k in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_dense(worker)
    assert len(texts(worker)) == len(set(texts(worker))) == 80
    for name in {text.split()[0] for text in texts(worker)}:
        assert [t for t in texts(worker) if t.split()[0] == name] == [f"{name} {i}" for i in range(10)]


def test_the_log_goes_on_over_the_edge_of_a_bucket(worker, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    monkeypatch.setattr("chat.services.storage.entries.MAX_AHEAD", 2)
    monkeypatch.setattr("chat.services.log.append.FIRST_OF_BUCKET", 1)
    for i in range(11):
        send(worker, f"text {i}", f"c{i}")
    assert [seq for seq, _, _ in stored(worker)] == list(range(1, 12))
    assert worker.storage.entries.head("general") == 11
    assert worker.storage.entries.head("general", bucket=2) == 11
    assert worker.storage.entries.head("general", bucket=7) == 11
    assert worker.storage.rooms.get("general").bucket == 2
    assert [e.seq for e, _ in worker.storage.entries.before("general", 10, 5)] == [5, 6, 7, 8, 9]


# --- changes ----------------------------------------------------------------------------------------------------------


def test_an_edit_is_an_entry_that_names_the_message_and_gives_it_a_higher_rev(worker):
    seq = send(worker)["seq"]
    edited = worker.messages.edit(ALICE, "general", "e1", seq, "better")
    assert (edited["seq"], edited["rev"], edited["text"]) == (seq, seq + 1, "better")
    assert edited["edited_at_ms"] >= edited["created_at_ms"]
    assert stored(worker) == [(1, "message", "better"), (2, "change", None)]


def test_an_edit_sent_again_does_not_undo_a_later_one(worker):
    seq = send(worker)["seq"]
    worker.messages.edit(ALICE, "general", "e1", seq, "second")
    worker.messages.edit(ALICE, "general", "e2", seq, "third")
    assert worker.messages.edit(ALICE, "general", "e1", seq, "second")["text"] == "third"
    assert texts(worker) == ["third"]


def test_an_edit_that_changes_nothing_writes_no_entry_and_still_counts_as_done(worker):
    seq = send(worker)["seq"]
    worker.messages.edit(ALICE, "general", "e1", seq, "hello")
    worker.messages.edit(ALICE, "general", "e2", seq, "other")
    assert worker.messages.edit(ALICE, "general", "e1", seq, "hello")["text"] == "other"
    assert texts(worker) == ["other"]


def test_two_edits_at_once_both_happen_one_after_the_other(worker, other, monkeypatch):
    seq = send(worker)["seq"]
    append = worker.storage.transaction.append

    def overtaken(*args, **kwargs):
        monkeypatch.undo()
        other.messages.edit(ALICE, "general", "e2", seq, "from elsewhere")
        append(*args, **kwargs)

    monkeypatch.setattr(worker.storage.transaction, "append", overtaken)
    assert worker.messages.edit(ALICE, "general", "e1", seq, "mine")["text"] == "mine"
    assert texts(worker) == ["mine"]
    assert [kind for _, kind, _ in stored(worker)].count("change") == 2
    assert is_dense(worker)


def test_deleted_text_stands_nowhere(worker):
    seq = send(worker, "secret words")["seq"]
    worker.messages.edit(ALICE, "general", "e1", seq, "secret as well")
    deleted = worker.messages.delete(ALICE, "general", "d1", seq)
    assert deleted["deleted"] is True and deleted["text"] == ""
    items = worker.storage.client.call("scan", TableName=worker.storage.client.table("messages"))["Items"]
    assert "secret" not in str(items)


def test_what_was_deleted_cannot_be_edited_or_deleted_again(worker):
    seq = send(worker)["seq"]
    worker.messages.delete(ALICE, "general", "d1", seq)
    for change in (
        lambda: worker.messages.edit(ALICE, "general", "e1", seq, "back"),
        lambda: worker.messages.delete(ALICE, "general", "d2", seq),
    ):
        with pytest.raises(ChatError) as refused:
            change()
        assert refused.value.code == "message_deleted"
    assert worker.messages.delete(ALICE, "general", "d1", seq)["deleted"] is True


def test_only_the_author_changes_a_message(worker):
    seq = send(worker)["seq"]
    for change in (
        lambda: worker.messages.edit(BOB, "general", "e1", seq, "mine now"),
        lambda: worker.messages.delete(BOB, "general", "d1", seq),
    ):
        with pytest.raises(ChatError) as refused:
            change()
        assert refused.value.code == "not_author"
    assert texts(worker) == ["hello"]


@pytest.mark.parametrize("seq", [0, 2, 99])
def test_what_is_no_message_cannot_be_edited(worker, seq):
    send(worker)
    worker.messages.edit(ALICE, "general", "e1", 1, "changed")  # entry 2 is that change
    with pytest.raises(ChatError) as refused:
        worker.messages.edit(ALICE, "general", "e2", seq, "text")
    assert refused.value.code == "message_not_found"
