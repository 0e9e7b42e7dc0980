"""Whoever opens a permalink and goes on from there leaves its address behind."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

MESSAGES = 30


@pytest.fixture
def linked(two, visitor):
    """Somebody at an early message of a room in which they have read nothing but that."""
    ada, grace = two
    room = ada.room("linked", grace)
    seqs = [ada.say(room, f"line {number}")["seq"] for number in range(MESSAGES)]
    reader = visitor(viewport={"width": 1000, "height": 500})
    reader.enter(grace, f"{room}/{seqs[3]}")
    expect(reader.message("line 3")).to_be_in_viewport()
    return reader, re.compile(f"/r/{room}$")


def test_to_the_newest_is_the_rooms_own_address_and_its_end(linked):
    reader, room = linked
    reader.page.get_by_role("button", name="To the newest").click()
    expect(reader.page).to_have_url(room)
    expect(reader.message(f"line {MESSAGES - 1}")).to_be_in_viewport()
    expect(reader.page.get_by_role("button", name=re.compile("To the newest|New messages"))).to_have_count(0)
    reader.page.reload()
    expect(reader.message(f"line {MESSAGES - 1}")).to_be_in_viewport()


def test_so_is_an_answer_that_is_written_there(linked):
    reader, room = linked
    reader.write("I agree")
    expect(reader.page).to_have_url(room)
    expect(reader.message("I agree")).to_be_in_viewport()
