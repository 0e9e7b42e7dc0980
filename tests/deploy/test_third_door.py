"""The suite of accounts at its third door: HTTP, API Gateway's edge, the functions as they are deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.deploy.hybrid import Hybrid
from tests.deploy.made import MadeCloud
from tests.lambdas import test_doors
from tests.lambdas.doors import PATHS, Browser, HttpDoor
from tests.lambdas.test_doors import *  # noqa: F403


@pytest.fixture
def browser(hybrid: Hybrid, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Somebody at API Gateway, where nobody has been before."""
    monkeypatch.setattr(test_doors, "ORIGIN", hybrid.url)
    table = hybrid.cloud.stack.settings("register")["TABLE_PREFIX"] + "users"
    dynamodb = hybrid.cloud.stack.client("dynamodb")
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={"username": item["username"]})
    for key in hybrid.redis.scan_iter("limit*"):
        hybrid.redis.delete(key)
    return Browser(hybrid.door, hybrid.url)


@pytest.fixture
def config() -> None:
    """The settings are the template's."""


@pytest.fixture
def redis_url(cloud: MadeCloud) -> str:
    return cloud.redis.url


@pytest.fixture
def without(hybrid: Hybrid) -> Iterator[Callable[[str], Browser]]:
    """A browser at API Gateway, whose functions know a storage where nobody answers."""
    stack = hybrid.cloud.stack
    before = {name: stack.settings(name) for name in PATHS}
    away = {"redis": {"REDIS_PORT": "1"}, "dynamodb": {"DYNAMODB_ENDPOINT": "http://127.0.0.1:1"}}

    def without(storage: str) -> Browser:
        for name in PATHS:
            stack.change_settings(name, **away[storage])
        return Browser(hybrid.door, hybrid.url)

    yield without
    for name, settings in before.items():
        stack.change_settings(name, **{"DYNAMODB_ENDPOINT": "", **settings})


@pytest.mark.parametrize("name", PATHS)
def test_another_method_is_not_possible(browser: Browser, name: str) -> None:
    """The gateway knows no such way: AWS's says 404 `not_found` in our words (tests/deploy/test_api.py), this one 403
    or 405 in its own. No function is asked."""
    for method in {"GET", "POST", "PUT", "DELETE"} - {PATHS[name]}:
        assert browser.ask(name, method=method).status in (403, 405)


def test_what_browsers_ask_first_is_answered_for_the_one_origin(browser: Browser, hybrid: Hybrid) -> None:
    for name, method in {"register": "POST", "login": "POST", "logout": "POST", "protected": "GET"}.items():
        answer = browser.ask(name, method="OPTIONS", Access_Control_Request_Method=method)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == [hybrid.url]
        assert answer.headers["access-control-allow-credentials"] == ["true"]
        assert "Content-Type" in answer.headers["access-control-allow-headers"][0]


def test_the_door_is_http(browser: Browser) -> None:
    assert isinstance(browser.door, HttpDoor)
