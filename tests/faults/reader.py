"""Somebody at the shipped page in headless Chromium, who writes now and then through all faults; in the end what stands
on their screen is judged."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from typing import Any

from playwright.sync_api import Error, Page, sync_playwright

from tests.e2e.browser import ARGS, CHROMIUM
from tests.e2e.parley import PASSWORD
from tests.faults.checker import RoomLog
from tests.faults.site import URL, Site

PATIENCE_MS = 2_000
BEGINS_WITHIN_S = 120  # nothing has befallen anybody yet: only a guard
SYNCED_WITHIN_S = 90
AT_REST_MS = 20_000  # nothing befalls anybody any more
WRITES_EVERY_S = 2.0
RELOADS_EVERY = 9  # writes; the page is reloaded right after such a one, before the answer
SYNCED = '[data-testid="sync-mark"][data-state="synced"]'
# A row that has just come into the page is hidden until it was measured, and a hidden row has no text; and who has just
# gone to the end still has the rows of before. So what is shown is read in one moment in which none is hidden and the
# last of them stands at the end, or as near to it as the page follows it.
SHOWN = """() => {
    const log = document.querySelector('[role="log"]');
    if (!log) return [];
    const rows = [...log.querySelectorAll('[data-seq]')];
    const below = (row) => row.getBoundingClientRect().bottom - log.getBoundingClientRect().bottom;
    const last = [...log.querySelectorAll('[data-row]')].at(-1);
    const ended = log.scrollHeight - log.scrollTop - log.clientHeight <= 100 && (!last || Math.abs(below(last)) <= 150);
    return ended && rows.every((row) => getComputedStyle(row).visibility === "visible") && rows.map((row) => ({
        seq: Number(row.dataset.seq), client_id: row.dataset.clientId, state: row.dataset.state,
        text: row.querySelector('[data-testid="message-text"]')?.innerText ?? null }));
}"""


class Reader:
    """`with Reader(site, "reader") as reader:` returns when the page is registered; then `enter(room)`, at the
    end `shown()`. The browser lives in a thread of its own."""

    def __init__(self, site: Site, name: str):
        self.name = name
        self.begun: list[str] = []  # on a busy machine nobody may be told that Enter was pressed
        self.typed: list[str] = []
        self._site = site
        self.room = ""
        self._shown: list[dict[str, Any]] = []
        self._error: BaseException | None = None
        self._here, self._ending, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Reader:
        self._thread.start()
        self._here.wait(BEGINS_WITHIN_S)
        self._raise()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(120)

    def enter(self, room: str) -> None:
        """From now on the page shows this room, which somebody has let it into, and writes there."""
        self.room = room

    def shown(self, within_s: float = 180) -> list[tuple[int, str]]:
        """Stops writing, waits until the page itself says that nothing is missing, and returns the number and text of
        each message on it."""
        self._ending.set()
        self._ended.wait(within_s)
        self._raise()
        return [(row["seq"], row["text"] or "") for row in self._shown if row["state"] == "sent"]

    def complaints(self, log: RoomLog) -> list[str]:
        """What was typed here and is not stored once, in this order, or does not stand on the page as sent."""
        stored = [snapshot.text for _, snapshot in sorted(log.snapshots.items()) if snapshot.author == self.name]
        waits = [f"unsent: {row['text']!r} is {row['state']}" for row in self._shown if row["state"] != "sent"]
        lost = [f"lost: {self.name} typed {text!r}" for text in self.typed if text not in stored]
        doubled = [f"doubled: {text!r} of {self.name}" for text, times in Counter(stored).items() if times > 1]
        kept = [text for text in self.begun if text in stored]
        moved = [] if kept == list(dict.fromkeys(stored)) else [f"disordered: {self.name} typed {kept}, not {stored}"]
        return [*waits, *lost, *doubled, *moved]

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _live(self) -> None:
        try:
            with sync_playwright() as playwright:
                starter = self._site.folder / f"chromium-{self.name}"
                namespace = self._site.clients.namespace
                starter.write_text(f'#!/bin/sh\nexec ip netns exec {namespace} {CHROMIUM} "$@"\n')
                starter.chmod(0o755)
                browser = playwright.chromium.launch(executable_path=str(starter), args=ARGS)
                page = browser.new_page(base_url=URL)
                page.set_default_timeout(BEGINS_WITHIN_S * 1000)
                self._register(page)
                page.set_default_timeout(PATIENCE_MS)
                self._here.set()
                self._write_on(page)
                self._come_to_rest(page)
                browser.close()
        except BaseException as error:
            self._error = error
        self._here.set()
        self._ended.set()

    def _register(self, page: Page) -> None:
        page.goto("/register")
        page.get_by_role("textbox", name="Name").fill(self.name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create account", exact=True).click()
        page.wait_for_selector(SYNCED)

    def _write_on(self, page: Page) -> None:
        while not self._ending.wait(WRITES_EVERY_S):
            if not self.room:
                continue
            with contextlib.suppress(Error):  # a page that is away for a while is what this is about
                self._go_in(page)
                self._write(page)

    def _come_to_rest(self, page: Page) -> None:
        deadline = time.monotonic() + SYNCED_WITHIN_S
        page.set_default_timeout(AT_REST_MS)
        with contextlib.suppress(Error):
            page.wait_for_selector(SYNCED, timeout=PATIENCE_MS)
            self._send_draft(page)
        while not (synced := page.query_selector(SYNCED)) and time.monotonic() < deadline:
            with contextlib.suppress(Error):
                self._go_in(page)
            page.wait_for_timeout(200)
        down = page.get_by_role("button", name=re.compile("^(To the newest|New messages)$"))
        while (shown := page.evaluate(SHOWN)) is False:
            assert time.monotonic() < deadline + PATIENCE_MS / 1000, f"the page never stood at its end: {page.url}"
            with contextlib.suppress(Error):
                if down.is_visible():  # only what is near the view is in the page: from the end of the room up, then
                    down.click(timeout=1_000)
            page.wait_for_timeout(100)
        self._shown = shown
        picture = self._site.folder / f"{self.name}.png"
        page.screenshot(path=picture)
        assert synced, f"the page never came to rest: {page.url}, {picture}"

    def _go_in(self, page: Page) -> None:
        """What a person does: tries again when the page offers it, signs in again when the session is over, and comes
        to the room."""
        again = page.get_by_role("button", name="Try again", exact=True).first
        if again.is_visible():
            again.click()
        password = page.get_by_label("Password").first
        if password.is_visible():
            name = page.get_by_role("textbox", name="Name").first
            if name.is_visible() and name.is_editable():
                name.fill(self.name)
            password.fill(PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).first.click()
            password.wait_for(state="hidden")
        if f"/r/{self.room}" not in page.url:
            page.goto(f"/r/{self.room}")

    def _send_draft(self, page: Page) -> None:
        """What a reload left in the composer, because it was not stored yet, a person sees there and sends."""
        composer = page.get_by_role("textbox", name="Message", exact=True)
        left = composer.input_value()
        if left and not page.get_by_role("log").get_by_text(left, exact=True).count():
            composer.press("Enter")

    def _write(self, page: Page) -> None:
        self._send_draft(page)
        text = f"{self.name} types {len(self.begun)}"
        self.begun.append(text)
        composer = page.get_by_role("textbox", name="Message", exact=True)
        composer.fill(text)
        composer.press("Enter")
        self.typed.append(text)
        page.get_by_role("log").get_by_text(text, exact=True).wait_for()
        if len(self.typed) % RELOADS_EVERY == 0:
            page.reload()
