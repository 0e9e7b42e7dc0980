"""Pages of rooms whose history shows little: what somebody reads first is there in a few requests."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from chat.services.messages import history
from tests.services.conftest import ALICE


def lay(worker, shown, entries):
    """A log that begins with so many messages, up to `entries` with numbers that nobody used, the first one changed."""
    for number in range(1, shown + 1):
        worker.messages.send(ALICE, "general", f"m{number}", f"number {number}")
    if shown:
        worker.messages.edit(ALICE, "general", "e", 1, "changed")
    for seq in range(shown + 2 if shown else 1, entries + 1):
        worker.storage.entries.tombstone("general", seq, worker.log.now_ms())
    worker.sequences.decided("general", entries)


def sparse(worker, before, **more):
    return worker.history.page(ALICE, "general", before=before, sparse=True, **more)


@pytest.mark.parametrize("shown", [0, 1, 2])
def test_a_sparse_page_reaches_back_to_what_there_is_to_show_or_the_beginning(worker, shown, monkeypatch):
    monkeypatch.setattr(history, "MAX_PAGE_ENTRIES", 40)
    lay(worker, shown, 60)
    plain = worker.history.page(ALICE, "general", before=61, limit=20)
    assert (len(plain.entries), plain.messages, plain.more, plain.oldest) == (40, [], True, None)
    page = sparse(worker, 61, limit=20)
    assert ([entry.seq for entry in page.entries], page.oldest, page.more) == (list(range(1, shown + 1)), 1, False)
    assert [message.text for message in page.messages] == ["changed", "number 2"][:shown]
    assert page.to_dict()["oldest"] == 1


def test_sparse_pages_follow_each_other_without_a_hole(worker, monkeypatch):
    monkeypatch.setattr(history, "MAX_SPARSE_ENTRIES", 40)
    lay(worker, 2, 100)
    before, reached = 101, []
    for _ in range(9):
        page = sparse(worker, before, limit=5)
        reached.append((page.oldest, before - 1, [message.seq for message in page.messages]))
        before = page.oldest
        if not page.more:
            break
    assert reached == [(61, 100, []), (21, 60, []), (1, 20, [1, 2])]


def test_a_sparse_page_has_no_more_messages_than_were_asked_for(worker):
    lay(worker, 8, 20)
    page = sparse(worker, 21, limit=3)
    assert ([message.seq for message in page.messages], page.oldest, page.more) == ([6, 7, 8], 6, True)


def test_a_sparse_page_waits_for_what_is_undecided_right_before_it(worker, other):
    lay(worker, 2, 10)
    for seq in (12, 13):
        worker.storage.entries.tombstone("general", seq, worker.log.now_ms())
    with pytest.raises(ChatError) as refused:
        sparse(worker, 12)
    assert refused.value.code == "unavailable"


def test_a_page_of_before_is_as_it_was(worker):
    lay(worker, 2, 10)
    page = worker.history.page(ALICE, "general", before=11)
    assert [entry.kind for entry in page.entries] == ["message"] * 2 + ["change"] + ["tombstone"] * 7
    assert "oldest" not in page.to_dict()
