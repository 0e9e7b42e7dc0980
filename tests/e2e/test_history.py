"""Going through a room's history at the page, and arriving at a place by its address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

MESSAGES = 300
# The rows that are in sight, by the number of their message: where each one stands on the screen.
IN_SIGHT = """log => {
  const frame = log.getBoundingClientRect();
  const rows = [...log.querySelectorAll('[data-seq]')].map((row) => [Number(row.dataset.seq), row.getBoundingClientRect()]);
  return Object.fromEntries(rows.filter(([, box]) => box.bottom > frame.top && box.top < frame.bottom).map(([seq, box]) => [seq, box.top]));
}"""
# Scrolls up and says, frame by frame, by how much the rows moved that were in sight before and after.
WATCHED_SCROLL = """async (log) => {
  const scroller = [log, ...log.querySelectorAll('*'), log.parentElement].find((one) => one.scrollHeight > one.clientHeight + 10 &&
    /auto|scroll/.test(getComputedStyle(one).overflowY));
  const places = () => new Map([...log.querySelectorAll('[data-seq]')].map((row) => [row.dataset.seq, row.getBoundingClientRect().top]));
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const jumps = [];
  const first = Number([...places().keys()][0]);
  const deadline = performance.now() + 15000;
  while (performance.now() < deadline && Number([...places().keys()][0]) > 3) {
    const top = scroller.scrollTop;
    scroller.scrollTop = Math.max(0, top - 400);
    await frame();
    const before = places();
    const stood = scroller.scrollTop;
    for (let n = 0; n < 6; n++) {
      await frame();
      const after = places();
      const moved = [...before].filter(([seq]) => after.has(seq)).map(([seq, y]) => after.get(seq) - y);
      if (moved.length > 0) jumps.push(Math.max(...moved.map(Math.abs)));
    }
  }
  return { first, last: Number([...places().keys()][0]), worst: Math.max(0, ...jumps), frames: jumps.length };
}"""


def test_older_pages_come_in_above_without_a_jump(long_room, visitor):
    person, room, _ = long_room
    reader = visitor()
    reader.sign_in(person.name, f"/login?next=/r/{room}")
    expect(reader.message(f"line {MESSAGES - 1}")).to_be_visible()
    walked = reader.log.evaluate(WATCHED_SCROLL)
    assert walked["last"] <= 3 < walked["first"], "it came from the newest page to the beginning"
    assert walked["worst"] <= 1, "no row that was in sight moved by itself"
    expect(reader.page.get_by_text(re.compile("This is the beginning of"))).to_be_visible()


def test_a_permalink_opens_its_message_with_what_stands_around_it(long_room, visitor):
    person, room, seqs = long_room
    reader = visitor()
    reader.sign_in(person.name, f"/login?next=/r/{room}/{seqs[40]}")
    target = reader.message("line 40")
    expect(target).to_be_in_viewport()
    expect(target).to_have_class(re.compile("lit"))
    for near in ("line 39", "line 41"):
        expect(reader.message(near)).to_be_in_viewport()
    seen = {int(seq): top for seq, top in reader.log.evaluate(IN_SIGHT).items()}
    assert sorted(seen) == list(range(min(seen), max(seen) + 1)), "nothing is left out around it"
    assert min(seen) < seqs[40] < max(seen), "it is not at the edge"
    reader.message("line 41").locator("time").last.evaluate("time => time.closest('a').click()")
    expect(reader.page).to_have_url(re.compile(f"/r/{room}/{seqs[41]}$"))
    expect(reader.message("line 41")).to_have_class(re.compile("lit"))


@pytest.fixture(scope="module")
def long_room(parley):
    """A person, a room of 300 messages, and their numbers."""
    person = parley.person("Historian")
    room = person.room("long")
    return person, room, [person.say(room, text_of(n))["seq"] for n in range(MESSAGES)]


def text_of(n: int) -> str:
    """Rows of different heights, except around the one that a permalink names."""
    return f"line {n}" + "\nand more of it" * (n % 5 if n < 30 or 60 < n < MESSAGES - 1 else 0)
