"""For fingers: whatever can be pressed is 44 px wide and high, or takes what is pressed that far around it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.test_touch import PHONE, touch

# Links within a message are letters of it. What is two pixels large is not for the eye, nor for a finger.
SMALL = """() => {
    const NEAR = 21;
    const root = [...document.querySelectorAll("dialog[open], :popover-open")].at(-1) ?? document;
    const targets = [...root.querySelectorAll("button, a[href], input, select, textarea, [role=option]")];
    const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("[inert]")
        && getComputedStyle(one).pointerEvents !== "none" && one.offsetWidth > 2
        && !one.closest("[data-testid=message-text]");
    const small = [];
    const shown = targets.filter(seen);
    for (const one of shown) {
        const whole = one.labels?.length && /radio|checkbox/.test(one.type) ? one.labels[0] : one;
        whole.scrollIntoView({ block: "center" });
        const { left, right, top, bottom, width, height } = whole.getBoundingClientRect();
        if (width >= 43.5 && height >= 43.5) continue;
        const [x, y] = [(left + right) / 2, (top + bottom) / 2];
        const takes = (dx, dy) => whole.contains(document.elementFromPoint(x + dx, y + dy));
        if ([[0, -NEAR], [0, NEAR], [-NEAR, 0], [NEAR, 0]].every(([dx, dy]) => takes(dx, dy))) continue;
        small.push(`${one.tagName} ${one.ariaLabel ?? one.textContent}: ${Math.round(width)} x ${Math.round(height)}`);
    }
    return [shown.length, small];
}"""


def test_every_target_is_large_enough_for_a_finger(parley, visitor):
    ada, grace = parley.person("Ada"), parley.person("Grace")
    room = grace.room("fingers", ada)
    ada.room("to join")
    ada.say(room, "see https://example.org for more")
    grace.say(room, "word\n" * 60)
    guest = visitor(**PHONE)
    page = guest.page
    found: dict[str, list[str]] = {}
    counts: dict[str, int] = {}

    def look(screen: str) -> None:
        counts[screen], found[screen] = page.evaluate(SMALL)

    for path in ("/login", "/register"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        look(path)
    guest.enter(grace, room)
    line = guest.message("see https://example.org for more")
    touch(line.locator("strong"))
    touch(line.get_by_role("button", name="Add reaction"))
    palette = page.get_by_role("dialog", name="Pick a reaction")
    expect(palette).to_be_visible()
    look("reactions")
    palette.get_by_role("button", name="Rocket").tap()
    expect(line.get_by_role("group", name="Reactions").get_by_role("button")).to_be_visible()
    touch(line.get_by_role("button", name="Reply"))
    guest.composer.fill("an answer")
    page.get_by_role("button", name="Send").tap()
    answer = guest.message("an answer")
    expect(answer).to_have_attribute("data-state", "sent")
    touch(line.locator("strong"))
    touch(line.get_by_role("button", name="Reply"))
    look("room")
    touch(answer.locator("strong"))
    touch(answer.get_by_role("button", name="Edit"))
    expect(page.get_by_role("textbox", name="Edit text")).to_be_visible()
    look("edit")
    page.get_by_role("button", name="Cancel").tap()
    touch(answer.locator("strong"))
    touch(answer.get_by_role("button", name="Delete"))
    expect(page.get_by_role("button", name="Keep it")).to_be_visible()
    look("delete")
    page.get_by_role("button", name="Keep it").tap()
    page.get_by_role("button", name="People").tap()
    expect(page.get_by_role("button", name=f"Remove {ada.name}")).to_be_visible()
    page.get_by_role("button", name=f"Remove {ada.name}").tap()
    page.get_by_role("button", name="Leave room").tap()
    expect(page.get_by_role("button", name="Leave it")).to_be_visible()
    look("people")
    back(page)
    for name, seen in {
        "Go to…": page.get_by_role("option").first,
        "Browse rooms": page.get_by_role("button", name=re.compile("^Join to join")).first,
        "New room": page.get_by_role("button", name="Create room"),
        "Your account": page.get_by_role("list", name="Your devices").get_by_role("listitem").first,
    }.items():
        page.get_by_role("button", name=re.compile("^Rooms")).tap()
        expect(page.get_by_role("button", name="Go to…")).to_be_visible()
        if name == "Go to…":
            look("rooms")
        page.get_by_role("button", name=name).tap()
        expect(seen).to_be_visible()
        look(name)
        back(page)
    page.goto("/r/nowhere-at-all")
    expect(page.get_by_role("link", name="Go to General")).to_be_visible()
    look("missing")
    assert {screen: small for screen, small in found.items() if small} == {}
    assert min(counts.values()) >= 2, counts


def back(page: Page) -> None:
    for _ in range(3):
        if page.locator("dialog[open]").count() == 0:
            break
        page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
