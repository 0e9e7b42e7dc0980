"""What is refused, and what changes nothing, takes no number: a room's log grows by what happened there, and nobody can
fill it with tombstones by asking for what they may not."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from tests.services.conftest import ALICE, BOB, CAROL


def log_of(worker, room):
    return [entry.kind for entry, _ in worker.storage.entries.after(room, 0, 100)]


@pytest.fixture
def room(worker):
    """A public room of Alice's with a message of hers, a reaction to it, and Bob, who was put out again."""
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j", room)
    worker.memberships.remove(ALICE, "x", room, "bob")
    worker.messages.send(ALICE, room, "m", "hello")
    worker.messages.react(ALICE, room, "r", 4, "👍", True)
    return room


REFUSED = {
    "leaving, by who was put out": ("room_not_found", lambda w, room: w.memberships.leave(BOB, "n", room)),
    "leaving, by who never came": ("room_not_found", lambda w, room: w.memberships.leave(CAROL, "n", room)),
    "removing who is not there": ("user_not_found", lambda w, room: w.memberships.remove(ALICE, "n", room, "bob")),
    "removing, by who does not own it": (
        "not_room_owner",
        lambda w, room: joined(w, room).remove(BOB, "n", room, "alice"),
    ),
    "inviting nobody": ("user_not_found", lambda w, room: w.memberships.invite(ALICE, "n", room, "nobody")),
    "inviting, by who is not in it": ("room_not_found", lambda w, room: w.memberships.invite(CAROL, "n", room, "bob")),
    "sending, by who was put out": ("room_not_found", lambda w, room: w.messages.send(BOB, room, "n", "hello")),
    "editing what others wrote": ("not_author", lambda w, room: edit_by_bob(w, room)),
    "editing what is not there": ("message_not_found", lambda w, room: w.messages.edit(ALICE, room, "n", 99, "new")),
    "editing what is no message": ("message_not_found", lambda w, room: w.messages.edit(ALICE, room, "n", 1, "new")),
    "deleting what is not there": ("message_not_found", lambda w, room: w.messages.delete(ALICE, room, "n", 99)),
    "reacting to what is not there": (
        "message_not_found",
        lambda w, room: w.messages.react(ALICE, room, "n", 99, "👍", True),
    ),
}
NOTHING_TO_CHANGE = {
    "joining where one is": lambda w, room: w.memberships.join(ALICE, "n", room),
    "inviting who is there": lambda w, room: w.memberships.invite(ALICE, "n", room, "alice"),
    "the same text": lambda w, room: w.messages.edit(ALICE, room, "n", 4, "hello"),
    "the same reaction": lambda w, room: w.messages.react(ALICE, room, "n", 4, "👍", True),
    "a reaction taken back that is not there": lambda w, room: w.messages.react(ALICE, room, "n", 4, "🎉", False),
}


def joined(worker, room):
    worker.memberships.join(BOB, "again", room)
    return worker.memberships


def edit_by_bob(worker, room):
    joined(worker, room)
    worker.messages.edit(BOB, room, "n", 4, "mine")


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_takes_no_number(worker, room, what):
    code, ask = REFUSED[what]
    before, counter = log_of(worker, room), worker.sequences.read_head(worker.rooms.get(room))
    with pytest.raises(ChatError) as error:
        ask(worker, room)
    assert error.value.code == code
    comes_back = ["joined"] if log_of(worker, room)[len(before) :] else []  # Bob, where the case brings him back first
    assert log_of(worker, room) == before + comes_back
    assert worker.messages.send(ALICE, room, "next", "next")["seq"] == counter + len(comes_back) + 1


@pytest.mark.parametrize("what", NOTHING_TO_CHANGE)
def test_what_changes_nothing_takes_no_number(worker, room, what):
    before = log_of(worker, room)
    NOTHING_TO_CHANGE[what](worker, room)
    assert log_of(worker, room) == before
    assert worker.messages.send(ALICE, room, "next", "next")["seq"] == len(before) + 1
