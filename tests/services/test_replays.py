"""A request that comes again is answered as done; but nobody is shown by it what they may not see today."""

from __future__ import annotations

import pytest

from tests.services.conftest import ALICE, BOB


@pytest.fixture
def room(worker):
    """A private room of Alice's with a message of hers (4); Bob wrote (3) and reacted, and was put out, and then both
    messages were changed."""
    room = worker.memberships.create(ALICE, "c", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", room, "bob")
    worker.messages.send(BOB, room, "mine", "what Bob wrote")
    worker.messages.send(ALICE, room, "hers", "what Bob saw")
    worker.messages.react(BOB, room, "r", 4, "👍", True)
    worker.messages.edit(BOB, room, "e", 3, "what Bob made of it")
    worker.memberships.remove(ALICE, "x", room, "bob")
    worker.messages.edit(ALICE, room, "later", 4, "not for Bob")
    return room


REPLAYS = {
    "a message": (lambda w, room: w.messages.send(BOB, room, "mine", "what Bob wrote"), 3),
    "a reaction": (lambda w, room: w.messages.react(BOB, room, "r", 4, "👍", True), 5),
    "an edit": (lambda w, room: w.messages.edit(BOB, room, "e", 3, "what Bob made of it"), 6),
}


@pytest.mark.parametrize("what", REPLAYS)
def test_who_was_put_out_is_told_that_it_was_done_and_nothing_else(worker, room, what):
    replay, seq = REPLAYS[what]
    assert replay(worker, room) == {"seq": seq}


@pytest.mark.parametrize("what", REPLAYS)
def test_who_came_back_later_is_not_shown_what_was_before_their_time(worker, room, what):
    worker.memberships.invite(ALICE, "back", room, "bob")
    replay, seq = REPLAYS[what]
    assert replay(worker, room) == {"seq": seq}


def test_who_is_still_there_is_shown_the_message_as_it_is_now(worker, room):
    assert worker.messages.send(ALICE, room, "hers", "what Bob saw")["text"] == "not for Bob"
