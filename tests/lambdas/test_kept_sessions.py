"""Keep me signed in, at every door alike: one record, one cookie, one end."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from chat.app import create_app
from chat.config import Config
from chat.services.storage import redis_client
from tests.conftest import browser as flask_browser
from tests.lambdas.conftest import ORIGIN, Runtime
from tests.lambdas.doors import Answer, Browser, FunctionDoor

DAY_S = 24 * 3_600


def enter(browser: Browser, remember: bool | None = True) -> Answer:
    browser.register()
    body = {"username": "alice", "password": "correct horse", "remember": remember}
    return browser.ask("login", body)


def test_a_tick_opens_a_session_of_thirty_days_whose_cookie_lives_until_its_end(
    browser: Browser, config: Config
) -> None:
    entered = enter(browser)
    assert entered.status == 200
    assert entered.json["session"]["expires_at"] - time.time() == pytest.approx(30 * DAY_S, abs=5)
    assert entered.json["session"]["ttl_s"] == 30 * DAY_S
    assert int(entered.cookies["parley"]["max-age"]) == pytest.approx(180 * DAY_S, abs=5)
    redis = redis_client.connect(config.redis_url)
    key = f"session:{browser.jar['parley']}"
    record = json.loads(redis.get(key) or "")
    assert (record["ttl"], record["ends_at"] - record["iat"]) == (30 * DAY_S, 180 * DAY_S)
    assert redis.ttl(key) > 29 * DAY_S  # type: ignore[operator]
    assert min(redis.ttl("user_epoch:alice"), redis.ttl("user_sessions:alice")) > 179 * DAY_S  # type: ignore[type-var]


@pytest.mark.parametrize("remember", [False, None])
def test_without_the_tick_it_is_thirty_minutes_and_twelve_hours(browser: Browser, remember: bool | None) -> None:
    entered = enter(browser, remember)
    assert entered.json["session"]["ttl_s"] == 1800
    assert int(entered.cookies["parley"]["max-age"]) == pytest.approx(43_200, abs=5)


def test_it_is_known_after_a_day_without_an_act(browser: Browser, config: Config) -> None:
    """The record as it would be then: begun a day ago. One that is not kept is over."""
    redis = redis_client.connect(config.redis_url)
    for remember, status in ((True, 200), (False, 401)):
        enter(browser, remember)
        key = f"session:{browser.jar['parley']}"
        record = json.loads(redis.get(key) or "")
        record |= {field: record[field] - DAY_S for field in ("iat", "ends_at") if field in record}
        redis.set(key, json.dumps(record), keepttl=True)
        before = redis.ttl(key)
        assert browser.ask("protected").status == status
        assert redis.ttl(key) <= before, "to ask makes it last no longer"  # type: ignore[operator]


def test_the_chat_server_takes_a_kept_session_by_ticket_with_a_cookie_that_lives_as_long(
    runtime: Runtime, functions: FunctionDoor, config: Config
) -> None:
    runtime.settings = {"COOKIE_MODE": "cross_site", "SECRET_KEY": config.secret_key}
    door = Browser(functions, ORIGIN)
    entered = enter(door)
    assert entered.cookies["__Host-parley"]["partitioned"] == "yes"
    assert int(entered.cookies["__Host-parley"]["max-age"]) == pytest.approx(180 * DAY_S, abs=5)
    page = flask_browser(create_app(replace(config, public_url=ORIGIN, auth_base="https://api.example")))
    ticket = door.ask("protected").json["ticket"]
    taken = page.post("/api/auth/ticket", json={"ticket": ticket}, headers={"Origin": ORIGIN})
    given = page.get_cookie("parley", domain="localhost")
    assert given is not None and given.max_age == pytest.approx(180 * DAY_S, abs=10)
    assert taken.json["session"]["ttl_s"] == 30 * DAY_S
    [device] = page.get("/api/auth/sessions").json["sessions"]
    assert (device["kept"], device["current"]) == (True, True)
    assert page.delete(f"/api/auth/sessions/{device['id']}").status_code == 204
    assert door.ask("protected").status == 401, "it is one session"


def test_a_door_that_keeps_nobody_refuses_the_tick(runtime: Runtime, functions: FunctionDoor) -> None:
    runtime.settings = {"SESSION_REMEMBER_DAYS": "0"}
    browser = Browser(functions, ORIGIN)
    refused = enter(browser)
    assert (refused.status, refused.code, refused.cookies) == (403, "remember_refused", {})
    assert enter(browser, False).status == 200
