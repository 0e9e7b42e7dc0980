"""What is opened for the first time is there as soon as its file is: nothing that passes in between is waited for."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_panel_needs_no_time_but_that_of_its_file(parley, visitor):
    at_page = visitor()
    page = at_page.page
    page.clock.install()
    at_page.enter(parley.person("Ada"))
    page.clock.pause_at(page.evaluate("Date.now()") + 60_000)
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Browse rooms").click()
    expect(page.get_by_role("dialog", name="Rooms you can join")).to_be_visible()
