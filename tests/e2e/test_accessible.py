"""axe finds nothing: every screen, light and dark, on a desk and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def findings(page) -> list[str]:
    """What axe objects to, a line each. The script comes in through the debugger, which no CSP stands in the way of."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(RUN)
    return [f"{v['id']} ({v['impact']}): {node['target']} {node['html'][:160]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(parley, visitor, scheme, size):
    person, other = parley.person("Ada"), parley.person("Grace")
    room = person.room("accessible", other)
    person.say(room, "A message with a link to https://example.org and more.")
    other.say(room, "\N{WAVING HAND SIGN}")
    other.act(room, "leave")
    guest = visitor(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    found = {}
    for path in ("/login", "/register"):
        guest.page.goto(path)
        expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
        found[path] = findings(guest.page)
    guest.sign_in(person.name, f"/login?next=/r/{room}")
    guest.message("\N{WAVING HAND SIGN}").focus()
    guest.page.keyboard.press("+")
    guest.page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    reaction = guest.page.get_by_role("group", name="Reactions").get_by_role("button")
    reaction.focus()
    expect(guest.page.get_by_role("tooltip")).to_be_visible()
    found["chat"] = findings(guest.page)
    guest.message("\N{WAVING HAND SIGN}").focus()
    guest.page.keyboard.press("+")
    expect(guest.page.get_by_role("dialog")).to_be_visible()
    found["reactions"] = findings(guest.page)
    guest.page.keyboard.press("Escape")
    guest.page.get_by_role("button", name="People").click()
    expect(guest.page.get_by_role("dialog")).to_be_visible()
    found["people"] = findings(guest.page)
    guest.page.keyboard.press("Escape")
    if size == PHONE:
        guest.page.get_by_role("button", name="Rooms").click()
    guest.page.get_by_role("button", name="Your account").click()
    expect(guest.page.get_by_role("list", name="Your devices").get_by_role("listitem")).not_to_have_count(0)
    found["account"] = findings(guest.page)
    assert found == {screen: [] for screen in found}


def test_axe_would_find_something(parley, visitor):
    """So the test above can fail."""
    guest = visitor()
    guest.page.goto("/login")
    expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
    guest.page.evaluate("document.querySelector('label').remove()")
    guest.page.evaluate("document.querySelector('input').removeAttribute('aria-label')")
    assert any("label" in line for line in findings(guest.page))
