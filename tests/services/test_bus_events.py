"""What workers tell each other: of this version and of others, side by side."""

from __future__ import annotations

import json
from unittest.mock import Mock

import pytest

from chat.services.bus import events
from chat.services.bus.bus import Bus
from chat.services.bus.publisher import Publisher
from chat.sockets.bus_listener import BusListener

ENTRY = {"seq": 3, "kind": "message", "at_ms": 5}
IMAGE = {"room": "general", "seq": 3, "text": "héllo\nthere", "mood": "as only a later version knows"}
TYPING = {"room": "general", "user": "alice", "name": "Alice", "typing": True}
# Each kind, and how the version before wrote it, which runs beside this one during an upgrade.
TOLD = [
    (events.Logged("general", 7, ENTRY, IMAGE), {"room": "general", "generation": 7, "entry": ENTRY, "image": IMAGE}),
    (events.Logged("general", 7, ENTRY, None), {"room": "general", "generation": 7, "entry": ENTRY, "image": None}),
    (events.Decided("general", 3), {"room": "general", "seq": 3}),
    (events.MembershipChanged("alice"), {"user": "alice"}),
    (events.RoomMade("plans", "Plans"), {"room": "plans", "name": "Plans"}),
    (events.PositionMoved("alice", "general", 3), {"user": "alice", "room": "general", "seq": 3}),
    (
        events.Reacted("general", 7, 3, 4, {"alice": ["👍"]}),
        {"room": "general", "generation": 7, "seq": 3, "rev": 4, "mine": {"alice": ["👍"]}},
    ),
    (events.SessionEnded("sid", "logout"), {"session": "sid", "reason": "logout"}),
    (events.Typing("general", "alice", "Alice", True), TYPING | {"volatile": True}),
    (events.Restored(), {}),
    (events.Beat(1.5), {"at": 1.5}),
]
KINDS = [
    "entry",
    "entry",
    "decided",
    "membership",
    "room_made",
    "read",
    "reacted",
    "session_ended",
    "typing",
    "restored",
    "beat",
]
HEARD = [
    (event, {"kind": kind, **told})
    for kind, (event, told) in zip(KINDS, TOLD, strict=True)
    if not isinstance(event, events.Beat)
]


@pytest.fixture
def heard():
    return []


@pytest.fixture
def bus(heard):
    bus = Bus(Mock(), "")
    bus._listener = heard.append
    return bus


def receive(bus, *told, origin="another"):
    bus._receive(origin, "\n".join(json.dumps({"n": number, **each}) for number, each in enumerate(told, 1)))


def test_every_kind_is_named_here():
    assert set(KINDS) >= {kind for kind, each in events.KINDS.items() if each.__module__ == events.__name__}


@pytest.mark.parametrize(("kind", "event", "told"), [(k, *each) for k, each in zip(KINDS, TOLD, strict=True)])
def test_an_event_is_told_as_the_version_before_tells_it(kind, event, told):
    line = events.encode(12, event)
    assert json.loads(line) == {"n": 12, "kind": kind, **told}
    assert b"\n" not in line


@pytest.mark.parametrize(("event", "told"), HEARD)
def test_what_the_version_before_tells_is_heard(bus, heard, event, told):
    receive(bus, told)
    assert heard == [event]


@pytest.mark.parametrize(("event", "told"), HEARD)
def test_fields_that_a_later_version_adds_are_passed_by(bus, heard, event, told):
    receive(bus, told | {"more": {"than": ["this", 1.5]}, "poll": 7})
    assert heard == [event]


def test_what_a_later_version_says_of_a_message_goes_through(bus, heard):
    entry, image = ENTRY | {"mood": "glad"}, IMAGE | {"files": [{"id": "f"}]}
    receive(bus, {"kind": "entry", "room": "general", "generation": 7, "entry": entry, "image": image})
    assert (heard[0].entry, heard[0].image) == (entry, image)


def test_a_kind_that_is_not_known_is_passed_by_and_no_doubt(bus, heard):
    bus._on_doubt = Mock()
    receive(bus, {"kind": "restored"}, {"kind": "poll:asked", "room": "general", "by": "alice"}, {"kind": "restored"})
    assert heard == [events.Restored(), events.Restored()]
    assert not bus._on_doubt.called, "it is counted like any other"


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "decided", "room": "general"},
        {"kind": "decided", "room": "general", "seq": "3"},
        {"kind": "decided", "room": None, "seq": 3},
        {"kind": "entry", "room": "general", "generation": 1, "entry": "3", "image": None},
        {"kind": "typing", **TYPING, "typing": 1},
    ],
)
def test_one_that_does_not_say_what_it_has_to_is_logged_and_those_behind_it_are_heard(bus, heard, told, caplog):
    receive(bus, told, {"kind": "restored"})
    assert heard == [events.Restored()]
    assert "could not be read" in caplog.text


def test_one_of_a_kind_of_this_version_alone_is_nothing_to_a_listener_without_it(bus):
    class Asked(events.Event, frozen=True, tag="poll:asked"):
        room: str

    listener = BusListener(*[Mock() for _ in range(8)])
    listener.on_event(Asked("general"))


def test_the_listener_has_a_function_for_every_kind_but_the_heartbeat():
    listener = BusListener(*[Mock() for _ in range(8)])
    known = {each for each in events.KINDS.values() if each.__module__ == events.__name__}
    assert set(listener._acts) == known - {events.Beat}


def test_a_command_tells_the_same_as_a_worker():
    client = Mock()
    Publisher(client).publish(events.MembershipChanged("alice"))
    ((_, entry), _) = client.xadd.call_args
    assert json.loads(entry["e"]) == {"n": 1, "kind": "membership", "user": "alice"}
