"""What people are told, and answered, is what the types of chat/wire say, to the field."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import convert
from msgspec.json import encode

from chat.models import Entry
from chat.services.log.append import Draft
from chat.sockets.client_sockets import ClientSocket
from chat.sockets.protocol import EVENTS, REQUESTS
from chat.wire import requests
from chat.wire.reading import read
from tests.services.conftest import ALICE, BOB, CAROL


def is_of(kind: Any, value: Any) -> bool:
    """Whether nothing of the value is lost when it is taken for that: no field that the type does not have."""
    return bool(json.loads(encode(convert(value, kind))) == json.loads(encode(value)))


def at(draft: Draft, seq: int) -> Draft:
    """The draft under its number."""
    return replace(draft, entry=replace(draft.entry, seq=seq))


def is_done(value: Any) -> bool:
    """One of the two forms of requests.Done, of which msgspec takes no union."""
    return is_of(requests.Carried if "message" in value else requests.Unseen, value)


@pytest.fixture
def room(worker):
    room = worker.memberships.create(ALICE, "made", "Plans", "private")["room"]
    worker.memberships.invite(ALICE, "invite", room, "bob")
    worker.followers.follow(worker.rooms.get(room))
    worker.connect(BOB)
    return room


@pytest.fixture
def ask(worker, room):
    me = ClientSocket("alice's", SimpleNamespace(sid="session", person=ALICE), 0.0)

    def ask(event, **payload):
        request = REQUESTS[event]
        answer = request.handler(worker, me, read(request.payload, {"room": room, **payload}))
        assert is_done(answer) if request.answer is requests.Done else is_of(request.answer, answer), event
        return answer

    return ask


def test_a_field_that_no_type_has_would_be_noticed():
    assert is_of(requests.Position, {"seq": 1}) and not is_of(requests.Position, {"seq": 1, "mood": "glad"})


def test_what_is_answered_and_told_in_a_room_is_of_its_types(worker, room, ask):
    said = ask("message:send", client_id="a", text="hello", after=0)["message"]["seq"]
    ask("message:send", client_id="b", text="an answer", reply_to=said)
    ask("message:edit", client_id="c", seq=said, text="hello again")
    ask("reaction:add", client_id="d", seq=said, emoji="👍")
    assert ask("reaction:list", seq=said) == {"reactions": {"👍": ["Alice"]}}
    ask("room:open")
    ask("room:open", after=2)
    ask("room:read", seq=said)
    ask("reaction:remove", client_id="e", seq=said, emoji="👍")
    ask("message:delete", client_id="f", seq=said)
    for event in ("typing:start", "typing:stop"):
        ask(event)
    worker.log.settle(worker.rooms.get(room), worker.sequences.read_head(worker.rooms.get(room)) + 1)
    worker.memberships.invite(ALICE, "g", room, "carol")
    worker.memberships.leave(CAROL, "h", room)
    named = Draft(Entry(room, 0, "room", worker.log.now_ms(), name="Better plans"))
    worker.log.append(worker.rooms.get(room), "alice", "j", ("named",), lambda: lambda seq: at(named, seq))
    worker.memberships.remove(ALICE, "i", room, "bob")
    told = worker.broadcaster.sent["socket-bob"]
    assert all(is_of(EVENTS[event].payload, payload) for event, payload in told), told
    assert {event for event, _ in told} == {
        "message:sent",
        "message:changed",
        "entry:skipped",
        "member:joined",
        "member:left",
        "member:removed",
        "room:changed",
    }
    assert is_of(EVENTS["room:heads"].payload, worker.followers.heads("socket-bob"))
    late = worker.history.page(ALICE, room, before=5, sparse=True).to_dict()
    assert is_of(REQUESTS["room:open"].answer, late) and "oldest" in late
