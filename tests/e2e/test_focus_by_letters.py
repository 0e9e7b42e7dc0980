"""Who goes to a room by a few letters has the focus somewhere afterwards, wherever they came from."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsers.desk import FOCUSED, PHONE


@pytest.mark.parametrize("letters", ["here", "there", "nothing is called so"])
def test_on_a_phone_the_focus_is_not_lost(parley, two, visitor, letters):
    ada, grace = two
    here = ada.room("here", grace)
    ada.room("there", grace)
    guest = visitor(**PHONE)
    guest.enter(ada, here)
    page = guest.page
    for _ in range(2):
        page.get_by_role("main").get_by_role("button", name=re.compile("^Rooms")).click()
        page.get_by_role("complementary").get_by_role("button", name=re.compile("Go to")).click()
        search = page.get_by_role("combobox", name="Go to a room")
        search.fill(letters)
        search.press("Escape" if letters.startswith("nothing") else "Enter")
        expect(search).to_have_count(0)
        page.wait_for_function(FOCUSED, timeout=5_000)
