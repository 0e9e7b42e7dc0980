"""Making rooms, coming and going, and the list that a person sees."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from chat.models import Claim, Entry, Membership
from chat.names import room_slug
from chat.services.storage.facts import AppendRefused
from chat.services.storage.rooms import membership_fact
from tests.services.conftest import ALICE, BOB, CAROL


def code(call):
    with pytest.raises(ChatError) as refused:
        call()
    return refused.value.code


def rooms_of(worker, person):
    return {room["room"]: room for room in worker.overview.rooms(person)["rooms"]}


def test_everybody_is_in_general_from_the_first_time_on(worker):
    assert list(rooms_of(worker, CAROL)) == ["general"]
    assert {m["username"] for m in worker.overview.members(ALICE, "general")} == {"alice", "bob", "carol"}


def test_general_is_open_to_who_asks_for_it_before_anything_else(worker):
    assert worker.history.page(CAROL, "general").entries == []
    assert worker.messages.send(CAROL, "general", "c", "hello")["seq"] == 1


def test_entering_general_writes_no_entry_and_leaves_nothing_unread(worker):
    worker.messages.send(ALICE, "general", "c", "before carol")
    assert rooms_of(worker, CAROL)["general"]["unread"] == 0
    assert worker.storage.entries.head("general") == 1


def test_general_cannot_be_left_and_nobody_can_be_put_out(worker):
    assert code(lambda: worker.memberships.leave(ALICE, "c", "general")) == "room_required"
    assert code(lambda: worker.memberships.remove(ALICE, "c", "general", "bob")) == "not_room_owner"


def test_a_public_room_has_its_name_as_address_and_is_there_for_others_to_join(worker):
    room = worker.memberships.create(ALICE, "c", "Design  Crits", "public")
    assert (room["room"], room["name"], room["owner"], room["head"]) == ("design-crits", "Design Crits", "alice", 1)
    assert worker.overview.rooms(BOB)["joinable"] == [{"room": "design-crits", "name": "Design Crits"}]
    assert worker.memberships.join(BOB, "j", "design-crits")["room"] == "design-crits"
    assert "design-crits" in rooms_of(worker, BOB)
    assert worker.overview.rooms(BOB)["joinable"] == []


def test_a_private_room_is_not_listed_and_cannot_be_joined(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "private")["room"]
    assert worker.overview.rooms(BOB)["joinable"] == []
    assert code(lambda: worker.memberships.join(BOB, "j", room)) == "room_not_found"


def test_a_private_name_gives_nothing_away(worker):
    worker.memberships.create(ALICE, "c", "Plans", "private")
    assert worker.memberships.create(BOB, "c", "Plans", "public")["room"] == "plans"


def test_making_a_room_again_with_the_same_client_id_is_the_same_room(worker, other):
    for kind in ("public", "private"):
        first = worker.memberships.create(ALICE, kind, f"Room {kind}", kind)
        assert other.memberships.create(ALICE, kind, f"Room {kind}", kind)["room"] == first["room"]
    assert len(rooms_of(worker, ALICE)) == 3


def test_a_name_is_taken_once(worker):
    worker.memberships.create(ALICE, "c", "Plans", "public")
    assert code(lambda: worker.memberships.create(BOB, "c", "plans", "public")) == "room_name_taken"
    assert code(lambda: worker.memberships.create(BOB, "d", "General", "public")) == "room_name_taken"
    assert list(rooms_of(worker, BOB)) == ["general"]


@pytest.mark.parametrize("name", ["", "x", " ", "a" * 49, "a#b", "<b>x</b>", "--", "a\u0000b", "a/b", "ﷺ" * 8])
def test_a_name_that_does_not_fit_is_refused(worker, name):
    for kind in ("public", "private"):
        assert code(lambda kind=kind: worker.memberships.create(ALICE, "c", name, kind)) == "room_name_invalid"


@pytest.mark.parametrize(
    ("name", "slug"), [("Design Crits", "design-crits"), ("Ünï Rôom", "ünï-rôom"), ("A.B_c", "a-b-c")]
)
def test_a_slug_is_the_name_in_small_letters_and_dashes(name, slug):
    assert room_slug(name) == slug


def test_coming_and_going_are_entries_of_the_log(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j", room)
    worker.memberships.invite(ALICE, "i", room, "Carol")
    worker.memberships.leave(BOB, "l", room)
    worker.memberships.remove(ALICE, "x", room, "carol")
    entries = [(e.kind, e.user, e.by) for e, _ in worker.storage.entries.after(room, 0, 10)]
    assert entries == [
        ("joined", "alice", None),
        ("joined", "bob", None),
        ("joined", "carol", "alice"),
        ("left", "bob", None),
        ("removed", "carol", "alice"),
    ]
    assert [m["username"] for m in worker.overview.members(ALICE, room)] == ["alice"]


def test_joining_twice_is_joining_once(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j1", room)
    worker.memberships.join(BOB, "j2", room)
    worker.memberships.join(BOB, "j1", room)
    kinds = [e.kind for e, _ in worker.storage.entries.after(room, 0, 10)]
    assert [kind for kind in kinds if kind != "tombstone"] == ["joined", "joined"]


def test_a_join_sent_again_does_not_undo_a_later_leave(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j1", room)
    worker.memberships.leave(BOB, "l1", room)
    assert code(lambda: worker.memberships.join(BOB, "j1", room)) == "room_not_found"
    assert room not in rooms_of(worker, BOB)


def test_what_was_carried_out_is_not_refused_when_it_is_sent_again_by_somebody_put_out_since(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "b", room, "bob")
    worker.memberships.invite(BOB, "i", room, "Carol")
    worker.memberships.remove(ALICE, "x", room, "bob")
    worker.memberships.invite(BOB, "i", room, "carol")
    assert code(lambda: worker.memberships.invite(BOB, "another", room, "carol")) == "room_not_found"
    assert code(lambda: worker.memberships.invite(BOB, "i", room, "alice")) == "client_id_reused"
    worker.memberships.remove(ALICE, "y", room, "carol")
    worker.memberships.leave(ALICE, "l", room)
    worker.memberships.remove(ALICE, "y", room, "carol")
    worker.memberships.invite(BOB, "i", room, "carol")
    assert worker.storage.rooms.membership(room, "carol").inside is False, "sent again, it changes nothing"


def test_a_membership_is_what_the_last_entry_says_whoever_writes_last(worker):
    """Two requests may reach the table in the other order than their numbers say."""
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]

    def write(seq, inside):
        entry = Entry(room, seq, "joined" if inside else "left", 0, user="bob", name="Bob")
        membership = Membership(room, "bob", "Bob", inside, seq)
        worker.storage.transaction.append(
            entry, Claim("bob", f"at-{seq}", room, "digest", seq), facts=(membership_fact(membership),)
        )

    write(3, False)
    with pytest.raises(AppendRefused) as refused:
        write(2, True)
    assert refused.value.changed
    assert worker.storage.rooms.membership(room, "bob").inside is False


def test_only_the_owner_puts_somebody_out(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    worker.memberships.join(BOB, "j", room)
    worker.memberships.join(CAROL, "j", room)
    assert code(lambda: worker.memberships.remove(BOB, "x", room, "carol")) == "not_room_owner"
    worker.memberships.remove(ALICE, "x", room, "carol")
    assert room not in rooms_of(worker, CAROL)


def test_only_somebody_who_exists_can_be_invited(worker):
    room = worker.memberships.create(ALICE, "c", "Plans", "public")["room"]
    assert code(lambda: worker.memberships.invite(ALICE, "i", room, "nobody")) == "user_not_found"


def test_unread_counts_what_others_said_since_i_read(worker):
    for i in range(4):
        worker.messages.send(ALICE, "general", f"a{i}", "from alice")
    worker.messages.send(BOB, "general", "b", "from bob")
    worker.messages.edit(ALICE, "general", "e", 4, "edited")
    worker.read_positions.move(BOB, "general", 1)
    general = rooms_of(worker, BOB)["general"]
    assert (general["read"], general["head"], general["unread"], general["unread_more"]) == (1, 6, 3, False)


def test_unread_counts_over_the_edge_of_a_bucket_and_not_what_was_deleted(worker, monkeypatch):
    monkeypatch.setattr("chat.services.storage.entries.BUCKET_SIZE", 4)
    monkeypatch.setattr("chat.services.storage.entries.MAX_AHEAD", 2)
    monkeypatch.setattr("chat.services.log.sequence.MAX_AHEAD", 2)
    for i in range(10):
        worker.messages.send(ALICE, "general", f"a{i}", "from alice")
    worker.messages.delete(ALICE, "general", "d", 7)
    general = rooms_of(worker, BOB)["general"]
    assert (general["head"], general["unread"]) == (11, 9)


def test_unread_counting_ends_somewhere(worker, monkeypatch):
    monkeypatch.setattr("chat.services.rooms.overview.MAX_UNREAD_ENTRIES", 3)
    for i in range(5):
        worker.messages.send(ALICE, "general", f"a{i}", "from alice")
    general = rooms_of(worker, BOB)["general"]
    assert (general["unread"], general["unread_more"]) == (3, True)
