"""Back leads to where one stood, a room opens at what is new or at its end, and a link to nothing says so."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.runtime.running import until

MESSAGES = 200
AFTER = 6
SCROLLED = "log => log.scrollTop"
IN_VIEW = "element => element.getBoundingClientRect().top < innerHeight"
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(false))))"
TOP = "element => element.getBoundingClientRect().top"
STANDS = """([text, top]) => {
    const found = [...document.querySelectorAll("article")].find(each => each.textContent.includes(text));
    return found !== undefined && Math.abs(found.getBoundingClientRect().top - top) < 2;
}"""
# Two frames in which the log has not moved.
AT_REST = """() => new Promise(done => {
    const log = document.querySelector("[role=log]");
    const before = log.scrollTop;
    requestAnimationFrame(() => requestAnimationFrame(() => done(log.scrollTop === before)));
})"""


@pytest.fixture
def talked(two, device):
    """Two people, a room with a long talk that both have read, and a quiet one."""
    ada, grace = two
    room = ada.room("talked", grace)
    ada.room("quiet", grace)
    talker = device(ada)
    talker.flood(room, [f"line {number}" for number in range(MESSAGES)])
    talker.acked(MESSAGES)
    first = ada.page(room, "?before=9&limit=50")["messages"][0]
    head = ada.page(room)["head"]
    assert talker.send(room, "an answer", reply_to=first["seq"])["ok"]
    for number in range(AFTER):
        ada.say(room, f"after {number}")
    assert device(grace).emit("room:read", {"room": room, "seq": head + 1 + AFTER})["ok"]
    return grace, room, first["text"]


def in_view(message: Locator) -> bool:
    return message.count() > 0 and message.evaluate(IN_VIEW)


def top_of(message: Locator) -> float:
    return message.evaluate(TOP)


def test_back_leads_to_where_one_stood_and_a_room_opens_at_its_end(talked, visitor):
    grace, room, first = talked
    reader = visitor(viewport={"width": 1000, "height": 600})
    reader.enter(grace, room)
    page, log = reader.page, reader.log
    answer, end = reader.message("an answer"), reader.message(f"after {AFTER - 1}")
    quote = answer.get_by_role("button", name=re.compile(f": {first}$"))  # the words of what is not loaded
    expect(quote).to_be_visible()
    log.hover()
    page.mouse.wheel(0, -150)
    expect(page.get_by_role("button", name="To the newest")).to_be_visible()
    quote.hover()
    page.wait_for_function(AT_REST)
    stood = top_of(answer)

    quote.click()
    expect(reader.message(first)).to_be_in_viewport()
    linked_px = log.evaluate(SCROLLED)
    page.mouse.wheel(0, 90)
    page.wait_for_function("before => document.querySelector('[role=log]').scrollTop !== before", arg=linked_px)
    page.wait_for_function(AT_REST)  # or what is left of the wheel's turn comes when one is back
    page.go_back()
    expect(answer).to_be_in_viewport()
    page.wait_for_function(STANDS, arg=["an answer", stood])
    page.go_forward()
    expect(reader.message(first)).to_be_in_viewport()

    # Elsewhere and back by the list: the end, not what stood around the link.
    rooms = page.get_by_role("navigation", name="Rooms")
    rooms.get_by_role("link", name="quiet").click()
    expect(page.get_by_role("heading", level=1, name=re.compile("^quiet"))).to_be_visible()
    rooms.get_by_role("link", name="talked").click()
    expect(end).to_be_in_viewport()
    expect(page.get_by_role("button", name=re.compile("To the newest|New messages"))).to_have_count(0)

    # The room that is open, pressed once more: its end.
    log.hover()
    page.wait_for_function(AT_REST)
    until(lambda: page.mouse.wheel(0, -2_000) or page.evaluate(TWO_FRAMES) or not in_view(end), 30, "one is elsewhere")
    rooms.get_by_role("link", name="talked").click()
    expect(end).to_be_in_viewport()

    page.goto(f"/r/{room}/99999")
    expect(page.get_by_role("alert").filter(has_text="There is no message 99999 in talked")).to_be_visible()
    expect(end).to_be_in_viewport()
