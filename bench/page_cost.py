"""What a message costs the page: `python -m bench.page_cost [ROUNDS [SECONDS]]`.

This build's page and that of the commit before it was asked for, in one Chromium, against one server, in turn. Somebody
else says ten messages a second, in the room that is open at its end and in one that is not; what the page does at rest
is taken off. Main thread: the processor's time of its tasks, and of the scripts, layouts and styles among them, as the
browser counts it, so that a busy machine changes little. Chromium: all its processes, in software what is painted too.
The open room is to cost at most half of what it did.
"""

from __future__ import annotations

import io
import mimetypes
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession, Route, expect, sync_playwright

from tests.e2e.browser import ARGS, CHROMIUM, Visitor
from tests.e2e.parley import Parley, Person
from tests.runtime.running import ROOT

BEFORE = "4a39cf2"
ROUNDS, SECONDS, EVERY_S = 3, 8.0, 0.1
HELD = 200  # messages that are there before
TIMES = 2.0
PARTS = {"main thread": "TaskDuration", "scripts": "ScriptDuration", "layouts": "LayoutDuration"}
PARTS |= {"styles": "RecalcStyleDuration"}
# What is answered here in the server's place is not taken for a page of this machine's, which may ask it.
ARGUMENTS = [*ARGS, "--disable-features=LocalNetworkAccessChecks"]
COUNTS = {"layouts counted": "LayoutCount", "styles counted": "RecalcStyleCount"}
WHERE = ("the open room", "another room")
TEXT = "As many words as people usually say at once in a chat, which is not very many."

Cost = dict[str, float]


def page_of(commit: str, folder: Path) -> Path:
    """The page as that commit has it built."""
    packed = subprocess.run(["git", "archive", commit, "frontend/dist"], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "frontend" / "dist"


def serve(dist: Path, route: Route) -> None:
    """The page from a folder; what it asks of the server goes there."""
    path = urlsplit(route.request.url).path
    if path.startswith(("/api/", "/config.json")):
        return route.continue_()
    file = dist / path.lstrip("/")
    file = file if file.is_file() else dist / "index.html"
    route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0] or "text/plain")


class Page:
    """Somebody at one of the two pages, for one turn."""

    def __init__(self, parley: Parley, browser: Browser, dist: Path, rooms: list[str]):
        person = parley.person("Reader")  # somebody new has read all there is, and so begins at the end
        for room in rooms:
            assert person.act(room, "join")[0] == 200
        self._visitor = Visitor(parley, browser, expected=".", service_workers="block")
        self._visitor.context.route("**/*", lambda route: serve(dist, route))
        self._visitor.enter(person, rooms[0])
        self._all: CDPSession = browser.new_browser_cdp_session()
        self._main = self._visitor.context.new_cdp_session(self._visitor.page)
        self._main.send("Performance.enable", {"timeDomain": "threadTicks"})

    def used(self) -> Cost:
        """Milliseconds since it began, and how often."""
        told = {each["name"]: each["value"] for each in self._main.send("Performance.getMetrics")["metrics"]}
        processes = self._all.send("SystemInfo.getProcessInfo")["processInfo"]
        used = {part: 1000 * told[name] for part, name in PARTS.items()}
        used["Chromium"] = 1000 * sum(each["cpuTime"] for each in processes)
        return used | {count: told[name] for count, name in COUNTS.items()}

    def rests(self, seconds: float) -> Cost:
        """What a second costs in which nothing is said."""
        before = self.used()
        time.sleep(seconds)
        return {part: (now - before[part]) / seconds for part, now in self.used().items()}

    def hears(self, person: Person, room: str, seconds: float, rest: Cost) -> Cost:
        """What each of ten messages a second costs, beyond what the page costs at rest."""
        many = int(seconds / EVERY_S)
        with ThreadPoolExecutor(4) as pool:
            before, began = self.used(), time.monotonic()
            said = []
            for n in range(many):
                said.append(pool.submit(person.say, room, f"{n}: {TEXT}"))
                time.sleep(max(0.0, began + (n + 1) * EVERY_S - time.monotonic()))
            last = max(each.result()["seq"] for each in said)
            self.heard(room, last)
            took, after = time.monotonic() - began, self.used()
        return {part: (after[part] - before[part] - took * rest[part]) / many for part in before}

    def heard(self, room: str, seq: int) -> None:
        """Waits until that message stands in the log where its room is open, and all is in sync."""
        if room in self._visitor.page.url:
            expect(self._visitor.page.locator(f'[data-seq="{seq}"]')).to_be_in_viewport()
        self._visitor.in_sync()

    def close(self) -> None:
        self._main.detach()
        self._all.detach()
        self._visitor.close()


def main(rounds: int, seconds: float) -> int:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright, Parley(Path(name) / "data") as parley:
        builds = {BEFORE: page_of(BEFORE, Path(name)), "now": ROOT / "frontend" / "dist"}
        speaker = parley.person("Speaker")
        rooms = [speaker.room(each) for each in ("Open", "Other")]
        for n in range(HELD):
            speaker.say(rooms[0], f"{n}: {TEXT}")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found: dict[str, dict[str, list[Cost]]] = {where: {build: [] for build in builds} for where in WHERE}
        for _ in range(rounds):
            for build, dist in builds.items():
                page = Page(parley, browser, dist, rooms)
                page.hears(speaker, rooms[0], 1.0, dict.fromkeys(page.used(), 0.0))  # warm
                rest = page.rests(2.0)
                for where, room in zip(WHERE, rooms, strict=True):
                    found[where][build].append(page.hears(speaker, room, seconds, rest))
                page.close()
        version = browser.version
        browser.close()
    return report(found, f"medians of {rounds} interleaved rounds of {seconds:.0f} s, Chromium {version}")


def report(found: dict[str, dict[str, list[Cost]]], how: str) -> int:
    """Tables of medians, in milliseconds of the processor a message; 1 when the goal is missed."""
    print(f"{how}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; a message")
    goal = 0.0
    for where, builds in found.items():
        print(f"  {where:18}" + "".join(f"{build:>10}" for build in builds) + f"{'less':>10}")
        for part in builds["now"][0]:
            before, now = (statistics.median(cost[part] for cost in costs) for costs in builds.values())
            ratio = before / now if now > 0 else float("inf")
            goal = ratio if (where, part) == (WHERE[0], "main thread") else goal
            print(f"    {part:16}{before:10.2f}{now:10.2f}{ratio:8.2f} ×")
    return 0 if goal >= TIMES else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(int(given[0]) if given else ROUNDS, float(given[1]) if len(given) > 1 else SECONDS))
