"""The focus does not go with the button that had it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsers.desk import PHONE


def test_in_the_list_of_people_the_focus_goes_on_to_the_next_one_and_back_from_a_question(parley, two, visitor):
    ada, grace = two
    linus = parley.person("Linus")
    guest = visitor()
    guest.enter(ada, ada.room("removals", grace, linus, kind="private"))
    page = guest.page
    page.get_by_role("button", name="People").click()
    page.get_by_role("button", name=f"Remove {grace.name}").focus()
    for next_one in (f"Remove {linus.name}", "Leave room"):
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Remove from the room")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=next_one)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Leave room")).to_be_focused()


def test_signing_another_device_out_leaves_the_focus_in_the_dialog(parley, visitor):
    ada = parley.person("Ada")
    guest = visitor()
    guest.enter(ada)
    guest.page.get_by_role("button", name=re.compile("^Your account")).click()
    guest.page.get_by_role("button", name=re.compile("^Sign out (?!everywhere)")).focus()
    guest.page.keyboard.press("Enter")
    expect(guest.page.get_by_role("button", name="Sign out everywhere")).to_be_focused()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_who_joins_a_room_arrives_there(parley, two, visitor, device):
    ada, grace = two
    listed, missing = grace.room("listed"), grace.room("missing")
    guest = visitor(**device)
    guest.enter(ada)
    page = guest.page
    home = page.get_by_role("main").get_by_role("button", name=re.compile("^Rooms")) if device else guest.composer
    if device:
        home.click()
    page.get_by_role("button", name="Browse rooms").click()
    page.get_by_role("button", name=f"Join {listed.replace('-', ' ')}", exact=True).click()
    expect(page).to_have_url(re.compile(listed))
    expect(home).to_be_focused()
    page.goto(f"/r/{missing}")
    page.get_by_role("button", name=re.compile("^Join missing")).click()
    expect(page.get_by_role("button", name="People")).to_be_visible()
    expect(home).to_be_focused()


def test_who_does_not_reply_after_all_goes_on_writing(two, visitor):
    ada, grace = two
    guest = visitor()
    room = ada.room("replies", grace)
    grace.say(room, "a question")
    guest.enter(ada, room)
    guest.message("a question").focus()
    guest.page.keyboard.press("r")
    guest.page.get_by_role("button", name="Do not reply").click()
    expect(guest.composer).to_be_focused()
