"""One person at a browser of their own: what its tabs show, and the ways that every act takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, CDPSession, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.browser import AWAY, REFUSALS, Visitor
from tests.e2e.browsers.checker import Row, Shown
from tests.e2e.parley import PASSWORD, Parley, Person

ACT_WITHIN_MS = 60_000  # says nothing about slow
SOON_MS = 20_000  # what a page does by itself: a guard against never
MOVED_MS = 3_000  # then it has moved away under the pointer, or another tab was first
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
EXPECTED = f"ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|{AWAY}|{REFUSALS}"

# Chromium's own offline mode lets new websockets through: this one does not.
NO_SOCKETS_OFFLINE = """(() => {
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(url, protocols) {
      super(navigator.onLine ? url : new URL('/offline', url).href, protocols);
    }
  };
})();"""
READ = r"""const read = (article) => {
  const label = /^(.*?)(, put into the table)?, \d{1,2}:\d\d\s?[AP]M(, to )?/.exec(article.ariaLabel ?? '') ?? [];
  const pills = [...article.querySelectorAll('[role=group][aria-label=Reactions] button')];
  const emoji = (pill) => pill.textContent.trim().split(/\s+/);
  return {
    seq: Number(article.dataset.seq ?? 0), client_id: article.dataset.clientId ?? '',
    state: article.dataset.state ?? '',
    name: label[1] ?? '', replies: label[3] !== undefined,
    text: article.querySelector('[data-testid=message-text]')?.textContent ?? '',
    deleted: [...article.querySelectorAll('p')].some((p) => p.textContent === 'This message was deleted.'),
    edited: [...article.querySelectorAll('span[title]')].some((span) => span.textContent === 'edited'),
    reactions: pills.map((pill) => [emoji(pill)[0], Number(emoji(pill)[1])]),
    mine: pills.filter((pill) => pill.ariaPressed === 'true').map((pill) => emoji(pill)[0]),
  };
};"""
# The list keeps the row that the keyboard comes to, wherever it is: that one stands apart from what is on the screen.
ROWS = f"""() => {{
  {READ}
  const runs = [[]];
  let last = -1;
  for (const article of document.querySelectorAll('main article')) {{
    const at = Number(article.closest('[data-row]')?.dataset.row ?? last + 1);
    if (runs.at(-1).length && at > last + 1 && !between(last, at)) runs.push([]);
    runs.at(-1).push(article);
    last = at;
  }}
  function between(one, other) {{ // what stands there is no message
    for (let row = one + 1; row < other; row++) if (!document.querySelector(`main [data-row="${{row}}"]`)) return false;
    return true;
  }}
  const longest = runs.reduce((held, run) => (run.length > held.length ? run : held));
  const main = document.querySelector('main');
  return {{
    rows: longest.map(read),
    to_end: ![...document.querySelectorAll('main button')].some((b) => /To the newest|New messages/.test(b.innerText)),
    from_start: document.querySelector('main section[aria-label=Welcome]') !== null,
    log: document.querySelector('main [role=log]') !== null,
  }};
}}"""
# Goes up from the newest message to the first, and reads on the way.
WALK = f"""async () => {{
  {READ}
  const log = document.querySelector('main [role=log]');
  const rows = new Map(), disordered = [];
  const deadline = performance.now() + 60000;
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  log.scrollTop = log.scrollHeight;
  for (let still = 0; still < 8 && performance.now() < deadline; ) {{
    for (let turn = 0; turn < 2; turn++) await frame();
    const here = [...log.querySelectorAll('article')].map(read);
    here.forEach((row, at) => at && row.seq <= here[at - 1].seq && disordered.push([here[at - 1].seq, row.seq]));
    for (const row of here) rows.set(row.seq, row);
    const top = log.scrollTop;
    log.scrollTop = Math.max(0, top - log.clientHeight * 0.8);
    still = top <= 0 && log.querySelector('section[aria-label=Welcome]') ? still + 1 : 0;
  }}
  const from_start = log.querySelector('section[aria-label=Welcome]') !== null;
  return {{ rows: [...rows.values()].sort((a, b) => a.seq - b.seq), disordered, from_start }};
}}"""
BADGES = r"""() => Object.fromEntries([...document.querySelectorAll('nav[aria-label=Rooms] a')].map((link) => {
  const count = [...link.querySelectorAll('span')].map((span) => /^(\d+\+?) unread$/.exec(span.textContent.trim()));
  return [decodeURIComponent(new URL(link.href).pathname.split('/')[2]), count.find((found) => found)?.[1] ?? ''];
}))"""
STATE = "() => document.querySelector('[data-testid=sync-mark]')?.dataset.state ?? ''"
FAILED = r"""() => [...document.querySelectorAll('main article[data-state=failed]')].map((article) => (
  { client_id: article.dataset.clientId, why: article.querySelector('[role=alert] span')?.textContent ?? '' }))"""
# The bar of the message that the keyboard would reach is there for a reader aloud, and seen by nobody.
SHOWS_ACTIONS = """article => [...article.querySelectorAll('[role=group][aria-label="Message actions"]')]
    .some(each => getComputedStyle(each).opacity === '1')"""
FOCUSED = "() => document.activeElement !== null && document.activeElement !== document.body"
# The newest message with this text that was not there before.
WRITTEN = """([text, before]) => [...document.querySelectorAll('main article[data-client-id]')].findLast((article) =>
  !before.includes(article.dataset.clientId)
  && article.querySelector('[data-testid=message-text]')?.textContent === text)?.dataset.clientId"""


class Impossible(Exception):
    """It cannot be done just now, and a person would do something else."""


@dataclass
class Desk:
    """`tabs` are the pages of one context; on a phone the rooms are a sheet."""

    label: str
    person: Person
    visitor: Visitor
    phone: bool
    tabs: list[Page] = field(default_factory=list)
    offline: bool = False
    crashed: list[str] = field(default_factory=list)
    _sessions: dict[Page, CDPSession] = field(default_factory=dict)

    @classmethod
    def sit(cls, parley: Parley, browser: Browser, label: str, person: Person, room: str, tabs: int = 1) -> Desk:
        """Somebody comes to their desk: so many tabs at that room, in sync."""
        options = PHONE if label == "phone" else DESK
        visitor = Visitor(parley, browser, EXPECTED, **options)
        visitor.context.add_init_script(NO_SOCKETS_OFFLINE)
        desk = cls(label, person, visitor, phone=label == "phone")
        visitor.enter(person, room)
        desk._take(visitor.page)
        for _ in range(tabs - 1):
            desk.open(f"/r/{room}")
        return desk

    def open(self, path: str) -> Page:
        """A further tab."""
        page = self.visitor.context.new_page()
        self._take(page)
        page.goto(path)
        return page

    def _take(self, page: Page) -> None:
        page.set_default_timeout(ACT_WITHIN_MS)
        page.on("crash", lambda _: self.crashed.append(self.name_of(page)))
        self.tabs.append(page)

    def close(self, tab: Page) -> None:
        """Closes a tab as people do: nothing is asked."""
        self.tabs.remove(tab)
        self._sessions.pop(tab, None)
        tab.close()

    def name_of(self, tab: Page) -> str:
        number = self.tabs.index(tab) + 1 if tab in self.tabs else 0
        return f"{self.person.name} at the {self.label}" + (f", tab {number}" if len(self.tabs) > 1 else "")

    # --- what is shown --------------------------------------------------------------------------------------------

    def room(self, tab: Page) -> str:
        """The room of the address; "" at a door."""
        found = re.search(r"/r/([^/?#]+)", tab.url)
        return found[1] if found else ""

    def state(self, tab: Page) -> str:
        return str(tab.evaluate(STATE))

    def shown(self, tab: Page) -> Shown:
        """The stretch of the room that is in the page."""
        said = tab.evaluate(ROWS)
        rows, waiting = _parted(said["rows"])
        where = {"page": self.name_of(tab), "user": self.person.user, "room": self.room(tab)}
        ends = {"to_end": said["log"] and said["to_end"], "from_start": said["from_start"]}
        return Shown(**where, rows=rows, waiting=waiting, **ends)

    def walk(self, tab: Page) -> Shown:
        """The whole room, seen by going up from the newest message to the first."""
        self.to_newest(tab)
        said = tab.evaluate(WALK)
        rows, waiting = _parted(said["rows"])
        if said["disordered"]:
            rows = (*rows, *(Row(seq, "?", "out of order") for pair in said["disordered"] for seq in pair))
        return Shown(self.name_of(tab), self.person.user, self.room(tab), rows, True, said["from_start"], waiting)

    def badges(self, tab: Page) -> dict[str, str]:
        """Room → what its link counts as unread."""
        return dict(tab.evaluate(BADGES))

    def weight(self, tab: Page) -> tuple[float, int]:
        """Megabytes of the JavaScript heap, and the nodes of the page, after what nobody needs has gone."""
        session = self._sessions.get(tab) or self.visitor.context.new_cdp_session(tab)
        self._sessions[tab] = session
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        figures = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return round(figures["JSHeapUsedSize"] / 1e6, 1), int(figures["Nodes"])

    # --- ways -----------------------------------------------------------------------------------------------------

    def come_in(self, tab: Page) -> bool:
        """Signs in where the page asks for it; whether it did."""
        button = tab.get_by_role("button", name="Sign in", exact=True)
        if not button.is_visible():
            return False
        name = tab.get_by_role("textbox", name="Name", exact=True)
        try:
            if not name.input_value(timeout=MOVED_MS):
                name.fill(self.person.name, timeout=MOVED_MS)
            tab.get_by_label("Password").fill(PASSWORD, timeout=MOVED_MS)
            button.click(timeout=MOVED_MS)
            expect(button).to_have_count(0, timeout=ACT_WITHIN_MS)
        except (PlaywrightError, AssertionError) as error:  # or another tab has signed in for this one meanwhile
            raise Impossible(f"the door does not open: {str(error).splitlines()[0]}") from None
        return True

    def clear(self, tab: Page) -> None:
        """Puts away whatever lies over the room: a dialog, a palette, a sheet, an open edit."""
        for _ in range(4):
            if not tab.locator("dialog[open], :popover-open, main textarea[aria-label='Edit text']").count():
                break
            tab.keyboard.press("Escape")
        if self.phone and self._sheet(tab).is_visible():
            tab.keyboard.press("Escape")
            expect(self._sheet(tab)).not_to_be_visible(timeout=SOON_MS)

    def _sheet(self, tab: Page) -> Locator:
        return tab.get_by_role("navigation", name="Rooms")

    def rooms(self, tab: Page) -> Locator:
        """The side of the page with the rooms; on a phone it is opened first."""
        if self.phone and not self._sheet(tab).is_visible():
            tab.get_by_role("main").get_by_role("button", name=re.compile("^Rooms")).click()
            expect(self._sheet(tab)).to_be_visible(timeout=ACT_WITHIN_MS)
        return tab.get_by_role("complementary")

    def go(self, tab: Page, room: str) -> None:
        """Opens a room by its link."""
        if self.room(tab) == room and not re.search(r"/r/[^/]+/\d", tab.url):
            return
        links = self.rooms(tab).locator(f'nav a[href="/r/{room}"]')
        if not links.count():
            raise Impossible(f"{room} is not in the list")
        links.click()
        expect(tab).to_have_url(re.compile(f"/r/{re.escape(room)}$"), timeout=ACT_WITHIN_MS)

    def to_newest(self, tab: Page) -> None:
        """Presses the button that leads to the newest message, where there is one."""
        button = tab.get_by_role("main").get_by_role("button", name=re.compile("To the newest|New messages"))
        if button.is_visible():
            button.click()

    def composer(self, tab: Page) -> Locator:
        field_ = tab.get_by_role("textbox", name="Message", exact=True)
        if not field_.is_visible():
            raise Impossible("there is no message field")
        return field_

    def article(self, tab: Page, seq: int) -> Locator:
        return tab.locator(f'main article[data-seq="{seq}"]')

    def press(self, tab: Page, seq: int, name: str) -> None:
        """Presses one of the quiet buttons of a message: again, where the message moved away under the pointer."""
        for within_ms in (MOVED_MS, MOVED_MS, ACT_WITHIN_MS):
            try:
                self.button_of(tab, seq, name).click(timeout=within_ms)
                return
            except PlaywrightError:
                if within_ms == ACT_WITHIN_MS:
                    raise

    def button_of(self, tab: Page, seq: int, name: str) -> Locator:
        """One of the quiet buttons of a message, which a pointer brings, or a finger."""
        article = self.article(tab, seq)
        article.scroll_into_view_if_needed()
        if self.phone:
            box = article.bounding_box()
            if box is None:
                raise Impossible("it is gone")
            if not article.evaluate(SHOWS_ACTIONS):
                article.tap(position={"x": box["width"] - 4, "y": 4})
        else:
            article.hover()
        return article.get_by_role("button", name=name, exact=True)

    def holds_focus(self, tab: Page) -> bool:
        """Whether something has the focus, a moment after what had it went."""
        try:
            tab.wait_for_function(FOCUSED, timeout=SOON_MS)
        except PlaywrightError:
            return False
        return True


def _parted(said: list[dict[str, Any]]) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The rows with a receipt, and the texts of those without."""
    rows, waiting = [], []
    for row in said:
        state, _ = row.pop("state"), row.pop("client_id")
        if state != "sent" or not row["seq"]:
            waiting.append(f"{state}: {row['text'][:60]!r}")
            continue
        reactions = tuple(sorted((emoji, number) for emoji, number in row.pop("reactions")))
        rows.append(Row(**row | {"reactions": reactions, "mine": frozenset(row["mine"])}))
    return tuple(rows), tuple(waiting)
