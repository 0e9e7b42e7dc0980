"""axe finds nothing: every screen, light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RUN = "async ([place, rules]) => (await axe.run(place, {resultTypes: ['violations'], rules})).violations"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def findings(page: Page, place: str = ":root", without: Sequence[str] = ()) -> list[str]:
    """What axe objects to there by all its rules but some, a line each. The script comes in through the debugger, which
    no CSP stands in the way of."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(RUN, [place, {rule: {"enabled": False} for rule in without}])
    return [f"{v['id']} ({v['impact']}): {node['target']} {node['html'][:160]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(parley, visitor, size):
    person, other = parley.person("Ada"), parley.person("Grace")
    room = person.room("accessible", other)
    person.say(room, "A message with a link to https://example.org and more.")
    other.say(room, "\N{WAVING HAND SIGN}")
    other.act(room, "leave")
    guest = visitor(viewport=size, reduced_motion="reduce")
    found, backgrounds = {}, set()

    def look(screen: str) -> None:
        """Here, in the light and in the dark: only style sheets ask which it is."""
        for scheme in ("light", "dark"):
            guest.page.emulate_media(color_scheme=scheme)
            backgrounds.add((scheme, guest.page.evaluate("getComputedStyle(document.body).backgroundColor")))
            found[screen, scheme] = findings(guest.page)

    for path in ("/login", "/register"):
        guest.page.goto(path)
        expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
        look(path)
    guest.enter(person, room)
    guest.message("\N{WAVING HAND SIGN}").focus()
    guest.page.keyboard.press("+")
    guest.page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    reaction = guest.page.get_by_role("group", name="Reactions").get_by_role("button")
    reaction.focus()
    expect(guest.page.get_by_role("tooltip")).to_be_visible()
    look("chat")
    guest.message("\N{WAVING HAND SIGN}").focus()
    guest.page.keyboard.press("+")
    expect(guest.page.get_by_role("dialog")).to_be_visible()
    look("reactions")
    guest.page.keyboard.press("Escape")
    guest.page.get_by_role("button", name="People").click()
    expect(guest.page.get_by_role("dialog")).to_be_visible()
    look("people")
    guest.page.keyboard.press("Escape")
    if size == PHONE:
        guest.page.get_by_role("button", name="Rooms").click()
    guest.page.get_by_role("button", name="Your account").click()
    expect(guest.page.get_by_role("list", name="Your devices").get_by_role("listitem")).not_to_have_count(0)
    look("account")
    assert found == {place: [] for place in found} and len(found) == 12
    assert len(backgrounds) == 2, "the same light, and the same dark, on each screen"
    assert len({colour for _, colour in backgrounds}) == 2


def test_axe_would_find_something(visitor):
    """So the test above can fail."""
    guest = visitor()
    guest.page.goto("/login")
    expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
    guest.page.evaluate("document.querySelector('label').remove()")
    guest.page.evaluate("document.querySelector('input').removeAttribute('aria-label')")
    assert any("label" in line for line in findings(guest.page))
