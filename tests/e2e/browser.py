"""People at a page: Chromium with one context per person, and what they see, by the names that a reader of the screen
hears."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.e2e.parley import PASSWORD, Parley, Person

# Debian's headless shell draws the same pages without windows of its own: a quarter of the processor for each person.
# (Its program, because the script of that name on the PATH stays as its parent: who kills the browser must meet it.)
HEADLESS = Path("/usr/lib/chromium/chromium-headless-shell")
CHROMIUM = str(HEADLESS) if HEADLESS.exists() else shutil.which("chromium") or "/usr/bin/chromium"
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WITHIN_MS = 60_000
# What a browser itself writes when an answer is a refusal, or the server is away: nothing that a page could prevent.
REFUSALS = r"Failed to load resource: the server responded with a status of 4\d\d"
AWAY = r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to|status of 503"
expect.set_options(timeout=WITHIN_MS)


class Visitor:
    """One person with one browser of their own, which may have several tabs. `page` is the first."""

    def __init__(self, parley: Parley, browser: Browser, expected: str = "", **options: Any):
        self.parley = parley
        self.expected = expected
        self.troubles: list[str] = []
        self.context: BrowserContext = browser.new_context(base_url=parley.url, **options)
        self.context.set_default_timeout(WITHIN_MS)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.troubles.append(f"uncaught: {error.error}"))
        self.context.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.context.on("request", self._request)
        self.page: Page = self.context.new_page()

    def _console(self, message: ConsoleMessage) -> None:
        expected = self.expected and re.search(self.expected, message.text)
        if message.type in ("error", "warning") and not expected:
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.parley.url).netloc:
            self.troubles.append(f"a request to {request.url}")

    def close(self) -> None:
        """Closes the browser. Fails when something was on the console, asked, or fetched that should not be."""
        self.context.close()
        assert not self.troubles, self.troubles

    def tab(self, path: str) -> Page:
        """A further tab."""
        page = self.context.new_page()
        page.goto(path)
        return page

    # --- the doors ------------------------------------------------------------------------------------------------

    def register(self, name: str) -> None:
        """Makes an account, which signs in; returns in the room, in sync."""
        self.page.goto("/register")
        self.fill_in(name, PASSWORD, "Create account")
        self.in_sync()

    def sign_in(self, name: str, path: str = "/login") -> None:
        self.page.goto(path)
        self.fill_in(name, PASSWORD, "Sign in")
        self.in_sync()

    def enter(self, person: Person, room: str = "general") -> None:
        """Opens a room with a session that this browser has already, as any day after the first; returns in sync."""
        door = self.parley.door
        agent = self.page.evaluate("navigator.userAgent")
        cookie = {"name": door.cookie_name, "value": door.enter(person.name, agent), "url": self.parley.url}
        self.context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])  # type: ignore[list-item]
        self.page.goto(f"/r/{room}")
        self.in_sync()

    def fill_in(self, name: str, password: str, button: str) -> None:
        self.page.get_by_role("textbox", name="Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name=button, exact=True).click()

    def in_sync(self) -> None:
        """Waits until the page says that nothing is missing and nothing waits."""
        expect(self.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")

    # --- the room -------------------------------------------------------------------------------------------------

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def write(self, text: str) -> None:
        """Types into the message field and presses Enter."""
        self.composer.fill(text)
        self.composer.press("Enter")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    def message(self, text: str) -> Locator:
        """The message with exactly this text."""
        own = self.page.get_by_test_id("message-text").filter(has_text=re.compile(f"^{re.escape(text)}$"))
        return self.log.locator("[data-client-id]").filter(has=own)

    def texts(self) -> list[str]:
        """What stands in the room, from above."""
        return self.log.get_by_test_id("message-text").all_inner_texts()

    def sees(self, texts: list[str]) -> None:
        """Waits until exactly these messages stand there, in this order, each with its receipt."""
        expect(self.log.get_by_test_id("message-text")).to_have_text(texts)
        expect(self.log.locator("[data-client-id]")).to_have_count(len(texts))
        expect(self.log.locator('[data-state="sent"]')).to_have_count(len(texts))

    def act(self, text: str, action: str) -> None:
        """One of the quiet buttons of a message."""
        self.message(text).hover()
        self.message(text).get_by_role("button", name=action, exact=True).click()


class Visitors(ExitStack):
    """Opens browsers for people, and closes all of them at the end."""

    def __init__(self, parley: Parley, browser: Browser):
        super().__init__()
        self._parley = parley
        self._browser = browser

    def __call__(self, expected: str = "", **options: Any) -> Visitor:
        visitor = Visitor(self._parley, self._browser, expected, **options)
        self.callback(visitor.close)
        return visitor
