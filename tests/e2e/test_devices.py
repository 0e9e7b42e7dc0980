"""Where somebody is signed in, and the ways out: one device, all of them, another password."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.browser import REFUSALS, Visitor, Visitors
from tests.e2e.parley import PASSWORD, Person


def account(visitor: Visitor) -> None:
    """Opens the account panel."""
    visitor.page.get_by_role("button", name="Your account").click()
    expect(visitor.page.get_by_role("dialog", name="Your account")).to_be_visible()


def signed_in_twice(parley, visitor: Visitors) -> tuple[Person, Visitor, Visitor]:
    person = Person(parley, parley.new_name("Ada"))
    parley.door.register(person.name)
    here, there = visitor(REFUSALS), visitor(REFUSALS)
    here.enter(person)
    there.enter(person)
    return person, here, there


def test_another_device_is_signed_out_from_the_list_and_says_so_over_its_room(parley, visitor):
    _, here, there = signed_in_twice(parley, visitor)
    there.composer.fill("half a thought")
    account(here)
    devices = here.page.get_by_role("list", name="Your devices").get_by_role("listitem")
    expect(devices).to_have_count(2)
    expect(devices.filter(has_text="this one")).to_have_count(1)
    expect(devices.first).to_contain_text("Chrome on Linux")
    here.page.get_by_role("button", name=re.compile("^Sign out Chrome")).click()
    expect(devices).to_have_count(1)
    expect(there.page).to_have_url(re.compile("/login"))
    expect(there.page.get_by_text("You were signed out from another device.")).to_be_visible()
    there.page.get_by_label("Password").fill(PASSWORD)
    there.page.get_by_role("button", name="Sign in", exact=True).click()
    there.in_sync()
    expect(there.composer).to_have_value("half a thought")
    here.page.keyboard.press("Escape")
    here.in_sync()


def test_signed_out_everywhere_both_pages_are_at_the_door(parley, visitor):
    _, here, there = signed_in_twice(parley, visitor)
    account(here)
    here.page.get_by_role("button", name="Sign out everywhere").click()
    here.page.get_by_role("button", name="Sign out all").click()
    # Its own socket may hear of the end before the answer is there: then the address still says where it was.
    expect(here.page).to_have_url(re.compile("/login"))
    expect(here.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(here.page.get_by_role("log")).to_have_count(0)
    expect(there.page.get_by_text("You were signed out everywhere.")).to_be_visible()


def test_a_new_password_counts_and_signs_the_other_devices_out(parley, visitor):
    person, here, there = signed_in_twice(parley, visitor)
    account(here)
    dialog = here.page.get_by_role("dialog")
    dialog.get_by_label("Password now").fill("not this one")
    dialog.get_by_label("New password").fill("a better secret")
    dialog.get_by_role("button", name="Change password").click()
    expect(dialog.get_by_text("That is not your password.")).to_be_visible()
    dialog.get_by_label("Password now").fill(PASSWORD)
    dialog.get_by_role("button", name="Change password").click()
    expect(dialog.get_by_text("Your password is changed.")).to_be_visible()
    expect(there.page.get_by_text("Your password was changed on another device.")).to_be_visible()
    here.page.keyboard.press("Escape")
    here.in_sync()
    there.fill_in(person.name, PASSWORD, "Sign in")
    expect(there.page.get_by_text("That name and password do not match.")).to_be_visible()
    there.fill_in(person.name, "a better secret", "Sign in")
    there.in_sync()


def test_signing_in_again_in_another_tab_of_the_same_browser_leaves_the_first_one_in_the_room(parley, visitor):
    name = parley.new_name("Ada")
    browser = visitor(REFUSALS)
    browser.register(name)
    answer = browser.page.evaluate(
        """([name, password]) => fetch("/api/auth/login", {
             method: "POST", headers: {"Content-Type": "application/json"},
             body: JSON.stringify({username: name, password}),
           }).then((answer) => answer.status)""",
        [name, PASSWORD],
    )
    assert answer == 200
    browser.write(f"{name} is still here")
    expect(browser.message(f"{name} is still here")).to_have_attribute("data-state", "sent")
    expect(browser.page).to_have_url(re.compile("/r/general$"))
    browser.in_sync()
