"""Who listens to the bus beside the sockets of a worker."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import Mock

import pytest

from chat.services.bus.bus import Bus
from chat.services.bus.events import Event, PositionMoved, Typing

READ = PositionMoved("alice", "general", 1)
TYPING = {"room": "general", "user": "alice", "name": "Alice", "typing": True}


@pytest.fixture
def bus() -> Bus:
    return Bus(Mock(), "redis://nowhere", Mock())


def hear(bus: Bus, number: int, **event: Any) -> None:
    bus._receive("another", json.dumps({"n": number, **event}))


def test_a_watcher_hears_what_the_sockets_hear_and_doubts_with_them(bus):
    heard: dict[str, list[Any]] = {"watcher": [], "sockets": []}
    doubts: list[str] = []
    bus.watch(heard["watcher"].append, lambda: doubts.append("watcher"))
    hear(bus, 1, kind="read", user="alice", room="general", seq=1)
    bus.start(heard["sockets"].append, lambda: doubts.append("sockets"))
    assert doubts == ["sockets"], "what came before they listened they did not hear"
    bus.publish(READ)
    hear(bus, 3, kind="typing", **TYPING)
    assert doubts == ["sockets", "sockets", "watcher"]
    assert heard["watcher"] == [READ, READ, Typing(**TYPING)]
    assert heard["sockets"] == heard["watcher"][1:]


def test_a_watcher_that_fails_keeps_nobody_from_hearing(bus, caplog):
    heard: list[Event] = []
    bus.watch(Mock(side_effect=LookupError("planted")), lambda: None)
    bus.watch(heard.append, lambda: None)
    bus.publish(READ)
    assert heard == [READ] and "planted" in caplog.text


def test_it_is_read_once_however_many_listen(bus):
    bus.watch(Mock(), Mock())
    bus.start(Mock(), Mock())
    bus.watch(Mock(), Mock())
    assert [call.args[0].__name__ for call in bus._background.forever.call_args_list] == ["_flush", "_read", "_beat"]
