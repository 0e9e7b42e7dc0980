"""Takes a picture of every screen: `python -m tests.screens.run [--only NAME …] [--out data/screens]`.

`NAME` is a screen (`room`), or a screen in one state (`room.failing`). With `--trees` it keeps their accessibility
trees instead, in tests/screens/trees/, as they are now.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.browser import ARGS, CHROMIUM
from tests.e2e.parley import Parley
from tests.runtime.running import ROOT
from tests.screens import sample, sheet
from tests.screens.sample import Sample
from tests.screens.shots import BOTH, SHOTS, Shot
from tests.screens.stage import OPEN_DIALOG, SIZES, WITHIN_MS, Device, Stage


@dataclass
class Taken:
    """How many pictures there are, and what is wrong, a line for each screen that could not be reached."""

    pictures: int = 0
    failures: list[str] = field(default_factory=list)


class Chats(ExitStack):
    """Both products, each started when it is first asked for, in a folder that goes with them."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Sample] = {}
        self._locks = {"empty": threading.Lock(), "full": threading.Lock()}
        self._folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="screens-")))

    def empty(self) -> Sample:
        return self._get("empty", sample.empty)

    def full(self) -> Sample:
        return self._get("full", sample.full)

    def _get(self, name: str, fill: Callable[[Parley], Sample]) -> Sample:
        with self._locks[name]:
            if name not in self._made:
                parley = Parley(self._folder / name, **sample.SETTINGS)
                self.enter_context(parley)
                self._made[name] = fill(parley)
            return self._made[name]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for the thread that asks."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, "--force-color-profile=srgb"])
        yield browser
        browser.close()


def take(browser: Browser, device: Device, shots: Sequence[Shot], chats: Chats, out: Path) -> Taken:
    """The pictures of one device, light and dark, in each of its sizes."""
    taken = Taken()
    stage = Stage(browser, device, chats.empty, chats.full)
    for shot in shots:
        if device not in shot.devices:
            continue
        failed = False
        try:
            taken.pictures += _take(stage, shot, out)
        except Exception as error:
            failed = True
            taken.failures.append(f"{shot.title} ({device}): {str(error).strip() or type(error).__name__}")
        stage.clear(failed)
    return taken


def _take(stage: Stage, shot: Shot, out: Path) -> int:
    count = 0
    for at, size in enumerate(SIZES[stage.device]):
        if at == 0 or shot.anew:
            if at:
                stage.clear()
            stage.size = size
            shot.arrange(stage)
        else:
            stage.resize(size)
        for scheme in sheet.SCHEMES:
            stage.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            stage.settle()
            check(stage, shot)
            stage.page.screenshot(path=out / sheet.file_name(shot.title, size[0], scheme))
            count += 1
    stage.page.emulate_media(color_scheme="light")
    return count


# How far the page and a dialog can be scrolled: never sideways, and not down where the chat has the screen to itself.
SCROLLS = """() => {
    const page = document.documentElement;
    const dialogs = [...document.querySelectorAll('dialog[open]')];
    return {
        sideways: page.scrollWidth - innerWidth,
        down: document.querySelector('[role="log"]') ? page.scrollHeight - innerHeight : 0,
        "dialog sideways": Math.max(0, ...dialogs.map((dialog) => dialog.scrollWidth - dialog.clientWidth)),
    };
}"""


def check(stage: Stage, shot: Shot) -> None:
    """Fails when what the list says that a screen shows is not there, or the page scrolls away with it."""
    scrolls = {way: by for way, by in stage.page.evaluate(SCROLLS).items() if by > 0}
    assert not scrolls, f"the page scrolls away, in px: {scrolls}"
    for shown in shot.shows:
        kind, _, name = shown.partition(" ")
        if kind == "route":
            here = urlsplit(stage.asked if name == "*" else stage.page.url).path
            assert is_at(here, name), f"it is at {here}, which is not {name}"
        elif name == "rooms":
            expect(stage.page.locator("[data-rooms]")).to_be_visible(timeout=WITHIN_MS)
        else:
            expect(stage.page.locator(OPEN_DIALOG).first).to_be_visible(timeout=WITHIN_MS)


def is_at(path: str, route: str) -> bool:
    """Whether a path is one of a route, as the page's router writes it; `*` is any."""
    pattern = re.sub(r"/:\w+\?", "(/[^/]+)?", re.sub(r":\w+(?!\w*\?)", "[^/]+", route.replace("*", ".*")))
    return re.fullmatch(pattern, path) is not None


def run(shots: Sequence[Shot], out: Path, devices: Sequence[Device] = BOTH) -> Taken:
    """All pictures of these screens, in the folder `out`, and the contact sheet of all that are there."""
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with Chats() as chats, ThreadPoolExecutor(len(devices) + 2) as pool:
        if shots == SHOTS:
            for begin in (chats.empty, chats.full):
                pool.submit(begin)

        def one(device: Device) -> Taken:
            with chromium() as browser:
                return take(browser, device, shots, chats, out)

        parts = [future.result() for future in [pool.submit(one, device) for device in devices]]
    with chromium() as browser:
        sheet.photograph(browser, sheet.write(out, dict.fromkeys(shot.title for shot in [*SHOTS, *shots])))
    return Taken(sum(part.pictures for part in parts), [line for part in parts for line in part.failures])


def chosen(names: Sequence[str]) -> list[Shot]:
    """The screens of these names, all when there are none. Raises: SystemExit for a name that is not on the list."""
    known = {shot.name for shot in SHOTS} | {shot.title for shot in SHOTS}
    if wrong := [name for name in names if name not in known]:
        raise SystemExit(f"There is no screen called {', '.join(wrong)}. There are: {', '.join(sorted(known))}.")
    return [shot for shot in SHOTS if not names or shot.name in names or shot.title in names]


def clean(out: Path) -> None:
    """Removes the pictures of an earlier run."""
    for picture in [*out.glob("*.png"), out / "index.html"]:
        picture.unlink(missing_ok=True)


def keep_trees(shots: Sequence[Shot], all_of_them: bool) -> int:
    from tests.screens import trees  # which goes to screens by what is here

    wrong = trees.write(shots, all_of_them)
    print(f"The trees of {len(trees.views(shots))} screens: {trees.FOLDER}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this screen; may be repeated")
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "screens", help="the folder (data/screens)")
    parser.add_argument("--trees", action="store_true", help="keep the accessibility trees anew, and take no picture")
    args = parser.parse_args(argv)
    shots = chosen(args.only)
    if args.trees:
        return keep_trees(shots, not args.only)
    if not args.only:
        clean(args.out)
    began = time.monotonic()
    taken = run(shots, args.out)
    took_s = time.monotonic() - began
    print(f"{taken.pictures} pictures of {len(shots)} screens in {took_s:.0f} s: {args.out / 'index.html'}")
    for failure in taken.failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if taken.failures else 0


if __name__ == "__main__":
    sys.exit(main())
