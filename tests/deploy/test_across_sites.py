"""The page at one site, the functions at another (localhost and 127.0.0.1), in a browser that keeps no third party's
cookies but those of a partition."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import Browser, expect

from deploy.local.cloud import Cloud
from tests.deploy.conftest import CHEAP
from tests.deploy.hybrid import Hybrid, HybridVisitor
from tests.deploy.made import MadeCloud, further
from tests.deploy.tools import Json
from tests.e2e.browser import REFUSALS
from tests.e2e.parley import PASSWORD, ROOMY, new_id
from tests.logs import WATCHED
from tests.ports import free_port

COLD_MS = 90_000  # a function's first answer, on a machine that has much to do


@pytest.fixture(scope="module")
def across(cloud: MadeCloud, template: Json, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hybrid]:
    """The template deployed once more, with CookieMode=cross_site."""
    port = free_port()
    page = f"http://localhost:{port}"
    stack = further(cloud.stack, "across", template, CookieMode="cross_site", FrontendOrigin=page, PublicUrl=page)
    folder = tmp_path_factory.mktemp("across")
    WATCHED.folder(folder, "*.log")
    with Cloud(folder, port, across=True, stack=stack, **ROOMY, **CHEAP) as running:
        for function in ("register", "login"):
            running.stack.change_settings(function, **CHEAP)
        yield Hybrid(running)


def test_who_signs_in_at_the_functions_of_another_site_chats_here(across: Hybrid, browser: Browser) -> None:
    ada = HybridVisitor(across, browser, REFUSALS)
    ada.context.set_default_timeout(COLD_MS)
    ada.page.goto("/register")
    ada.fill_in(across.new_name("Ada"), PASSWORD, "Create account")
    expect(ada.page).to_have_url(re.compile("/r/general$"), timeout=COLD_MS)
    ada.in_sync()
    assert {"POST /register", "POST /login", "GET /protected"} <= set(ada.asked_of_the_api)
    kept = {(each["domain"], each["name"]): bool(each.get("partitionKey")) for each in ada.context.cookies()}
    assert kept["127.0.0.1", "__Host-parley"] is True, "the functions', in a partition"
    assert kept["localhost", "parley"] is False, "the chat server's own, for the ticket"
    text = new_id()
    ada.write(text)
    expect(ada.message(text)).to_have_attribute("data-state", "sent")
    ada.page.reload()
    ada.in_sync()
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page).to_have_url(f"{across.url}/login", timeout=COLD_MS)
    assert "POST /logout" in ada.asked_of_the_api
    assert not list(across.redis.scan_iter("session:*")), "it ended everywhere"
    ada.close()


class _Gives(BaseHTTPRequestHandler):
    """Gives, at /cookies, a cookie in a partition and one that is in none."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        if self.path == "/cookies":
            self.send_header("Set-Cookie", "plain=1; Path=/; Secure; SameSite=None")
            self.send_header("Set-Cookie", "__Host-part=1; Path=/; Secure; SameSite=None; Partitioned")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_that_browser_keeps_no_other_cookie_of_a_third_party(browser: Browser) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Gives)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept = {}
    for site in ("localhost", "127.0.0.1"):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://{site}:{server.server_port}/")
        page.evaluate(f"fetch('http://127.0.0.1:{server.server_port}/cookies', {{credentials: 'include'}})")
        kept[site] = {cookie["name"] for cookie in context.cookies()}
        context.close()
    server.shutdown()
    server.server_close()
    assert kept == {"localhost": {"__Host-part"}, "127.0.0.1": {"__Host-part", "plain"}}
