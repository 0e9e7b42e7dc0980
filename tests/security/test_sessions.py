"""Sessions that an attacker would like to make, keep or revive."""

from __future__ import annotations

import json
import pickle
import threading
import time

import pytest

from chat.blueprints.guard import current_person, require_auth
from chat.services.sessions.record import ID
from tests.conftest import Auth, browser


@pytest.mark.parametrize("sid", ["ATTACKER", "x" * 10_000, "../x", "session:*", "", "*", "a" * 43])
def test_an_id_that_we_did_not_give_out_is_never_taken_over(app, sid):
    client = browser(app)
    client.set_cookie("parley", sid, domain="localhost")
    auth = Auth(client)
    auth.register()
    assert client.get("/api/auth/protected").status_code == 401
    assert auth.login().status_code == 200
    given = client.get_cookie("parley", domain="localhost").value
    assert given != sid and ID.fullmatch(given)
    assert app.extensions["parley"].redis.exists(f"session:{sid}") == 0


def test_ids_are_long_and_never_the_same(app):
    ids = {app.extensions["parley"].sessions.new_id() for _ in range(10_000)}
    assert len(ids) == 10_000 and all(ID.fullmatch(sid) for sid in ids)


class Bomb:
    def __reduce__(self):
        return (open, ("bomb-went-off", "w"))


@pytest.mark.parametrize(
    "stored",
    [
        pickle.dumps(Bomb()), b"\x81\xa8username\xa5alice", b"{", b"[]", b"null", b'{"username": "alice"}',
        b'{"username": ["alice"], "name": "x", "iat": 1, "epoch": 0}', b"[" * 4000, b'{"username": "' + b"x" * 9000,
        json.dumps({"username": "alice", "name": "x", "iat": "now", "epoch": 0}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_session_of_ours_is_no_session(app, client, auth, stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sid = auth.enter()
    app.extensions["parley"].redis.set(f"session:{sid}", stored, ex=100)
    assert client.get("/api/auth/protected").status_code == 401
    assert list(tmp_path.iterdir()) == []


def test_a_slow_request_does_not_revive_a_session_that_ended_meanwhile(app, auth, client):
    inside, leave = threading.Event(), threading.Event()

    @app.post("/api/slow")
    @require_auth(act=True)
    def slow():
        from flask import session

        session["touched"] = current_person().username
        inside.set()
        leave.wait(30)
        return "done"

    for _ in range(10):
        auth.register()
        auth.login()
        sid = client.get_cookie("parley", domain="localhost").value
        inside.clear()
        leave.clear()
        other = browser(app)
        other.set_cookie("parley", sid, domain="localhost")
        request = threading.Thread(target=lambda other=other: other.post("/api/slow"))
        request.start()
        assert inside.wait(30)
        assert auth.logout().status_code == 204
        leave.set()
        request.join(30)
        assert app.extensions["parley"].redis.exists(f"session:{sid}") == 0


def test_nothing_that_runs_beside_a_logout_brings_the_session_back(app):
    """Acts, a password change that keeps it, a late write: each against the end, at once."""
    services = app.extensions["parley"]
    Auth(browser(app)).register()
    user = services.storage.users.get("alice")
    for turn in range(300):
        session = services.sessions.create(user)
        start = threading.Barrier(4)
        rivals = (
            lambda sid, s: services.sessions.end(sid, "logout"),
            lambda sid, s: services.sessions.slide(s),
            lambda sid, s: services.sessions.write_back(s),
            lambda sid, s: services.sessions.raise_epoch("alice", user.epoch, "password", keep=s),
        )

        def run(rival, session=session, start=start):
            start.wait(30)
            rival(session.sid, session)

        threads = [threading.Thread(target=run, args=(rival,)) for rival in rivals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert services.redis.exists(f"session:{session.sid}") == 0, f"trial {turn}"
        assert services.sessions.read(session.sid) is None


def test_a_session_older_than_twelve_hours_is_over_whatever_happened(app, auth, client):
    sid = auth.enter()
    services = app.extensions["parley"]
    record = json.loads(services.redis.get(f"session:{sid}"))
    services.redis.set(f"session:{sid}", json.dumps(record | {"iat": int(time.time()) - 43_201}), ex=1800)
    assert client.get("/api/auth/protected").status_code == 401
    assert services.sessions.alive({sid: "alice"}) == set()


def test_a_cookie_of_somebody_else_is_noticed(auth, client):
    auth.enter("alice")
    message = {"client_id": "c", "text": "hello"}
    refused = client.post("/api/rooms/general/messages", json=message, headers={"X-Parley-User": "bob"})
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "user_mismatch")
    allowed = client.post("/api/rooms/general/messages", json=message, headers={"X-Parley-User": "alice"})
    assert allowed.status_code == 201


def test_no_session_id_and_no_password_reaches_the_log(app, auth, caplog):
    caplog.set_level("DEBUG")
    sid = auth.enter()
    auth.login(password="a wrong password that nobody may read")
    auth.logout()
    assert sid not in caplog.text and "nobody may read" not in caplog.text
    assert '"event": "login"' in caplog.text
