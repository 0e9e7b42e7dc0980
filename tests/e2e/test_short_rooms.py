"""Rooms whose history shows little open as others do: at once, whatever nobody can see lies between."""

from __future__ import annotations

import json
import time

import boto3
import pytest
from playwright.sync_api import expect

from chat.models import Entry
from chat.services.storage.entries import log_row
from chat.services.storage.values import pack
from tests.e2e.browser import Visitor
from tests.e2e.parley import Parley, Person, keys_of

REQUESTS = 5


def bury(parley: Parley, person: Person, room: str, entries: int) -> None:
    """Numbers that nobody used, on top of what the room has, until it has so many entries."""
    client = boto3.Session().client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=parley.told["DYNAMODB_ENDPOINT"],
        **keys_of(parley.told["AWS_SHARED_CREDENTIALS_FILE"]),
    )
    at_ms = int(time.time() * 1000)
    seqs = range(person.page(room)["head"] + 1, entries + 1)
    puts = [{"PutRequest": {"Item": pack(log_row(Entry(room, seq, "tombstone", at_ms), None))}} for seq in seqs]
    for at in range(0, len(puts), 25):
        assert not client.batch_write_item(RequestItems={"messages": puts[at : at + 25]})["UnprocessedItems"]


def asked(reader: Visitor) -> list[str]:
    """What the page asks of a room's history from now on."""
    found: list[str] = []
    reader.page.on("request", lambda request: "/messages" in request.url and found.append(request.url))

    def sent(payload: str | bytes) -> None:
        if isinstance(payload, str) and '"room:open"' in payload:
            found.append(json.loads(payload[payload.index("[") :])[1]["room"])

    reader.page.on("websocket", lambda socket: socket.on("framesent", sent))
    return found


@pytest.mark.parametrize(("shown", "entries"), [(0, 1_000), (0, 10_000), (1, 10_000), (2, 1_000)])
def test_a_room_of_few_messages_among_many_entries_opens(parley, visitor, shown, entries):
    person = parley.person("Ada")
    room = person.room("short", kind="private")
    texts = [f"message {number}" for number in range(shown)]
    for text in texts:
        person.say(room, text)
    bury(parley, person, room, entries)
    reader = visitor()
    history = asked(reader)
    reader.sign_in(person.name, f"/login?next=/r/{room}")
    expect(reader.log.get_by_text("This is the beginning of")).to_be_visible()
    reader.sees(texts)
    ours = [each for each in history if room in each]
    assert len(ours) <= REQUESTS, ours
    reader.write("and one more")
    reader.sees([*texts, "and one more"])
    reader.page.reload()
    reader.sees([*texts, "and one more"])


@pytest.mark.parametrize("few", [0, 1])
def test_a_room_of_few_messages_is_found_by_the_start_and_in_the_middle(parley, visitor, few):
    """The room that was open last, which `/` leads to, with one message below a stretch of nothing and one above it."""
    person = parley.person("Ada")
    room = person.room("short", kind="private")
    person.say(room, "at the bottom")
    bury(parley, person, room, 1_500)
    if few:
        person.say(room, "in the middle")
        bury(parley, person, room, 3_000)
    reader = visitor()
    reader.sign_in(person.name, f"/login?next=/r/{room}")
    texts = ["at the bottom", "in the middle"][: few + 1]
    reader.sees(texts)
    reader.page.goto("/")
    reader.sees(texts)
    expect(reader.page).to_have_url(f"{parley.url}/r/{room}")


def test_an_unread_message_under_a_stretch_of_nothing_is_found(parley, visitor):
    ada, grace = parley.person("Ada"), parley.person("Grace")
    room = ada.room("buried", grace)
    ada.say(room, "nobody sees it at first")
    bury(parley, ada, room, 4_000)
    reader = visitor()
    reader.sign_in(grace.name, f"/login?next=/r/{room}")
    expect(reader.message("nobody sees it at first")).to_be_in_viewport()
    expect(reader.log.get_by_text("new", exact=True)).to_be_visible()
