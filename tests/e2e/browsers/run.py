"""`python -m tests.e2e.browsers --minutes 30 --seed N`: three browsers at work on the whole product by a seeded script.

Three people write, edit, react, come and go at their pages: one at a desktop, one at a phone, one with two tabs. Parts
of the product are killed, stand still and are emptied. Every minute everybody comes to rest, and what the pages show is
compared with what the service tells the same people. What does not hold is printed with its seed and its step, and
kept in data/browsers with a picture and the last acts. Exit status 0: all of it held.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.browser import ARGS, CHROMIUM
from tests.e2e.browsers import acts, service
from tests.e2e.browsers.acts import Act, Ledger, Scene, Wrong
from tests.e2e.browsers.checker import Finding, Look, Shown, judge
from tests.e2e.browsers.desk import FAILED, Desk, Impossible
from tests.e2e.browsers.outside import Outside
from tests.e2e.parley import Parley
from tests.logs import Logs
from tests.runtime.running import ROOT, until

OUT = ROOT / "data" / "browsers"
HISTORY = 150  # messages in the room that is long from the beginning
LAST_ACTS = 30
STRIKES_ONE_IN = 14  # steps
REST_WITHIN_S = 90.0
HOLDS_WITHIN_S = 20.0  # a read mark is told every three seconds, and what the bus lost is noticed within a few
ENOUGH = 25  # findings after which a run ends
GROWS_AT_MOST = 2.0
LIGHT = (15.0, 3_000)  # megabytes and nodes that a page may have in any case: one that showed little then shows more
NEVER = float("inf")

COULD_NOT = "could not"
WRONG = "wrong"
RESTLESS = "not in sync"
NOT_SENT = "not sent"
TROUBLE = "console, requests"
CRASHED = "crashed"
TRACEBACK = "traceback"
GROWTH = "grows"
GREEN = "in sync without a network"

TAMPER = """() => {
  const bubbles = document.querySelectorAll('main [data-testid=message-text]');
  if (bubbles.length) bubbles[bubbles.length - 1].textContent += ' (somebody else said this)';
}"""


@dataclass
class Run:
    """People at their desks, step by step. `findings` is all that did not hold."""

    parley: Parley
    browser: Browser
    seed: int
    strikes: bool = True
    planted: bool = False
    out: Path = OUT
    quiet: bool = False
    desks: list[Desk] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    findings: list[Finding] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    step: int = 0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_ACTS))
    rough: set[str] = field(default_factory=set)  # users who had no network since the last look; "" is the product
    weights: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outside = Outside(self.parley)
        self.logs = Logs()
        self.logs.file(self.parley.data_dir.with_name(self.parley.data_dir.name + ".stderr"))

    def sit_down(self, history: int = HISTORY) -> None:
        """Three people come: each to a desk of their own, in a room that all have."""
        ada, grace, kim = people = [self.parley.person(name) for name in ("Ada", "Grace", "Kim")]
        common = ada.room("common", grace, kim)
        long = grace.room("long", ada, kim, kind="private")
        for number in range(history):
            people[number % 3].say(long, f"long ago {number}")
        for label, person, tabs in (("desktop", ada, 1), ("phone", grace, 1), ("pair of tabs", kim, 2)):
            self.desks.append(Desk.sit(self.parley, self.browser, label, person, common, tabs))

    def leave(self) -> None:
        """Everybody goes."""
        for desk in self.desks:
            desk.visitor.context.close()

    # --- acting ---------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """The next step of the script."""
        self.step += 1
        dice = random.Random(f"{self.seed}/{self.step}")
        if self.strikes and dice.random() < 1 / STRIKES_ONE_IN:
            self.rough.add("")
            self.ledger.doubt()
            self.last.append(f"{self.step} {self.outside.strike(dice)}")
        desk = dice.choice(self.desks)
        tab = dice.choice(desk.tabs)
        table = acts.OFFLINE if desk.offline else acts.ACTS
        [act] = dice.choices(list(table), list(table.values()))
        self.perform(act, desk, tab, dice)
        self.outside.step()

    def perform(self, act: Act, desk: Desk, tab: Page, dice: random.Random) -> None:
        """One act of somebody at one of their tabs, and what came of it."""
        rough = bool(self.rough & {"", desk.person.user}) or desk.offline
        scene = Scene(desk, tab, dice, self.desks, self.ledger, self.step, rough)
        who, name, came = desk.name_of(tab), act.__name__.replace("_", " "), "done"
        began = time.monotonic()
        try:
            desk.come_in(tab)
            desk.clear(tab)
            act(scene)
        except Impossible as why:
            came = f"not now: {why}"
        except Wrong as wrong:
            came = f"wrong: {wrong}"
            self.find(Finding(WRONG, f"{who}, {name}", wrong.expected, wrong.there), scene.tab)
        except (PlaywrightError, AssertionError) as error:
            came = f"could not: {str(error).splitlines()[0]}"
            if not rough:
                self.find(Finding(COULD_NOT, f"{who}, {name}", "it to be possible", str(error)), scene.tab)
        if desk.offline:
            self.rough.add(desk.person.user)
            self._without_network(desk, name)
        self.done[name if came == "done" else f"{came.split(':')[0]}"] += 1
        took_s = time.monotonic() - began
        self.last.append(f"{self.step} {who}: {name} {'; '.join(scene.notes)} [{came}, {took_s:.1f} s]")

    def _without_network(self, desk: Desk, name: str) -> None:
        for tab in desk.tabs:
            if desk.state(tab) == "synced":
                self.find(Finding(GREEN, f"{desk.name_of(tab)} after {name}", "no green mark", "'In sync'"), tab)

    # --- looking --------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Everybody comes to rest, and all that must hold is looked at."""
        self.rest()
        for desk in self.desks:
            for tab in desk.tabs:
                desk.clear(tab)  # what an act left open that could not go on
        if self.planted:
            for desk in self.desks[1:2]:
                desk.tabs[0].evaluate(TAMPER)
        dice = random.Random(f"{self.seed}/look {self.step}")
        room = dice.choice(sorted({room for desk in self.desks for room in desk.badges(desk.tabs[0])}))
        deadline, walked = time.monotonic() + HOLDS_WITHIN_S, list(self._walks(room))
        while found := judge(self.seen(walked)):
            if time.monotonic() > deadline:
                break
            if any("(all of it)" in finding.who for finding in found):
                walked = list(self._walks(room))
            self.desks[0].tabs[0].wait_for_timeout(500)
        for finding in found:
            self.find(finding, self._tab_of(finding))
        self.troubles()
        self.rough.clear()

    def seen(self, walked: list[Shown] | None = None) -> Look:
        """What pages show now, and what the service tells."""
        places = [(desk, tab) for desk in self.desks for tab in desk.tabs]
        shown = [desk.shown(tab) for desk, tab in places]
        badges = {(desk.name_of(tab), desk.person.user): desk.badges(tab) for desk, tab in places}
        logs = {key: log for desk in self.desks for key, log in service.logs(desk.person).items()}
        sent = list(self.ledger.sent.values())
        return Look([*shown, *(walked or [])], logs, sent, badges, self.ledger.wishes)

    def _walks(self, room: str) -> Iterator[Shown]:
        for desk in self.desks:
            tab = desk.tabs[0]
            if room not in desk.badges(tab):
                continue
            desk.go(tab, room)
            until(lambda: self._rests(desk, tab), REST_WITHIN_S, f"{room} is there")  # noqa: B023
            shown = desk.walk(tab)
            yield Shown(**{**shown.__dict__, "page": f"{shown.page} (all of it)", "from_start": True})

    def rest(self) -> None:
        """Waits until nothing is away and every page says that nothing is missing."""
        for desk in self.desks:
            if desk.offline:
                acts.go_online(self._scene(desk))
        self.outside.well()
        deadline = time.monotonic() + REST_WITHIN_S
        while restless := [(desk, tab) for desk in self.desks for tab in desk.tabs if not self._rests(desk, tab)]:
            if time.monotonic() > deadline:
                for desk, tab in restless:
                    said = desk.state(tab) or "no mark"
                    self.find(Finding(RESTLESS, desk.name_of(tab), f"in sync within {REST_WITHIN_S} s", said), tab)
                return
            restless[0][1].wait_for_timeout(200)

    def _scene(self, desk: Desk) -> Scene:
        return Scene(desk, desk.tabs[0], random.Random(0), self.desks, self.ledger, self.step, True)

    def _rests(self, desk: Desk, tab: Page) -> bool:
        try:
            desk.come_in(tab)
        except Impossible:
            return False
        again = tab.get_by_role("main").get_by_role("button", name="Try again", exact=True)
        for failed in tab.evaluate(FAILED):
            self._not_sent(desk, tab, failed)
        if not desk.state(tab) and again.is_visible():
            again.click()
        return desk.state(tab) == "synced"

    def _not_sent(self, desk: Desk, tab: Page, failed: dict[str, str]) -> None:
        """A page says that a message was not sent: so it may be in no log."""
        self.find(Finding(NOT_SENT, desk.name_of(tab), "it sent", failed["why"]), tab)
        article = tab.locator(f'main article[data-client-id="{failed["client_id"]}"]')
        article.get_by_role("button", name="Delete", exact=True).click()
        self.ledger.sent.pop(failed["client_id"], None)

    def troubles(self) -> None:
        """What stood on a console, was asked or fetched, and what the product's log has of tracebacks."""
        for desk in self.desks:
            for kind, said in ((TROUBLE, desk.visitor.troubles), (CRASHED, desk.crashed)):
                for each in said:
                    self.find(Finding(kind, desk.person.name, "nothing", each), desk.tabs[0])
                said.clear()
        for traceback in self.logs.tracebacks():
            self.find(Finding(TRACEBACK, "the product", "none in its log", traceback), self.desks[0].tabs[0])

    def weigh(self, grown: bool) -> str:
        """Megabytes and nodes of each page; with `grown`, compared with the most that there were before."""
        said = []
        for desk in self.desks:
            for tab in desk.tabs:
                name, weight = desk.name_of(tab), desk.weight(tab)
                said.append(f"{weight[0]:.0f} MB {weight[1]:,}")
                before = self.weights.setdefault(name, [])
                if not grown or not before:
                    before.append(weight)
                    continue
                most = [max(figures) for figures in zip(LIGHT, *before, strict=True)]
                for what, now, was in zip(("MB", "nodes"), weight, most, strict=True):
                    if now > GROWS_AT_MOST * was:
                        self.find(Finding(GROWTH, name, f"at most {GROWS_AT_MOST} × {was} {what}", f"{now}"), tab)
        return ", ".join(said)

    # --- telling --------------------------------------------------------------------------------------------------

    def _tab_of(self, finding: Finding) -> Page:
        named = [tab for desk in self.desks for tab in desk.tabs if finding.who.startswith(desk.name_of(tab))]
        theirs = [desk.tabs[0] for desk in self.desks if desk.person.user in finding.who.casefold()]
        return [*named, *theirs, self.desks[0].tabs[0]][0]

    def story(self) -> str:
        """What was found, and what was done before, for who must understand it."""
        return "\n".join([f"seed {self.seed}", *map(str, self.findings), *self.last])

    def find(self, finding: Finding, tab: Page) -> None:
        """Keeps what does not hold, once: with a picture and the last acts."""
        if finding in self.findings:
            return
        self.findings.append(finding)
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{self.seed}-{self.step}-{len(self.findings)}"
        head = f"seed {self.seed}, step {self.step}: {finding}"
        path.with_suffix(".txt").write_text("\n".join([head, "", *self.last, ""]))
        try:
            tab.screenshot(path=path.with_suffix(".png"), timeout=10_000)
        except PlaywrightError as error:
            self.tell(f"no picture: {str(error).splitlines()[0]}")
        self.tell(f"!! {head[:1_500]}\n   {path}.txt")

    def tell(self, text: str) -> None:
        if not self.quiet:
            print(text, flush=True)


def run(options: argparse.Namespace, folder: Path) -> Run:
    """The script of a seed for so many minutes."""
    with ExitStack() as stack:
        parley = Parley(folder / "data", WORKERS="2")
        stack.callback(_keep_log, folder, options.seed)
        stack.enter_context(parley)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        stack.callback(browser.close)
        this = Run(parley, browser, options.seed, not options.calm, options.planted)
        this.sit_down()
        stack.callback(this.leave)
        began = time.monotonic()
        ends, third = began + options.minutes * 60, began + options.minutes * 20
        this.tell(f"seed {options.seed}: {options.minutes:g} minutes, {parley.url}")
        while time.monotonic() < ends and len(this.findings) < ENOUGH:
            until_ = min(ends, time.monotonic() + options.look)
            while time.monotonic() < until_ and len(this.findings) < ENOUGH:
                this.act()
            try:
                this.look()
            except (PlaywrightError, AssertionError) as error:
                this.find(
                    Finding(COULD_NOT, "everybody, looking", "it to be possible", str(error)), this.desks[0].tabs[0]
                )
            minutes = (time.monotonic() - began) / 60
            weights = this.weigh(time.monotonic() > third)
            this.tell(f"{minutes:5.1f} min, step {this.step}, {len(this.ledger.sent)} written: {weights}")
    return this


def _keep_log(folder: Path, seed: int) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "data.stderr", OUT / f"{seed}.product.log")


def report(this: Run) -> str:
    """What was done, what happened, and what was found."""
    did = ", ".join(f"{number} {name}" for name, number in sorted(this.done.items()))
    happened = ", ".join(f"{number} {name}" for name, number in sorted(Counter(this.outside.happened).items()))
    kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(each.kind for each in this.findings).items())
    return (
        f"{this.step} acts, {len(this.ledger.sent)} messages: {did}\nfrom outside: {happened or 'nothing'}\n"
        f"seed {this.seed}: {len(this.findings)} findings{': ' if kinds else ''}{kinds}"
    )


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.browsers", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--look", type=float, default=60, help="seconds of work between two looks")
    parser.add_argument("--calm", action="store_true", help="nothing happens from outside")
    parser.add_argument("--planted", action="store_true", help="a message at the phone is tampered with: to be found")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = arguments(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left running
    with tempfile.TemporaryDirectory(prefix="browsers-") as folder:
        this = run(options, Path(folder))
    print(report(this))
    return 1 if this.findings else 0
