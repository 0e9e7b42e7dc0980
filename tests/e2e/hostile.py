"""What a browser may do to a page: each hostility, how it is brought about, and what the page then says truly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from playwright.sync_api import CDPSession, WebSocketRoute, expect

from tests.e2e.browser import AWAY, Visitor, Visitors

CTRL = 2
UNSERVED = "Service Worker registration blocked"  # it would fill its cache anew for each
HAS_NO_KEY = 229  # of a key that an input method took for itself

# As in a wedged profile: whatever is asked is taken, and nothing ever comes back.
NEVER_ANSWERS = """
const silent = () => new Proxy({}, {get: (_, name) => (name === "result" ? undefined : silent), set: () => true});
Object.defineProperty(window, "indexedDB", {value: {open: silent}});
"""
# As where a site may keep nothing: to touch any of it is refused.
KEEPS_NOTHING = """
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
    const get = () => { throw new DOMException("This site may keep nothing.", "SecurityError"); };
    Object.defineProperty(window, name, {get, configurable: true});
}
"""
# As browsers translate: wherever text comes, other nodes come to stand in its place. Nobody tells the page.
TRANSLATES = """
const SPARED = "script, style, textarea, [translate=no], font";
const translate = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = root.nodeType === Node.TEXT_NODE ? [root] : [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts.filter(({ data, parentElement }) => data.trim() && !parentElement?.closest(SPARED))) {
        const [outer, inner] = [document.createElement("font"), document.createElement("font")];
        inner.append(text.data);
        outer.append(inner);
        text.replaceWith(outer);
    }
};
new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
        for (const node of type === "characterData" ? [target] : addedNodes) if (node.isConnected) translate(node);
    }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


class Hands:
    """Somebody at a keyboard, who writes where the focus is."""

    def __init__(self, visitor: Visitor):
        self._page = visitor.page

    def write(self, text: str) -> None:
        self._page.keyboard.insert_text(text)

    def enter(self) -> None:
        self._page.keyboard.press("Enter")

    def key(self, key: str, code: str, ctrl: bool = False) -> None:
        """The key of that code; `key` is what a Latin layout has there."""
        self._page.keyboard.press(f"Control+{key}" if ctrl else key)


class Keys(Hands):
    """The same by what the browser hears of the keyboard: any key of any layout."""

    def __init__(self, visitor: Visitor):
        super().__init__(visitor)
        self.session: CDPSession = visitor.context.new_cdp_session(visitor.page)

    def press(self, key: str, code: str, number: int, modifiers: int = 0) -> None:
        said = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        for kind in ("rawKeyDown", "keyUp"):
            self.session.send("Input.dispatchKeyEvent", {"type": kind, **said})


class OtherLayouts(Keys):
    """A Cyrillic keyboard and a Greek one: what they have where a Latin one has these letters."""

    letters: ClassVar = {"r": "к", "k": "κ"}

    def key(self, key: str, code: str, ctrl: bool = False) -> None:
        self.press(self.letters[key], code, ord(key.upper()), CTRL if ctrl else 0)


class InputMethod(Keys):
    """What is written is composed first. Enter takes it over, which the page hears then or, as in Safari, after it."""

    def write(self, text: str) -> None:
        half = len(text) // 2
        self.session.send(
            "Input.imeSetComposition", {"text": text[:half], "selectionStart": half, "selectionEnd": half}
        )
        self.press("Enter", "Enter", HAS_NO_KEY)
        self.session.send("Input.insertText", {"text": text})
        self.press("Enter", "Enter", HAS_NO_KEY)


@dataclass(frozen=True)
class Hostility:
    """One of them. `strike` is made before the visit, and entered while others write and this one answers: then the
    mark is `mark`, and the page says `says`. At a page that stands still nobody looks or types meanwhile; on a narrow
    one the list of rooms is called for."""

    options: dict[str, Any] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()
    strike: Callable[[Visitor], AbstractContextManager[None]] = lambda visitor: nullcontext()
    hands: type[Hands] = Hands
    mark: str = "synced"
    says: str = ""
    stands_still: bool = False
    expected: str = ""
    is_narrow: bool = False

    def visit(self, visitors: Visitors) -> Visitor:
        """A browser like that, which is nowhere yet."""
        options = {"service_workers": "block", **self.options}
        visitor = visitors("|".join(filter(None, (UNSERVED, self.expected))), **options)
        for script in self.scripts:
            visitor.context.add_init_script(script)
        return visitor

    @property
    def is_cut_off(self) -> bool:
        """Whether nothing is heard of others while it lasts."""
        return self.mark != "synced" or self.stands_still


@contextmanager
def frozen(visitor: Visitor) -> Iterator[None]:
    """As a tab long in the background: no script of the page runs."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    yield
    session.send("Page.setWebLifecycleState", {"state": "active"})


@contextmanager
def offline(visitor: Visitor) -> Iterator[None]:
    visitor.context.set_offline(True)
    expect(visitor.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "offline")
    yield
    visitor.context.set_offline(False)


class Stalled:
    """A visitor's sockets stay open, and what is said on them comes when it is over. To be made before they open."""

    def __init__(self, visitor: Visitor):
        self._stalls = False
        self._held: list[Callable[[], None]] = []
        visitor.context.route_web_socket(re.compile("/socket.io/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda said: self._pass(partial(server.send, said)))
        server.on_message(lambda said: self._pass(partial(socket.send, said)))

    def _pass(self, send: Callable[[], None]) -> None:
        if self._stalls:
            self._held.append(send)
        else:
            send()

    def __enter__(self) -> None:
        self._stalls = True

    def __exit__(self, *_: object) -> None:
        self._stalls = False
        while self._held:
            self._held.pop(0)()


def zoomed(percent: int) -> dict[str, Any]:
    """A window of 1280 by 1024 at that zoom."""
    viewport = {"width": 1280 * 100 // percent, "height": 1024 * 100 // percent}
    return {"viewport": viewport, "device_scale_factor": percent / 100}


OFFLINE = "ERR_INTERNET_DISCONNECTED|" + AWAY
KEEPS_NOTHING_SAID = "This device keeps nothing at the moment"
HOSTILITIES = {
    "translation": Hostility(scripts=(TRANSLATES,)),
    "no storage": Hostility(scripts=(KEEPS_NOTHING,), says=KEEPS_NOTHING_SAID),
    "storage that never answers": Hostility(scripts=(NEVER_ANSWERS,), says=KEEPS_NOTHING_SAID),
    "a frozen tab": Hostility(strike=frozen, stands_still=True),
    "offline": Hostility(strike=offline, mark="offline", says="Reconnecting", expected=OFFLINE),
    "a stalled line": Hostility(strike=Stalled, mark="slow", says="The server is slow to answer", expected=AWAY),
    "other keyboard layouts": Hostility(hands=OtherLayouts),
    "an input method": Hostility(hands=InputMethod),
    "forced colours": Hostility(options={"forced_colors": "active"}),
    "reduced motion": Hostility(options={"reduced_motion": "reduce"}),
    "200 % zoom": Hostility(options=zoomed(200), is_narrow=True),
    "400 % zoom": Hostility(options=zoomed(400), is_narrow=True),
}
