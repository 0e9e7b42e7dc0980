"""Where screens are set up: a browser of one device at both chats, and a line to the server that can be cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Route, WebSocketRoute, expect

from chat.errors import KINDS, ChatError
from tests.e2e.parley import PASSWORD, Person
from tests.screens.sample import Sample

WITHIN_MS = 30_000
expect.set_options(timeout=WITHIN_MS)

Device = Literal["desk", "phone"]
Size = tuple[int, int]
SIZES: dict[Device, tuple[Size, ...]] = {"desk": ((1280, 800),), "phone": ((390, 844), (320, 568))}
TOUCH: dict[Device, dict[str, Any]] = {"desk": {}, "phone": {"has_touch": True, "is_mobile": True}}
# What a socket hears first, and why it may not stay: as the server says it to one too many.
OPENED = {"sid": "away", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 100_000}
REQUEST = re.compile(r'42(\d+)\["([a-z:]+)"')
# Looked at in each frame, since Playwright soon looks twice a second only.
IN_SYNC = """(within_ms) => new Promise((resolve) => {
  const until = performance.now() + within_ms;
  const look = () => {
    const mark = document.querySelector("[data-testid=sync-mark][data-state=synced]");
    if (mark || performance.now() > until) resolve();
    else requestAnimationFrame(look);
  };
  look();
})"""
OPEN_DIALOG = "dialog[open], :popover-open"

# Resolves when three frames in a row look the same; what has no size of its own yet takes some to find it.
SETTLED = """() => new Promise((resolve, reject) => {
  let same = 0, before = "", left = 240;
  const look = () => {
    const parts = [...document.querySelectorAll('[role=log], dialog, [popover], textarea, main')];
    const now = JSON.stringify(parts.map((part) => [part.scrollHeight, part.scrollTop, part.getBoundingClientRect()]));
    same = now === before ? same + 1 : 0;
    before = now;
    if (same >= 3) resolve();
    else if (left-- === 0) reject(new Error("the page does not come to rest"));
    else requestAnimationFrame(look);
  };
  document.fonts.ready.then(() => requestAnimationFrame(look));
})"""


class Line:
    """A page's way to the server: what the server says goes through, unless it is told to say something else."""

    def __init__(self, page: Page):
        self._page = page
        self._open: list[WebSocketRoute] = []
        self._is_cut = False
        self._stands = False
        self._refused: dict[str, str] = {}
        self._held: list[Route] = []
        page.route_web_socket(re.compile("/socket.io/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            why = ChatError("busy", retry_after_s=30).to_dict()
            socket.on_message(lambda said: socket.send("44" + json.dumps({"message": "busy", "data": why})))
            socket.send("0" + json.dumps(OPENED))
            return
        server = socket.connect_to_server()
        self._open.append(socket)

        def asked(said: str | bytes) -> None:
            request = REQUEST.match(said) if isinstance(said, str) else None
            if self._stands:
                return
            if request and request[2] in self._refused:
                error = ChatError(self._refused[request[2]]).to_dict()
                socket.send(f"43{request[1]}" + json.dumps([{"ok": False, "error": error}]))
            elif request and request[2] == "room:read":  # what is unread stays so for the next one who looks
                socket.send(f"43{request[1]}" + json.dumps([{"ok": True, "seq": 0}]))
            else:
                server.send(said)

        socket.on_message(asked)

    def cut(self) -> None:
        """The server is away: nothing is answered, and a socket is told to come back in half a minute."""
        self._is_cut = True
        for path in ("**/api/**", "**/config.json"):
            self._page.route(path, lambda route: route.abort("connectionrefused"))
        for socket in self._open:
            socket.close()

    def stand(self) -> None:
        """The socket stays open, and nothing that is said on it is answered any more."""
        self._stands = True

    def refuse(self, event: str, code: str) -> None:
        """The server refuses this request of the socket from now on."""
        self._refused[event] = code

    def refuse_http(self, path: str, code: str) -> None:
        """The server refuses what is asked there from now on."""
        body, status = {"error": ChatError(code).to_dict()}, KINDS[code].status
        self._page.route(path, lambda route: route.fulfill(status=status, json=body))

    def lose(self, path: str) -> None:
        """What lies there cannot be fetched."""
        self._page.route(path, lambda route: route.abort("connectionrefused"))

    def hold(self, path: str) -> None:
        """What is asked there is not answered."""
        self._page.route(path, lambda route: self._held.append(route))

    def release(self) -> None:
        """What was held gets no answer."""
        while self._held:
            self._held.pop().abort()

    def say(self, event: str, **payload: Any) -> None:
        """The server says this to the page."""
        self._open[-1].send("42" + json.dumps([event, payload]))


class Stage:
    """One device. A shot sets up `page` by one of `guest`, `enter` and `chat`; `clear` ends what it has left open."""

    def __init__(self, browser: Browser, device: Device, empty: Callable[[], Sample], full: Callable[[], Sample]):
        self.device = device
        self.size: Size = SIZES[device][0]
        self.page: Page
        self.line: Line
        self.asked = ""
        self._browser = browser
        self._samples = {"empty": empty, "full": full}
        self._cookies: dict[str, str] = {}
        self._contexts: dict[str, BrowserContext] = {}
        self._pages: list[Page] = []
        self._kept: dict[str, tuple[Page, Line]] = {}

    @property
    def is_phone(self) -> bool:
        return self.device == "phone"

    def sample(self, chat: str) -> Sample:
        """What is in that chat, `empty` or `full`."""
        return self._samples[chat]()

    def guest(self, path: str, chat: str = "empty") -> None:
        """A browser that has been nowhere yet, at that path."""
        self.prepare(chat)
        self.go(path)

    def enter(self, path: str, chat: str = "full", synced: bool = True) -> None:
        """Olivia with a new browser at that path; she is signed in."""
        self.prepare(chat, self._my_cookie(chat))
        self.go(path)
        if synced:
            self.in_sync()

    def chat(self, path: str, chat: str = "full") -> None:
        """Olivia at that path, where she may have been for a while; for what leaves the page as it was."""
        if chat not in self._kept:
            self._open(self._new_context(chat), chat, self._my_cookie(chat))
            self._kept[chat] = self.page, self.line
            self._pages.remove(self.page)
        self.page, self.line = self._kept[chat]
        self.page.set_viewport_size({"width": self.size[0], "height": self.size[1]})
        if not self.page.url.endswith(path):
            self.go(path)
        self.asked = path
        self.in_sync()

    def prepare(self, chat: str, cookie: str = "") -> None:
        """A new page that is nowhere yet, in a browser that knows nothing but, perhaps, the files of the page; `line`
        may be told what is to happen before it goes anywhere."""
        if chat not in self._contexts:
            self._contexts[chat] = self._new_context(chat)
        context = self._contexts[chat]
        context.clear_cookies()
        self._open(context, chat, cookie)
        session = context.new_cdp_session(self.page)
        wiped = {"origin": self.sample(chat).parley.url, "storageTypes": "local_storage,indexeddb"}
        session.send("Storage.clearDataForOrigin", wiped)
        session.detach()

    def _new_context(self, chat: str) -> BrowserContext:
        context = self._browser.new_context(
            base_url=self.sample(chat).parley.url,
            viewport={"width": self.size[0], "height": self.size[1]},
            reduced_motion="reduce",
            color_scheme="light",
            locale="en-GB",
            service_workers="block",
            permissions=["clipboard-write"],
            **TOUCH[self.device],
        )
        context.set_default_timeout(WITHIN_MS)
        return context

    def _open(self, context: BrowserContext, chat: str, cookie: str) -> None:
        if cookie:
            name, value = cookie.split("=", 1)
            context.add_cookies([{"name": name, "value": value, "url": self.sample(chat).parley.url}])
        self.page = context.new_page()
        self._pages.append(self.page)
        self.resize(self.size)
        self.line = Line(self.page)

    def go(self, path: str) -> None:
        self.asked = path
        self.page.goto(path)

    def new_session(self, chat: str = "full") -> Person:
        """Olivia with a session of her own, which may end."""
        return self.sample(chat).session(self.device)

    def _my_cookie(self, chat: str) -> str:
        if chat not in self._cookies:
            self._cookies[chat] = self.new_session(chat).cookie
        return self._cookies[chat]

    def clear(self, failed: bool = False) -> None:
        """Closes the page of the shot, and what is open in those that stay. After a failure none stays."""
        if self._pages:
            self.line.release()
            self.page.context.unroute_all()
        elif self._kept and not failed:
            self.close_dialogs()
        while self._pages:
            self._pages.pop().close()
        if failed:
            for context in {*self._contexts.values(), *(page.context for page, _ in self._kept.values())}:
                context.close()
            self._contexts.clear()
            self._kept.clear()

    def close_dialogs(self) -> None:
        """Escape, as long as something is open that it closes."""
        opened = self.page.locator(OPEN_DIALOG)
        for _ in range(3):
            if opened.count() == 0:
                break
            self.page.keyboard.press("Escape")
        expect(opened).to_have_count(0)

    def resize(self, size: Size) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def settle(self) -> None:
        """Returns when the page has come to rest."""
        self.page.evaluate(SETTLED)

    # --- what a person does ---------------------------------------------------------------------------------------

    def in_sync(self) -> None:
        with suppress(Error):  # the page went elsewhere meanwhile
            self.page.evaluate(IN_SYNC, WITHIN_MS)
        expect(self.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        self.button(name).click()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    @property
    def dialog(self) -> Locator:
        return self.page.locator(OPEN_DIALOG)

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def side(self) -> None:
        """The list of rooms is there: on a phone it is called for."""
        if self.is_phone:
            self.page.get_by_role("button", name=re.compile(r"^Rooms\b")).click()
            expect(self.page.locator("[data-rooms]")).to_be_visible()

    def message(self, text: str) -> Locator:
        own = self.page.get_by_test_id("message-text").filter(has_text=re.compile(f"^{re.escape(text)}$"))
        return self.page.get_by_role("log").locator("[data-client-id]").filter(has=own)

    def act(self, text: str, key: str) -> None:
        """One of the keys of a message, where the list has found its place: the focus would draw it elsewhere."""
        self.settle()
        self.message(text).focus()
        self.page.keyboard.press(key)

    def sign_in(self, name: str, password: str = PASSWORD, button: str = "Sign in") -> None:
        self.page.get_by_role("textbox", name="Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.press(button)

    def alarmed(self, sentence: str) -> None:
        """Waits until that is said in alarm."""
        self.page.get_by_role("alert").filter(has_text=sentence).first.wait_for()
