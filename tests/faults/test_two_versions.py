"""A worker of the next version beside one of this one, under load: what only the next one knows is lost to nobody who
is at it, and nothing is lost to anybody."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chat.services.storage.entries import slot_key
from tests.conftest import spawn_server, wait_until
from tests.faults.checker import deliveries, judge
from tests.faults.next_version import LETTER, mood_of
from tests.faults.stage import MEMBERS, SCENES, TALKERS, Backing, Stage, staged
from tests.seeds import drawn

NEXT = partial(spawn_server, wsgi="tests.faults.planted_app:next_version()")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Everybody has a device at each version."""
    with Backing(tmp_path) as backing, staged(backing, tmp_path, drawn(), [NEXT, spawn_server]) as stage:
        yield stage


def test_a_version_that_knows_less_loses_nothing_of_what_the_next_one_wrote(stage: Stage) -> None:
    stage.fleet.load(dict.fromkeys((stage.room, stage.lobby), TALKERS), 15, edits=0.15, deletes=0.03, reacts=0.2)
    for user in MEMBERS:
        change_at_this_version(stage, user)
    SCENES["away for a moment"](stage)
    for server in (1, 0):
        os.kill(stage.worker(server), signal.SIGKILL)
        stage.go_on(10)
    wait_until(lambda: all(polls(stage, room) for room in (stage.room, stage.lobby)), 120, "each room has a poll")
    stage.connected()
    stage.fleet.load()
    last_word(stage)
    evidence = stage.people.evidence()
    assert judge(evidence) == []
    lying = {room: table(stage, room) for room in (stage.room, stage.lobby)}
    told = [
        snapshot for record in deliveries(evidence.history) if at_next(record["c"]) for snapshot in snapshots_of(record)
    ]
    for snapshot in [row for log in lying.values() for row in log if row["kind"] == "m"] + told:
        by_next = at_next(snapshot["client_id"])
        assert snapshot.get("mood") == (
            mood_of(snapshot["client_id"]) if by_next and not snapshot.get("deleted") else None
        )


def change_at_this_version(stage: Stage, user: str) -> None:
    """Somebody says two things at the next version; at this one they edit both, and delete one of them."""
    for n, acts in enumerate(([stage.fleet.edit], [stage.fleet.edit, stage.fleet.delete])):
        stage.fleet.say(f"{user}-1", stage.room, said := f"{user}-1-said{n}", "at the next version")
        seq = stage.ended(f"{user}-1", said)["seq"]
        for act in acts:
            text = ["edited at this one"] if act == stage.fleet.edit else []
            act(f"{user}-2", stage.room, client_id := stage.fresh(f"{user}-2-change"), seq, *text)
            end = stage.ended(f"{user}-2", client_id)
            assert end["outcome"] == "ack", end


def last_word(stage: Stage) -> None:
    """No poll is the last entry of a room: the devices do not understand its event, and what is behind the last one
    that they understood they learn with the next heads only, a minute later (docs/protocol.md)."""
    wait_until(lambda: not any(device["pending"] for device in stage.fleet.state().values()), 120, "all is sent")
    for room in (stage.room, stage.lobby):
        stage.fleet.say("ann-2", room, said := stage.fresh("ann-2-said"), "at this version, which writes no poll")
        assert stage.ended("ann-2", said)["outcome"] == "ack"


def at_next(name: str) -> bool:
    """Whether a device, or the one that sent something under that client id, is at the next version."""
    user, device, *_ = name.split("-")
    return user in MEMBERS and device == "1"


def snapshots_of(record: Any) -> list[dict[str, Any]]:
    return record["snapshots"] if record["e"] == "page" else [record["snapshot"]] if "snapshot" in record else []


def polls(stage: Stage, room: str) -> list[dict[str, Any]]:
    """What only the next version writes and knows."""
    return [row for row in table(stage, room) if row["kind"] == LETTER]


def table(stage: Stage, room: str) -> list[dict[str, Any]]:
    """A room's log as it lies there."""
    bucket = slot_key(room, 1)["room"]
    return stage.people.storage.client.partition("messages", bucket)
