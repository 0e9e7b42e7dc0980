"""The focus is never lost, and whoever listens hears what others see."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.runtime.running import until

PHONE = {"width": 390, "height": 844}
OPENERS = {
    "People": "main",
    "Browse rooms": "aside",
    "New room": "aside",
    "Your account": "aside",
    "Keys": "aside",
}


def focused(page: Page) -> str:
    """The name of what has the focus."""
    return page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")


def dialog(page: Page):
    return page.locator("dialog[open]")


def test_every_dialog_gives_the_focus_back(parley, two, visitor):
    ada, grace = two
    room = ada.room("focus", grace)
    guest = visitor()
    guest.enter(ada, room)
    page = guest.page
    for name, where in OPENERS.items():
        button = page.locator(where).get_by_role("button", name=re.compile(f"^{name}"))
        for way in ("Escape", "Close"):
            button.focus()
            page.keyboard.press("Enter")
            expect(dialog(page)).to_be_visible()
            if way == "Escape":
                page.keyboard.press("Escape")
            else:
                dialog(page).get_by_role("button", name="Close", exact=True).click()
            expect(dialog(page)).to_have_count(0)
            expect(button).to_be_focused()
    guest.composer.focus()
    page.keyboard.press("Control+k")
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(guest.composer).to_be_focused()


def test_escape_at_a_question_answers_the_question_only(parley, two, visitor):
    ada, grace = two
    room = ada.room("questions", grace)
    ada.say(room, "mine")
    guest = visitor()
    guest.enter(ada, room)
    page = guest.page
    guest.message("mine").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Delete it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete it")).to_have_count(0)
    expect(guest.message("mine")).to_be_focused()
    page.get_by_role("button", name="People").click()
    page.get_by_role("button", name="Leave room").click()
    expect(page.get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Leave room")).to_be_visible()
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)


def test_on_a_phone_the_sheet_of_rooms_takes_the_focus_and_escape_closes_it(parley, visitor):
    ada = parley.person("Ada")
    guest = visitor(viewport=PHONE)
    guest.enter(ada)
    page = guest.page
    button = page.get_by_role("button", name=re.compile("^Rooms"))
    for leave in ("document.activeElement.blur()", "0"):
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("complementary").get_by_role("button", name="Close rooms")).to_be_focused()
        page.evaluate(leave)
        page.keyboard.press("Escape")
        expect(page.get_by_role("navigation", name="Rooms")).not_to_be_visible()
        expect(button).to_be_focused()


def test_shift_tab_from_the_message_field_is_the_newest_message_and_arrows_say_all_of_each(parley, two, visitor):
    ada, grace = two
    room = ada.room("listening", grace)
    grace.say(room, "the first, with https://example.org and https://example.com")
    newest = grace.say(room, "the newest, with https://example.org")
    guest = visitor()
    guest.enter(ada, room)
    page = guest.page
    guest.composer.focus()
    page.keyboard.press("Shift+Tab")
    expect(guest.message("the newest, with https://example.org")).to_be_focused()
    assert re.fullmatch(r"Grace\d+, .*[AP]M\. the newest, with https://example\.org", focused(page))
    page.keyboard.press("+")
    page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    guest.message("the newest, with https://example.org").focus()
    expect(guest.message("the newest, with https://example.org")).to_have_accessible_name(
        re.compile("Reactions: .+ 1, yours too")
    )
    page.keyboard.press("ArrowUp")
    expect(page.locator(f'[data-seq="{newest["seq"] - 1}"]')).to_be_focused()
    assert "the first, with" in focused(page)
    page.keyboard.press("Tab")  # into the message, and from its link on to the next by an arrow
    page.keyboard.press("ArrowDown")
    expect(page.locator(f'[data-seq="{newest["seq"]}"]')).to_be_focused()
    page.get_by_role("link", name="To the messages").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-seq="{newest["seq"]}"]')).to_be_focused()


SAID = """() => {
  window.said = [];
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) said.push(node.textContent);
  }).observe(document.querySelector('[data-testid="announcer"]'), { childList: true });
}"""


def test_what_others_say_is_announced_once_each_the_same_words_and_other_rooms_too(parley, two, visitor):
    ada, grace = two
    here, there = ada.room("here", grace), ada.room("there", grace)
    guest = visitor()
    guest.enter(ada, here)
    expect(guest.page.get_by_role("link", name=re.compile("there"))).to_be_visible()
    expect(guest.page.get_by_test_id("announcer")).to_be_attached()
    guest.page.evaluate(SAID)
    for _ in range(3):
        grace.say(here, "+1")
    grace.say(there, f"@{ada.name} look")
    ada.say(here, "mine")
    until(lambda: guest.page.evaluate("said.length") >= 4, 60, "four are announced")
    guest.sees(["+1", "+1", "+1", "mine"])
    said = guest.page.evaluate("said")
    assert said[:3] == [f"{grace.name}: +1"] * 3
    assert re.fullmatch(rf"{grace.name} mentioned you in there \d+: @{ada.name} look", said[3]) and len(said) == 4
