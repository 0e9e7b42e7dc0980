"""What somebody is told of each screen who cannot see it: the accessibility tree, as it is kept in `trees/`, and what
must hold of any.

Kept are roles, names and states. What is another from run to run is told alike: a number is 0, a day is `Today`; of
siblings that are then the same one is kept, and of a log only that it is there: its rows, and whether there is a way to
its end, are a matter of pixels. The list of rooms, which is beside almost everything, is whole in `WITH_ALL_ROOMS`
alone; of what lies under a dialog nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.e2e.test_accessible import findings
from tests.screens.run import Chats, check, chromium
from tests.screens.shots import SHOTS, Shot
from tests.screens.stage import Device, Stage

FOLDER = Path(__file__).with_name("trees")
# Others differ from the desk by the list of rooms, which is not there.
ON_A_PHONE_TOO = ("room.full", "room.failing", "message-actions.full")
WITH_ALL_ROOMS = ("room.full", "rooms-sheet.full")
WAYS_TO_THE_END = ('- button "To the newest"', '- button "New messages"')
ROOMS_SHOWN = 3
ROUNDS, ROUNDS_IN_ALL = 60, 600  # of looking again at a screen that is not as it is kept
STAYS = 3  # so often alike: it will stay so

WEEKDAYS = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag"
MONTHS = (
    "Jan(?:uary|uar)?|Feb(?:ruary|ruar)?|March|Mar|März|Apr(?:il)?|May|Mai|June?|Juni?|July?|Juli?|Aug(?:ust)?"
    "|Sept?(?:ember)?|Oct(?:ober)?|Okt(?:ober)?|Nov(?:ember)?|Dec(?:ember)?|Dez(?:ember)?"
)
DATE = rf"0\.? (?:{MONTHS})(?: 0)?"
DAY = re.compile(rf"(?<![-\w])(?:(?:{WEEKDAYS})(?:, {DATE})?|{DATE}|Yesterday|Today|Gestern|Heute)(?![-\w])")

MODAL = "dialog:modal"
NAMED = {
    *("alertdialog", "button", "checkbox", "combobox", "dialog", "group", "img", "link", "listbox", "log", "menuitem"),
    *("navigation", "option", "radio", "region", "searchbox", "slider", "switch", "tab", "textbox"),
}
LANDMARKS = {"banner", "complementary", "contentinfo", "form", "main", "navigation", "region", "search"}
IN_A_PAGE = """() => ({
    modal: document.querySelector("dialog:modal") !== null,
    sheet: document.querySelector("main[inert]") !== null,
    live: document.querySelector("[aria-live], [role=alert], [role=status], [role=log]") !== null,
    page: document.querySelector("#root") !== null,
    hidden: [...document.querySelectorAll("[aria-hidden=true] *, [aria-hidden=true]")]
        .filter((one) => one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }))
        .filter((one) => !one.closest("[inert]")).map((one) => one.outerHTML.slice(0, 160)),
})"""


@dataclass(frozen=True)
class View:
    """A screen as one device has it."""

    shot: Shot
    device: Device

    @property
    def title(self) -> str:
        return self.shot.title if self.device == "desk" else f"{self.shot.title}.phone"

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.title}.yml"


def views(shots: Sequence[Shot]) -> list[View]:
    """Of these screens those that are kept: all on a desk, then what a phone alone has or has otherwise."""
    desk = [View(shot, "desk") for shot in shots if "desk" in shot.devices]
    phone = [View(shot, "phone") for shot in shots if "desk" not in shot.devices or shot.title in ON_A_PHONE_TOO]
    return [*desk, *phone]


@dataclass(frozen=True)
class Look:
    """What a view is like, and what is to be objected to it."""

    tree: str
    objections: list[str]


# --- the tree -----------------------------------------------------------------------------------------------------


@dataclass
class Node:
    """A line of Playwright's snapshot, with what is below it: `- heading "Design" [level=1]`."""

    line: str
    below: list[Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines())

    def lines(self, depth: int = 0) -> Iterator[str]:
        yield "  " * depth + (self.line if self.below else self.line.removesuffix(":"))
        for node in self.below:
            yield from node.lines(depth + 1)

    def all(self) -> Iterator[Node]:
        """All that is below, in order."""
        for node in self.below:
            yield node
            yield from node.all()

    @property
    def role(self) -> str:
        return self._parts[0]

    @property
    def name(self) -> str:
        return self._parts[1]

    @property
    def level(self) -> int:
        found = re.search(r"\[level=(\d)\]", self.line)
        return int(found[1]) if found else 0

    @property
    def _parts(self) -> tuple[str, str]:
        found = re.match(r"""- '?(\w+)(?: "((?:[^"\\]|\\.)*)")?""", self.line)
        return (found[1], found[2] or "") if found else ("", "")


def tree_of(snapshot: str) -> Node:
    """A snapshot with a root over it."""
    open_at = [Node("")]
    for row in snapshot.splitlines():
        line = row.lstrip()
        node = Node(line)
        del open_at[(len(row) - len(line)) // 2 + 1 :]
        open_at[-1].below.append(node)
        open_at.append(node)
    return open_at[0]


def normal(tree: Node, with_all_rooms: bool = True) -> str:
    """The tree without what is another from run to run, as it is kept."""
    return "".join(f"{line}\n" for node in thinned(tree, with_all_rooms).below for line in node.lines())


def thinned(node: Node, with_all_rooms: bool) -> Node:
    """One of siblings that are alike, and nothing of a log but that it is there."""
    left = [each for each in node.below if not each.line.startswith(("- /url:", *WAYS_TO_THE_END))]
    parts = [thinned(each, with_all_rooms) for each in left]
    below = list({each.text: each for each in parts}.values())
    if node.role == "log":
        below = []  # which rows are in the page, and on which days, is another with each run and hour
    if node.role == "navigation" and not with_all_rooms:
        below = [Node(each.line, each.below[:ROOMS_SHOWN]) for each in below]
    return Node(told_alike(node.line), below)


def told_alike(line: str) -> str:
    numbers = re.sub(r"(?<!level=)\b\d+(?:[,.:]\d+)*", "0", line)
    return DAY.sub("Today", numbers)


# --- what must hold -----------------------------------------------------------------------------------------------


def snapshot_of(page: Page) -> Node:
    """What there is to hear on the page: while a modal dialog is open, that alone."""
    modal = page.locator(MODAL)
    return tree_of((modal if modal.count() else page.locator("body")).aria_snapshot())


def objections(page: Page, colours: bool) -> list[str]:
    """What is wrong with the page for somebody who cannot see it, a line each; and with its `colours`, which takes
    longer than all else, for somebody who can."""
    nodes, inside = list(snapshot_of(page).all()), page.evaluate(IN_A_PAGE)
    found = [*unnamed(nodes), *twice(nodes), *skipped(nodes)]
    if not inside["modal"] and not inside["sheet"]:
        found += alone(nodes)
    if inside["page"] and not inside["live"]:
        found.append("nothing would be read out")
    found += [f"can have the focus and is hidden: {one}" for one in inside["hidden"]]
    place = MODAL if inside["modal"] else ":root"
    return [*found, *findings(page, place, without=() if colours else ("color-contrast",))]


def unnamed(nodes: list[Node]) -> list[str]:
    return [f"a {node.role} without a name" for node in nodes if node.role in NAMED and not node.name]


def twice(nodes: list[Node]) -> list[str]:
    landmarks = [(node.role, node.name) for node in nodes if node.role in LANDMARKS]
    return [f"{landmarks.count(one)} landmarks {one}" for one in dict.fromkeys(landmarks) if landmarks.count(one) > 1]


def skipped(nodes: list[Node]) -> list[str]:
    levels = [1, *(node.level for node in nodes if node.role == "heading")]
    return [f"h{under} comes after h{over}" for over, under in pairwise(levels) if under > over + 1]


def alone(nodes: list[Node]) -> list[str]:
    mains = sum(node.role == "main" for node in nodes)
    titles = sum(node.level == 1 for node in nodes)
    return [f"{number} {what}" for number, what in ((mains, "main"), (titles, "h1")) if number != 1]


# --- looking ------------------------------------------------------------------------------------------------------


class Gallery(ExitStack):
    """Goes to screens with one browser, in a thread of its own: who asks may have a Playwright already."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = self.enter_context(ThreadPoolExecutor(1))
        self._stages: dict[Device, Stage] = {}
        self._rounds = ROUNDS_IN_ALL
        self._own = ExitStack()
        self.callback(lambda: self._thread.submit(self._own.close).result())
        self._chats, self._browser = self._thread.submit(self._open).result()

    def _open(self) -> tuple[Chats, Any]:
        return self._own.enter_context(Chats()), self._own.enter_context(chromium())

    def look(self, view: View, kept: str | None = None) -> Look:
        """Goes there. Looks again for a while if it is not as it is `kept`; without that, until it stays the same, and
        at its colours too."""
        return self._thread.submit(self._look, view, kept).result()

    def objections_to(self, html: str) -> list[str]:
        """What is wrong with such a page."""

        def judge() -> list[str]:
            page = self._browser.new_page()
            page.set_content(html)
            try:
                return objections(page, colours=False)
            finally:
                page.close()

        return self._thread.submit(judge).result()

    def _stage(self, device: Device) -> Stage:
        if device not in self._stages:
            self._stages[device] = Stage(self._browser, device, self._chats.empty, self._chats.full)
        return self._stages[device]

    def _look(self, view: View, kept: str | None) -> Look:
        stage = self._stage(view.device)
        failed = True
        try:
            view.shot.arrange(stage)
            check(stage, view.shot)
            look = Look(self._tree(stage, view, kept), objections(stage.page, colours=kept is None))
            failed = False
            return look
        finally:
            stage.clear(failed)

    def _tree(self, stage: Stage, view: View, kept: str | None) -> str:
        taken: list[str] = []
        for _ in range(ROUNDS):
            stage.settle()
            taken.append(normal(snapshot_of(stage.page), view.shot.title in WITH_ALL_ROOMS))
            if kept is None:
                if len(taken) >= STAYS and len(set(taken[-STAYS:])) == 1:
                    break
            elif taken[-1] == kept or self._rounds == 0:
                break
            else:
                self._rounds -= 1
        return taken[-1]


def write(shots: Sequence[Shot], all_of_them: bool) -> list[str]:
    """Keeps the trees of these screens, and none else if these are all; returns what is wrong, a line for each, and one
    for each screen that could not be reached."""
    FOLDER.mkdir(exist_ok=True)
    wrong: list[str] = []
    seen = views(shots)
    with Gallery() as gallery:
        for view in seen:
            try:
                look = gallery.look(view)
            except Exception as error:
                wrong.append(f"{view.title}: {str(error).strip() or type(error).__name__}")
                continue
            view.file.write_text(look.tree)
            wrong += [f"{view.title}: {line}" for line in look.objections]
    if all_of_them:
        for file in set(FOLDER.glob("*.yml")) - {view.file for view in seen}:
            file.unlink()
    return wrong


def kept_of(view: View) -> str:
    """The tree that is kept of it; "" where none is."""
    return view.file.read_text() if view.file.exists() else ""


ALL = views(SHOTS)
