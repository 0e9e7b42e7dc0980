"""Reading: pages in every direction, only what the reader may see; and what a message may say."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from tests.services.conftest import ALICE, BOB, CAROL


def fill(worker, count, room="general", person=ALICE):
    for i in range(count):
        worker.messages.send(person, room, f"{room}-{i}", f"text {i + 1}")


def seqs(page):
    return [entry.seq for entry in page.entries]


def code(call):
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


def test_the_newest_page_ends_at_the_head(worker):
    fill(worker, 8)
    page = worker.history.page(ALICE, "general", limit=3)
    assert (seqs(page), page.head, page.more) == ([6, 7, 8], 8, True)
    assert [m.text for m in page.messages] == ["text 6", "text 7", "text 8"]


def test_going_back_page_by_page_reaches_the_beginning_once(worker):
    fill(worker, 8)
    page = worker.history.page(ALICE, "general", limit=3)
    walked = seqs(page)
    while page.more:
        page = worker.history.page(ALICE, "general", limit=3, before=page.entries[0].seq)
        walked = seqs(page) + walked
    assert walked == [1, 2, 3, 4, 5, 6, 7, 8]


def test_going_on_page_by_page_reaches_the_head_once(worker):
    fill(worker, 8)
    page = worker.history.page(ALICE, "general", limit=3, after=1)
    walked = seqs(page)
    while page.more:
        page = worker.history.page(ALICE, "general", limit=3, after=page.entries[-1].seq)
        walked += seqs(page)
    assert walked == [2, 3, 4, 5, 6, 7, 8]


def test_a_page_around_a_number_has_both_sides(worker):
    fill(worker, 9)
    assert seqs(worker.history.page(ALICE, "general", limit=4, around=5)) == [3, 4, 5, 6]


def test_pages_go_over_the_edge_of_a_bucket(worker, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    monkeypatch.setattr("chat.services.storage.entries.MAX_AHEAD", 2)
    fill(worker, 14)
    assert seqs(worker.history.page(ALICE, "general", limit=9)) == list(range(6, 15))
    assert seqs(worker.history.page(ALICE, "general", limit=9, after=2)) == list(range(3, 12))


def test_an_empty_room_is_an_empty_page(worker):
    page = worker.history.open(ALICE, "general", 0)
    assert (page.entries, page.head, page.more) == ([], 0, False)


def test_a_page_after_a_number_brings_older_messages_that_changed(worker):
    fill(worker, 3)
    worker.messages.edit(ALICE, "general", "e", 1, "changed")
    page = worker.history.page(ALICE, "general", after=3)
    assert [(e.seq, e.kind, e.message) for e in page.entries] == [(4, "change", 1)]
    assert [(m.seq, m.text, m.rev) for m in page.messages] == [(1, "changed", 4)]


def test_a_snapshot_never_lags_behind_the_change_that_its_page_shows(worker, monkeypatch):
    """A Query may read the message's row before, and the change's row after, one transaction."""
    fill(worker, 1)
    rows_before = worker.storage.entries.after("general", 0, 10)
    worker.messages.edit(ALICE, "general", "e", 1, "changed")
    rows_after = worker.storage.entries.after("general", 0, 10)
    monkeypatch.setattr(worker.storage.entries, "after", lambda *_: [rows_before[0], rows_after[1]])
    page = worker.history.page(ALICE, "general", after=0)
    assert [(m.seq, m.text) for m in page.messages] == [(1, "changed")]


def test_a_snapshot_that_is_older_than_its_change_is_read_again(worker, monkeypatch):
    """A transaction's rows become visible one by one: the change may be seen before the snapshot."""
    fill(worker, 1)
    look, old = worker.storage.entries.snapshots, [worker.storage.entries.snapshots("general", [1])]
    worker.messages.edit(ALICE, "general", "e", 1, "changed")
    monkeypatch.setattr(worker.storage.entries, "snapshots", lambda *asked: old.pop() if old else look(*asked))
    page = worker.history.page(ALICE, "general", after=1)
    assert [(m.seq, m.text) for m in page.messages] == [(1, "changed")] and old == []


def test_a_page_ends_before_a_number_that_is_still_undecided(worker, other):
    fill(worker, 2)
    other.sequences.propose(other.rooms.get("general"))
    worker.messages.send(ALICE, "general", "late", "behind the hole")
    page = worker.history.page(ALICE, "general", after=0)
    assert seqs(page) == [1, 2]
    following = worker.history.page(ALICE, "general", after=2)
    assert (seqs(following), following.more) == ([], False)


def a_minute_later(worker, monkeypatch, minutes=1):
    now = worker.log.now_ms()
    monkeypatch.setattr(worker.log, "now_ms", lambda: now + minutes * 60_000)


@pytest.mark.parametrize("minutes", [1, -60], ids=["later", "by_a_clock_that_is_behind"])
@pytest.mark.parametrize("asked", [{"after": 0}, {}, {"before": 3}, {"around": 2}])
def test_a_number_undecided_for_long_is_decided_by_who_reads_past_it(worker, other, monkeypatch, asked, minutes):
    fill(worker, 1)
    other.sequences.propose(other.rooms.get("general"))
    worker.messages.send(ALICE, "general", "late", "behind the hole")
    a_minute_later(worker, monkeypatch, minutes)
    page = worker.history.page(ALICE, "general", **asked)
    assert [e.kind for e in page.entries] == ["message", "tombstone", "message"][: 2 if "before" in asked else 3]


def test_a_number_undecided_at_the_edge_of_a_bucket_is_decided_too(worker, other, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    fill(worker, 2)
    assert other.sequences.propose(other.rooms.get("general")) == 3
    worker.messages.send(ALICE, "general", "late", "in the next bucket")
    assert (seqs(other.history.page(ALICE, "general", after=2)), other.followers.all()) == ([], {})
    a_minute_later(other, monkeypatch)
    page = other.history.page(ALICE, "general", after=2)
    assert [(e.seq, e.kind) for e in page.entries] == [(3, "tombstone"), (4, "message")]


def test_an_older_page_ends_right_before_its_number_whatever_is_undecided_below(worker, other):
    fill(worker, 2)
    hole = other.sequences.propose(other.rooms.get("general"))
    for number in range(hole + 1, hole + 4):
        worker.messages.send(ALICE, "general", f"m{number}", "behind the hole")
    page = worker.history.page(ALICE, "general", before=hole + 3)
    assert (seqs(page), page.more) == ([hole + 1, hole + 2], True)


def test_what_is_undecided_right_before_a_number_is_asked_for_again_and_not_skipped(worker, other, monkeypatch):
    fill(worker, 2)
    hole = other.sequences.propose(other.rooms.get("general"))
    worker.messages.send(ALICE, "general", "late", "behind the hole")
    assert code(lambda: worker.history.page(ALICE, "general", before=hole + 1)) == "unavailable"
    a_minute_later(worker, monkeypatch)
    assert seqs(worker.history.page(ALICE, "general", before=hole + 1)) == [1, 2, hole]


@pytest.mark.parametrize("asked", [1, 2])
def test_there_is_nothing_before_the_first_number(worker, asked):
    fill(worker, 2)
    page = worker.history.page(ALICE, "general", before=asked)
    assert (seqs(page), page.more) == (list(range(1, asked)), False)


def test_a_page_before_a_number_beyond_the_head_is_the_newest_and_decides_nothing_there(worker, monkeypatch):
    fill(worker, 3)
    a_minute_later(worker, monkeypatch)
    call, left = worker.storage.client.call, iter(range(10))
    monkeypatch.setattr(worker.storage.client, "call", lambda *args, **request: (next(left), call(*args, **request))[1])
    page = worker.history.page(ALICE, "general", limit=2, before=10**9)
    assert (seqs(page), page.more, worker.sequences.read_head(worker.rooms.get("general"))) == ([2, 3], True, 3)


def test_a_page_around_a_number_has_no_hole_in_its_older_half(worker, other):
    fill(worker, 2)
    hole = other.sequences.propose(other.rooms.get("general"))
    for number in range(hole + 1, hole + 5):
        worker.messages.send(ALICE, "general", f"m{number}", "behind the hole")
    for around, limit in ((hole + 2, 8), (hole + 1, 4), (hole + 3, 20)):
        page = worker.history.page(ALICE, "general", limit=limit, around=around)
        assert seqs(page) == list(range(hole + 1, hole + 5))[: len(page.entries)] and around in seqs(page)


def test_opening_a_room_further_behind_than_a_thousand_entries_is_a_gap(worker, monkeypatch):
    monkeypatch.setattr("chat.services.messages.history.MAX_BEHIND", 5)
    fill(worker, 8)
    near = worker.history.open(ALICE, "general", 3)
    far = worker.history.open(ALICE, "general", 2)
    assert (near.gap, seqs(near)) == (False, [4, 5, 6, 7, 8])
    assert (far.gap, seqs(far)) == (True, list(range(1, 9)))


def test_a_member_of_a_private_room_sees_nothing_of_before(worker):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    fill(worker, 3, room)
    worker.memberships.invite(ALICE, "i", room, "bob")
    worker.messages.edit(ALICE, room, "e", 2, "secret")
    for page in (
        worker.history.page(BOB, room),
        worker.history.page(BOB, room, after=0),
        worker.history.page(BOB, room, around=2),
        worker.history.open(BOB, room, 1),
    ):
        assert min(seqs(page)) == 5
        assert page.messages == []
    assert code(lambda: worker.messages.edit(BOB, room, "e2", 2, "x")) == "message_not_found"


def test_who_comes_back_to_a_private_room_sees_only_what_follows(worker):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i1", room, "bob")
    worker.memberships.remove(ALICE, "x1", room, "bob")
    worker.messages.send(ALICE, room, "m", "while bob is out")
    worker.memberships.invite(ALICE, "i2", room, "bob")
    assert worker.history.page(BOB, room).messages == []


@pytest.mark.parametrize("room", ["plans", "", "no#room", "x" * 65, "general#0"])
def test_no_such_room_and_not_my_room_are_the_same_answer(worker, room):
    private = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    for where in (room, private):
        for call in (
            lambda where=where: worker.messages.send(CAROL, where, "c", "hello"),
            lambda where=where: worker.messages.edit(CAROL, where, "c", 1, "hello"),
            lambda where=where: worker.messages.delete(CAROL, where, "c", 1),
            lambda where=where: worker.history.page(CAROL, where),
            lambda where=where: worker.history.open(CAROL, where, 0),
            lambda where=where: worker.read_positions.move(CAROL, where, 1),
            lambda where=where: worker.typing.tell(CAROL, where, True),
            lambda where=where: worker.overview.members(CAROL, where),
            lambda where=where: worker.memberships.join(CAROL, "c", where),
            lambda where=where: worker.memberships.leave(CAROL, "c", where),
            lambda where=where: worker.memberships.invite(CAROL, "c", where, "bob"),
            lambda where=where: worker.memberships.remove(CAROL, "c", where, "bob"),
        ):
            assert code(call) == "room_not_found"


def test_who_is_removed_while_a_page_is_read_does_not_get_it(worker, monkeypatch):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", room, "bob")
    read = worker.storage.entries.after

    def then_removed(*args):
        monkeypatch.undo()
        pairs = read(*args)
        worker.memberships.remove(ALICE, "x", room, "bob")
        return pairs

    monkeypatch.setattr(worker.storage.entries, "after", then_removed)
    assert code(lambda: worker.history.page(BOB, room, after=0)) == "room_not_found"


@pytest.mark.parametrize("text", ["", "  ", "\n\t ", "\u2003"])
def test_a_message_says_something(worker, text):
    assert code(lambda: worker.messages.send(ALICE, "general", "c", text)) == "text_empty"


def test_a_message_has_a_length(worker):
    assert worker.messages.send(ALICE, "general", "c1", "x" * 4000)["seq"] == 1
    assert worker.messages.send(ALICE, "general", "c2", "😀" * 4000)["seq"] == 2
    assert code(lambda: worker.messages.send(ALICE, "general", "c3", "x" * 4001)) == "text_too_long"
    assert code(lambda: worker.messages.edit(ALICE, "general", "c4", 1, "x" * 4001)) == "text_too_long"


def test_half_a_character_is_not_a_text(worker):
    assert code(lambda: worker.messages.send(ALICE, "general", "c", "\ud83d")) == "body_invalid"


@pytest.mark.parametrize(
    "text", ["é", "e\u0301", "\u202eabc", "a\u0000b", "👩\u200d🚀", "\r\nx", '{"S": "x"}', "#a :b"]
)
def test_a_text_is_kept_to_the_letter(worker, text):
    worker.messages.send(ALICE, "general", "c", text)
    assert worker.history.page(BOB, "general").messages[0].text == text


def test_reading_positions_move_forward_only_and_not_past_the_head(worker):
    fill(worker, 5)
    assert worker.read_positions.move(BOB, "general", 3) == 3
    assert worker.read_positions.move(BOB, "general", 2) == 3
    assert worker.storage.rooms.membership("general", "bob").read == 3
    assert worker.read_positions.move(BOB, "general", 10**9) == 5


def test_a_read_position_does_not_bring_a_removed_membership_back(worker):
    room = worker.memberships.create(ALICE, "r", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "i", room, "bob")
    worker.memberships.remove(ALICE, "x", room, "bob")
    assert worker.storage.rooms.mark_read("bob", room, 99) is False
    assert worker.storage.rooms.mark_read("nobody", room, 99) is False
    assert worker.storage.rooms.membership(room, "nobody") is None


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 201}, {"before": 3, "after": 1}])
def test_a_page_that_makes_no_sense_is_refused(worker, asked):
    assert code(lambda: worker.history.page(ALICE, "general", **asked)) == "cursor_invalid"


def private_room(worker):
    """A private room of Alice's with Bob in it."""
    room = worker.memberships.create(ALICE, "make", "Private", "private")["room"]
    worker.memberships.invite(ALICE, "invite", room, "bob")
    return room


def test_what_was_carried_out_is_not_refused_to_who_was_removed_since(worker, other):
    room = private_room(worker)
    sent = worker.messages.send(BOB, room, "sent", "hello")
    edited = worker.messages.edit(BOB, room, "edited", sent["seq"], "hello!")
    worker.memberships.remove(ALICE, "remove", room, "bob")
    assert other.messages.send(BOB, room, "sent", "hello")["seq"] == sent["seq"]
    assert other.messages.edit(BOB, room, "edited", sent["seq"], "hello!")["seq"] == edited["rev"]
    assert code(lambda: other.messages.send(BOB, room, "other", "hello")) == "room_not_found"


def test_a_page_that_reads_its_readers_removal_shows_nothing(worker, monkeypatch):
    room = private_room(worker)
    before = worker.storage.rooms.membership(room, "bob")
    worker.memberships.remove(ALICE, "remove", room, "bob")
    worker.messages.send(ALICE, room, "after", "not for bob")
    monkeypatch.setattr(worker.storage.rooms, "membership", lambda room, user: before)  # the removal is being written
    assert code(lambda: worker.history.page(BOB, room)) == "room_not_found"
