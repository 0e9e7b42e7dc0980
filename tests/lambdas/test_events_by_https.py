"""The test events of `deploy/events` at functions as they are deployed: by https, where the cookie has another name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat.config import Config
from chat.lambdas import http, login, logout, protected, register
from chat.services.storage import redis_client
from tests.conftest import ROOT

EVENTS = ROOT / "deploy" / "events"
FUNCTIONS = {"register": register, "login": login, "logout": logout, "protected": protected}


def event(name: str, session: str = "") -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text().replace("<session>", session))


@pytest.fixture(params=["https://chat.example.org", "http://localhost:8000"])
def cookie(request: pytest.FixtureRequest, config: Config, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the cookie at functions with these settings."""
    settings = replace(config, public_url=request.param)
    for module in (http, *FUNCTIONS.values()):
        monkeypatch.setattr(module, "config", lambda: settings)
    for made in (register.registration, login.accounts, logout.sessions, protected.redis, protected.sessions):
        made.cache_clear()
    return settings.cookie_name


def test_logout_ends_the_session_that_login_gave_and_protected_says_so(cookie: str, config: Config) -> None:
    assert register.handler(event("register"), None)["statusCode"] == 201
    given = login.handler(event("login"), None)["multiValueHeaders"]["Set-Cookie"][0]
    session = re.match(rf"{cookie}=([^;]+); ", given)
    assert session, given
    assert protected.handler(event("protected", session[1]), None)["statusCode"] == 200
    assert protected.handler(event("protected-expired"), None)["statusCode"] == 401
    assert logout.handler(event("logout", session[1]), None)["statusCode"] == 204
    assert not redis_client.connect(config.redis_url).exists(f"session:{session[1]}"), "204 alone proves nothing"
    assert protected.handler(event("protected", session[1]), None)["statusCode"] == 401


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_an_event_that_names_one_cookie_names_both(path: Path) -> None:
    sent = json.loads(path.read_text()).get("headers", {}).get("Cookie", "")
    names = [each.partition("=")[0] for each in sent.split("; ") if each]
    assert names in ([], ["__Host-parley", "parley"])
