"""Rooms over HTTP: the answers that docs/protocol.md promises."""

from __future__ import annotations

import itertools

import pytest

from tests.conftest import Auth, browser

ids = (f"id{n}" for n in itertools.count())


def code(response):
    return response.json["error"]["code"]


def post(client, path, **body):
    return client.post(path, json={"client_id": next(ids), **body})


def make(client, name, kind="public"):
    made = post(client, "/api/rooms", name=name, kind=kind)
    assert made.status_code == 201, made.text
    return made.json["room"]


def names(client, which="rooms"):
    return [room["name"] for room in client.get("/api/rooms").json[which]]


@pytest.fixture
def alice(client, auth):
    auth.enter("alice")
    return client


@pytest.fixture
def bob(app):
    bob = browser(app)
    Auth(bob).enter("bob")
    return bob


def test_a_new_person_is_in_general_and_nowhere_else(alice):
    answer = alice.get("/api/rooms")
    assert answer.status_code == 200
    (room,) = answer.json["rooms"]
    assert answer.json["joinable"] == []
    assert set(room) == {"room", "name", "kind", "owner", "generation", "head", "read", "from", "unread", "unread_more"}
    assert (room["room"], room["kind"], room["unread"], room["unread_more"]) == ("general", "public", 0, False)


def test_a_public_room_is_made_found_joined_and_left(alice, bob):
    room = make(alice, "Data Team")
    assert (room["room"], room["name"], room["kind"], room["owner"]) == ("data-team", "Data Team", "public", "alice")
    assert bob.get("/api/rooms").json["joinable"] == [{"room": "data-team", "name": "Data Team"}]
    joined = post(bob, "/api/rooms/data-team/join")
    assert (joined.status_code, joined.json["room"]["room"]) == (200, "data-team")
    assert "Data Team" in names(bob) and names(bob, "joinable") == []
    left = post(bob, "/api/rooms/data-team/leave")
    assert (left.status_code, left.data) == (204, b"")
    assert "Data Team" not in names(bob)


def test_a_private_room_is_entered_by_invitation_and_left_by_its_owners_hand(alice, bob):
    room = make(alice, "Board", "private")["room"]
    assert names(bob, "joinable") == []
    assert code(post(bob, f"/api/rooms/{room}/join")) == "room_not_found"
    assert post(alice, f"/api/rooms/{room}/invite", username="bob").status_code == 204
    assert "Board" in names(bob)
    members = alice.get(f"/api/rooms/{room}/members").json["members"]
    assert sorted(members, key=lambda member: member["username"]) == [
        {"username": "alice", "name": "alice"},
        {"username": "bob", "name": "bob", "next": True},
    ]
    assert post(alice, f"/api/rooms/{room}/remove", username="bob").status_code == 204
    assert "Board" not in names(bob)
    assert bob.get(f"/api/rooms/{room}/members").status_code == 404


def test_an_owner_who_leaves_hands_the_room_to_a_member_and_to_nobody_else(alice, bob):
    room = make(alice, "Board", "private")["room"]
    assert post(alice, f"/api/rooms/{room}/invite", username="bob").status_code == 204
    for nobody in ("alice", "carol"):
        refused = post(alice, f"/api/rooms/{room}/leave", successor=nobody)
        assert (refused.status_code, code(refused)) == (404, "user_not_found")
    assert code(post(bob, f"/api/rooms/{room}/leave", successor="alice")) == "not_room_owner"
    assert post(alice, f"/api/rooms/{room}/leave", successor="bob").status_code == 204
    assert [each["owner"] for each in bob.get("/api/rooms").json["rooms"] if each["room"] == room] == ["bob"]
    told = bob.get(f"/api/rooms/{room}/messages").json["entries"][-1]
    assert (told["kind"], told["user"], told["successor"]) == ("left", "alice", "bob")


def test_the_same_request_again_makes_one_room(alice):
    body = {"client_id": "same", "name": "Once", "kind": "private"}
    first, second = (alice.post("/api/rooms", json=body) for _ in range(2))
    assert first.json["room"]["room"] == second.json["room"]["room"]
    assert names(alice).count("Once") == 1


def test_a_name_that_is_taken_and_one_that_does_not_fit_are_refused(alice, bob):
    make(alice, "Data Team")
    taken = post(bob, "/api/rooms", name="data team", kind="public")
    assert (taken.status_code, code(taken)) == (409, "room_name_taken")
    for name in ("", "x", "y" * 49, "<b>bold</b>", "a#b"):
        refused = post(alice, "/api/rooms", name=name, kind="public")
        assert (refused.status_code, code(refused)) == (400, "room_name_invalid"), name


def test_general_cannot_be_left(alice):
    refused = post(alice, "/api/rooms/general/leave")
    assert (refused.status_code, code(refused)) == (409, "room_required")


def test_only_the_owner_puts_somebody_out_and_only_somebody_who_exists_is_invited(alice, bob):
    room = make(alice, "Ours", "private")["room"]
    assert code(post(alice, f"/api/rooms/{room}/invite", username="nobody")) == "user_not_found"
    post(alice, f"/api/rooms/{room}/invite", username="bob")
    refused = post(bob, f"/api/rooms/{room}/remove", username="alice")
    assert (refused.status_code, code(refused)) == (403, "not_room_owner")


def test_no_such_room_and_not_my_room_are_the_same_answer_byte_for_byte(alice, bob):
    private = make(alice, "Board", "private")["room"]
    for method, rest, body in (
        ("GET", "/members", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"client_id": "a", "text": "let me in"}),
        ("POST", "/join", {"client_id": "b"}),
        ("POST", "/leave", {"client_id": "c"}),
        ("POST", "/invite", {"client_id": "d", "username": "bob"}),
        ("POST", "/remove", {"client_id": "e", "username": "alice"}),
    ):
        mine, none = (
            bob.open(f"/api/rooms/{room}{rest}", method=method, json=body) for room in (private, "z" * len(private))
        )
        assert (mine.status_code, mine.data) == (none.status_code, none.data), rest
        assert (mine.status_code, code(mine)) == (404, "room_not_found"), rest


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": "Room", "kind": "public"},
        {"client_id": "a", "name": "Room"}, {"client_id": "a", "kind": "public"},
        {"client_id": 5, "name": "Room", "kind": "public"}, {"client_id": "a", "name": ["Room"], "kind": "public"},
        {"client_id": "a", "name": "Room", "kind": "secret"}, {"client_id": "a", "name": None, "kind": "public"},
    ],
)  # fmt: skip
def test_a_room_needs_an_id_a_name_and_a_kind(alice, body):
    refused = alice.post("/api/rooms", json=body)
    assert (refused.status_code, code(refused)) == (400, "body_invalid")


@pytest.mark.parametrize("client_id", ["", "x" * 65, "a b", "a#b", "ü"])
def test_an_unusable_client_id_is_refused(alice, client_id):
    refused = alice.post("/api/rooms", json={"client_id": client_id, "name": "Room", "kind": "public"})
    assert (refused.status_code, code(refused)) == (400, "client_id_invalid")


def test_nothing_of_it_is_for_somebody_who_is_not_signed_in(client):
    body = {"client_id": "a", "name": "Room", "kind": "public", "username": "alice", "text": "x"}
    for path in ("", "/general/join", "/general/leave", "/general/invite", "/general/remove", "/general/messages"):
        refused = client.post(f"/api/rooms{path}", json=body)
        assert (refused.status_code, code(refused), refused.json["redirect"]) == (401, "unauthenticated", "/login")
    for path in ("", "/general/members", "/general/messages"):
        assert client.get(f"/api/rooms{path}").status_code == 401
