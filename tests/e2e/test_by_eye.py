"""What only a browser shows of a page: how large things are, what the clipboard has, who is where at which moment."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import REFUSALS
from tests.e2e.browsers.desk import PHONE

LONG = "The weekly meeting of the garden committee"
TOUCH_PX = 44


def box(locator) -> dict:
    return locator.bounding_box() or {}


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_a_long_name_of_a_room_takes_no_room_from_the_buttons_nor_a_second_line_of_the_field(
    parley, visitor, width
):
    ada = parley.person("Ada")
    guest = visitor(**PHONE)
    guest.page.set_viewport_size({"width": width, "height": 700})
    guest.enter(ada)
    one_line = box(guest.composer)["height"]
    guest.page.goto(f"/r/{ada.room(LONG, kind='private')}")
    guest.in_sync()
    header = guest.page.locator("main > header")
    for name in ("Rooms", "People"):
        button = box(header.get_by_role("button", name=re.compile(f"^{name}")))
        assert (round(button["width"]), round(button["height"])) == (TOUCH_PX, TOUCH_PX), name
        assert button["x"] >= 0 and button["x"] + button["width"] <= width
    title = header.get_by_role("heading")
    assert title.evaluate("(h1) => h1.scrollWidth > h1.clientWidth && getComputedStyle(h1).textOverflow") == "ellipsis"
    assert box(guest.composer)["height"] == one_line
    header.get_by_role("button", name="People").click()
    close = box(guest.page.locator("dialog[open]").get_by_role("button", name="Close"))
    assert round(close["width"]) == TOUCH_PX and close["x"] + close["width"] <= width


def test_a_link_that_was_copied_is_on_the_clipboard_and_a_word_says_so(parley, two, visitor):
    ada, grace = two
    room = ada.room("links", grace)
    seq = ada.say(room, "to be linked")["seq"]
    guest = visitor(permissions=["clipboard-read", "clipboard-write"])
    guest.enter(grace, room)
    word = guest.page.get_by_role("status").filter(has_text="Link copied")
    for copy in (lambda: guest.page.keyboard.press("c"), lambda: guest.act("to be linked", "Copy link")):
        expect(word).to_have_count(0)
        guest.page.evaluate("navigator.clipboard.writeText('')")
        guest.message("to be linked").focus()
        copy()
        expect(word).to_be_visible()
        assert guest.page.evaluate("navigator.clipboard.readText()") == f"{parley.url}/r/{room}/{seq}"


def test_a_room_that_somebody_else_makes_is_there_when_browsing_is_opened_anew(two, visitor):
    ada, grace = two
    guest = visitor()
    guest.enter(ada)
    page = guest.page
    page.get_by_role("button", name="Browse rooms").click()
    expect(page.get_by_role("heading", name="Rooms you can join")).to_be_visible()
    page.keyboard.press("Escape")
    room = grace.room("made since")
    page.get_by_role("button", name="Browse rooms").click()
    expect(page.get_by_role("button", name=re.compile("^Join made since"))).to_be_visible()
    page.keyboard.press("Escape")
    another = grace.room("made later")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("made later")
    expect(page.get_by_role("option", name=re.compile("^made later"))).to_be_visible()
    page.keyboard.press("Escape")
    for made, name in ((room, "made since"), (another, "made later")):
        assert made
        expect(page.get_by_role("link", name=re.compile(name))).to_have_count(0)


def test_who_is_removed_reads_that_and_the_list_of_people_does_not_open_by_itself_when_invited_again(two, visitor):
    ada, grace = two
    room = ada.room("secret", grace, kind="private")
    ada.say(room, "hello")
    guest = visitor(REFUSALS)  # the open list of people is asked for once more
    guest.enter(grace, room)
    page = guest.page
    page.get_by_role("button", name="People").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    status, answer = ada.post(f"/api/rooms/{room}/remove", client_id="eye-removes-1", username=grace.user)
    assert status == 204, answer
    expect(page.get_by_text(re.compile(rf"You were removed from secret \d+ by {ada.name}\."))).to_be_visible()
    expect(page.locator("dialog[open]")).to_have_count(0)
    status, answer = ada.post(f"/api/rooms/{room}/invite", client_id="eye-invites-1", username=grace.user)
    assert status == 204, answer
    expect(page.get_by_text("You see what was said since you joined.")).to_be_visible()
    guest.in_sync()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(guest.composer).to_be_focused()
