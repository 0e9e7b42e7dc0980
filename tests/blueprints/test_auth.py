"""Registering, signing in and out: the answers that docs/protocol.md promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chat.app import create_app
from chat.services.accounts import cookies
from tests.conftest import PASSWORD, Auth, browser


def code(response):
    return response.json["error"]["code"]


def redis_of(app):
    return app.extensions["parley"].redis


def test_registering_opens_no_session(auth, client):
    made = auth.register("Alice")
    assert (made.status_code, made.json) == (201, {"user": {"username": "alice", "name": "Alice"}})
    assert "Set-Cookie" not in made.headers
    assert client.get("/api/auth/protected").status_code == 401


def test_signing_in_opens_one_that_lives_in_redis(app, auth, client):
    sid = auth.enter()
    answer = client.get("/api/auth/protected").json
    assert answer["user"] == {"username": "alice", "name": "alice"}
    assert 0 < redis_of(app).ttl(f"session:{sid}") <= 1800
    assert answer["session"]["expires_at"] > 0


def test_a_socket_finds_the_session_beside_an_odd_cookie_as_rest_does(auth):
    sid = auth.enter()
    for header in (f'theme={{"a": 1}}; parley={sid}', f'parley="{sid}"'):
        assert cookies.session_id(header, "parley") == sid
    for header in ("", "parley=", f"parley={sid}x", f"other={sid}"):
        assert cookies.session_id(header, "parley") is None


def test_the_cookie_is_for_the_server_alone(auth):
    auth.register()
    cookie = auth.login().headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_every_sign_in_has_a_new_id_and_ends_the_former(app, auth, client):
    first = auth.enter()
    auth.login()
    second = client.get_cookie("parley", domain="localhost").value
    assert first != second
    assert redis_of(app).exists(f"session:{first}") == 0


def test_logging_out_removes_the_key_and_the_cookie(app, auth, client):
    sid = auth.enter()
    out = auth.logout()
    assert out.status_code == 204 and redis_of(app).exists(f"session:{sid}") == 0
    client.set_cookie("parley", sid, domain="localhost")
    refused = client.get("/api/auth/protected")
    assert (refused.status_code, code(refused), refused.json["redirect"]) == (401, "unauthenticated", "/login")


def test_logging_out_again_is_fine(auth):
    assert auth.logout().status_code == 204


def test_a_flushed_redis_is_a_login_page(app, auth, client):
    auth.enter()
    redis_of(app).flushall()
    assert client.get("/api/auth/protected").status_code == 401


def test_looking_does_not_keep_a_session_alive_and_an_act_does(app, auth, client):
    sid = auth.enter()
    redis_of(app).expire(f"session:{sid}", 100)
    client.get("/api/auth/protected")
    client.get("/api/rooms")
    assert redis_of(app).ttl(f"session:{sid}") <= 100
    client.post("/api/rooms/general/messages", json={"client_id": "c", "text": "hello"})
    assert redis_of(app).ttl(f"session:{sid}") > 1700


def test_stay_extends_a_session_but_not_past_its_greatest_age(app, auth, client):
    sid = auth.enter()
    redis_of(app).expire(f"session:{sid}", 100)
    assert client.post("/api/auth/stay").status_code == 200
    assert redis_of(app).ttl(f"session:{sid}") > 1700
    services = app.extensions["parley"]
    session = services.sessions.read(sid)
    assert services.sessions.slide(replace(session, ends_at=session.iat + 60)) - session.iat <= 61
    assert redis_of(app).ttl(f"session:{sid}") <= 60


def test_a_wrong_password_and_an_unknown_name_are_the_same_answer(auth):
    auth.register()
    wrong, unknown = auth.login(password="not the password"), auth.login("nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.data == unknown.data and code(wrong) == "bad_credentials"


@pytest.mark.parametrize("name", ["ALICE", "ａlice", "Alice"])
def test_a_name_is_taken_in_every_spelling(auth, name):
    auth.register("alice")
    taken = auth.register(name)
    assert (taken.status_code, code(taken)) == (409, "username_taken")
    assert auth.login(name).status_code == 200


@pytest.mark.parametrize(
    "name", ["", "a", "a" * 33, "alice ", "a b", "a#b", "a/b", "<b>", "a\u0000b", ".a", "a..b", "😀😀"]
)
def test_a_name_that_does_not_fit_is_refused(auth, name):
    refused = auth.register(name)
    assert (refused.status_code, code(refused)) == (400, "username_invalid")


@pytest.mark.parametrize("name", ["alice", "al", "a" * 32, "Ünïcode", "a.b-c_d", "李明"])
def test_a_name_that_fits_is_taken(auth, name):
    assert auth.register(name).status_code == 201
    assert auth.login(name).status_code == 200


@pytest.mark.parametrize("password", ["p" * 7, "é" * 37, "x" * 73, "😀" * 19, "x" * 5000, "abcd\u0000efgh", ""])
def test_a_password_of_the_wrong_length_is_refused(auth, password):
    refused = auth.register(password=password)
    assert (refused.status_code, code(refused)) == (400, "password_length")


@pytest.mark.parametrize("password", ["kx83ndmq", "q" * 8 + "w" * 64, "😀" * 18, "é" * 36, "  spaces kept  "])
def test_a_password_of_a_right_length_is_kept_to_the_letter(auth, password):
    assert auth.register(password=password).status_code == 201
    assert auth.login(password=password).status_code == 200
    assert auth.login(password=password[:-1]).status_code == 401
    assert auth.login(password=password + "x").status_code == 401
    assert auth.login(password=password.upper() + " ").status_code == 401


@pytest.mark.parametrize("password", ["password", "12345678", "PASSWORD123", "iloveyou", "xxalicexx"])
def test_a_password_that_is_tried_first_is_refused(auth, password):
    assert code(auth.register(password=password)) == "password_common"


def test_a_long_password_at_login_is_a_wrong_one(auth):
    auth.register()
    assert auth.login(password="x" * 73).status_code == 401


def test_a_hash_that_cannot_be_read_is_a_wrong_password(app, auth):
    auth.register()
    storage = app.extensions["parley"].storage
    stored = storage.users.get("alice").password_hash
    assert storage.users.set_password_hash("alice", stored, "garbage")
    assert auth.login().status_code == 401


def test_an_old_hash_is_made_again_at_todays_cost(app, auth):
    import bcrypt

    auth.register()
    storage = app.extensions["parley"].storage
    app.extensions["parley"].accounts._passwords.cost = 5
    assert auth.login().status_code == 200
    fresh = storage.users.get("alice").password_hash
    assert fresh.startswith("$2b$05$") and bcrypt.checkpw(PASSWORD.encode(), fresh.encode())
    assert auth.login().status_code == 200


def test_fifty_people_want_one_name_and_one_gets_it(app):
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: Auth(browser(app)).register("wanted").status_code, range(20)))
    assert sorted(statuses) == [201] + [409] * 19


def test_wrong_passwords_for_one_name_end_in_a_wait_that_the_right_one_shares(app, auth, client):
    auth.enter()
    for _ in range(10):
        assert Auth(browser(app)).login(password="not the password").status_code == 401
    late = Auth(browser(app)).login()
    assert (late.status_code, code(late)) == (429, "rate_limited")
    assert int(late.headers["Retry-After"]) > 0
    assert client.get("/api/auth/protected").status_code == 200, "who is in stays in"


def test_a_made_up_x_forwarded_for_is_no_new_address(app, auth):
    auth.register()
    limit = app.extensions["parley"].config.login_failures_per_address
    for turn in range(limit):
        headers = {"X-Forwarded-For": f"10.0.{turn // 256}.{turn % 256}"}
        assert Auth(browser(app)).login(f"nobody{turn}", headers=headers).status_code == 401
    assert auth.login(headers={"X-Forwarded-For": "10.9.9.9"}).status_code == 429


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"x"', b"{", b'{"username": [], "password": {}}', b'{"username": 5, "password": 6}',
        b'{"username": "alice"}', b'{"username": "alice", "password": null}', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00",
        b'{"username": "a", "username": "b", "password": "x"}', b'{"username": "\\ud800", "password": "longenough"}',
        b'{"username": NaN, "password": "x"}', b"[" * 20_000, b'{"username": true, "password": "x"}',
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_is_a_400(client, body):
    for path in ("/api/auth/register", "/api/auth/login"):
        refused = client.post(path, data=body, content_type="application/json")
        assert (refused.status_code, code(refused)) == (400, "body_invalid")


def test_a_body_that_says_it_is_no_json_is_a_415_and_one_that_says_nothing_is_json(client):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.post("/api/auth/login", data=b"{}", content_type=kind).status_code == 415
    assert client.post("/api/auth/logout", data=b"x", content_type="text/plain").status_code == 204
    body = b'{"username": "nobody", "password": "wrong password"}'
    assert client.post("/api/auth/login", data=body).status_code == 401


def test_a_large_body_is_refused(client):
    big = b'{"username": "' + b"x" * 70_000 + b'"}'
    assert client.post("/api/auth/login", data=big, content_type="application/json").status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_another_method_is_a_405(client, method):
    response = client.open("/api/auth/login", method=method)
    assert response.status_code == 405 and code(response) == "method_not_allowed"


def test_redis_away_is_unavailable_and_never_logged_out(app, auth, client, monkeypatch):
    import redis

    auth.enter()

    def away(*args, **kwargs):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(redis.connection.AbstractConnection, "connect", away)
    app.extensions["parley"].redis.connection_pool.disconnect()
    for response in (client.get("/api/auth/protected"), auth.login(), auth.logout(), client.get("/api/rooms")):
        assert (response.status_code, code(response)) == (503, "unavailable")
        assert "Set-Cookie" not in response.headers
    monkeypatch.undo()
    assert client.get("/api/auth/protected").status_code == 200


FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
NEW_PASSWORD = "another horse entirely"


def signed_in(app, username="alice", **options):
    """A further browser of somebody who is registered."""
    client = browser(app)
    assert Auth(client).login(username, **options).status_code == 200
    return client


def is_in(client):
    return client.get("/api/auth/protected").status_code == 200


def devices(client):
    answer = client.get("/api/auth/sessions")
    assert answer.status_code == 200
    return answer.json["sessions"]


def test_my_devices_are_listed_and_nobody_elses(app, auth, client):
    sid = auth.enter()
    signed_in(app, headers=FIREFOX)
    Auth(browser(app)).enter("bob")
    newest, first = sorted(devices(client), key=lambda each: each["current"])
    assert (newest["device"], newest["current"], first["current"]) == ("Firefox on Linux", False, True)
    assert first.keys() == {"id", "current", "device", "began_at", "expires_at", "kept"}
    assert first["began_at"] <= newest["began_at"] < first["expires_at"]
    assert sid not in client.get("/api/auth/sessions").text
    client.set_cookie("parley", newest["id"], domain="localhost")
    assert not is_in(client)


def test_a_device_is_ended_from_another_and_only_that_one(app, auth, client):
    auth.enter()
    phone, tablet = signed_in(app, headers=FIREFOX), signed_in(app)
    [lost] = [each["id"] for each in devices(client) if each["device"] == "Firefox on Linux"]
    assert client.delete(f"/api/auth/sessions/{lost}").status_code == 204
    assert [is_in(each) for each in (client, phone, tablet)] == [True, False, True]
    again = client.delete(f"/api/auth/sessions/{lost}")
    assert (again.status_code, code(again)) == (404, "session_not_found")


def test_ending_this_device_takes_the_cookie_back(app, auth, client):
    auth.enter()
    [mine] = devices(client)
    assert client.delete(f"/api/auth/sessions/{mine['id']}").status_code == 204
    assert client.get_cookie("parley", domain="localhost") is None


def test_nobody_ends_the_device_of_another(app, auth, client):
    auth.enter()
    bob = browser(app)
    Auth(bob).enter("bob")
    [mine] = devices(client)
    refused = bob.delete(f"/api/auth/sessions/{mine['id']}")
    assert (refused.status_code, code(refused)) == (404, "session_not_found")
    assert is_in(client)


def test_logging_out_everywhere_ends_every_device_and_lets_me_back_in(app, auth, client):
    sid = auth.enter()
    phone = signed_in(app)
    bob = browser(app)
    Auth(bob).enter("bob")
    assert client.delete("/api/auth/sessions").status_code == 204
    assert client.get_cookie("parley", domain="localhost") is None
    client.set_cookie("parley", sid, domain="localhost")
    assert [is_in(each) for each in (client, phone, bob)] == [False, False, True]
    assert is_in(signed_in(app))


def test_a_new_password_ends_every_other_device_and_keeps_this_one(app, auth, client):
    auth.enter()
    phone = signed_in(app)
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = client.post("/api/auth/password", json=body)
    assert answer.status_code == 200 and answer.json["user"]["username"] == "alice"
    assert answer.json["session"]["expires_at"] > 0
    assert [is_in(each) for each in (client, phone)] == [True, False]
    assert Auth(browser(app)).login().status_code == 401
    late = signed_in(app, password=NEW_PASSWORD)
    assert is_in(late)
    assert client.post("/api/auth/password", json=body).status_code == 200, "the answer may have been lost"


def test_a_new_password_needs_the_old_one_and_guessing_it_ends_in_a_wait(app, auth, client):
    auth.enter()
    body = {"password": "not the password", "new_password": NEW_PASSWORD}
    for _ in range(app.extensions["parley"].config.login_failures_per_account):
        refused = client.post("/api/auth/password", json=body)
        assert (refused.status_code, code(refused)) == (403, "password_wrong")
    late = client.post("/api/auth/password", json=body | {"password": PASSWORD})
    assert (late.status_code, code(late)) == (429, "rate_limited") and int(late.headers["Retry-After"]) > 0
    assert is_in(client) and is_in(signed_in(app))


def test_strangers_who_guess_do_not_keep_me_from_changing_my_password(app, auth, client):
    auth.enter()
    for _ in range(11):
        Auth(browser(app)).login(password="not the password")
    assert Auth(browser(app)).login().status_code == 429
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    assert client.post("/api/auth/password", json=body).status_code == 200


@pytest.mark.parametrize(
    ("password", "expected"),
    [("short", "password_length"), ("password1", "password_common"), ("xxalicexx", "password_common")],
)
def test_a_new_password_obeys_the_rules_of_registering(auth, client, password, expected):
    auth.enter()
    refused = client.post("/api/auth/password", json={"password": PASSWORD, "new_password": password})
    assert (refused.status_code, code(refused)) == (400, expected)
    assert auth.login().status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "sessions"), ("DELETE", "sessions"), ("DELETE", f"sessions/{'0' * 32}"), ("POST", "password")],
)
def test_devices_and_passwords_are_for_who_is_signed_in_and_on_our_own_pages(app, auth, client, method, path):
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    assert browser(app).open(f"/api/auth/{path}", method=method, json=body).status_code == 401
    auth.enter()
    if method != "GET":
        evil = {"Origin": "http://evil.example"}
        assert client.open(f"/api/auth/{path}", method=method, json=body, headers=evil).status_code == 403
        assert is_in(client)
    theirs = {"X-Parley-User": "bob"}
    assert client.open(f"/api/auth/{path}", method=method, json=body, headers=theirs).status_code == 409


def guess(app, times, **options):
    """Strangers who guess, each from a browser of its own."""
    return [Auth(browser(app)).login(password="not the password", **options).status_code for _ in range(times)]


def test_a_browser_that_signed_in_before_is_not_kept_out_by_strangers_who_guess(app, auth, client):
    auth.enter()
    auth.logout()
    assert guess(app, 12) == [401] * 10 + [429] * 2
    assert Auth(browser(app)).login().status_code == 429
    assert auth.login().status_code == 200


def test_a_browser_that_signed_in_before_has_tries_of_its_own_and_no_more(app, auth, client):
    auth.enter()
    assert [auth.login(password="not the password").status_code for _ in range(11)] == [401] * 10 + [429]
    assert auth.login().status_code == 429
    assert Auth(browser(app)).login().status_code == 200, "its tries are not those of the account"


def test_a_browser_is_known_to_the_account_that_it_signed_in_to_and_to_no_other(app, auth, client):
    auth.enter()
    Auth(browser(app)).register("bob")
    Auth(browser(app)).login("bob")
    for _ in range(10):
        Auth(browser(app)).login("bob", password="not the password")
    assert auth.login("bob").status_code == 429


@pytest.mark.parametrize("made_up", ["", ".", "x.y", "x" * 5000, "é.é", "abc." + "0" * 64])
def test_a_made_up_browser_is_not_known(app, auth, client, made_up):
    auth.register()
    guess(app, 10)
    client.set_cookie("parley-browser", made_up, domain="localhost")
    assert auth.login().status_code == 429


def test_the_cookie_of_a_known_browser_says_nothing_and_opens_nothing(app, auth, client):
    auth.register("carmen")
    session, known = auth.login("carmen").headers.getlist("Set-Cookie")
    assert session.startswith("parley=") and known.startswith("parley-browser=")
    assert "HttpOnly" in known and "SameSite=Lax" in known and "carmen" not in known
    stranger = browser(app)
    for name in ("parley", "parley-browser"):
        stranger.set_cookie(name, known.split(";")[0].partition("=")[2], domain="localhost")
    assert stranger.get("/api/auth/protected").status_code == 401


def test_a_wrong_password_and_an_unknown_name_are_the_same_work(app, auth, monkeypatch):
    """One hash is checked, at one cost; how long that takes is measured in tests/security/test_logins.py."""
    import bcrypt

    auth.register()
    checked = []
    check = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda raw, hashed: checked.append(hashed[:7]) or check(raw, hashed))
    for name in ("alice", "nobody", "no such name at all", "x" * 300):
        auth.login(name, password="not the password")
    assert checked == [b"$2b$04$"] * 4


def test_one_device_too_many_signs_the_oldest_out(config):
    app = create_app(replace(config, sessions_per_user=3))
    assert Auth(browser(app)).register().status_code == 201
    clients = [signed_in(app) for _ in range(3)]
    assert [is_in(each) for each in clients] == [True] * 3
    newest = signed_in(app)
    assert sorted(is_in(each) for each in clients) == [False, True, True] and is_in(newest)
    assert len(devices(newest)) == 3


def test_who_cannot_be_served_now_is_told_before_anything_is_asked_or_counted(app, auth, monkeypatch):
    services = app.extensions["parley"]
    auth.register("alice")
    before = set(redis_of(app).keys("limit*"))
    with monkeypatch.context() as crowded:
        crowded.setattr(services.accounts._passwords, "_under_way", services.config.bcrypt_queue)
        crowded.setattr(services.storage.client, "call", lambda *_, **__: pytest.fail("DynamoDB was asked"))
        for refused in (auth.login("alice"), auth.login("alice", "wrong password"), auth.register("bob")):
            assert (refused.status_code, code(refused)) == (503, "busy")
            assert refused.headers["Retry-After"] == "2"
    assert set(redis_of(app).keys("limit*")) == before
    assert auth.login("alice").status_code == 200
