"""Sessions that are kept: they carry their own time and end, and everything that belongs to them lives as long."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from chat.app import create_app
from chat.errors import ChatError
from chat.models import User
from chat.services.sessions.record import decode, encode, slide_every_s
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.storage import Storage
from tests.conftest import PASSWORD, Auth, browser

DAY_S = 24 * 3_600
ALICE = User("alice", "Alice")
BEGAN = 1_790_000_000


class Clock:
    def __init__(self):
        self.at = float(BEGAN)

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def storage(config):
    storage = Storage.connect(config)
    storage.users.put(ALICE)
    return storage


@pytest.fixture
def redis(config):
    return redis_client.connect(config.redis_url)


@pytest.fixture
def sessions(redis, storage, clock):
    return Sessions(redis, 1800, 43_200, storage.users.epochs, clock, kept_ttl_s=30 * DAY_S)


def test_a_kept_session_carries_its_own_time_and_end_and_its_cookie_lives_until_then(sessions, redis):
    session = sessions.create(ALICE, "Firefox on Linux", kept=True)
    record = json.loads(redis.get(f"session:{session.sid}"))
    assert (record["ttl"], record["ends_at"]) == (30 * DAY_S, BEGAN + 180 * DAY_S)
    assert redis.ttl(f"session:{session.sid}") == 30 * DAY_S
    assert session.lives_s(BEGAN + DAY_S + 0.5) == 179 * DAY_S and session.lives_s(BEGAN + 200 * DAY_S) == 0
    assert sessions.read(session.sid) == session == replace(session, expires_at=BEGAN + 30 * DAY_S, kept=True)


def test_one_that_is_not_kept_is_what_it_was(sessions, redis):
    session = sessions.create(ALICE)
    assert not {"ttl", "ends_at"} & json.loads(redis.get(f"session:{session.sid}")).keys()
    assert redis.ttl(f"session:{session.sid}") == 1800
    assert (session.ttl_s, session.ends_at, session.kept) == (1800, BEGAN + 43_200, False)


def test_it_is_read_by_who_has_other_settings_and_by_who_may_read_no_table(sessions, redis, clock):
    """As `protected` in Lambda is: after thirteen idle hours it needs the epoch's copy."""
    session = sessions.create(ALICE, kept=True)
    sessions.create(ALICE)  # whose time is shorter, and does not cut what the other needs
    assert redis.ttl("user_epoch:alice") > 179 * DAY_S
    clock.at += 13 * 3_600
    elsewhere = Sessions(redis, 60, 600, None, clock, kept_ttl_s=DAY_S)
    found = elsewhere.read(session.sid)
    assert found and (found.ttl_s, found.ends_at, found.kept) == (30 * DAY_S, session.ends_at, True)
    assert elsewhere.alive({session.sid: "alice"}) == {session.sid}


def test_it_lives_on_by_acts_but_never_past_its_end(sessions, redis, clock):
    session = sessions.create(ALICE, kept=True)
    assert sessions.slide_if_due(session) is session, "within the first hour"
    clock.at += 29 * DAY_S
    redis.expire(f"session:{session.sid}", DAY_S)
    session = sessions.slide_if_due(sessions.read(session.sid))
    assert session.expires_at == clock.at + 30 * DAY_S and redis.ttl(f"session:{session.sid}") == 30 * DAY_S
    clock.at = session.ends_at - 100.0
    session = sessions.slide_if_due(replace(session, expires_at=int(clock.at) + 50))
    assert (session.expires_at, redis.ttl(f"session:{session.sid}")) == (session.ends_at, 100)
    clock.at = float(session.ends_at)
    assert sessions.read(session.sid) is None


@pytest.mark.parametrize(("ttl_s", "every_s"), [(1_800, 60), (900, 60), (30 * DAY_S, 3_600), (DAY_S, 2_880), (8, 2)])
def test_an_act_slides_once_a_minute_and_where_there_is_much_time_more_seldom(ttl_s, every_s):
    assert slide_every_s(ttl_s) == every_s


def test_it_stays_in_the_list_of_devices_until_its_end_and_is_ended_by_it(sessions, redis, clock, storage):
    kept = sessions.create(ALICE, "Phone", kept=True)
    clock.at += 20 * DAY_S
    sessions.slide(kept)
    plain = sessions.create(ALICE, "Laptop")  # which tidies the list
    clock.at += 43_201
    assert [each.device for each in sessions.of_user("alice")] == ["Phone"]
    assert plain.sid not in redis.zrange("user_sessions:alice", 0, -1)
    newest = sessions.create(ALICE, "Desk")
    assert [each.device for each in sessions.of_user("alice")] == ["Desk", "Phone"], "the newest first"
    assert sessions.end_oldest("alice", 1, "elsewhere") == [kept.sid]
    again = sessions.create(ALICE, kept=True)
    assert {again.sid, newest.sid} < set(
        sessions.raise_epoch("alice", storage.users.raise_epoch("alice"), "everywhere")
    )
    assert sessions.read(again.sid) is None


def test_the_list_forgets_a_kept_one_at_its_end(sessions, redis, clock):
    kept = sessions.create(ALICE, kept=True)
    clock.at += 180 * DAY_S + 1
    sessions.create(ALICE)
    assert kept.sid not in redis.zrange("user_sessions:alice", 0, -1)


def test_a_password_change_keeps_it_kept(sessions, storage, redis):
    session = sessions.create(ALICE, kept=True)
    sessions.raise_epoch("alice", storage.users.raise_epoch("alice"), "password", keep=session)
    assert sessions.read(session.sid) == replace(session, epoch=1)
    assert redis.ttl(f"session:{session.sid}") == 30 * DAY_S


def test_what_an_older_release_let_go_comes_back_with_the_next_act(sessions, redis, clock):
    """It trims the list to twelve hours, and lets list and copy live no longer."""
    session = sessions.create(ALICE, kept=True)
    clock.at += 3 * DAY_S
    redis.zrem("user_sessions:alice", session.sid)
    redis.expire("user_epoch:alice", 100)
    redis.expire(f"session:{session.sid}", 100)
    sessions.slide_if_due(sessions.read(session.sid))
    assert redis.ttl(f"session:{session.sid}") == 30 * DAY_S
    assert [each.sid for each in sessions.of_user("alice")] == [session.sid]
    assert min(redis.ttl("user_epoch:alice"), redis.ttl("user_sessions:alice")) > 179 * DAY_S


def test_an_act_brings_no_ended_one_back(sessions, redis):
    session = sessions.create(ALICE, kept=True)
    sessions.end(session.sid, "elsewhere")
    sessions.slide(session)
    assert redis.exists(f"session:{session.sid}") == 0 and sessions.read(session.sid) is None
    assert sessions.of_user("alice") == [] and redis.exists("user_sessions:alice") == 0


@pytest.mark.parametrize(
    "own",
    [{"ttl": 1}, {"ends_at": 1}, {"ttl": "1", "ends_at": 2}, {"ttl": True, "ends_at": 2}, {"ttl": 0, "ends_at": 2}],
)
def test_a_record_with_half_of_it_or_what_is_no_number_is_no_session(own):
    record = {"_permanent": True, "username": "alice", "name": "Alice", "iat": 1, "epoch": 0}
    assert decode(json.dumps(record | {"ttl": 1, "ends_at": 2})) and decode(json.dumps(record | own)) is None


def test_no_record_makes_a_session_without_an_end(sessions, redis):
    session = sessions.create(ALICE, kept=True)
    redis.set(f"session:{session.sid}", encode(replace(session, ends_at=10**12, ttl_s=10**12)), ex=100)
    assert sessions.read(session.sid).ends_at == BEGAN + 180 * DAY_S
    assert sessions.slide(sessions.read(session.sid)) == BEGAN + 180 * DAY_S


def test_where_none_is_kept_none_is_made_and_those_of_before_are_over(sessions, redis, storage, clock):
    session = sessions.create(ALICE, kept=True)
    none = Sessions(redis, 1800, 43_200, storage.users.epochs, clock)
    assert none.read(session.sid) is None and none.of_user("alice") == []
    assert not none.create(ALICE, kept=True).kept


# --- at the edge ------------------------------------------------------------------------------------------------------


def enter(app, **body):
    client = browser(app)
    answer = client.post("/api/auth/login", json={"username": "alice", "password": PASSWORD, **body})
    assert answer.status_code == 200, answer.json
    return client, answer


def test_only_an_act_of_a_person_slides_it(app):
    """Reading, asking who I am and read positions do not; the page asks to stay when somebody is at it."""
    Auth(browser(app)).register()
    client, _ = enter(app, remember=True)
    redis = app.extensions["parley"].redis
    key = f"session:{client.get_cookie('parley', domain='localhost').value}"
    redis.expire(key, 20 * DAY_S)
    for path in ("/api/auth/protected", "/api/auth/sessions", "/api/rooms", "/api/rooms/general/messages"):
        assert client.get(path).status_code == 200
    assert redis.ttl(key) <= 20 * DAY_S
    assert client.post("/api/auth/stay").json["session"]["ttl_s"] == 30 * DAY_S
    assert redis.ttl(key) > 29 * DAY_S
    redis.expire(key, 20 * DAY_S)
    assert client.post("/api/rooms/general/messages", json={"client_id": "c", "text": "hello"}).status_code == 201
    assert redis.ttl(key) > 29 * DAY_S


def test_the_list_of_devices_says_which_are_kept_and_ends_one(app):
    Auth(browser(app)).register()
    mine, _ = enter(app)
    phone, _ = enter(app, remember=True)
    listed = mine.get("/api/auth/sessions").json["sessions"]
    assert {each["current"]: each["kept"] for each in listed} == {True: False, False: True}
    [kept] = [each for each in listed if each["kept"]]
    assert kept["expires_at"] - kept["began_at"] == pytest.approx(30 * DAY_S, abs=2)
    assert mine.delete(f"/api/auth/sessions/{kept['id']}").status_code == 204
    assert phone.get("/api/auth/protected").status_code == 401


def test_where_it_is_not_offered_it_is_refused(config):
    app = create_app(replace(config, session_remember_days=0))
    Auth(browser(app)).register()
    client = browser(app)
    assert client.get("/config.json").json["remember_days"] == 0
    refused = client.post("/api/auth/login", json={"username": "alice", "password": PASSWORD, "remember": True})
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "remember_refused")
    assert "Set-Cookie" not in refused.headers
    with pytest.raises(ChatError, match="keeps nobody"):
        app.extensions["parley"].accounts.login("alice", PASSWORD, "127.0.0.1", remember=True)
    _, entered = enter(app, remember=False)
    assert entered.json["session"]["expires_at"] - time.time() <= 1800


@pytest.mark.parametrize("remember", ["yes", 1, {}])
def test_the_tick_is_true_or_false(app, remember):
    Auth(browser(app)).register()
    body = {"username": "alice", "password": PASSWORD, "remember": remember}
    assert browser(app).post("/api/auth/login", json=body).status_code == 400
