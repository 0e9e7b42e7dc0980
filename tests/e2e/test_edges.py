"""Where things stand: two left edges for all of a room, and nothing that comes and goes moves what is read."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import AWAY
from tests.screens.stage import SETTLED

OFFLINE = f"ERR_INTERNET_DISCONNECTED|{AWAY}"
# Where the content of each begins: its letters, or its box where it has none.
LEFT = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const [letters] = element.tagName === "TEXTAREA" ? [] : range.getClientRects();
    const { paddingLeft, borderLeftWidth } = getComputedStyle(element);
    const box = element.getBoundingClientRect().left;
    return Math.round(letters ? letters.left : box + parseFloat(paddingLeft) + parseFloat(borderLeftWidth));
}"""
BOX = "element => Math.round(element.getBoundingClientRect().left)"
PADDED = (
    "element => Math.round(element.getBoundingClientRect().left + parseFloat(getComputedStyle(element).paddingLeft))"
)
RIGHT = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect().right;
}"""
RING = "element => getComputedStyle(element.parentElement).boxShadow"


def tops(page: Page) -> dict[str, float]:
    """How far down each message stands, when the page has come to rest."""
    page.evaluate(SETTLED)
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-seq]')]"
        ".map((each) => [each.dataset.seq, each.getBoundingClientRect().top]))"
    )


def background(one: Locator) -> str:
    return one.evaluate("element => getComputedStyle(element).backgroundColor")


def test_a_room_has_two_left_edges(two, visitor):
    ada, grace = two
    room = ada.room("edges", grace)
    ada.say(room, "first of all")
    ada.act(room, "remove", username=grace.user)
    ada.act(room, "invite", username=grace.user)
    ada.say(room, "said")
    guest = visitor()
    guest.enter(grace, f"{room}/99999")
    page, message = guest.page, guest.message("said")
    told = page.get_by_role("alert").filter(has_text="There is no message")
    expect(told).to_be_visible()
    expect(message).to_be_visible()
    for width, column_px in ((1280, 848), (1920, 960)):
        page.set_viewport_size({"width": width, "height": 800})
        faces = {
            "title": page.get_by_role("heading", level=1).evaluate(LEFT),
            "face": message.locator("[aria-hidden=true]").first.evaluate(BOX),
            "field": guest.composer.locator("xpath=..").evaluate(BOX),
            "day": guest.log.get_by_role("separator").first.evaluate(PADDED),
        }
        texts = {
            "name": message.locator("strong").evaluate(LEFT),
            "message": message.get_by_test_id("message-text").evaluate(LEFT),
            "note": page.get_by_text("was invited by").last.locator("xpath=..").evaluate(LEFT),
            "welcome": page.get_by_role("region", name="Welcome").get_by_role("heading").evaluate(LEFT),
            "field's text": guest.composer.evaluate(LEFT),
            "notice": told.evaluate(LEFT),
        }
        assert len(set(faces.values())) == 1, faces
        assert len(set(texts.values())) == 1, texts
        assert faces["title"] < texts["name"]
        assert (message.bounding_box() or {})["width"] == column_px


def test_what_is_told_above_and_below_the_messages_moves_none_of_them(two, visitor):
    ada, grace = two
    room = ada.room("calm", grace)
    for number in range(40):
        grace.say(room, f"line {number}")
    guest = visitor(OFFLINE)
    guest.enter(grace, room)
    page = guest.page
    expect(guest.message("line 39")).to_be_in_viewport()
    before = tops(page)
    guest.context.set_offline(True)
    expect(page.get_by_text(re.compile("Reconnecting|Connecting")).first).to_be_visible()
    guest.message("line 39").focus()
    page.keyboard.press("+")
    page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    trouble = page.locator("main").get_by_role("alert")
    expect(trouble).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(trouble).to_have_count(0)
    after = tops(page)
    assert after == pytest.approx(before, abs=1)
    guest.context.set_offline(False)


def test_the_field_has_a_ring_for_who_comes_by_the_tab_key_and_the_open_room_looks_so_under_the_pointer(two, visitor):
    guest = visitor()
    guest.enter(two[0], two[0].room("elsewhere"))
    field = guest.composer
    expect(guest.page.get_by_role("region", name="Welcome")).to_be_visible()
    expect(field).to_be_focused()
    assert field.evaluate(RING) == "none"
    guest.page.keyboard.press("Shift+Tab")
    guest.page.keyboard.press("Tab")
    expect(field).to_be_focused()
    assert field.evaluate(RING) != "none"
    field.click()
    assert field.evaluate(RING) == "none"

    rooms = guest.page.get_by_role("navigation", name="Rooms")
    here, other = rooms.locator("[aria-current=page]"), rooms.get_by_role("link", name="General")
    own, plain = background(here), background(other)
    other.hover()
    assert background(other) != plain
    here.hover()
    assert background(here) == own

    guest.page.emulate_media(forced_colors="active")
    assert field.evaluate("element => getComputedStyle(element.parentElement).outlineStyle") == "solid"


def test_nothing_in_a_message_lies_over_its_words_or_cuts_its_time(two, visitor):
    ada, grace = two
    room = ada.room("words", grace)
    ada.say(room, "Lunch at one?")
    ada.say(room, "\u0645\u0631\u062d\u0628\u0627")  # from right to left
    guest = visitor(locale="en-US")
    guest.enter(grace, room)
    page, message = guest.page, guest.message("Lunch at one?")
    text = message.get_by_test_id("message-text")
    short = guest.message("\u0645\u0631\u062d\u0628\u0627").get_by_test_id("message-text")
    assert short.evaluate(RIGHT) > text.evaluate(RIGHT) + 100

    message.focus()
    page.keyboard.press("+")
    page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    pill, tip = page.get_by_role("group", name="Reactions").get_by_role("button"), page.get_by_role("tooltip")
    pill.hover()
    expect(tip).to_be_visible()
    over = tip.bounding_box() or {}
    for each in (text.bounding_box() or {}, pill.bounding_box() or {}):
        assert over["y"] >= each["y"] + each["height"] or over["y"] + over["height"] <= each["y"]

    page.set_viewport_size({"width": 320, "height": 568})
    author = message.locator("strong")
    author.evaluate("element => { element.textContent = 'Bartholomew Fitzgerald-Montagu the Elder' }")
    name, time = author.bounding_box() or {}, message.locator("a time").bounding_box() or {}
    assert author.evaluate("element => element.scrollWidth > element.clientWidth")
    assert name["x"] + name["width"] < time["x"] and time["x"] + time["width"] <= 320 - 14


def test_magnified_four_times_every_room_can_be_reached(two, visitor):
    ada, _ = two
    for number in range(6):
        ada.room(f"room {number}")
    guest = visitor(viewport={"width": 320, "height": 256})
    guest.enter(ada)
    guest.page.get_by_role("button", name=re.compile("^Rooms")).click()
    rooms = guest.page.get_by_role("navigation", name="Rooms")
    expect(rooms).to_be_visible()
    expect(rooms.get_by_role("link")).to_have_count(7)
    assert (rooms.bounding_box() or {})["height"] >= 7 * 40, "the list has its height, and all of it is scrolled"
    last = rooms.get_by_role("link").last
    last.click()
    expect(guest.page).to_have_url(re.compile("/r/room"))


def test_titles_are_in_a_serif_of_our_own_and_nothing_moves_when_it_comes(two, visitor):
    ada, _ = two
    room = ada.room("Letters")
    ada.say(room, "said")
    stands = "[...document.querySelectorAll('h1, h2, article')].map((one) => [one.offsetTop, one.offsetHeight])"
    loaded = "document.fonts.ready.then(() => [...document.fonts].map(({ family, status }) => [family, status]))"
    with_it, without = visitor(), visitor("ERR_FAILED")
    without.context.route("**/*.woff2", lambda route: route.abort())
    seen = []
    for guest in (with_it, without):
        guest.enter(ada, room)
        expect(guest.message("said")).to_be_visible()
        expect(guest.page.get_by_role("region", name="Welcome")).to_be_visible()
        status = dict(guest.page.evaluate(loaded))
        assert status["Parley Serif"] == ("loaded" if guest is with_it else "error")
        family = guest.page.get_by_role("heading", level=1).evaluate("(title) => getComputedStyle(title).fontFamily")
        assert family.startswith('"Parley Serif", "Parley Fallback"')
        seen.append(guest.page.evaluate(stands))
    assert seen[0] == seen[1]
    kept = with_it.page.evaluate(
        "navigator.serviceWorker.ready.then(() => caches.keys()).then(([name]) => caches.open(name))"
        ".then((shell) => shell.keys()).then((all) => all.map(({ url }) => url))"
    )
    assert any(url.endswith(".woff2") for url in kept)
