"""Reactions: who may react, with what, once; and what of it whom is told."""

from __future__ import annotations

import json

import pytest

from chat.errors import ChatError
from chat.models import Message
from chat.services.messages import reactions
from tests.services.conftest import ALICE, BOB, CAROL

THUMB, HEART, PARTY = "👍", "❤️", "🎉"


def say(worker, text="hello", client_id="m", person=ALICE, room="general"):
    return worker.messages.send(person, room, client_id, text)["seq"]


def add(worker, client_id, emoji=THUMB, person=BOB, seq=1, room="general"):
    return worker.messages.react(person, room, client_id, seq, emoji, True)


def remove(worker, client_id, emoji=THUMB, person=BOB, seq=1, room="general"):
    return worker.messages.react(person, room, client_id, seq, emoji, False)


def kinds(worker, room="general"):
    return [entry.kind for entry, _ in worker.storage.entries.after(room, 0, 200)]


def code(call):
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


def test_a_reaction_is_a_change_of_the_message_and_counts(worker):
    say(worker)
    add(worker, "r1")
    snapshot = add(worker, "r2", person=ALICE)
    assert (snapshot["rev"], snapshot["reactions"], snapshot["mine"]) == (3, {THUMB: 2}, [THUMB])
    assert kinds(worker) == ["message", "change", "change"]


def test_reactions_stand_in_the_order_in_which_they_came(worker):
    say(worker)
    for number, emoji in enumerate((PARTY, THUMB, HEART)):
        add(worker, f"r{number}", emoji)
    snapshot = add(worker, "r9", THUMB, person=ALICE)
    assert list(snapshot["reactions"].items()) == [(PARTY, 1), (THUMB, 2), (HEART, 1)]
    assert worker.history.who_reacted(ALICE, "general", 1)[THUMB] == ["Bob", "Alice"]


def test_a_reaction_is_taken_back_and_the_last_one_takes_its_emoji_with_it(worker):
    say(worker)
    add(worker, "r1")
    add(worker, "r2", person=ALICE)
    assert remove(worker, "r3")["reactions"] == {THUMB: 1}
    snapshot = remove(worker, "r4", person=ALICE)
    assert "reactions" not in snapshot and "mine" not in snapshot


def test_adding_twice_and_removing_what_is_not_there_write_no_entry_and_still_count_as_done(worker):
    say(worker)
    assert remove(worker, "r1") == worker.history.page(BOB, "general").to_dict()["messages"][0]
    add(worker, "r2")
    assert add(worker, "r3")["reactions"] == {THUMB: 1}
    assert kinds(worker).count("change") == 1
    remove(worker, "r4")
    assert "reactions" not in add(worker, "r3"), "r3 was carried out long ago"


def test_a_reaction_sent_again_does_not_undo_a_later_one(worker, other):
    say(worker)
    add(worker, "r1")
    remove(worker, "r2")
    assert "reactions" not in add(other, "r1")
    add(worker, "r3")
    assert remove(other, "r2")["reactions"] == {THUMB: 1}


def test_a_client_id_is_used_for_one_reaction_only(worker):
    say(worker)
    add(worker, "r1")
    assert code(lambda: add(worker, "r1", HEART)) == "client_id_reused"
    assert code(lambda: remove(worker, "r1")) == "client_id_reused"
    assert code(lambda: add(worker, "no id")) == "client_id_invalid"


def test_two_reactions_at_once_both_count(worker, other, monkeypatch):
    """The other one is written between reading the message and writing it."""
    say(worker)
    append = worker.storage.transaction.append

    def overtaken(*args, **kwargs):
        monkeypatch.undo()
        add(other, "r2", person=ALICE)
        return append(*args, **kwargs)

    monkeypatch.setattr(worker.storage.transaction, "append", overtaken)
    assert add(worker, "r1")["reactions"] == {THUMB: 2}


def test_only_members_react_and_only_to_what_they_may_see(worker):
    room = worker.memberships.create(ALICE, "make", "Plans", "private")["room"]
    seq = say(worker, room=room)
    for act in (add, remove):
        assert code(lambda act=act: act(worker, "c", person=CAROL, seq=seq, room=room)) == "room_not_found"
        assert code(lambda act=act: act(worker, "c", person=CAROL, room="nowhere")) == "room_not_found"
    assert code(lambda: worker.history.who_reacted(CAROL, room, seq)) == "room_not_found"
    worker.memberships.invite(ALICE, "invite", room, "bob")
    assert code(lambda: add(worker, "b", seq=seq, room=room)) == "message_not_found", "it was before his time"
    assert code(lambda: worker.history.who_reacted(BOB, room, seq)) == "message_not_found"
    later = say(worker, client_id="later", room=room)
    assert add(worker, "b2", seq=later, room=room)["mine"] == [THUMB]


@pytest.mark.parametrize("seq", [0, 2, 99])
def test_what_is_no_message_gets_no_reaction(worker, seq):
    say(worker)
    add(worker, "r")  # entry 2 is a change
    assert code(lambda: add(worker, "r1", seq=seq)) == "message_not_found"


def test_a_deletion_takes_the_reactions_with_it_and_an_edit_keeps_them(worker):
    say(worker)
    add(worker, "r1")
    assert worker.messages.edit(ALICE, "general", "e", 1, "hello!")["reactions"] == {THUMB: 1}
    assert "reactions" not in worker.messages.delete(ALICE, "general", "d", 1)
    assert worker.storage.entries.get("general", 1)[1].reactions == {}
    assert code(lambda: add(worker, "r2")) == "message_deleted"
    assert code(lambda: worker.history.who_reacted(BOB, "general", 1)) == "message_deleted"
    assert "reactions" not in add(worker, "r1"), "it was carried out before the deletion"


@pytest.mark.parametrize(
    "emoji", ["👍", "❤️", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "🧑🏻‍❤️‍💋‍🧑🏼", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪", "1️⃣", "©️", "⁉️", "✅", "⭐", "㊗️"]
)
def test_an_emoji_is_a_reaction(worker, emoji):
    say(worker)
    assert add(worker, "r", emoji)["reactions"] == {emoji: 1}
    assert worker.history.page(BOB, "general").to_dict()["messages"][0]["mine"] == [emoji]


HALVES = ["\ufe0f", "\u200d", "👍\u200d", "🇩", "\ud83d"]


@pytest.mark.parametrize(
    "emoji", ["", " ", "a", "ok", "é", "漢", "1", "#", "+", "👍👍", "👍 ", "👍\n", "\u202e👍", "<b>", *HALVES]
)
def test_anything_else_is_none(worker, emoji):
    say(worker)
    assert code(lambda: add(worker, "r", emoji)) == "emoji_invalid"
    assert code(lambda: remove(worker, "r", emoji)) == "emoji_invalid"
    assert kinds(worker) == ["message"]


def test_an_emoji_is_short(worker):
    say(worker)
    assert code(lambda: add(worker, "r", "\u200d".join("👍" * 7))) == "emoji_invalid"


def test_a_message_holds_so_many_different_emoji_and_no_more(worker, monkeypatch):
    monkeypatch.setattr(reactions, "MAX_EMOJI", 2)
    say(worker)
    add(worker, "r1", THUMB)
    add(worker, "r2", HEART)
    assert code(lambda: add(worker, "r3", PARTY)) == "reactions_full"
    assert add(worker, "r4", HEART, person=ALICE)["reactions"] == {THUMB: 1, HEART: 2}
    remove(worker, "r5", THUMB)
    assert add(worker, "r3", PARTY)["reactions"] == {HEART: 2, PARTY: 1}, "what was refused may be asked again"


def test_a_message_holds_so_many_reactions_and_no_more(worker, monkeypatch):
    monkeypatch.setattr(reactions, "MAX_REACTIONS", 1)
    say(worker)
    add(worker, "r1", person=ALICE)
    assert code(lambda: add(worker, "r2")) == "reactions_full"


def test_a_full_message_fits_into_a_row(worker):
    """400 KB are all that DynamoDB takes; a name has at most 32 characters of four bytes."""
    who = tuple(f"{number:04d}" + "𐐨" * 28 for number in range(reactions.MAX_REACTIONS))
    kiss = "🧑🏻‍❤️‍💋‍🧑🏼"
    snapshot = Message("general", 1, 1, "c" * 64, "a" * 32, "a" * 32, "😀" * 4000, 1, 2, 3, reactions={kiss: who})
    row = {"text": snapshot.text, "reactions": [[emoji, *people] for emoji, people in snapshot.reactions.items()]}
    assert len(json.dumps(row, ensure_ascii=False).encode()) + 2_000 < 400_000


def test_everybody_is_told_how_many_and_nobody_who(worker, other):
    say(worker)
    alice, bob = worker.connect(ALICE), worker.connect(BOB)
    add(worker, "r1")
    for sid in (alice, bob):
        event, payload = worker.broadcaster.sent[sid][-1]
        assert (event, payload["message"]["reactions"]) == ("message:changed", {THUMB: 1})
        assert "mine" not in payload["message"]
    assert "bob" not in json.dumps([event for event in worker.heard if event["kind"] == "entry"])


def test_a_page_tells_its_reader_which_are_theirs(worker):
    say(worker)
    add(worker, "r1")
    add(worker, "r2", HEART, person=ALICE)
    for read in (
        lambda person: worker.history.page(person, "general"),
        lambda person: worker.history.page(person, "general", around=1),
        lambda person: worker.history.page(person, "general", after=0),
        lambda person: worker.history.open(person, "general", 0),
        lambda person: worker.history.open(person, "general", 1),
    ):
        for person, mine in ((BOB, [THUMB]), (ALICE, [HEART])):
            (message,) = read(person).to_dict()["messages"]
            assert (message["reactions"], message["mine"]) == ({THUMB: 1, HEART: 1}, mine)
            assert set(message) & {"who", "reacted"} == set()


def test_who_has_not_reacted_is_told_that_none_is_theirs(worker):
    say(worker)
    add(worker, "r1")
    assert worker.history.page(ALICE, "general").to_dict()["messages"][0]["mine"] == []


def test_ones_own_devices_are_told_what_is_ones_own(worker):
    say(worker)
    snapshot = add(worker, "r1")
    told = [event for event in worker.heard if event["kind"] == "reacted"]
    where = {"room": "general", "generation": snapshot["generation"], "seq": 1, "rev": snapshot["rev"]}
    assert told == [{"kind": "reacted"} | where | {"mine": {"bob": [THUMB]}}]


def test_who_reacted_is_told_by_name_and_so_many_names_at_most(worker, monkeypatch):
    say(worker)
    add(worker, "r1")
    add(worker, "r2", person=ALICE)
    assert worker.history.who_reacted(ALICE, "general", 1) == {THUMB: ["Bob", "Alice"]}
    monkeypatch.setattr(reactions, "MAX_NAMES", 1)
    assert worker.history.who_reacted(ALICE, "general", 1) == {THUMB: ["Bob"]}
