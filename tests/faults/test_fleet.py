"""A small fleet on a running server: what it writes down is what happened, and the checker is content with it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.config import Config
from chat.services.storage.storage import Storage
from tests.conftest import start_server, wait_until
from tests.faults.checker import judge, sends
from tests.faults.fleet import Fleet, read_history
from tests.faults.people import People

ROOMY = {
    "sends_per_user": 10_000,
    "reads_per_user": 10_000,
    "sockets_per_address": 1_000,
    "registrations_per_address": 1_000,
}


@pytest.fixture
def people(config: Config, tmp_path: Path) -> Iterator[People]:
    """Four people, two of them with two devices, in a public and a private room; and one who is in neither."""
    server = start_server(config, tmp_path, workers=2, **ROOMY)
    with Fleet(tmp_path / "history.jsonl", seed=7) as fleet:
        people = People(fleet, Storage.connect(config), [server.url], random.Random(7))
        people.enrol("ada", "bob", "cyd", "dan", "zed")
        people.room("Open", "ada", "bob", "cyd", kind="public")
        people.room("Closed", "bob", "cyd", "dan")
        for client in ("ada-1", "ada-2", "bob-1", "bob-2", "cyd-1", "dan-1", "zed-1"):
            people.device(client, client.split("-")[0])
        wait_until(lambda: all(device["connected"] for device in fleet.state().values()), what="all are connected")
        yield people
    server.process.kill()
    server.process.wait(60)


def _load(people: People, per_s: float) -> None:
    rooms = {room: people.devices_of(*members) for room, members in people.rooms.items()}
    people.fleet.load(rooms, per_s, edits=0.2, deletes=0.05, reacts=0.2)


def _sent_again(history: list[dict[str, Any]]) -> bool:
    return any(len(send.tries) > 1 for send in sends(history))


def test_a_fleet_that_is_cut_and_crashes_and_loses_acks_keeps_every_promise(people):
    _load(people, 20)
    wait_until(lambda: people.fleet.acked() > 20, what="some are acked")
    people.fleet.cut(["ada-1", "bob-2"])
    people.crash(0.3)
    people.fleet.lose_acks(0.2)
    wait_until(lambda: people.fleet.acked() > 60, 60, "more are acked")
    wait_until(lambda: _sent_again(read_history(people.fleet.path)), 60, "something is sent again")
    people.fleet.lose_acks(0)
    people.fleet.load()
    evidence = people.evidence()
    assert judge(evidence) == []
    assert {record["e"] for record in evidence.history} >= {"push", "page", "crash", "disconnect", "transcript"}
    assert set(evidence.logs) == set(people.rooms) and all(log.snapshots for log in evidence.logs.values())


def test_a_device_on_its_own_waits_with_what_it_has_to_say(people):
    room = next(iter(people.rooms))
    people.fleet.disconnect(["ada-1"])
    people.fleet.say("ada-1", room, "later", "I am back")
    assert people.fleet.state()["ada-1"]["pending"] == 1
    people.fleet.connect(["ada-1"])
    wait_until(lambda: people.fleet.said("ada-1", room), what="it is acked")
    assert judge(people.evidence()) == []


def test_a_crash_brings_nobody_back_who_was_told_to_stay_away(people):
    people.fleet.disconnect(["ada-1"])
    people.fleet.crash(["ada-1", "bob-1"])
    wait_until(lambda: people.fleet.state()["bob-1"]["connected"], what="the other one is back")
    ada = people.fleet.state()["ada-1"]
    assert ada["away"] and not ada["connected"]
    assert judge(people.evidence()) == []


def test_what_an_outsider_is_answered_is_written_down(people):
    room = list(people.rooms)[1]
    assert people.fleet.ask("zed-1", "room:open", room=room, after=0)["error"]["code"] == "room_not_found"
    people.fleet.say("zed-1", room, "from-outside", "Let me in")
    wait_until(lambda: people.fleet.state()["zed-1"]["pending"] == 0, what="it has ended")
    evidence = people.evidence()
    (send,) = [send for send in sends(evidence.history) if send.record["c"] == "zed-1"]
    assert send.outcome == "refused" and send.end["code"] == "room_not_found"
    assert judge(evidence) == []
