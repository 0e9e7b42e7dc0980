"""What HTTP answers is what the types of chat/wire say, to the field: the page's types are made from those."""

from __future__ import annotations

import json

import pytest
from msgspec import convert
from msgspec.json import encode

from chat.wire import values


@pytest.fixture
def alice(client, auth):
    auth.enter("alice")
    made = client.post("/api/rooms", json={"client_id": "a", "name": "Plans", "kind": "public"})
    client.post("/api/rooms/plans/messages", json={"client_id": "b", "text": "hello"})
    client.post("/api/rooms/plans/messages", json={"client_id": "c", "text": "hello yourself", "reply_to": 2})
    assert is_of(values.Room, made.json["room"])
    return client


def is_of(kind, value):
    """Whether nothing of the value is lost when it is taken for that."""
    return json.loads(encode(convert(value, kind))) == value


def test_answers_are_of_their_types(alice):
    rooms = alice.get("/api/rooms").json
    assert rooms["rooms"] and is_of(values.RoomsAnswer, rooms)
    for limit, quotes in ((50, 0), (1, 1)):
        page = alice.get(f"/api/rooms/plans/messages?limit={limit}").json
        assert page["messages"] and len(page.get("quotes", [])) == quotes and is_of(values.Page, page)
    assert all(is_of(values.Member, each) for each in alice.get("/api/rooms/plans/members").json["members"])
    signed_in = alice.get("/api/auth/protected").json
    assert is_of(values.User, signed_in["user"]) and is_of(values.Session, signed_in["session"])
    devices = alice.get("/api/auth/sessions").json["sessions"]
    assert devices and all(is_of(values.Device, each) for each in devices)
    for path in ("/api/rooms/nowhere/messages", "/api/nothing"):
        assert is_of(values.ErrorBody, alice.get(path).json["error"])
