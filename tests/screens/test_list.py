"""Every route and every dialog of the page is on the list of screens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.screens.run import is_at
from tests.screens.shots import SHOTS

SRC = Path(__file__).resolve().parents[2] / "frontend" / "src"
ROUTE = re.compile(r"<Route\b")
PATH = re.compile(r"""\bpath=(?:"([^"]+)"|\{\s*["'`]([^"'`]+)["'`]\s*\})""")
PANELS = re.compile(r"\btype Panel =([^;]+);")
DIALOG = re.compile(r"""<Dialog\b|<dialog\b|\bpopover\b=|\brole="(?:alert)?dialog"|\.showModal\(|\.showPopover\b""")
FRAMES = ("components/ui/Dialog.tsx", "components/ui/PanelBoundary.tsx")  # what dialogs are made of, and a broken one

Source = Mapping[str, str]


@pytest.fixture(scope="module")
def source() -> Source:
    """The text of each file of the page, without its tests, by its path."""
    files = {str(file.relative_to(SRC)): file.read_text() for file in sorted(SRC.rglob("*.ts*"))}
    return {path: text for path, text in files.items() if ".test." not in path and not path.startswith("testing/")}


def places(source: Source) -> set[str]:
    """All that there is to see, as the list of screens calls it."""
    found = set()
    for path, text in source.items():
        for element in ROUTE.split(text)[1:]:
            match = PATH.search(element)
            assert match, f"{path} has a <Route> whose path cannot be read: {element[:80]!r}"
            found.add(f"route {match[1] or match[2]}")
        for panels in PANELS.findall(text):
            found |= {f"panel {name}" for name in re.findall(r'"([^"]+)"', panels)}
        if path not in FRAMES and DIALOG.search(text):
            found.add(f"dialog {Path(path).stem}")
    return found


def listed() -> set[str]:
    return {shown for shot in SHOTS for shown in shot.shows}


def test_every_route_panel_and_dialog_is_on_the_list(source: Source) -> None:
    missing = places(source) - listed()
    assert not missing, f"tests/screens/shots.py has no screen that shows: {', '.join(sorted(missing))}"


def test_the_list_names_nothing_that_is_no_longer_there(source: Source) -> None:
    gone = listed() - places(source)
    assert not gone, f"tests/screens/shots.py shows what the page does not have: {', '.join(sorted(gone))}"


def test_the_source_is_read(source: Source) -> None:
    """So the tests above cannot pass because nothing was found."""
    found = places(source)
    assert {"route /login", "route /r/:room/:seq?", "route *", "panel members", "dialog MembersPanel"} <= found
    assert {"dialog ReactionPalette", "dialog ReactionNames", "dialog SessionPanel"} <= found


ROOM_MISSING, APP = "app/RoomMissing.tsx", "app/App.tsx"


@pytest.mark.parametrize(
    ("file", "before", "added", "place"),
    [
        (APP, '<Route path="*"', '<Route path="/d/:user" element={chat} />', "route /d/:user"),
        (APP, '<Route path="*"', '<Route element={chat} path="/for-me" />', "route /for-me"),
        (APP, '<Route path="*"', "<Route\n  path={'/search'}\n  element={chat}\n/>", "route /search"),
        ("app/panels.ts", '"leaving";', '"search" | ', "panel search"),
        (ROOM_MISSING, "<Link ", '<Dialog title="Ask" onClose={go}>…</Dialog>', "dialog RoomMissing"),
        (ROOM_MISSING, "<Link ", '<div popover="auto">…</div>', "dialog RoomMissing"),
        (ROOM_MISSING, "<Link ", "<dialog open>…</dialog>", "dialog RoomMissing"),
    ],
)
def test_what_is_new_in_the_page_is_missing_from_the_list(
    source: Source, file: str, before: str, added: str, place: str
) -> None:
    assert before in source[file]
    changed = {**source, file: source[file].replace(before, added + before)}
    assert places(changed) - listed() == {place}


@pytest.mark.parametrize(
    ("path", "route", "is_there"),
    [
        ("/login", "/login", True),
        ("/register", "/login", False),
        ("/r/design", "/r/:room/:seq?", True),
        ("/r/design/12", "/r/:room/:seq?", True),
        ("/r/design/12/more", "/r/:room/:seq?", False),
        ("/r", "/r/:room/:seq?", False),
        ("/nowhere/at/all", "*", True),
    ],
)
def test_a_path_is_told_by_its_route(path: str, route: str, is_there: bool) -> None:
    assert is_at(path, route) is is_there
