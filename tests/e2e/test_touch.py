"""On a phone Back closes what is open, no keyboard comes unasked, and nothing lies over what is read."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
FIELD = "/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)"
TAKES = """element => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return element.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
}"""
COVERED = """element => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return !(element.contains(at) || at?.contains(element));
}"""

MIDDLE_OF_TIME = """article => {
    const [time, all] = [article.querySelector("time"), article].map(each => each.getBoundingClientRect());
    return [(time.left + time.right) / 2 - all.left, (time.top + time.bottom) / 2 - all.top];
}"""


def touch(one: Locator) -> None:
    """A tap, when the list takes it: one that has just been scrolled does not, for a moment, and a tap that waits for
    that scrolls it elsewhere."""
    one.evaluate("element => element.scrollIntoView({ block: 'nearest' })")
    one.page.wait_for_function(TAKES, arg=one.element_handle())
    one.tap()


def is_covered(one: Locator) -> bool:
    return one.evaluate(COVERED)


@pytest.fixture
def phone(two, visitor):
    ada, grace = two
    room = ada.room("pocket", grace)
    ada.room("W" * 40)
    for number in range(30):
        grace.say(room, f"line {number}")
    guest = visitor(**PHONE)
    guest.enter(grace)
    guest.page.goto(f"/r/{room}")
    guest.in_sync()
    return guest


def test_back_closes_what_is_open_and_only_that(phone):
    page = phone.page
    address = page.url
    dialog = page.locator("dialog[open]")
    page.get_by_role("button", name=re.compile("^Rooms")).click()
    search = page.get_by_role("button", name="Go to…")
    expect(search).to_be_visible()
    page.go_back()
    expect(search).to_be_hidden()
    page.get_by_role("button", name=re.compile("^Rooms")).click()
    search.click()
    expect(dialog).to_be_visible()
    assert not page.evaluate(FIELD), "the keyboard covers the list"
    joins = dialog.get_by_role("option", name=re.compile("^W+")).locator("small")
    width = page.viewport_size["width"]  # type: ignore[index]
    assert all(box["x"] + box["width"] <= width for box in [each.bounding_box() for each in joins.all()])
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="People").click()
    expect(dialog).to_be_visible()
    assert not page.evaluate(FIELD)
    page.go_back()
    expect(dialog).to_have_count(0)
    assert page.url == address

    # From the sheet into a room: Back leads to the room before, not to the sheet.
    page.get_by_role("button", name=re.compile("^Rooms")).click()
    page.get_by_role("link", name="General").click()
    expect(page).to_have_url(re.compile("/r/general$"))
    page.go_back()
    expect(page).to_have_url(address)
    expect(search).to_be_hidden()


def test_enter_is_a_new_line_and_a_touched_message_shows_its_time_and_actions_over_nothing(phone):
    page = phone.page
    phone.composer.tap()
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    page.get_by_role("button", name="Send").tap()
    expect(page.get_by_test_id("message-text").last).to_have_text("one\ntwo")

    line = phone.message("line 28")
    line.get_by_test_id("message-text").tap()
    actions = line.get_by_role("group", name="Message actions")
    expect(actions).to_be_visible()
    expect(line.locator("time").last).to_be_visible()
    assert not is_covered(line.get_by_test_id("message-text"))
    for neighbour in ("line 27", "line 29"):
        assert not is_covered(phone.message(neighbour).get_by_test_id("message-text"))

    # Scrolled up, the pill to the newest stands over the log, and not over the question.
    page.get_by_role("log").evaluate("log => log.scrollBy(0, -400)")
    pill = page.get_by_role("button", name=re.compile("To the newest"))
    expect(pill).to_be_visible()
    lowest = phone.message("line 14")
    lowest.evaluate("element => element.scrollIntoView({ block: 'end' })")
    touch(lowest.get_by_test_id("message-text"))
    touch(lowest.get_by_role("button", name="Delete"))
    for button in ("Delete it", "Keep it"):
        expect(lowest.get_by_role("button", name=button)).to_be_visible()
        assert not is_covered(lowest.get_by_role("button", name=button))
    page.go_back()
    expect(lowest.get_by_role("button", name="Delete it")).to_have_count(0)
    expect(lowest).to_be_visible()

    # A touch on the time beside the name is one of the message, and leads nowhere.
    page.get_by_role("log").evaluate("log => log.scrollTo(0, 0)")
    first = phone.message("line 0")
    expect(first.locator("time")).to_be_in_viewport()
    x, y = first.evaluate(MIDDLE_OF_TIME)
    first.tap(position={"x": x, "y": y})
    expect(first.locator("time")).to_have_count(2)
    expect(page).not_to_have_url(re.compile(r"/\d+$"))
