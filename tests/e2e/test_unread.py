"""Read is what stood on the screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.parley import Person
from tests.runtime.running import until

UNREAD = 60
TO_THE_END = "(log) => { log.scrollTop = log.scrollHeight; }"
UP_AND_DOWN = """async (log) => {
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  log.scrollTop -= 400;
  await frames();
  log.scrollTop = log.scrollHeight;
  await frames();
}"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Presses a button 150 ms after it is there first: then the list is still on its way to where it was placed.
PRESSES_AT_ONCE = """new MutationObserver((_, observer) => {
  const button = [...document.querySelectorAll('button')].find((each) => each.textContent.includes('%s'));
  if (!button) return;
  observer.disconnect();
  setTimeout(() => button.click(), 150);
}).observe(document, { childList: true, subtree: true });"""
# The log has not been scrolled for half a second.
STILL = """async () => {
  const log = document.querySelector('[role=log]');
  let scrolled = performance.now();
  log.addEventListener('scroll', () => { scrolled = performance.now(); });
  while (performance.now() - scrolled < 500) await new Promise((done) => setTimeout(done, 50));
  return true;
}"""
LAST_ON_SCREEN = """(log) => {
  const { bottom } = log.getBoundingClientRect();
  const stands = (row) => row.getBoundingClientRect().bottom <= bottom + 1;
  const rows = [...log.querySelectorAll('[data-seq]')].filter(stands);
  return Math.max(...rows.map((row) => Number(row.dataset.seq)));
}"""


def mine(person: Person, room: str) -> dict:
    rooms = person.get("/api/rooms")[1]["rooms"]
    return next(each for each in rooms if each["room"] == room)


def is_read(person: Person, room: str, at_least: int) -> int:
    """Waits until the server knows that so much was read; returns how much."""
    return until(lambda: (read := mine(person, room)["read"]) >= at_least and read, 15, f"{at_least} is read")


@pytest.fixture
def busy(parley):
    """Somebody who has read a room's first message, and has 60 others unread."""
    ada, grace = parley.person("Ada"), parley.person("Grace")
    room = ada.room("busy", grace)
    first = ada.say(room, "read long ago")["seq"]
    seqs = [ada.say(room, f"line {number}")["seq"] for number in range(UNREAD)]
    return grace, room, first, seqs


def enter(visitor, person, room):
    """Opens the room in a window that shows a part of it."""
    reader = visitor(viewport={"width": 1000, "height": 700})
    reader.sign_in(person.name, f"/login?next=/r/{room}")
    return reader


def test_opening_a_room_marks_nothing_as_read_but_what_stands_on_the_screen(busy, visitor):
    grace, room, _, seqs = busy
    reader = enter(visitor, grace, room)
    new = reader.log.get_by_text("new", exact=True)
    expect(new).to_be_in_viewport()
    expect(reader.message("line 0")).to_be_in_viewport()
    stood = reader.log.evaluate(LAST_ON_SCREEN)
    assert stood < seqs[-1] - 20, "the page stands above the end"
    assert is_read(grace, room, stood) == stood
    left = mine(grace, room)
    assert left["unread"] == sum(seq > stood for seq in seqs)
    badge = reader.page.get_by_role("navigation", name="Rooms").get_by_role("link", name="busy")
    expect(badge).to_contain_text(f"{left['unread']} unread")

    reader.page.reload()
    expect(reader.log.get_by_text("new", exact=True)).to_be_in_viewport()
    again = reader.log.evaluate(LAST_ON_SCREEN)
    assert mine(grace, room)["read"] < seqs[-1] and again < seqs[-1]

    reader.log.hover()
    for _ in range(40):
        reader.page.mouse.wheel(0, 300)
        reader.page.evaluate(TWO_FRAMES)
    assert is_read(grace, room, mine(grace, room)["head"]) == mine(grace, room)["head"]
    expect(badge).not_to_contain_text("unread")


def test_who_goes_to_the_end_has_read_everything(busy, visitor):
    grace, room, _, seqs = busy
    reader = enter(visitor, grace, room)
    assert is_read(grace, room, seqs[0]) < seqs[-1]
    reader.page.get_by_role("button", name="To the newest").click()
    expect(reader.message(f"line {UNREAD - 1}")).to_be_in_viewport()
    assert is_read(grace, room, seqs[-1]) == mine(grace, room)["head"]


def test_who_goes_to_the_end_while_the_list_finds_its_place_stays_there(busy, visitor):
    grace, room, _, seqs = busy
    reader = visitor(viewport={"width": 1000, "height": 700})
    reader.context.new_cdp_session(reader.page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    reader.page.add_init_script(PRESSES_AT_ONCE % "To the newest")
    reader.sign_in(grace.name, f"/login?next=/r/{room}")
    assert is_read(grace, room, seqs[-1]) == mine(grace, room)["head"]
    reader.in_sync()
    expect(reader.message(f"line {UNREAD - 1}")).to_be_in_viewport()
    reader.page.wait_for_function(STILL)
    expect(reader.message(f"line {UNREAD - 1}")).to_be_in_viewport()


def test_who_drags_the_bar_to_the_end_has_read_everything(busy, visitor):
    grace, room, _, seqs = busy
    reader = enter(visitor, grace, room)
    assert is_read(grace, room, seqs[0]) < seqs[-1]
    reader.log.dispatch_event("pointerdown")
    reader.log.evaluate(TO_THE_END)
    assert is_read(grace, room, seqs[-1]) == mine(grace, room)["head"]
    assert mine(grace, room)["unread"] == 0


def test_who_is_brought_to_the_end_by_a_program_of_theirs_has_read_everything(busy, visitor):
    grace, room, _, seqs = busy
    reader = enter(visitor, grace, room)
    assert is_read(grace, room, seqs[0]) < seqs[-1]
    until(lambda: reader.log.evaluate(UP_AND_DOWN) or mine(grace, room)["read"] >= seqs[-1], 30, "all is read")
    assert mine(grace, room)["unread"] == 0


def test_a_permalink_reads_nothing_of_what_lies_before_it(busy, visitor):
    grace, room, first, seqs = busy
    reader = visitor(viewport={"width": 1000, "height": 700})
    # On a slow device the older messages come while the list is still on its way to the one that was named.
    reader.context.new_cdp_session(reader.page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    reader.sign_in(grace.name, f"/login?next=/r/{room}/{seqs[40]}")
    expect(reader.message("line 40")).to_be_in_viewport()
    reader.in_sync()
    expect(reader.message("line 36")).to_be_in_viewport()
    reader.page.evaluate(TWO_FRAMES)
    reader.page.goto("/register")  # leaving tells at once what was seen
    assert mine(grace, room)["read"] <= first
    assert mine(grace, room)["unread"] >= UNREAD
