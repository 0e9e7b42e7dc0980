"""Going through a room's history at the page, and arriving at a place by its address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.peer import Peer, say_all

MESSAGES = 300
# Where on the screen each message stands that is in sight, by its number.
MARKED = re.compile("inset")  # the mark at its edge, which stays
IN_SIGHT = """(log) => {
  const { top, bottom } = log.getBoundingClientRect();
  const rows = [...log.querySelectorAll('[data-seq]')].map((row) => [row.dataset.seq, row.getBoundingClientRect()]);
  return Object.fromEntries(rows.filter(([, box]) => box.bottom > top && box.top < bottom).map(([seq, box]) => [seq, box.top]));
}"""  # noqa: E501
# Scrolls up to the beginning; says, frame by frame, how far rows in sight moved while nobody scrolled.
WALK_UP = f"""async (log, beginning) => {{
  const inSight = {IN_SIGHT};
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const first = () => Math.min(...[...log.querySelectorAll('[data-seq]')].map((row) => Number(row.dataset.seq)));
  const walk = {{ from: first(), to: 0, rows: 0, jumps: [] }};
  const deadline = performance.now() + 90000;
  while (performance.now() < deadline && (log.scrollTop > 0 || first() > beginning)) {{
    log.scrollTop = Math.max(0, log.scrollTop - 300);
    await frame();
    let before = inSight(log);
    for (let turn = 0; turn < 5; turn++) {{
      await frame();
      const after = inSight(log);
      for (const [seq, top] of Object.entries(before)) {{
        if (!(seq in after)) continue;
        walk.rows++;
        const moved = after[seq] - top;
        if (Math.abs(moved) > 1) walk.jumps.push({{ seq, moved, turn, at: log.scrollTop }});
      }}
      before = after;
    }}
  }}
  walk.to = first();
  return walk;
}}"""


def test_older_pages_come_in_above_without_a_jump(long_room, visitor):
    person, room, seqs = long_room
    reader = visitor()
    reader.enter(person, room)
    expect(reader.message(f"line {MESSAGES - 1}")).to_be_visible()
    walk = reader.log.evaluate(WALK_UP, seqs[0])
    assert walk["to"] == seqs[0] < seqs[200] < walk["from"], "from the newest page to the beginning"
    assert walk["rows"] > MESSAGES and walk["jumps"] == [], "no row in sight moved by itself"
    expect(reader.page.get_by_text(re.compile("This is the beginning of"))).to_be_visible()


def test_a_permalink_opens_its_message_with_what_stands_around_it(long_room, visitor):
    person, room, seqs = long_room
    reader = visitor()
    reader.enter(person, f"{room}/{seqs[40]}")
    target = reader.message("line 40")
    expect(target).to_be_in_viewport()
    expect(target).to_have_css("box-shadow", MARKED)
    for near in ("line 39", "line 41"):
        expect(reader.message(near)).to_be_in_viewport()
    seen = {int(seq): top for seq, top in reader.log.evaluate(IN_SIGHT).items()}
    assert sorted(seen) == list(range(min(seen), max(seen) + 1)), "nothing is left out around it"
    assert min(seen) < seqs[40] < max(seen), "it is not at the edge"
    reader.message("line 41").locator("time").last.evaluate("time => time.closest('a').click()")
    expect(reader.page).to_have_url(re.compile(f"/r/{room}/{seqs[41]}$"))
    expect(reader.message("line 41")).to_have_css("box-shadow", MARKED)


@pytest.fixture(scope="module")
def long_room(parley):
    """A person, a room of 300 messages, and their numbers."""
    person = parley.person("Historian")
    room = person.room("long")
    with Peer(person) as writer:
        say_all(writer, room, [text_of(n) for n in range(MESSAGES)])
    return person, room, [seq for seq, _, _ in person.everything(room)]


def text_of(n: int) -> str:
    """Rows of different heights, except around the one that a permalink names."""
    return f"line {n}" + "\nand more of it" * (n % 5 if n < 30 or 60 < n < MESSAGES - 1 else 0)
