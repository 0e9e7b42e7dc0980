"""People in the local cloud: they sign in at API Gateway, and talk on the chat server."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import urlsplit

import redis
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Request

from deploy.local.cloud import Cloud
from tests.deploy.made import MadeCloud
from tests.e2e.browser import Visitor
from tests.e2e.parley import PASSWORD, Person
from tests.lambdas.doors import Browser, HttpDoor


class Hybrid:
    """The cloud as the drivers of tests/e2e know a product."""

    def __init__(self, cloud: Cloud | MadeCloud):
        self.cloud = cloud
        self.url = cloud.url
        self.door = HttpDoor(cloud.api_url)
        self._numbers = count(1)

    @property
    def redis(self) -> redis.Redis:
        """Whoever may do everything in Redis."""
        return self.cloud.redis.admin

    def new_name(self, name: str) -> str:
        """A name that nobody has yet."""
        return f"{name}{next(self._numbers)}"

    def person(self, name: str) -> Person:
        """Somebody new, whom functions have registered and signed in."""
        person = Person(self, self.new_name(name))  # type: ignore[arg-type]
        browser = Browser(self.door, self.url)
        assert browser.register(person.name, PASSWORD).status == 201
        assert browser.login(person.name, PASSWORD).status == 200
        person.cookie = f"parley={browser.jar['parley']}"
        return person

    def at_the_api(self, person: Person) -> Browser:
        """The same browser at API Gateway."""
        return Browser(self.door, self.url, {"parley": person.cookie.split("=", 1)[1]})

    def put_row(self, room: str, row_id: str, text: str, username: str = "ci") -> None:
        """What anybody with the keys to the table may do: `aws dynamodb put-item`."""
        row: dict[str, Any] = {"room": room, "id": row_id, "text": text, "username": username}
        item = {name: {"S": value} for name, value in row.items()}
        prefix = self.cloud.stack.settings("ingest")["TABLE_PREFIX"]
        self.cloud.stack.client("dynamodb").put_item(TableName=f"{prefix}messages", Item=item)


class HybridVisitor(Visitor):
    """A browser at the page, which may fetch from API Gateway too, and nowhere else."""

    def __init__(self, hybrid: Hybrid, browser: Chromium, expected: str = "", **options: Any):
        super().__init__(hybrid, browser, expected, **options)  # type: ignore[arg-type]
        self.asked_of_the_api: list[str] = []

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc == urlsplit(self.parley.cloud.api_url).netloc:  # type: ignore[attr-defined]
            self.asked_of_the_api.append(f"{request.method} {urlsplit(request.url).path}")
        else:
            super()._request(request)
