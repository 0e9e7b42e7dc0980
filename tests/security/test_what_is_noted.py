"""The audit log names who did what, and never what somebody typed where a name belongs: it may be their password."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import bcrypt
import pytest

from chat.app import create_app
from chat.errors import ChatError
from chat.models import User
from chat.services.accounts import audit
from chat.services.accounts.audit import REFUSALS_NOTED, Refusals
from chat.services.sessions.record import Session
from chat.sockets.client_sockets import ClientSocket
from tests.conftest import PASSWORD, Auth, browser

SECRETS = ("my-secret-passphrase", "hunter2", "p4ss word!", "x" * 100)


@pytest.fixture
def app(config):
    return create_app(replace(config, login_failures_per_account=2, login_failures_per_address=40))


@pytest.fixture
def noted(caplog):
    """What the audit log has said, line by line."""
    caplog.set_level(logging.INFO, "parley.audit")
    return lambda: [json.loads(each.message) for each in caplog.records if each.name == "parley.audit"]


def test_what_is_nobodys_name_is_not_noted_at_a_login(app, noted, caplog):
    with caplog.at_level(logging.DEBUG):
        outcomes = [Auth(browser(app)).login(typed).status_code for typed in SECRETS for _ in range(4)]
    assert outcomes == [401, 401, 429, 429] * len(SECRETS)
    assert [line["outcome"] for line in noted()] == (["bad_credentials"] * 2 + ["rate_limited"] * 2) * len(SECRETS)
    assert all(line["address"] for line in noted()), "from where is known all the same"
    assert not [said for said in caplog.messages for typed in SECRETS if typed in said]


def test_whose_account_is_tried_is_noted(app, noted):
    assert Auth(browser(app)).register("alice").status_code == 201
    answers = [Auth(browser(app)).login("alice", "not the password").status_code for _ in range(3)]
    assert answers == [401, 401, 429]
    assert [(line["event"], line.get("user"), line["outcome"]) for line in noted()] == [
        ("register", "alice", "ok"),
        ("login", "alice", "bad_credentials"),
        ("login", "alice", "bad_credentials"),
        ("login", None, "rate_limited"),  # refused before anybody looked whether there is such an account
    ]


def test_a_name_that_is_not_registered_after_all_is_not_noted(app, noted, monkeypatch):
    assert Auth(browser(app)).register("alice").status_code == 201
    assert Auth(browser(app)).register("alice").status_code == 409
    monkeypatch.setattr(app.extensions["parley"].registration._users, "put", _unavailable)
    assert Auth(browser(app)).register("hunter2").status_code == 503
    assert [(line.get("user"), line["outcome"]) for line in noted()] == [
        ("alice", "ok"), ("alice", "username_taken"), (None, "unavailable"),
    ]  # fmt: skip


def _unavailable(user: User) -> None:
    raise ChatError("unavailable")


GOOD = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
ODD = [
    {"hash": {"N": "1"}},
    {"hash": {"B": GOOD.encode()}},
    {"hash": {"BOOL": True}},
    {"hash": {"NULL": True}},
    {"hash": {"L": [{"S": GOOD}]}},
    {"hash": {"SS": [GOOD]}},
    {"hash": {"M": {"S": {"S": GOOD}}}},
    {"hash": {"S": "\0"}},
    {"hash": {"S": "é"}},
    {"hash": {"S": GOOD}, "epoch": {"S": "1"}},
    {"hash": {"S": GOOD}, "epoch": {"M": {}}},
]
SHAPES = [f"{'-'.join(row)}-{n}" for n, row in enumerate(ODD)]


@pytest.mark.parametrize("row", ODD, ids=SHAPES)
def test_an_account_of_another_shape_lets_nobody_in_and_is_said_in_the_log(app, caplog, row):
    storage = app.extensions["parley"].storage
    item = {"username": {"S": "odd"}, "name": {"N": "7"}, **row}
    storage.client.call("put_item", TableName=storage.client.table("users"), Item=item)
    refused = Auth(browser(app)).login("odd")
    assert (refused.status_code, refused.json["error"]["code"]) == (401, "bad_credentials")
    assert [each for each in caplog.records if each.levelname == "ERROR" and "cannot be read" in each.message]
    assert not [each for each in caplog.records if each.exc_info]
    assert storage.users.names(["odd"]) == {"odd": "odd"}
    assert storage.users.epochs(["odd"]) == ({} if "epoch" in row else {"odd": 0})


def test_a_name_of_another_type_is_shown_as_the_account_is_called(app):
    storage = app.extensions["parley"].storage
    item = {"username": {"S": "odd"}, "name": {"N": "7"}, "hash": {"S": GOOD}, "note": {"N": "1" + "0" * 38}}
    storage.client.call("put_item", TableName=storage.client.table("users"), Item=item)
    assert Auth(browser(app)).login("odd").json["user"] == {"username": "odd", "name": "odd"}


# --- rooms, tickets, refusals ----------------------------------------------------------------------------------------


@pytest.fixture
def people(app, monkeypatch):
    """Alice and Bob, each with a browser; what is refused is counted from now."""
    monkeypatch.setattr(audit.refusals, "_bucket", Refusals()._bucket)
    monkeypatch.setattr(audit.refusals, "_left_out", 0)
    found = {}
    for name in ("alice", "bob"):
        found[name] = browser(app)
        Auth(found[name]).enter(name)
    return found


def post(client, path, status, **body):
    assert client.post(path, json=body).status_code == status, path


def lines(noted, *events):
    """Of those events: (event, who, room, whom, outcome)."""
    names = ("event", "user", "room", "whom", "outcome")
    return [tuple(line.get(name) for name in names) for line in noted() if line["event"] in events]


def test_who_makes_enters_and_leaves_rooms_is_noted_once(people, noted):
    alice, bob = people["alice"], people["bob"]
    for _ in range(2):  # the second time it was carried out before
        post(alice, "/api/rooms/plans/join", 404, client_id="z")
        post(bob, "/api/rooms/plans/invite", 404, client_id="y", username="alice")
    post(alice, "/api/rooms", 201, client_id="a", name="Plans", kind="public")
    for _ in range(2):
        post(alice, "/api/rooms/plans/invite", 204, client_id="b", username="Bob")
        post(bob, "/api/rooms/plans/leave", 204, client_id="c")
        post(bob, "/api/rooms/plans/join", 200, client_id="d")
    post(bob, "/api/rooms/plans/join", 200, client_id="e")  # who is in already
    post(alice, "/api/rooms/plans/remove", 204, client_id="f", username="bob")
    assert lines(noted, "room_create", "room_invite", "room_leave", "room_join", "room_remove") == [
        ("room_create", "alice", "plans", None, "ok"),
        ("room_invite", "alice", "plans", "bob", "ok"),
        ("room_leave", "bob", "plans", "bob", "ok"),
        ("room_join", "bob", "plans", "bob", "ok"),
        ("room_remove", "alice", "plans", "bob", "ok"),
    ]


def test_who_asks_for_what_is_not_theirs_is_noted(people, noted):
    alice, bob = people["alice"], people["bob"]
    post(alice, "/api/rooms", 201, client_id="a", name="Plans", kind="private")
    post(bob, "/api/rooms/plans/messages", 404, client_id="b", text="hello")
    post(bob, "/api/rooms/general/remove", 403, client_id="c", username="alice")
    bob.get("/api/rooms", headers={"X-Parley-User": "alice"})
    bob.post("/api/auth/logout", headers={"Origin": "https://evil.example"})
    browser(bob.application).post("/api/auth/login", json={}, headers={"Origin": "https://evil.example"})
    bob.get("/api/nothing")
    browser(bob.application).get("/api/auth/protected")
    refused = [line for line in noted() if line["event"] == "refused"]
    assert [(line.get("user"), line["door"], line.get("room"), line["outcome"]) for line in refused] == [
        ("bob", "POST /api/rooms/<room>/messages", "plans", "room_not_found"),
        ("bob", "POST /api/rooms/<room>/remove", "general", "not_room_owner"),
        ("bob", "GET /api/rooms", None, "user_mismatch"),
        ("bob", "POST /api/auth/logout", None, "origin_refused"),
        (None, "POST /api/auth/login", None, "origin_refused"),
    ]
    assert {line["address"] for line in refused} == {"127.0.0.1"}


def test_what_sockets_are_refused_is_noted(app, people, noted):
    """Like the handshakes of another site."""
    handlers = app.extensions["socketio"].server.handlers["/"]
    session = app.extensions["parley"].sessions.of_user("bob")[0]
    assert isinstance(session, Session)
    handlers["connect"].__self__._clients.add(ClientSocket("s", session, 0.0, address="192.0.2.7"))
    for room in ("plans", "p" * 1_000):
        assert not handlers["message:send"]("s", {"room": room, "client_id": "c", "text": "hello"})["ok"]
    assert handlers["message:delete"]("s", {"room": "general", "client_id": "c", "seq": 7})["ok"] is False
    strange = {"Origin": "https://evil.example", "Upgrade": "websocket", "Connection": "Upgrade"}
    assert people["bob"].get("/socket.io/?EIO=4&transport=websocket", headers=strange).status_code == 403
    assert [
        (line.get("user"), line["address"], line["door"], line.get("room"), line["outcome"])
        for line in noted()
        if line["event"] == "refused"
    ] == [
        ("bob", "192.0.2.7", "message:send", "plans", "room_not_found"),
        ("bob", "192.0.2.7", "message:send", "p" * 64, "room_not_found"),
        (None, "127.0.0.1", "websocket", None, "origin_refused"),
    ]


def test_a_ticket_that_is_taken_is_noted(app, people, noted):
    services = app.extensions["parley"]
    ticket = services.tickets.issue(services.sessions.of_user("bob")[0])
    page = browser(app)
    for status in (200, 403):
        sent = page.post("/api/auth/ticket", json={"ticket": ticket}, headers={"Origin": "http://localhost:8000"})
        assert sent.status_code == status
    told = [(line["event"], line.get("user"), line["address"], line["outcome"]) for line in noted()][-2:]
    assert told == [("ticket", "bob", "127.0.0.1", "ok"), ("refused", "bob", "127.0.0.1", "ticket_invalid")]


def test_of_a_flood_of_refusals_a_part_is_noted(noted):
    flood = Refusals()
    for _ in range(REFUSALS_NOTED + 1_000):
        flood.note(ChatError("origin_refused"), "POST /api/auth/login", address="192.0.2.7")
    assert REFUSALS_NOTED <= len(noted()) < REFUSALS_NOTED + 100
    flood._bucket = Refusals()._bucket  # ten seconds later
    flood.note(ChatError("unavailable"), "GET /api/rooms")
    flood.note(ChatError("origin_refused"), "POST /api/auth/login")
    told = noted()
    assert len(told) + sum(int(line.get("left_out", 0)) for line in told) == REFUSALS_NOTED + 1_001
