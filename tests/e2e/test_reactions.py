"""Reactions in the page: with the mouse, with the keyboard, on another device, after a reload, and when they are
refused."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.e2e.browser import Visitor
from tests.e2e.parley import new_id

TWENTY = "👍❤🎉🙏👀✅🚀🔥👏💯🙌🙂😍😅😮😢🤔👎👋💡"


def pill(visitor: Visitor, text: str, emoji: str) -> Locator:
    """The emoji under a message."""
    return visitor.message(text).get_by_role("group", name="Reactions").get_by_role("button", name=emoji)


def shows(visitor: Visitor, text: str, emoji: str, count: int, mine: bool) -> None:
    """Waits until so many have reacted with it, the visitor among them or not."""
    expect(pill(visitor, text, emoji)).to_have_text(re.compile(rf"^{emoji}\s*{count}$"))
    expect(pill(visitor, text, emoji)).to_have_attribute("aria-pressed", str(mine).lower())


def pick(visitor: Visitor, name: str) -> None:
    palette = visitor.page.get_by_role("dialog", name="Pick a reaction")
    palette.get_by_role("button", name=name, exact=True).click()
    expect(palette).to_have_count(0)


def test_two_people_react_and_see_how_many_and_who(two, visitor):
    ada, grace = two
    room = ada.room("reacting", grace)
    grace.say(room, "lunch?")
    a, g = visitor(), visitor()
    a.enter(ada, room)
    g.enter(grace, room)
    a.act("lunch?", "Add reaction")
    pick(a, "Thumbs up")
    shows(a, "lunch?", "👍", 1, True)
    shows(g, "lunch?", "👍", 1, False)
    pill(g, "lunch?", "👍").click()
    shows(g, "lunch?", "👍", 2, True)
    shows(a, "lunch?", "👍", 2, True)
    expect(g.page.get_by_role("tooltip")).to_have_text(f"{ada.name} and you")
    a.page.reload()
    shows(a, "lunch?", "👍", 2, True)
    pill(a, "lunch?", "👍").click()
    shows(a, "lunch?", "👍", 1, False)
    pill(g, "lunch?", "👍").click()
    for who in (a, g):
        expect(who.message("lunch?").get_by_role("group", name="Reactions")).to_have_count(0)


def test_the_keyboard_reacts_too_and_keeps_its_place(two, visitor):
    ada, _ = two
    room = ada.room("keys")
    ada.say(room, "lunch?")
    a = visitor()
    a.enter(ada, room)
    a.message("lunch?").focus()
    a.page.keyboard.press("+")
    expect(a.page.get_by_role("button", name="Thumbs up")).to_be_focused()
    a.page.keyboard.press("Escape")
    expect(a.page.get_by_role("dialog")).to_have_count(0)
    opener = a.message("lunch?").get_by_role("button", name="Add reaction")
    expect(opener).to_be_focused()
    a.page.keyboard.press("Enter")
    expect(a.page.get_by_role("button", name="Thumbs up")).to_be_focused()
    a.page.keyboard.press("ArrowRight")
    a.page.keyboard.press("Enter")
    shows(a, "lunch?", "❤️", 1, True)
    expect(opener).to_be_focused()
    a.page.keyboard.press("Shift+Tab")
    expect(pill(a, "lunch?", "❤️")).to_be_focused()
    expect(a.page.get_by_role("tooltip")).to_have_text("You")
    a.page.keyboard.press("Enter")
    expect(a.message("lunch?").get_by_role("group", name="Reactions")).to_have_count(0)
    expect(a.message("lunch?")).to_be_focused()


def test_what_is_mine_is_known_in_another_tab_and_by_touch(two, visitor):
    ada, _ = two
    room = ada.room("tabs")
    ada.say(room, "lunch?")
    a, phone = visitor(), visitor(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    for each in (a, phone):
        each.enter(ada, room)
    phone.message("lunch?").tap()
    # Clicks: a browser that is slow between a finger's two events takes them for a long press, which presses nothing.
    phone.message("lunch?").get_by_role("button", name="Add reaction").click()
    phone.page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    shows(phone, "lunch?", "🚀", 1, True)
    shows(a, "lunch?", "🚀", 1, True)
    pill(a, "lunch?", "🚀").click()
    expect(phone.message("lunch?").get_by_role("group", name="Reactions")).to_have_count(0)


def test_a_reaction_that_is_refused_is_taken_back_with_the_reason(two, visitor, device):
    ada, grace = two
    room = ada.room("full", grace)
    seq = ada.say(room, "lunch?")["seq"]
    peer = device(grace)
    for emoji in TWENTY:
        reaction = {"room": room, "client_id": new_id(), "seq": seq, "emoji": emoji}
        assert peer.emit("reaction:add", reaction)["ok"], emoji
    a = visitor()
    a.enter(ada, room)
    pills = a.message("lunch?").get_by_role("group", name="Reactions").get_by_role("button")
    expect(pills).to_have_count(20)
    a.act("lunch?", "Add reaction")
    pick(a, "Coffee")
    expect(a.page.get_by_role("alert")).to_have_text("This message has as many reactions as it can hold.")
    expect(pills).to_have_count(20)
    pill(a, "lunch?", "🚀").click()
    shows(a, "lunch?", "🚀", 2, True)
    expect(a.page.get_by_role("alert")).to_have_count(0)
