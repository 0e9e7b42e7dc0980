"""What messages answer comes with the page that shows them, as far as its reader may see it, and at little cost."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from chat.models import Membership, Message, Room
from chat.services.messages.pairs import ENOUGH_BYTES
from chat.services.messages.quotes import MAX_QUOTES, quotes_of
from tests.services.conftest import ALICE, BOB, CAROL


@pytest.fixture
def requests(worker, monkeypatch):
    """The requests to the database, by operation."""
    asked, call = [], worker.storage.client.call

    def noted(operation, **request):
        asked.append(operation)
        return call(operation, **request)

    monkeypatch.setattr(worker.storage.client, "call", noted)
    return asked


@pytest.fixture
def room(worker):
    room = worker.memberships.create(ALICE, "made", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "bob", room, "bob")
    return room


def say(worker, room, text, reply_to=None, by=ALICE):
    say.count = getattr(say, "count", 0) + 1
    return worker.messages.send(by, room, f"s{say.count}", text, reply_to=reply_to)["seq"]


def quoted(page):
    """What stands above the page's messages that is not among them, as it goes over the wire."""
    return {quote["seq"]: quote["text"] for quote in page.to_dict().get("quotes", [])}


def test_a_page_brings_the_words_that_its_messages_answer_at_the_price_of_one_request_more(worker, room, requests):
    first, second = say(worker, room, "the first word"), say(worker, room, "the second")
    answers = [say(worker, room, "an answer", seq) for seq in (first, second, first)]

    def cost(**which):
        requests.clear()
        found = worker.history.page(BOB, room, **which)
        return quoted(found), sorted(requests)

    both, price = cost(limit=3)
    assert both == {first: "the first word", second: "the second"}
    every, plain = cost(limit=50)
    assert every == {} and price == sorted([*plain, "batch_get_item"])
    assert cost(limit=10, before=answers[2])[0] == {}, "what they answer is in the page"
    assert cost(limit=2, before=answers[2])[0] == both
    assert cost(limit=3, after=second)[0] == both
    around, asked = cost(limit=2, around=answers[1])
    assert around == both
    assert asked.count("batch_get_item") == 2, "for each half one"
    assert cost(limit=6, around=answers[0])[0] == {}, "what the newer half answers is in the older one"
    assert quoted(worker.history.open(BOB, room, second)) == both


def test_of_what_was_edited_it_has_the_words_of_now_with_the_readers_own_reactions(worker, room):
    said = say(worker, room, "as it was")
    say(worker, room, "an answer", said)
    worker.messages.react(BOB, room, "like", said, "👍", True)
    worker.messages.edit(ALICE, room, "edit", said, "as it is")
    answer = say(worker, room, "another", said)
    (quote,) = worker.history.page(BOB, room, limit=1).to_dict()["quotes"]
    assert (quote["text"], quote["mine"], quote["rev"]) == ("as it is", ["👍"], answer - 1)


def test_who_came_later_than_the_quoted_message_does_not_get_its_words(worker, room):
    secret = say(worker, room, "before Carol came")
    worker.memberships.invite(ALICE, "carol", room, "carol")
    open_to_her = say(worker, room, "since she is here")
    say(worker, room, "an answer", secret)
    say(worker, room, "another", open_to_her)
    assert quoted(worker.history.page(BOB, room, limit=2)) == {
        secret: "before Carol came",
        open_to_her: "since she is here",
    }
    for page in (
        worker.history.page(CAROL, room, limit=2),
        worker.history.page(CAROL, room, limit=2, after=open_to_her),
    ):
        assert quoted(page) == {open_to_her: "since she is here"}
        assert "before Carol" not in str(page.to_dict())


def test_a_deleted_message_gives_what_one_gives_and_a_deleted_answer_asks_for_nothing(worker, room, requests):
    gone, kept = say(worker, room, "to be deleted"), say(worker, room, "kept")
    say(worker, room, "an answer", gone)
    taken_back = say(worker, room, "another", kept)
    worker.messages.delete(ALICE, room, "d1", gone)
    worker.messages.delete(ALICE, room, "d2", taken_back)
    requests.clear()
    (quote,) = worker.history.page(BOB, room, limit=2).to_dict()["quotes"]
    assert (quote["seq"], quote["deleted"], quote["text"]) == (gone, True, "")
    assert requests.count("batch_get_item") == 1


def test_what_is_no_longer_kept_or_no_message_gives_nothing(worker, room):
    old = say(worker, room, "from before the floor")
    say(worker, room, "an answer", old)
    note = 1
    for nonsense in (note, 10**12 - 1, 0):
        entry = say(worker, room, "nonsense")
        snapshot = worker.storage.entries.get(room, entry)[1]
        assert snapshot is not None
        messages = [Message(**(vars(snapshot) | {"reply_to": nonsense}))]
        assert quotes_of(worker.storage, *worker.rooms.require(BOB, room), messages) == []
    assert old in quoted(worker.history.page(BOB, room, limit=4))
    worker.storage.rooms.raise_floor(room, old + 1)
    worker.rooms.forget(room)
    assert quoted(worker.history.page(BOB, room, limit=4)) == {}


def test_quotes_are_bounded_in_number_and_in_bytes_and_those_answered_last_come_first(worker, monkeypatch):
    asked = []

    def answered(long):
        monkeypatch.setattr(
            worker.storage.entries,
            "snapshots",
            lambda room, seqs: asked.append(list(seqs)) or {seq: message(seq, "x" * long) for seq in seqs},
        )
        replies = [message(1_000 + seq, "answer", seq) for seq in range(1, 2 * MAX_QUOTES)]
        return [
            quote.seq for quote in quotes_of(worker.storage, ROOM, Membership("plans", "bob", "Bob", True), replies)
        ]

    def message(seq, text, reply_to=None):
        return Message("plans", seq, seq, f"c{seq}", "alice", "Alice", text, 0, reply_to=reply_to)

    assert answered(10) == list(range(MAX_QUOTES, 2 * MAX_QUOTES))
    assert answered(4_000) == list(range(2 * MAX_QUOTES - ENOUGH_BYTES // 4_000, 2 * MAX_QUOTES))
    assert [len(seqs) for seqs in asked] == [MAX_QUOTES, MAX_QUOTES]


def test_who_is_put_out_while_the_words_are_read_gets_nothing(worker, room, monkeypatch):
    said = say(worker, room, "the first word")
    say(worker, room, "an answer", said)
    read = worker.storage.entries.snapshots

    def put_out(*which):
        found = read(*which)
        worker.memberships.remove(ALICE, "out", room, "bob")
        return found

    monkeypatch.setattr(worker.storage.entries, "snapshots", put_out)
    with pytest.raises(ChatError, match="no such room"):
        worker.history.page(BOB, room, limit=1)


ROOM = Room("plans", "Plans", "public")
