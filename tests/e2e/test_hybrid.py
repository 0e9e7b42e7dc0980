"""The page signs people in at one server and talks at another, of the same site and of two (localhost and 127.0.0.1).

Ports make no site, and cookies know none: so the servers of one site share their cookies, those of two do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Request, expect

from chat.config import Config
from tests.conftest import LiveServer, free_port, start_server
from tests.e2e.browser import REFUSALS, Visitor
from tests.e2e.parley import PASSWORD

NAMES = ("localhost", "127.0.0.1")


class Two:
    """The chat server, the door, and their browsers."""

    def __init__(self, chat: LiveServer, base: str, browser: Browser):
        self.chat, self.base = chat, base
        self.visitor = Hybrid(self, browser)

    @property
    def url(self) -> str:
        """What a browser opens."""
        return self.chat.url


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


@pytest.fixture
def hybrid(config: Config, tmp_path: Path, browser: Browser) -> Iterator[Callable[..., Two]]:
    """Starts a chat server at localhost, whose page signs in at a server of that name."""
    started: list[LiveServer] = []
    visitors: list[Visitor] = []

    def start(door_name: str, cookie_mode: str = "") -> Two:
        port = free_port()
        fitting = "same_site" if door_name == "localhost" else "cross_site"
        door = start_server(
            config,
            tmp_path,
            cookie_mode=cookie_mode or fitting,
            allowed_origins=(f"http://localhost:{port}",),
        )
        started.append(door)
        base = f"http://{door_name}:{door.port}/api/auth"
        chat = start_server(config, tmp_path, auth_base=base, port=port)
        started.append(chat)
        two = Two(chat, base, browser)
        visitors.append(two.visitor)
        return two

    yield start
    for visitor in visitors:
        visitor.close()
    for server in started:
        server.stop()


@pytest.mark.parametrize("door_name", NAMES, ids=["one site", "two sites"])
def test_signing_in_at_the_door_opens_the_room_and_signing_out_there_ends_it(hybrid, door_name):
    ada = hybrid(door_name).visitor
    across = door_name != "localhost"
    ada.register("Ada")
    ada.write("from the other side")
    ada.sees(["from the other side"])
    assert ada.asked[-3:] == ["POST /register", "POST /login", "GET /protected"]
    names = {(host, name) for host, name in ada.cookies() if not name.endswith("-browser")}
    assert names == ({("localhost", "parley"), ("127.0.0.1", "__Host-parley")} if across else {("localhost", "parley")})
    assert bool(ada.cookies().get(("127.0.0.1", "__Host-parley"))) is across, "a partition of its own"
    ada.page.reload()
    ada.in_sync()
    ada.sees(["from the other side"])
    tab = ada.tab("/r/general")
    expect(tab.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "POST /logout" in ada.asked
    assert {name for _, name in ada.cookies()} <= {"parley-browser", "__Host-parley-browser"}
    ada.page.goto("/r/general")
    expect(ada.page).to_have_url(re.compile("/login"))


def test_a_session_that_ends_at_the_door_of_another_site_ends_at_the_chat_server_too(hybrid):
    two = hybrid("127.0.0.1")
    ada = two.visitor
    ada.register("Ada")
    assert urlsplit(two.base).hostname != urlsplit(two.url).hostname
    out = "(base) => fetch(`${base}/logout`, { method: 'POST', credentials: 'include' }).then(({ status }) => status)"
    assert ada.page.evaluate(out, two.base) == 204
    expect(ada.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_cookie_for_one_site_is_not_kept_by_a_page_of_another_and_the_page_says_so(hybrid):
    two = hybrid("127.0.0.1", cookie_mode="same_site")
    two.visitor.page.goto("/register")
    two.visitor.fill_in("Ada", PASSWORD, "Create account")
    expect(two.visitor.page.get_by_role("alert")).to_have_text(re.compile("Please allow cookies for this site"))
