"""'In sync' is true: a dead or slow line is not called so; and nothing stays white, or red, without a cause."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import AWAY

MARK = "sync-mark"
OFFLINE = "ERR_INTERNET_DISCONNECTED|" + AWAY


def mark(page: Page, *states: str) -> None:
    expect(page.get_by_test_id(MARK)).to_have_attribute("data-state", re.compile("|".join(states)))


@pytest.fixture
def line():
    """Lays a visitor's sockets through the hands of the test; while they are `frozen`, what is sent is lost."""

    def lay(guest):
        held = {"frozen": False}

        def connect(socket):
            server = socket.connect_to_server()
            socket.on_message(lambda data: None if held["frozen"] else server.send(data))
            server.on_message(lambda data: None if held["frozen"] else socket.send(data))

        guest.context.route_web_socket(re.compile("/socket.io/"), connect)
        return held

    return lay


def test_on_a_dead_network_the_mark_is_not_green_within_fifteen_seconds_of_silence(parley, visitor, line):
    ada = parley.person("Ada")
    guest = visitor(AWAY)
    held = line(guest)
    guest.enter(ada)
    held["frozen"] = True
    mark(guest.page, "slow", "offline")
    expect(guest.page.get_by_text(re.compile("slow to answer|Reconnecting|Connecting"))).to_be_visible()
    held["frozen"] = False
    guest.in_sync()


def test_a_message_that_is_not_acked_says_so_and_in_a_hidden_tab_too(parley, visitor, line):
    ada = parley.person("Ada")
    guest = visitor(AWAY)
    held = line(guest)
    guest.enter(ada)
    held["frozen"] = True
    guest.write("into the void")
    mark(guest.page, "slow", "offline")
    expect(guest.page).to_have_title(re.compile("^Not sent"))
    held["frozen"] = False
    expect(guest.message("into the void")).to_have_attribute("data-state", "sent")
    guest.in_sync()
    expect(guest.page).not_to_have_title(re.compile("Not sent"))


def test_the_browsers_word_that_it_is_offline_counts_at_once_and_a_room_that_cannot_be_loaded_says_why(parley, visitor):
    ada = parley.person("Ada")
    room = ada.room("unvisited")
    guest = visitor(OFFLINE)
    guest.enter(ada)
    expect(guest.page.get_by_role("link", name=re.compile("unvisited"))).to_be_visible()
    guest.context.set_offline(True)
    expect(guest.page.get_by_test_id(MARK)).to_have_attribute("data-state", "offline", timeout=8_000)
    guest.page.get_by_role("link", name=re.compile("unvisited")).click()
    expect(guest.page).to_have_url(re.compile(room))
    expect(guest.page.get_by_text("Earlier messages are here again when the server can be reached")).to_be_visible()
    guest.context.set_offline(False)
    guest.in_sync()


def test_a_red_sentence_goes_with_its_cause(parley, visitor):
    ada = parley.person("Ada")
    room = ada.room("red")
    ada.say(room, "hello")
    guest = visitor(OFFLINE)
    guest.enter(ada, room)
    guest.context.set_offline(True)
    mark(guest.page, "offline")
    guest.message("hello").focus()
    guest.page.keyboard.press("+")
    guest.page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Rocket").click()
    said = guest.page.get_by_text("The server cannot be reached")
    expect(said).to_be_visible()
    guest.context.set_offline(False)
    guest.in_sync()
    expect(said).to_have_count(0)
