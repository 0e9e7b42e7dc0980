"""A session at the page: it outlives reloads and restarts, and ends everywhere at once."""

from __future__ import annotations

import re
import signal

from playwright.sync_api import expect

from tests.e2e.browser import AWAY, REFUSALS
from tests.e2e.parley import PASSWORD
from tests.runtime.running import until


def test_signed_in_survives_a_reload_a_new_tab_and_a_restart(own_parley, visitor):
    ada = visitor(AWAY)
    ada.register(own_parley.new_name("Ada"))
    expect(ada.page).to_have_url(re.compile("/r/general$"))
    ada.page.reload()
    ada.in_sync()
    own_parley.signal(signal.SIGTERM)
    assert own_parley.process.wait(60) == 0
    own_parley.start()
    ada.in_sync()
    ada.page.reload()
    ada.in_sync()
    tab = ada.tab("/")
    expect(tab).to_have_url(re.compile("/r/general$"))
    expect(tab.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")


def test_signing_out_ends_the_session_here_in_redis_and_in_every_tab(parley, visitor):
    person = parley.person("Ada")
    ada = visitor(REFUSALS)
    ada.enter(person)
    tab = ada.tab("/r/general")
    expect(tab.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
    [cookie] = [cookie for cookie in ada.context.cookies() if cookie["name"] == "parley"]
    person.cookie = f"parley={cookie['value']}"
    [key] = person.session_key
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page).to_have_url(f"{parley.url}/login")
    expect(ada.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert parley.redis.exists(key) == 0
    status, answer = person.get("/api/auth/protected")
    assert (status, answer["error"]["code"], answer["redirect"]) == (401, "unauthenticated", "/login")
    assert all(cookie["name"] != "parley" for cookie in ada.context.cookies())
    expect(tab).to_have_url(f"{parley.url}/login")
    expect(tab.get_by_role("log")).to_have_count(0)
    ada.page.goto("/r/general")
    expect(ada.page).to_have_url(f"{parley.url}/login?next=%2Fr%2Fgeneral")


def test_an_emptied_redis_sends_everybody_to_sign_in_and_keeps_what_they_typed(own_parley, visitor):
    people = own_parley.person("Ada"), own_parley.person("Grace")
    room = people[0].room("emptied", people[1])
    ada, watcher = visitors = [visitor(REFUSALS) for _ in people]
    for visitor, person in zip(visitors, people, strict=True):
        visitor.enter(person, room)
    ada.write("said before")
    ada.composer.fill("half a thought")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in ada.context.cookies())
    own_parley.redis.flushall()
    for visitor in (watcher, ada):
        expect(visitor.page).to_have_url(f"{own_parley.url}/login?next=%2Fr%2F{room}")
    people[0].cookie = cookies
    assert people[0].get("/api/auth/protected")[0] == 401
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Sign in", exact=True).click()
    ada.in_sync()
    expect(ada.page).to_have_url(f"{own_parley.url}/r/{room}")
    expect(ada.composer).to_have_value("half a thought")
    ada.composer.press("Enter")
    ada.sees(["said before", "half a thought"])


def test_logged_out_everywhere_from_another_device_this_page_asks_to_sign_in_and_keeps_the_draft(parley, visitor):
    person = parley.person("Ada")
    ada = visitor(REFUSALS)
    ada.enter(person)
    ada.composer.fill("half a thought")
    assert person.request("DELETE", "/api/auth/sessions")[0] == 204
    expect(ada.page).to_have_url(re.compile("/login"))
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Sign in", exact=True).click()
    ada.in_sync()
    expect(ada.composer).to_have_value("half a thought")


def test_nobody_is_signed_out_because_redis_does_not_answer(own_parley, visitor, device):
    person = own_parley.person("Ada")
    room = person.room("silence")
    ada, beside = visitor(AWAY), device(person)
    ada.enter(person, room)
    server = own_parley.pid_of("redis-server")
    own_parley.pause(server)
    try:
        ada.write("said into the silence")
        opening = {"room": room, "after": 0}
        until(lambda: not beside.emit("room:open", opening)["ok"], 10, "what a sweep found is good no longer")
        until(lambda: person.get("/api/auth/protected")[0] == 503, 10, "a request has failed")
        expect(ada.page).to_have_url(re.compile(f"/r/{room}$"))
        expect(ada.page.get_by_role("log")).to_contain_text("said into the silence")
    finally:
        own_parley.resume(server)
    ada.sees(["said into the silence"])
    ada.in_sync()


def test_wrong_names_and_passwords_are_told_in_a_plain_sentence(parley, visitor):
    person = parley.person("Ada")
    guest = visitor(REFUSALS)
    alert = guest.page.get_by_role("alert")
    for path, name, password, button, sentence in (
        ("/login", person.name, "wrong password", "Sign in", "That name and password do not match."),
        ("/register", person.name, PASSWORD, "Create account", "That name is taken. Please choose another."),
        ("/register", "x", PASSWORD, "Create account", "A name has 2 to 32 letters or digits"),
        (
            "/register",
            "newcomer",
            "short",
            "Create account",
            "A password has at least 8 characters and at most 72 bytes.",
        ),
        (
            "/register",
            "newcomer",
            "a" * 73,
            "Create account",
            "A password has at least 8 characters and at most 72 bytes.",
        ),
        ("/register", "newcomer", "password1", "Create account", "That password is easy to guess."),
    ):
        guest.page.goto(path)
        guest.fill_in(name, password, button)
        expect(alert).to_contain_text(sentence)
        expect(guest.page).to_have_url(parley.url + path)


def test_wrong_inputs_in_a_room_are_told_in_a_plain_sentence(parley, visitor):
    person = parley.person("Ada")
    ada = visitor(REFUSALS)
    ada.enter(person)
    ada.composer.fill("a" * 4_001)
    ada.composer.press("Enter")
    expect(ada.page.get_by_role("alert")).to_contain_text("A message has at most 4,000 characters.")
    expect(ada.composer).to_have_value("a" * 4_001)
    ada.composer.fill("   ")
    ada.composer.press("Enter")
    expect(ada.log.locator('[data-state="queued"], [data-state="failed"]')).to_have_count(0)
    ada.composer.fill("")
    ada.page.get_by_role("button", name="New room").click()
    ada.page.get_by_role("textbox", name="Room name").fill("General")
    ada.page.get_by_role("button", name="Create room").click()
    expect(ada.page.get_by_role("dialog").get_by_role("alert")).to_have_text("There is already a room with that name.")
    ada.page.goto("/r/no-such-room-anywhere")
    expect(ada.page.get_by_text("There is no such room")).to_be_visible()
