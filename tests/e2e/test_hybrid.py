"""The page signs people in at one server and talks at another, of the same site and of two (localhost and 127.0.0.1).

Ports make no site, and cookies know none: so the servers of one site share their cookies, those of two do not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Request, expect

from chat.config import Config
from chat.services.storage import schema
from chat.services.storage.storage import Storage
from tests.conftest import LiveServer, free_port, start_server
from tests.e2e.browser import REFUSALS, Visitor
from tests.e2e.parley import PASSWORD

NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Two:
    """The chat server, at one of its names, and the door that its page signs people in at."""

    url: str
    base: str


class Hybrid(Visitor):
    """Somebody whose page may reach the door too; remembers what it asked there."""

    def __init__(self, two: Two, browser: Browser):
        self.door, self.asked = two.base, []
        super().__init__(two, browser, REFUSALS)  # type: ignore[arg-type]

    def _request(self, request: Request) -> None:
        if request.url.startswith(self.door):
            if request.method != "OPTIONS":
                self.asked.append(f"{request.method} {request.url.removeprefix(self.door)}")
        else:
            super()._request(request)

    def cookies(self) -> dict[tuple[str, str], str]:
        """`(host, name)` → the partition that it is in; empty for a plain one."""
        return {(c["domain"], c["name"]): str(c.get("partitionKey", "")) for c in self.context.cookies()}


@pytest.fixture(scope="module")
def servers(redis_url: str, dynamodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Two]]:
    """By the name of its door, a chat server at localhost, whose page signs in at a server of that name."""
    folder, two = tmp_path_factory.mktemp("hybrid"), {}
    config = Config(
        secret_key="0123456789abcdef" * 3,
        redis_url=redis_url,
        dynamodb_endpoint=dynamodb,
        table_prefix="hybrid-",
        testing=True,
        bcrypt_cost=4,
        fanout=os.environ.get("FANOUT") or Config.fanout,
    )
    schema.create(Storage.connect(config))
    with ExitStack() as stack:

        def start(**changes: Any) -> LiveServer:
            server = start_server(config, folder, **changes)
            stack.callback(server.stop)
            return server

        for name, cookie_mode in zip(NAMES, ("same_site", "cross_site"), strict=True):
            port = free_port()
            pages = tuple(f"http://{host}:{port}" for host in NAMES)
            door = start(cookie_mode=cookie_mode, allowed_origins=pages)
            base = f"http://{name}:{door.port}/api/auth"
            two[name] = Two(start(auth_base=base, port=port).url, base)
        yield two


@pytest.fixture
def hybrid(servers: dict[str, Two], browser: Browser) -> Iterator[Callable[[Two], Hybrid]]:
    """Opens a browser there."""
    with ExitStack() as stack:

        def open_at(two: Two) -> Hybrid:
            visitor = Hybrid(two, browser)
            stack.callback(visitor.close)
            return visitor

        yield open_at


@pytest.mark.parametrize("door_name", NAMES, ids=["one site", "two sites"])
def test_signing_in_at_the_door_opens_the_room_and_signing_out_there_ends_it(servers, hybrid, door_name):
    ada = hybrid(servers[door_name])
    across = door_name != "localhost"
    said = f"from the other side, {door_name}"
    ada.register(f"Ada-{door_name}")
    ada.write(said)
    expect(ada.message(said)).to_have_attribute("data-state", "sent")
    assert ada.asked[-3:] == ["POST /register", "POST /login", "GET /protected"]
    names = {(host, name) for host, name in ada.cookies() if not name.endswith("-browser")}
    assert names == ({("localhost", "parley"), ("127.0.0.1", "__Host-parley")} if across else {("localhost", "parley")})
    assert bool(ada.cookies().get(("127.0.0.1", "__Host-parley"))) is across, "a partition of its own"
    ada.page.reload()
    ada.in_sync()
    expect(ada.message(said)).to_have_attribute("data-state", "sent")
    tab = ada.tab("/r/general")
    expect(tab.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "POST /logout" in ada.asked
    assert {name for _, name in ada.cookies()} <= {"parley-browser", "__Host-parley-browser"}
    ada.page.goto("/r/general")
    expect(ada.page).to_have_url(re.compile("/login"))


def test_a_session_that_ends_at_the_door_of_another_site_ends_at_the_chat_server_too(servers, hybrid):
    two = servers["127.0.0.1"]
    ada = hybrid(two)
    ada.register("Grace")
    assert urlsplit(two.base).hostname != urlsplit(two.url).hostname
    out = "(base) => fetch(`${base}/logout`, { method: 'POST', credentials: 'include' }).then(({ status }) => status)"
    assert ada.page.evaluate(out, two.base) == 204
    expect(ada.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_cookie_for_one_site_is_not_kept_by_a_page_of_another_and_the_page_says_so(servers, hybrid):
    """The page at 127.0.0.1 and its door at localhost, which does not know that they are of two sites."""
    same = servers["localhost"]
    visitor = hybrid(Two(same.url.replace("localhost", "127.0.0.1"), same.base))
    visitor.page.goto("/register")
    visitor.fill_in("Alan", PASSWORD, "Create account")
    expect(visitor.page.get_by_role("alert")).to_have_text(re.compile("Please allow cookies for this site"))
