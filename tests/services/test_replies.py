"""A reply is taken while what it answers is a message that its sender may see; and one that was taken stays so."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from tests.services.conftest import ALICE, BOB, CAROL


@pytest.fixture
def room(worker):
    room = worker.memberships.create(ALICE, "made", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "bob", room, "bob")
    return room


def answer(worker, room, reply_to, by=BOB, client_id="answer"):
    return worker.messages.send(by, room, client_id, "an answer", reply_to=reply_to)


def refused(worker, room, reply_to, by=BOB):
    """The code with which that reply is refused; nothing stands in the log of it."""
    head = worker.storage.entries.head(room)
    with pytest.raises(ChatError) as error:
        answer(worker, room, reply_to, by, f"to-{reply_to}")
    assert worker.storage.entries.head(room) == head
    return error.value.code


def test_only_a_message_that_is_there_can_be_answered(worker, room):
    said = worker.messages.send(ALICE, room, "s", "a question")["seq"]
    worker.messages.edit(ALICE, room, "e", said, "another question")
    worker.storage.entries.tombstone(room, said + 2, 0)
    nothing = {
        "a note": 1,
        "a change": said + 1,
        "a tombstone": said + 2,
        "beyond": said + 3,
        "none": 0,
        "far": 10**12 - 1,
    }
    assert {what: refused(worker, room, seq) for what, seq in nothing.items()} == dict.fromkeys(
        nothing, "reply_not_found"
    )
    assert answer(worker, room, said)["reply_to"] == said


def test_what_is_said_by_another_worker_this_moment_can_be_answered(worker, other, room):
    worker.connect(BOB)
    said = other.messages.send(ALICE, room, "s", "a question")["seq"]
    assert answer(worker, room, said)["reply_to"] == said


def test_who_came_later_does_not_answer_what_they_may_not_see(worker, room):
    early = worker.messages.send(ALICE, room, "s", "before Carol came")["seq"]
    worker.memberships.invite(ALICE, "c", room, "carol")
    assert refused(worker, room, early, by=CAROL) == "reply_not_found"
    worker.connect(CAROL)
    assert refused(worker, room, early, by=CAROL) == "reply_not_found"
    assert answer(worker, room, early)["reply_to"] == early


def test_what_is_no_longer_kept_is_not_answered(worker, room):
    old, kept = (worker.messages.send(ALICE, room, f"s{n}", "a question")["seq"] for n in range(2))
    worker.storage.rooms.raise_floor(room, kept)
    worker.rooms.forget(room)
    assert refused(worker, room, old) == "reply_not_found"
    assert answer(worker, room, kept)["reply_to"] == kept


def test_a_message_that_is_deleted_while_somebody_answers_it_does_not_take_the_answer_with_it(worker, room):
    said = worker.messages.send(ALICE, room, "s", "a question")["seq"]
    worker.messages.delete(ALICE, room, "d", said)
    assert answer(worker, room, said)["reply_to"] == said
    (quote,) = worker.history.page(BOB, room, limit=1).to_dict()["quotes"]
    assert (quote["seq"], quote["deleted"], quote["text"]) == (said, True, "")


def test_a_reply_that_was_taken_is_answered_as_before_though_what_it_answers_is_gone(worker, room):
    said = worker.messages.send(ALICE, room, "s", "a question")["seq"]
    first = answer(worker, room, said)
    worker.storage.rooms.raise_floor(room, first["seq"])
    worker.rooms.forget(room)
    worker.storage.entries.delete(room, [said])
    assert answer(worker, room, said) == first
    with pytest.raises(ChatError, match="another content"):
        answer(worker, room, said + 100)
    worker.memberships.remove(ALICE, "x", room, "bob")
    assert answer(worker, room, said) == {"seq": first["seq"]}


def test_a_message_costs_what_it_did_and_a_reply_one_read_more(worker, room, monkeypatch):
    asked, call = [], worker.storage.client.call
    monkeypatch.setattr(worker.storage.client, "call", lambda name, **rest: asked.append(name) or call(name, **rest))

    def cost(client_id, reply_to=None):
        asked.clear()
        worker.messages.send(BOB, room, client_id, "words", reply_to=reply_to)
        return sorted(asked)

    cost("first")
    plain, said = cost("second"), worker.storage.entries.head(room)
    assert cost("third", said) == sorted([*plain, "get_item"])
