"""What somebody has typed goes out once and in order: offline, reloaded, crashed, signed out, in two tabs."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.conftest import wait_until
from tests.e2e.browser import ARGS, AWAY, CHROMIUM, REFUSALS, Visitor, Visitors
from tests.e2e.parley import PASSWORD, Parley, Person
from tests.runtime.running import until

# Everything that this site keeps in the browser, as one text.
LEFT = """async () => {
  const found = [];
  const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
      found.push(...(await done(db.transaction(store).objectStore(store).getAll())));
    }
    db.close();
  }
  return JSON.stringify([found, { ...localStorage }, { ...sessionStorage }]);
}"""
OFFLINE = "ERR_INTERNET_DISCONNECTED|" + AWAY


class Line:
    """A browser's way to the product, which can be cut: Chromium's own offline mode lets new websockets through."""

    def __init__(self, context: BrowserContext):
        self._context = context
        self._is_cut = False
        self._open: list[WebSocketRoute] = []
        context.route_web_socket(re.compile("/socket.io/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            socket.close()
        else:
            socket.connect_to_server()
            self._open.append(socket)

    def cut(self, also_http: bool = True) -> None:
        self._is_cut = True
        for socket in self._open:
            socket.close()
        self._open.clear()
        self._context.set_offline(also_http)

    def mend(self) -> None:
        self._is_cut = False
        self._context.set_offline(False)


@pytest.fixture
def room(parley: Parley) -> tuple[Person, Person, str]:
    """Ada, Grace and a room of theirs."""
    ada, grace = parley.person("Ada"), parley.person("Grace")
    return ada, grace, ada.room("outbox", grace)


def at(visitor: Visitor, person: Person, room: str) -> Visitor:
    """That person at the room's page, in sync."""
    visitor.enter(person, room)
    return visitor


def waits(page: Page, text: str) -> None:
    own = page.get_by_test_id("message-text").filter(has_text=re.compile(f"^{re.escape(text)}$"))
    expect(page.locator("[data-client-id]").filter(has=own)).to_have_attribute("data-state", "queued")


def test_typed_offline_and_reloaded_when_back_each_is_said_once_in_order(room, visitor: Visitors):
    ada, grace, name = room
    writer, reader = visitor(OFFLINE), at(visitor(), grace, name)
    line = Line(writer.context)
    at(writer, ada, name)
    line.cut()
    texts = [f"thought {number}" for number in range(5)]
    for text in texts:
        writer.write(text)
    for text in texts:
        waits(writer.page, text)
    expect(writer.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", re.compile("offline|sending"))
    expect(writer.page.get_by_text("Waiting to be sent")).to_have_count(len(texts))
    expect(writer.page.get_by_text("Waiting to be sent").filter(visible=True)).to_have_count(1)  # for all of them
    line.mend()
    writer.page.reload()
    for each in (writer, reader):
        each.in_sync()
        each.sees(texts)
    assert [text for _, _, text in ada.everything(name)] == texts


def test_reloaded_while_the_server_is_away_the_page_opens_and_says_it_once_in_order_when_it_is_back(
    own_parley, room, visitor: Visitors
):
    ada, grace, name = room
    writer, reader = visitor(AWAY), visitor(AWAY)
    for each, person in ((writer, ada), (reader, grace)):
        at(each, person, name)
        opens_offline(each.page)
    own_parley.kill_all()
    expect(writer.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "offline")
    for number in range(3):
        writer.write(f"thought {number}")
        waits(writer.page, f"thought {number}")
    for number in range(3, 5):
        writer.page.reload()
        expect(writer.page.get_by_role("heading", level=1)).to_have_text(re.compile("outbox"))
        expect(writer.page.get_by_text("Earlier messages are here again when")).to_be_visible()
        writer.write(f"thought {number}")
        for said in range(number + 1):
            waits(writer.page, f"thought {said}")
    own_parley.start()
    texts = [f"thought {number}" for number in range(5)]
    for each in (writer, reader):
        each.in_sync()
        each.sees(texts)
    assert [text for _, _, text in ada.everything(name)] == texts


def test_after_signing_out_a_page_that_opens_offline_shows_nobody_and_nothing(room, visitor: Visitors):
    ada, _, name = room
    writer = at(visitor(f"{OFFLINE}|{REFUSALS}"), ada, name)
    opens_offline(writer.page)
    writer.page.get_by_role("button", name="Sign out").click()
    expect(writer.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "parley.rooms" not in writer.page.evaluate(LEFT)
    writer.context.set_offline(True)
    writer.page.goto(f"/r/{name}")
    expect(writer.page.get_by_role("alert")).to_contain_text("cannot be reached")
    writer.context.set_offline(False)
    writer.page.get_by_role("button", name="Try again").click()
    expect(writer.page.get_by_role("heading", name="Sign in")).to_be_visible()


def opens_offline(page: Page) -> None:
    """Waits until the browser has the page in store."""
    page.evaluate("async () => (await navigator.serviceWorker.ready).active.state")


class Profile:
    """A browser with a profile on disk, which can crash and be opened again."""

    def __init__(self, parley: Parley, browser: Browser, folder: Path):
        self._parley = parley
        self._type = browser.browser_type
        self._folder = folder

    def open(self) -> BrowserContext:
        return self._type.launch_persistent_context(
            str(self._folder), executable_path=CHROMIUM, args=ARGS, base_url=self._parley.url
        )

    def crash(self, context: BrowserContext) -> None:
        """`kill -9`: the browser is told nothing and writes nothing more. Returns when it is gone."""
        mark = f"--user-data-dir={self._folder}".encode()
        [pid] = [pid for pid in _pids() if mark in (line := _command_line(pid)) and b"--type=" not in b" ".join(line)]
        with context.expect_event("close"):
            os.kill(pid, signal.SIGKILL)


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _command_line(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []  # it ended while we looked


def test_a_browser_that_crashes_before_the_ack_says_it_once_when_it_is_back(own_parley, browser, tmp_path):
    ada = own_parley.person("Ada")
    room = ada.room("crash")
    profile = Profile(own_parley, browser, tmp_path / "profile")
    cookie = dict(zip(("name", "value"), ada.cookie.split("="), strict=True), url=own_parley.url)
    context = profile.open()
    context.add_cookies([cookie])
    page = context.pages[0]
    page.goto(f"/r/{room}")
    expect(page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
    engine = own_parley.pid_of("chat.embedded.dynamodb")
    own_parley.pause(engine)  # what is sent now is not acked
    for number in range(3):
        page.get_by_role("textbox", name="Message", exact=True).fill(f"thought {number}")
        page.get_by_role("textbox", name="Message", exact=True).press("Enter")
    expect(page.locator('[data-state="sending"]')).to_have_count(1)
    expect(page.locator('[data-state="queued"]')).to_have_count(2)
    wait_until(lambda: page.evaluate(LEFT).count("thought ") == 3, what="all of it on disk")
    profile.crash(context)
    own_parley.resume(engine)
    context = profile.open()
    context.add_cookies([cookie])  # Chromium writes cookies twice a minute and at its end: a new one is not on disk yet
    try:
        page = context.pages[0]
        page.goto(f"/r/{room}")
        expect(page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
        expect(page.get_by_role("log").get_by_test_id("message-text")).to_have_text([f"thought {n}" for n in range(3)])
    finally:
        context.close()
    assert [text for _, _, text in ada.everything(room)] == [f"thought {number}" for number in range(3)]


def test_what_waits_when_the_session_ends_goes_out_after_signing_in_over_the_room(room, parley, visitor: Visitors):
    ada, _, name = room
    writer = visitor(f"{OFFLINE}|{REFUSALS}")
    line = Line(writer.context)
    at(writer, ada, name)
    writer.write("before")
    writer.sees(["before"])
    line.cut()
    writer.write("typed offline")
    waits(writer.page, "typed offline")
    [cookie] = [cookie["value"] for cookie in writer.context.cookies() if cookie["name"] == "parley"]
    parley.redis.delete(f"session:{cookie}")
    line.mend()
    expect(writer.page).to_have_url(re.compile("/login"))
    expect(writer.log.get_by_text("before")).to_be_visible()
    writer.page.get_by_label("Password").fill(PASSWORD)
    writer.page.get_by_role("button", name="Sign in", exact=True).click()
    writer.in_sync()
    writer.sees(["before", "typed offline"])


def test_another_person_in_this_browser_never_sends_what_the_first_one_typed(room, parley, visitor: Visitors):
    ada, grace, name = room
    browser = visitor(f"{OFFLINE}|{REFUSALS}")
    line = Line(browser.context)
    at(browser, ada, name)
    line.cut()
    browser.write("from Ada")
    waits(browser.page, "from Ada")
    [cookie] = [cookie["value"] for cookie in browser.context.cookies() if cookie["name"] == "parley"]
    parley.redis.delete(f"session:{cookie}")
    line.mend()
    expect(browser.page).to_have_url(re.compile("/login"))
    browser.fill_in(grace.name, PASSWORD, "Sign in")
    browser.in_sync()
    browser.page.goto(f"/r/{name}")
    browser.in_sync()
    browser.write("from Grace")
    browser.sees(["from Grace"])
    [cookie] = [cookie["value"] for cookie in browser.context.cookies() if cookie["name"] == "parley"]
    parley.redis.delete(f"session:{cookie}")
    expect(browser.page).to_have_url(re.compile("/login"))
    browser.fill_in(ada.name, PASSWORD, "Sign in")
    browser.in_sync()
    browser.page.goto(f"/r/{name}")
    browser.in_sync()
    browser.sees(["from Grace", "from Ada"])
    assert [text for _, _, text in ada.everything(name)] == ["from Grace", "from Ada"]


def test_signing_out_wipes_what_waited_and_what_was_half_typed(room, visitor: Visitors):
    ada, _, name = room
    writer = visitor(OFFLINE)
    line = Line(writer.context)
    at(writer, ada, name)
    line.cut(also_http=False)  # what waits cannot go, and signing out works
    writer.write("never sent")
    waits(writer.page, "never sent")
    writer.composer.fill("half a thought")
    writer.page.get_by_role("button", name="Sign out").click()
    expect(writer.page.get_by_text("1 message has not been sent.")).to_be_visible()
    writer.page.get_by_role("button", name="Delete and sign out").click()
    expect(writer.page.get_by_role("heading", name="Sign in")).to_be_visible()
    left = writer.page.evaluate(LEFT)
    assert "never sent" not in left and "half a thought" not in left
    assert ada.everything(name) == []


def test_two_tabs_with_messages_waiting_send_each_once(room, visitor: Visitors):
    ada, _, name = room
    browser = visitor(OFFLINE)
    line = Line(browser.context)
    at(browser, ada, name)
    tab = browser.tab(f"/r/{name}")
    expect(tab.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
    line.cut()
    texts = []
    for _ in range(3):
        for page in (browser.page, tab):
            texts.append(f"thought {len(texts)}")
            page.get_by_role("textbox", name="Message", exact=True).fill(texts[-1])
            page.get_by_role("textbox", name="Message", exact=True).press("Enter")
            waits(page, texts[-1])
    line.mend()
    for page in (browser.page, tab):
        expect(page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
        expect(page.get_by_role("log").get_by_test_id("message-text")).to_have_text(texts)
    assert [text for _, _, text in ada.everything(name)] == texts


def test_a_message_that_is_refused_says_why_and_can_be_tried_again_or_deleted(room, visitor: Visitors):
    ada, grace, name = room
    writer = visitor(OFFLINE)
    line = Line(writer.context)
    at(writer, grace, name)
    line.cut()
    for text in ("no longer allowed", "nor this"):
        writer.write(text)
        waits(writer.page, text)
    assert ada.act(name, "remove", username=grace.user)[0] == 204
    assert ada.act(name, "invite", username=grace.user)[0] == 204
    assert ada.act(name, "remove", username=grace.user)[0] == 204
    line.mend()
    expect(writer.page.get_by_role("link", name=re.compile(name.split("-")[0]))).to_have_count(0)
    until(lambda: writer.page.evaluate(LEFT).count('"failed"') == 2, 10, "both were refused")
    assert ada.act(name, "invite", username=grace.user)[0] == 204
    writer.page.goto(f"/r/{name}")
    failed = writer.log.locator('[data-state="failed"]')
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("There is no such room, or you are not in it.")
    failed.first.get_by_role("button", name=re.compile("again|Retry", re.I)).click()
    expect(writer.log.locator('[data-state="sent"]')).to_have_count(1)
    writer.log.locator('[data-state="failed"]').get_by_role("button", name=re.compile("Delete", re.I)).click()
    writer.in_sync()
    writer.sees(["no longer allowed"])
    assert [text for _, _, text in ada.everything(name)] == ["no longer allowed"]
