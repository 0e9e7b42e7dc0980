"""Two people at their pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import AWAY, REFUSALS

TURNS = [(turn % 2, f"turn {turn}") for turn in range(20)]


def test_two_people_talk_and_what_is_said_while_the_server_is_away_or_was_killed_is_there_once_in_order(
    own_parley, visitor
):
    ada, grace = visitors = pair(own_parley, visitor, AWAY)
    texts = [text for _, text in TURNS]
    for who, text in TURNS:
        visitors[who].write(text)
        expect(grace.message(text)).to_be_visible()
        expect(ada.message(text)).to_be_visible()
    for each in visitors:
        each.sees(texts)
    order = ada.log.locator("[data-seq]").evaluate_all("all => all.map((one) => Number(one.dataset.seq))")
    assert order == sorted(set(order))

    worker = own_parley.worker
    own_parley.pause(worker)
    for turn in range(3):
        ada.write(f"waiting {turn}")
        expect(ada.message(f"waiting {turn}")).to_be_visible()
    expect(ada.message("waiting 2")).to_have_attribute("data-state", re.compile("queued|sending"))
    expect(ada.message("waiting 2").locator("time")).to_have_count(0)
    expect(ada.page.get_by_test_id("sync-mark")).not_to_have_attribute("data-state", "synced")
    own_parley.resume(worker)
    texts += [f"waiting {turn}" for turn in range(3)]
    for each in visitors:
        each.in_sync()
        each.sees(texts)

    own_parley.kill_all()
    expect(ada.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "offline")
    for turn in range(3, 5):
        ada.write(f"waiting {turn}")
        expect(ada.message(f"waiting {turn}")).to_have_attribute("data-state", "queued")
    own_parley.start()
    texts += ["waiting 3", "waiting 4"]
    ada.page.reload()
    for each in visitors:
        each.in_sync()
        each.sees(texts)
    address = grace.page.url
    grace.page.reload()
    grace.in_sync()
    expect(grace.page).to_have_url(address)
    grace.sees(texts)
    ada.write("and on we go")
    expect(grace.message("and on we go")).to_be_visible()


def test_an_edit_and_a_deletion_are_seen_by_the_other(room_of_two):
    ada, grace = room_of_two
    ada.write("a frist word")
    ada.write("a slip")
    expect(grace.message("a slip")).to_be_visible()
    ada.act("a frist word", "Edit")
    field = ada.page.get_by_role("textbox", name="Edit text")
    field.fill("a first word")
    field.press("Enter")
    expect(grace.message("a first word")).to_contain_text("edited")
    ada.act("a slip", "Delete")
    ada.page.get_by_role("button", name="Delete it").click()
    expect(grace.log.get_by_text("This message was deleted.")).to_be_visible()
    for visitor in (ada, grace):
        expect(visitor.log.get_by_test_id("message-text")).to_have_text(["a first word"])
        visitor.page.reload()
        expect(visitor.log.get_by_test_id("message-text")).to_have_text(["a first word"])
    grace.message("a first word").hover()
    expect(grace.message("a first word").get_by_role("button", name="Edit")).to_have_count(0)


def test_typing_is_shown_to_the_other(room_of_two):
    ada, grace = room_of_two
    ada.composer.press_sequentially("hm")
    expect(grace.page.get_by_text(re.compile("^Ada.* typing"))).to_be_visible()
    ada.composer.fill("")
    expect(grace.page.get_by_text(re.compile("^Ada.* typing"))).to_have_count(0)


def test_a_private_room_is_made_shared_and_closed_again(parley, visitor):
    people = parley.person("Ada"), parley.person("Grace")
    ada, grace = visitor(REFUSALS), visitor(REFUSALS)
    ada.enter(people[0])
    grace.enter(people[1])
    ada.page.get_by_role("button", name="New room").click()
    ada.page.get_by_role("textbox", name="Room name").fill("Two of us")
    ada.page.get_by_role("radio", name=re.compile("Invited people")).check()
    ada.page.get_by_role("button", name="Create room").click()
    expect(ada.page.get_by_role("heading", name="Two of us", exact=True)).to_be_visible()
    ada.write("nobody else reads this")
    expect(grace.page.get_by_role("link", name=re.compile("Two of us"))).to_have_count(0)
    ada.page.get_by_role("button", name="People").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Invite by name").fill("nobody-at-all")
    dialog.get_by_role("button", name="Invite").click()
    expect(dialog.get_by_role("alert")).to_have_text("There is nobody with that name.")
    dialog.get_by_role("textbox", name="Invite by name").fill(people[1].name)
    dialog.get_by_role("button", name="Invite").click()
    expect(dialog.get_by_text(people[1].name)).to_be_visible()
    grace.page.get_by_role("link", name=re.compile("Two of us")).click()
    grace.in_sync()
    ada.page.keyboard.press("Escape")
    ada.write("welcome")
    expect(grace.message("welcome")).to_be_visible()
    ada.page.get_by_role("button", name="People").click()
    ada.page.get_by_role("button", name=f"Remove {people[1].name}").click()
    ada.page.get_by_role("button", name="Remove from the room").click()
    expect(grace.page.get_by_role("link", name=re.compile("Two of us"))).to_have_count(0)
    expect(grace.page.get_by_text("nobody else reads this")).to_have_count(0)
    expect(grace.page.get_by_text("welcome", exact=True)).to_have_count(0)
    expect(grace.composer).to_have_count(0)


def test_unread_messages_of_another_room_are_counted(parley, visitor):
    writer, reader = parley.person("Ada"), parley.person("Grace")
    room = writer.room("counted", reader)
    grace = visitor()
    grace.enter(reader)
    for turn in range(3):
        writer.say(room, f"unread {turn}")
    link = grace.page.get_by_role("link", name=re.compile("counted .*"))
    expect(link).to_contain_text("3 unread")
    grace.page.reload()
    expect(link).to_contain_text("3 unread")
    link.click()
    expect(grace.message("unread 2")).to_be_visible()
    expect(link).not_to_contain_text("unread")
    grace.page.reload()
    grace.in_sync()
    expect(link).not_to_contain_text("unread")


@pytest.fixture
def room_of_two(parley, visitor):
    """A room of their own on two pages."""
    return pair(parley, visitor)


def pair(parley, visitor, expected=""):
    people = parley.person("Ada"), parley.person("Grace")
    room = people[0].room("pair", people[1])
    visitors = [visitor(expected) for _ in people]
    for one, person in zip(visitors, people, strict=True):
        one.enter(person, room)
    return visitors
