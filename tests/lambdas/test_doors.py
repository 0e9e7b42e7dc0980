"""Accounts, at every door alike: statuses, bodies, cookies, headers, errors, origins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lambdas.conftest import ORIGIN
from tests.lambdas.doors import PATHS, Browser

STRANGER = "https://evil.example"


def test_an_account_is_made_once_and_opens_no_session(browser: Browser) -> None:
    made = browser.register("Alice")
    assert (made.status, made.json) == (201, {"user": {"username": "alice", "name": "Alice"}})
    assert made.body == b'{"user":{"name":"Alice","username":"alice"}}\n'
    assert made.cookies == {}
    again = browser.register("ALICE")
    assert (again.status, again.code) == (409, "username_taken")


def test_signing_in_gives_a_session_that_protected_knows(browser: Browser) -> None:
    browser.register("Alice")
    entered = browser.login("alice")
    assert entered.status == 200
    assert entered.json["user"] == {"username": "alice", "name": "Alice"}
    told = browser.ask("protected")
    assert told.status == 200
    assert told.json["user"] == entered.json["user"]
    assert abs(told.json["session"]["expires_at"] - entered.json["session"]["expires_at"]) <= 1


def test_the_cookies_are_for_the_server_alone(browser: Browser) -> None:
    browser.register()
    cookies = browser.login().cookies
    assert set(cookies) == {"parley", "parley-browser"}
    for cookie in cookies.values():
        assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/", "Lax", "yes")
        assert cookie["domain"] == cookie["secure"] == ""
        assert int(cookie["max-age"]) > 1800


def test_signing_out_ends_the_session_and_takes_the_cookie_back(browser: Browser) -> None:
    sid = browser.enter()
    out = browser.ask("logout")
    assert (out.status, out.body) == (204, b"")
    assert (out.cookies["parley"].value, out.cookies["parley"]["max-age"]) == ("", "0")
    browser.jar["parley"] = sid
    gone = browser.ask("protected")
    assert (gone.status, gone.code, gone.json["redirect"]) == (401, "unauthenticated", "/login")
    assert browser.ask("logout").status == 204, "again is fine"


def test_each_sign_in_has_a_new_id_and_ends_the_former(browser: Browser) -> None:
    first = browser.enter()
    browser.login()
    assert browser.jar["parley"] != first
    assert browser.ask("protected").status == 200
    browser.jar["parley"] = first
    assert browser.ask("protected").status == 401


def test_without_a_session_protected_says_where_to_go(browser: Browser) -> None:
    for jar in ({}, {"parley": "made-up"}, {"parley": "x" * 43}, {"parley": '"'}):
        browser.jar = dict(jar)
        answer = browser.ask("protected")
        assert answer.status == 401
        assert answer.json == {
            "error": {"code": "unauthenticated", "message": "Please sign in.", "retry": False},
            "redirect": "/login",
        }


def test_an_odd_cookie_of_another_program_hides_none_of_ours(browser: Browser) -> None:
    sid = browser.enter()
    for cookie in ('theme={"a": 1}; parley=' + sid, "a b; =; parley=" + sid, f'parley="{sid}"; x=[]'):
        assert browser.ask("protected", Cookie=cookie).status == 200, cookie


def test_a_wrong_password_and_an_unknown_name_are_told_alike(browser: Browser) -> None:
    browser.register()
    wrong, unknown = browser.login(password="not this one"), browser.login("nobody", "not this one")
    assert (wrong.status, wrong.code) == (401, "bad_credentials")
    assert wrong.body == unknown.body
    assert wrong.cookies == {}


def test_who_guesses_must_wait(browser: Browser) -> None:
    browser.register()
    for _ in range(10):
        browser.login(password="not this one")
    refused = browser.login()
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"][0]) <= 15 * 60 + 1


def test_a_browser_that_was_here_before_has_tries_of_its_own(browser: Browser) -> None:
    browser.enter()
    stranger = Browser(browser.door, ORIGIN)
    for _ in range(11):
        stranger.login(password="not this one")
    assert stranger.login().status == 429
    assert browser.login().status == 200


@pytest.mark.parametrize(
    ("raw", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "body_invalid"),
        (b"null", "application/json", 400, "body_invalid"),
        (b"[]", "application/json", 400, "body_invalid"),
        (b"{", "application/json", 400, "body_invalid"),
        (b'{"username":"alice"}', "application/json", 400, "body_invalid"),
        (b'{"username":1,"password":"correct horse"}', "application/json", 400, "body_invalid"),
        (b'{"username":"a","username":"b","password":"correct horse"}', "application/json", 400, "body_invalid"),
        (b'{"username":"alice","password":NaN}', "application/json", 400, "body_invalid"),
        (b'{"username":"\\ud800","password":"correct horse"}', "application/json", 400, "body_invalid"),
        (b"username=alice&password=x", "application/x-www-form-urlencoded", 415, "media_type"),
    ],
)
@pytest.mark.parametrize("name", ["register", "login"])
def test_a_body_that_is_none_is_refused(
    browser: Browser, name: str, raw: bytes, kind: str, status: int, code: str
) -> None:
    answer = browser.ask(name, raw=raw, Content_Type=kind)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("name", ["register", "login"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_body_over_64_kb_is_too_large_whatever_it_is(browser: Browser, name: str, kind: str) -> None:
    browser.register()
    body = b'{"username":"alice","password":"correct horse"'
    fitting, larger = (body + b" " * (size - len(body) - 1) + b"}" for size in (64 * 1024, 64 * 1024 + 1))
    answer = browser.ask(name, raw=larger, Content_Type=kind)
    assert (answer.status, answer.code) == (413, "too_large")
    assert browser.ask(name, raw=fitting).status == {"register": 409, "login": 200}[name]


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("a", "correct horse", "username_invalid"),
        ("alice", "short", "password_length"),
        ("alice", "password", "password_common"),
        ("alice", "alice in chains", "password_common"),
    ],
)
def test_an_account_that_may_not_be_is_not_made(browser: Browser, username: str, password: str, code: str) -> None:
    answer = browser.register(username, password)
    assert (answer.status, answer.code) == (400, code)


# Without Redis an account is still made at the functions: API Gateway bounds how often, and not our own counters.
@pytest.mark.parametrize(
    ("storage", "name"),
    [("redis", "login"), ("redis", "logout"), ("redis", "protected"), ("dynamodb", "register"), ("dynamodb", "login")],
)
def test_storage_that_is_away_is_told_with_when_to_come_back(
    without: Callable[[str], Browser], storage: str, name: str
) -> None:
    browser = without(storage)
    browser.jar = {"parley": "x" * 43}
    body = None if name in ("logout", "protected") else {"username": "alice", "password": "correct horse"}
    answer = browser.ask(name, body)
    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.json["error"]["retry"] is True
    assert answer.headers["retry-after"] == [str(answer.json["error"]["retry_after_s"])]
    assert browser.jar == {"parley": "x" * 43}, "nobody is signed out by it"


@pytest.mark.parametrize("name", PATHS)
def test_another_method_is_not_possible(browser: Browser, name: str) -> None:
    for method in {"GET", "POST", "PUT", "DELETE"} - {PATHS[name]}:
        answer = browser.ask(name, method=method)
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert PATHS[name] in answer.headers["allow"][0]


@pytest.mark.parametrize("name", PATHS)
def test_a_foreign_site_that_asks_first_is_not_invited(browser: Browser, name: str) -> None:
    """The functions themselves are never asked: API Gateway answers, and names its one origin whoever asks."""
    answer = browser.ask(name, method="OPTIONS", Origin=STRANGER, Access_Control_Request_Method=PATHS[name])
    assert answer.headers.get("access-control-allow-origin", []) not in ([STRANGER], ["*"], ["null"])


@pytest.mark.parametrize("name", ["register", "login", "logout"])
def test_a_foreign_site_gets_nothing_done(browser: Browser, name: str) -> None:
    sid = browser.enter()
    body = {"username": "mallory", "password": "correct horse"}
    for headers in ({"Origin": STRANGER}, {"Origin": "null"}, {"Origin": None, "Sec_Fetch_Site": "cross-site"}):
        answer = browser.ask(name, body, **headers)
        assert (answer.status, answer.code) == (403, "origin_refused")
        assert "access-control-allow-origin" not in answer.headers
    assert browser.jar["parley"] == sid
    assert browser.ask("protected").status == 200


def test_a_program_without_an_origin_is_no_browser(browser: Browser) -> None:
    assert browser.ask("register", {"username": "alice", "password": "correct horse"}, Origin=None).status == 201


def test_a_listed_origin_may_read_the_answer_with_its_cookies(browser: Browser) -> None:
    browser.register()
    for answer in (
        browser.login(),
        browser.ask("protected"),
        browser.login(password="wrong one"),
        browser.ask("logout"),
    ):
        assert answer.headers["access-control-allow-origin"] == [ORIGIN]
        assert answer.headers["access-control-allow-credentials"] == ["true"]
        assert "Origin" in ", ".join(answer.headers["vary"])


def test_an_origin_that_only_looks_like_a_listed_one_may_not(browser: Browser) -> None:
    for origin in ("http://localhost:51730", "http://LOCALHOST:5173", "https://localhost:5173", "http://localhost"):
        assert "access-control-allow-origin" not in browser.ask("protected", Origin=origin).headers


def test_nothing_is_cached_nor_guessed(browser: Browser) -> None:
    for answer in (browser.register(), browser.login(), browser.ask("protected"), browser.ask("logout")):
        assert answer.headers["cache-control"] == ["no-store"]
        assert answer.headers["x-content-type-options"] == ["nosniff"]
        assert answer.headers["referrer-policy"] == ["same-origin"]


def test_who_thinks_to_be_somebody_else_is_told(browser: Browser) -> None:
    browser.enter()
    answer = browser.ask("protected", X_Parley_User="bob")
    assert (answer.status, answer.code) == (409, "user_mismatch")
    assert browser.ask("protected", X_Parley_User="alice").status == 200


def test_watching_does_not_make_a_session_last(browser: Browser, config, redis_url) -> None:
    from chat.services.storage import redis_client

    sid = browser.enter()
    redis = redis_client.connect(redis_url)
    redis.expire(f"session:{sid}", 100)
    assert browser.ask("protected").status == 200
    assert redis.ttl(f"session:{sid}") <= 100
