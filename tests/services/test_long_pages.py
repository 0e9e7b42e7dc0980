"""A page that would be large is read in pieces and ends early: nobody waits for what one person asks for."""

from __future__ import annotations

import pytest

from chat.services.messages.pairs import ENOUGH_BYTES, FIRST_PIECE
from tests.services.conftest import ALICE

LONG = "x" * 3_900
COUNT = 3 * FIRST_PIECE
FIRST = {"newest": {}, "before": {"before": COUNT + 1}, "after": {"after": 0}}


@pytest.fixture
def pieces(worker, monkeypatch):
    """How many entries each question to the database asked for, but for the room's newest."""
    asked, call = [], worker.storage.client.call

    def noted(operation, **request):
        if operation == "query" and request.get("Limit", 1) > 1:
            asked.append(request["Limit"])
        return call(operation, **request)

    monkeypatch.setattr(worker.storage.client, "call", noted)
    return asked


def fill(worker, count, text):
    for number in range(count):
        worker.messages.send(ALICE, "general", f"c{number}", text)


def page(worker, **side):
    found = worker.history.page(ALICE, "general", limit=200, **side)
    return found, [snapshot.seq for snapshot in found.messages]


@pytest.mark.parametrize("side", FIRST)
def test_a_page_of_long_messages_ends_early_and_the_next_goes_on(worker, pieces, side):
    fill(worker, COUNT, LONG)
    pieces.clear()
    found, walked = page(worker, **FIRST[side])
    assert found.more and len(walked) * len(LONG) < ENOUGH_BYTES + FIRST_PIECE * len(LONG)
    assert max(pieces) <= FIRST_PIECE
    while found.more:
        if side == "after":
            found, seqs = page(worker, after=walked[-1])
            walked += seqs
        else:
            found, seqs = page(worker, before=walked[0])
            walked = seqs + walked
    assert walked == list(range(1, COUNT + 1))


def test_a_page_of_short_messages_is_whole_and_asks_once_more(worker, pieces):
    fill(worker, 200, "short")
    for side in ({}, {"before": 201}, {"after": 0}):
        pieces.clear()
        assert page(worker, **side)[1] == list(range(1, 201))
        assert len(pieces) == 2


def test_a_page_of_fifty_is_asked_for_at_once(worker, pieces):
    fill(worker, 120, "short")
    for side in ({}, {"before": 121}, {"after": 0}):
        pieces.clear()
        assert len(worker.history.page(ALICE, "general", limit=50, **side).messages) == 50
        assert len(pieces) == 1
