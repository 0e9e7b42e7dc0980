"""What is marked stays marked for those who want no motion, and in the few colours of a high contrast theme."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.parley import new_id

LOOK = """element => {
    const { backgroundColor, outlineStyle, boxShadow, borderTopColor } = getComputedStyle(element);
    return [backgroundColor, outlineStyle, boxShadow, borderTopColor].join(" | ");
}"""
# What moves has come to rest: what is left of it lasts.
AT_REST = "document.getAnimations().every(each => each.playState === 'finished')"


def looks(one: Locator) -> str:
    return one.evaluate(LOOK)


@pytest.mark.parametrize("colours", ["none", "active"])
def test_every_mark_stays_without_motion_and_without_colours(two, visitor, device, colours):
    ada, grace = two
    room, other = ada.room("marked", grace), ada.room("unread elsewhere", grace)
    seqs = [ada.say(room, f"line {number}")["seq"] for number in range(3)]
    ada.say(other, "something new")
    for emoji, person in (("👍", ada), ("🎉", grace)):
        answer = device(person).emit(
            "reaction:add", {"room": room, "client_id": new_id(), "seq": seqs[2], "emoji": emoji}
        )
        assert answer["ok"], answer
    reader = visitor(reduced_motion="reduce", forced_colors=colours)
    reader.enter(grace, f"{room}/{seqs[0]}")
    page = reader.page
    expect(reader.message("line 0")).to_be_in_viewport()
    page.wait_for_function(AT_REST)
    assert looks(reader.message("line 0")) != looks(reader.message("line 1"))

    rooms = page.get_by_role("navigation", name="Rooms")
    here, unread = rooms.locator("[aria-current=page]"), rooms.get_by_role("link", name="unread elsewhere")
    general = rooms.get_by_role("link", name="General")
    assert looks(here) != looks(general)
    assert looks(here) != looks(unread)
    expect(unread).to_contain_text("1")

    mine, theirs = (page.get_by_role("button", name=emoji) for emoji in ("🎉", "👍"))
    assert looks(mine) != looks(theirs)

    dot = page.get_by_test_id("sync-mark").locator("i")
    synced = looks(dot)
    reader.context.set_offline(True)
    expect(page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "offline")
    assert looks(dot) != synced
    reader.context.set_offline(False)

    page.keyboard.press("Control+k")
    chosen, next_one = (page.locator(f"[role=option][aria-selected={is_it}]").first for is_it in ("true", "false"))
    assert looks(chosen) != looks(next_one)
