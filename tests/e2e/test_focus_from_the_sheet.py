"""On a phone dialogs open from the sheet of rooms, which is hidden by then: the focus is not lost with them."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.browsers.desk import PHONE


def test_a_dialog_that_the_sheet_opened_gives_the_focus_to_the_way_to_the_rooms(parley, visitor):
    guest = visitor(**PHONE)
    guest.enter(parley.person("Ada"))
    page = guest.page
    rooms = page.get_by_role("main").get_by_role("button", name=re.compile("^Rooms"))
    for opener in ("Go to", "Your account"):
        for _ in range(2):  # the second time its code is there already, and it opens before the sheet has closed
            rooms.click()
            page.get_by_role("complementary").get_by_role("button", name=re.compile(opener)).click()
            expect(page.locator("dialog[open]")).to_be_visible()
            expect(page.get_by_role("navigation", name="Rooms")).not_to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator("dialog[open]")).to_have_count(0)
            expect(rooms).to_be_focused(timeout=5_000)


def test_a_sheet_that_still_goes_out_of_sight_does_not_keep_the_focus(parley, visitor):
    guest = visitor(**PHONE)
    guest.enter(parley.person("Ada"))
    page = guest.page
    rooms = page.get_by_role("main").get_by_role("button", name=re.compile("^Rooms"))
    sheet = page.get_by_role("complementary")
    rooms.click()
    sheet.get_by_role("button", name="Browse rooms").click()
    page.keyboard.press("Escape")  # its code is there from now on
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(sheet).not_to_be_visible()
    page.locator("aside").evaluate("side => { side.parentElement.style.transitionDuration = '2s'; }")
    rooms.click()
    sheet.get_by_role("button", name="Browse rooms").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert sheet.is_visible(), "the dialog was closed before the sheet was out of sight"
    expect(sheet).not_to_be_visible()
    expect(rooms).to_be_focused(timeout=5_000)
