"""How soon the chat and its panels are there: `python -m bench.page_open [ROUNDS]`.

This build's page and that of the commit before it was asked for, in one Chromium, against one server, in turn, with
empty caches. In milliseconds by the page's own clock: from the address to the first content and to "in sync"; and, of
panels that nobody has opened yet, from the press to the dialog.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.page_cost import ARGUMENTS, page_of, serve
from tests.e2e.browser import CHROMIUM, Visitor
from tests.e2e.parley import Parley
from tests.runtime.running import ROOT

BEFORE = "3c811b2"
ROUNDS = 9
PANELS = ("Browse rooms", "Keys")
# When the page said first that it is in sync.
WATCH = """new MutationObserver(() => {
  if (!window.synced && document.querySelector("[data-testid=sync-mark][data-state=synced]")) {
    window.synced = performance.now();
  }
}).observe(document, { subtree: true, childList: true, attributes: true })"""
OPENED = """() => {
  const painted = performance.getEntriesByName("first-contentful-paint");
  return [painted[0].startTime, window.synced];
}"""
PRESSED = """(label) => new Promise((resolve) => {
  const began = performance.now();
  const look = () => document.querySelector("dialog[open]") ? resolve(performance.now() - began) : setTimeout(look, 1);
  document.querySelector(`button[aria-label="${label}"]`).click();
  look();
})"""


def opened(parley: Parley, browser: Browser, dist: Path) -> dict[str, float]:
    """What it took somebody with a new browser."""
    visitor = Visitor(parley, browser, expected=".", service_workers="block")
    visitor.context.route("**/*", lambda route: serve(dist, route))
    visitor.context.add_init_script(WATCH)
    visitor.enter(parley.person("Reader"))
    visitor.page.wait_for_timeout(500)
    first, synced = visitor.page.evaluate(OPENED)
    took = {"first content": first, "in sync": synced}
    for label in PANELS:
        took[label] = visitor.page.evaluate(PRESSED, label)
        visitor.page.keyboard.press("Escape")
    visitor.close()
    return took


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright, Parley(Path(name) / "data") as parley:
        builds = {BEFORE: page_of(BEFORE, Path(name)), "now": ROOT / "frontend" / "dist"}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found: dict[str, list[dict[str, float]]] = {build: [] for build in builds}
        for _ in range(rounds + 1):  # the first of each warms the browser up
            for build, dist in builds.items():
                found[build].append(opened(parley, browser, dist))
        version = browser.version
        browser.close()
    print(f"medians of {rounds} interleaved rounds, Chromium {version}; {os.cpu_count()} cores; ms")
    print(f"  {'':16}" + "".join(f"{build:>10}" for build in builds) + f"{'sooner':>10}")
    for part in found["now"][0]:
        before, now = (statistics.median(took[part] for took in each[1:]) for each in found.values())
        print(f"  {part:16}{before:10.0f}{now:10.0f}{before / now:8.1f} ×")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
