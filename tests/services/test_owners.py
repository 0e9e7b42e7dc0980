"""Whose a room is: an owner who goes hands it on, to whom they name or to who has been there longest."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from chat.models import Claim, Entry, Membership, Person, User
from chat.services.storage.rooms import membership_fact
from tests.services.conftest import ALICE, BOB, CAROL

DORA = Person("dora", "Dora")


def code(call):
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


@pytest.fixture(params=["private", "public"])
def room(worker, request):
    """Alice's, in which Carol has been longer than Bob."""
    worker.storage.users.put(User(DORA.username, DORA.name))
    room = worker.memberships.create(ALICE, "made", "Plans", request.param)["room"]
    worker.memberships.invite(ALICE, "b0", room, "bob")
    worker.memberships.invite(ALICE, "c", room, "carol")
    worker.memberships.leave(BOB, "b1", room)
    worker.memberships.invite(ALICE, "b2", room, "bob")
    return room


def owner(worker, room):
    return worker.storage.rooms.get(room).owner


def last(worker, room, of):
    """The last entry of that person, as it is shown."""
    entries = [entry for entry, _ in worker.storage.entries.after(room, 0, 100) if entry.user == of]
    return {key: value for key, value in entries[-1].to_dict().items() if key in ("kind", "by", "successor")}


def meanwhile(monkeypatch, worker, happens):
    """Something that happens between the judging of this worker's next append and its storing."""
    store = worker.log._appender.append
    waiting = [happens]

    def append(*args):
        if waiting:
            waiting.pop()()
        store(*args)

    monkeypatch.setattr(worker.log._appender, "append", append)


def test_an_owner_who_goes_hands_the_room_to_whom_they_name_and_everybody_is_told(worker, other, room):
    worker.connect(CAROL)
    assert other.overview.members(BOB, room)[0]["username"] == "alice", "the other worker knows the room as it was"
    worker.memberships.leave(ALICE, "l", room, successor="Bob")
    assert owner(worker, room) == "bob"
    assert last(worker, room, "alice") == {"kind": "left", "successor": "bob"}
    event, told = worker.broadcaster.sent["socket-carol"][-1]
    assert (event, told["user"], told["successor"]) == ("member:left", "alice", "bob")
    assert worker.overview.rooms(CAROL)["rooms"][1]["owner"] == "bob"
    other.memberships.remove(BOB, "x", room, "carol")
    assert [m["username"] for m in other.overview.members(BOB, room)] == ["bob"], "the new owner removes, at once"


def test_without_a_name_it_goes_to_who_has_been_there_longest_and_they_are_known_before(worker, room):
    assert {m["username"]: m.get("next", False) for m in worker.overview.members(ALICE, room)} == {
        "alice": False,
        "bob": False,
        "carol": True,
    }
    worker.memberships.leave(ALICE, "l", room)
    assert (owner(worker, room), last(worker, room, "alice")["successor"]) == ("carol", "carol")
    worker.memberships.remove(CAROL, "by-herself", room, "carol")
    assert (owner(worker, room), last(worker, room, "carol")) == ("bob", {"kind": "removed", "successor": "bob"})
    worker.memberships.leave(BOB, "l", room)
    assert (owner(worker, room), last(worker, room, "bob")) == ("bob", {"kind": "left"}), "there is nobody"


def test_who_is_no_other_member_is_not_made_owner_and_nobody_else_names_one(worker, room):
    head = worker.storage.entries.head(room)
    for whom in ("alice", "dora", "nobody-at-all", "no name!"):
        assert code(lambda whom=whom: worker.memberships.leave(ALICE, f"to-{whom[:2]}", room, whom)) == "user_not_found"
    assert code(lambda: worker.memberships.leave(BOB, "b", room, "carol")) == "not_room_owner"
    assert code(lambda: worker.memberships.leave(DORA, "d", room, "carol")) == "room_not_found"
    assert code(lambda: worker.memberships.leave(ALICE, "g", "general", "bob")) == "room_required"
    assert (worker.storage.entries.head(room), owner(worker, room)) == (head, "alice")
    worker.memberships.leave(BOB, "b2", room)
    assert (owner(worker, room), last(worker, room, "bob")) == ("alice", {"kind": "left"})


def test_a_leave_sent_again_is_answered_as_before_though_who_was_named_is_gone(worker, room):
    worker.memberships.leave(ALICE, "l", room, "bob")
    worker.memberships.leave(BOB, "m", room)
    head = worker.storage.entries.head(room)
    worker.memberships.leave(ALICE, "l", room, "bob")
    assert code(lambda: worker.memberships.leave(ALICE, "l", room)) == "client_id_reused"
    assert (worker.storage.entries.head(room), owner(worker, room)) == (head, "carol")


@pytest.mark.parametrize(("named", "then"), [("bob", "user_not_found"), (None, "carol")])
def test_who_goes_at_the_same_moment_does_not_become_the_owner(worker, other, room, monkeypatch, named, then):
    other.memberships.remove(ALICE, "c3", room, "carol")
    other.memberships.invite(ALICE, "c4", room, "carol")  # now Bob is next
    meanwhile(monkeypatch, worker, lambda: other.memberships.leave(BOB, "gone", room))
    if named:
        assert code(lambda: worker.memberships.leave(ALICE, "l", room, named)) == then
        assert owner(worker, room) == "alice"
    else:
        worker.memberships.leave(ALICE, "l", room)
        assert (owner(worker, room), last(worker, room, "alice")["successor"]) == (then, then)


def test_who_becomes_the_owner_while_they_go_hands_it_on(worker, other, room, monkeypatch):
    meanwhile(monkeypatch, worker, lambda: other.memberships.leave(ALICE, "l", room, "bob"))
    worker.memberships.leave(BOB, "gone", room)
    assert (owner(worker, room), last(worker, room, "bob")["successor"]) == ("carol", "carol")


def test_who_has_handed_the_room_on_removes_nobody_any_more(worker, other, room, monkeypatch):
    meanwhile(monkeypatch, worker, lambda: other.memberships.leave(ALICE, "l", room, "bob"))
    assert code(lambda: worker.memberships.remove(ALICE, "x", room, "bob")) == "not_room_owner"
    assert worker.storage.rooms.membership(room, "bob").inside
    if worker.rooms.get(room).kind == "public":
        worker.memberships.join(ALICE, "back", room)
        assert code(lambda: worker.memberships.remove(ALICE, "y", room, "carol")) == "not_room_owner"


def test_a_room_whose_owner_went_under_an_older_version_gets_one_when_the_next_goes(worker, room):
    seq = worker.storage.entries.head(room) + 1
    worker.storage.transaction.append(
        Entry(room, seq, "left", 0, user="alice", name="Alice"),
        Claim("alice", "old", room, "digest", seq),
        facts=(membership_fact(Membership(room, "alice", "Alice", False, seq)),),
    )
    assert owner(worker, room) == "alice"
    worker.memberships.leave(CAROL, "l", room)
    assert (owner(worker, room), last(worker, room, "carol")["successor"]) == ("bob", "bob")
