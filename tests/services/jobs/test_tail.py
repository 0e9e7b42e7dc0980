"""`flask tail`: every decided entry, in order, as it comes; what was told once is not lost by an end at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chat.app import create_app
from chat.config import Config
from chat.errors import ChatError
from chat.services.jobs.tail import AGAIN_EVERY_S, HEADS_EVERY_S, ROOMS_EVERY_S, Tail
from tests.conftest import ROOT, free_port, wait_until
from tests.services.conftest import ALICE
from tests.services.worker import Worker


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tail(worker: Worker, clock: Clock) -> Callable[..., Tail]:
    return lambda *args, **kwargs: Tail(worker.storage, worker.sequences, *args, **kwargs, clock=clock)


def say(worker: Worker, *texts: str, room: str = "general") -> list[int]:
    return [worker.messages.send(ALICE, room, f"{room}-{text}", text)["seq"] for text in texts]


def told(tail: Tail) -> list[tuple[str, int]]:
    return [(line["room"], line["entry"]["seq"]) for line in tail.lines()]


def general(*seqs: int) -> list[tuple[str, int]]:
    return [("general", seq) for seq in seqs]


def test_it_tells_every_entry_with_its_message_and_then_what_comes(worker, tail):
    say(worker, "one", "two")
    worker.messages.edit(ALICE, "general", "edit", 1, "uno")
    reading = tail("general")
    lines = list(reading.lines())
    assert [line["entry"]["kind"] for line in lines] == ["message", "message", "change"]
    assert [line["message"]["text"] for line in lines] == ["uno", "two", "uno"]
    assert lines[0]["generation"] == worker.storage.rooms.get("general").generation
    assert told(reading) == []
    say(worker, "three")
    assert told(reading) == general(4)


def test_it_begins_where_it_is_told_to(worker, tail):
    say(worker, *"abc")
    generation = worker.storage.rooms.get("general").generation
    assert told(tail("general", after=2)) == general(3)
    assert told(tail("general", {"general": (generation, 1)})) == general(2, 3)
    assert told(tail("general", {"general": (generation - 1, 3)})) == general(1, 2, 3), "of a log that is no more"
    reading = tail("general", new=True)
    assert told(reading) == []
    say(worker, "d")
    assert told(reading) == general(4)


def test_nothing_behind_an_undecided_number_is_told(worker, tail):
    say(worker, "one")
    room = worker.storage.rooms.get("general")
    hole = worker.sequences.propose(room)
    say(worker, "behind")
    reading = tail("general")
    assert told(reading) == general(1) and reading.undecided() == [f"general/{hole}"]
    worker.log.settle(room, hole)
    assert told(reading) == general(2, 3) and reading.undecided() == []


def test_what_is_below_the_floor_by_now_is_passed_by(worker, tail, clock):
    say(worker, *"abcd")
    reading = tail("general")
    reading._list()
    worker.storage.rooms.raise_floor("general", 3)
    worker.storage.entries.delete("general", [1, 2])
    assert told(reading) == general(3, 4)


def test_a_room_that_begins_anew_is_told_anew(worker, tail, clock):
    say(worker, *"ab")
    reading = tail("general")
    told(reading)
    room = worker.storage.rooms.get("general")
    worker.storage.rooms.set_generation(room, room.generation + 1)
    clock.s += ROOMS_EVERY_S + 1
    assert told(reading) == general(1, 2)


def test_all_rooms_are_told_and_those_that_come(worker, tail, clock):
    say(worker, "one")
    reading = tail()
    assert told(reading) == general(1)
    room = worker.memberships.create(ALICE, "make", "Later", "public")["room"]
    worker.storage.client.call(
        "put_item",
        TableName=worker.storage.client.table("chat"),
        Item={"pk": {"S": "PROJ#days"}, "sk": {"S": room}, **{n: {"N": "1"} for n in ("generation", "seq", "floor")}},
    )
    clock.s += ROOMS_EVERY_S + 1
    assert told(reading) == [(room, 1)]


def test_without_redis_it_says_so_once_and_reads_the_tables(worker, tail, clock, monkeypatch):
    said: list[str] = []
    reading = tail("general", complain=said.append)

    def away(rooms: Any) -> dict[str, int]:
        raise ChatError("unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(worker.sequences, "proposed", away)
        for text in "ab":
            say(worker, text)
            clock.s += AGAIN_EVERY_S + 1
            assert len(told(reading)) == 1
    assert said == ["Redis does not answer; reading the tables instead."]
    assert told(reading) == [] and said[1:] == ["Redis answers again."]


def test_a_counter_that_redis_lost_delays_it_by_a_minute_and_no_more(worker, tail, clock):
    reading = tail("general")
    told(reading)
    say(worker, "one")
    worker.redis.flushall()
    clock.s += HEADS_EVERY_S + 1
    assert told(reading) == general(1)


# --- the command ------------------------------------------------------------------------------------------------------


def invoke(config: Config, *args: str) -> tuple[list[tuple[str, int]], str]:
    done = create_app(config).test_cli_runner().invoke(args=["tail", *args])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [(line["room"], line["entry"]["seq"]) for line in lines], done.stderr


def test_the_command_goes_on_where_its_cursor_is(config, worker, tmp_path):
    cursor = tmp_path / "cursor"
    say(worker, *"abc")
    assert invoke(config, "--all", "--cursor", str(cursor), "--no-follow") == (general(1, 2, 3), "")
    say(worker, "d")
    assert invoke(config, "--all", "--cursor", str(cursor), "--no-follow") == (general(4), "")
    assert invoke(config, "general", "--after", "2", "--no-follow") == (general(3, 4), "")
    cursor.write_text("[]")
    assert create_app(config).test_cli_runner().invoke(args=["tail", "--all", "--cursor", str(cursor)]).exit_code == 1


@pytest.mark.parametrize("args", [[], ["general", "--all"], ["--all", "--after", "1"]])
def test_the_command_wants_to_know_what_to_tail(config, args):
    assert create_app(config).test_cli_runner().invoke(args=["tail", *args]).exit_code == 2


def test_the_command_knows_no_room_that_is_not_there(config):
    done = create_app(config).test_cli_runner().invoke(args=["tail", "nowhere"])
    assert done.exit_code == 1 and "no such room" in done.output


@pytest.fixture
def running(config: Config) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: str, **changes: str) -> subprocess.Popen[str]:
        settings = replace(config, **changes)  # type: ignore[arg-type]
        names = ("secret_key", "redis_url", "dynamodb_endpoint", "table_prefix")
        env = {**os.environ, "TESTING": "1", **{name.upper(): getattr(settings, name) for name in names}}
        argv = [sys.executable, "-m", "flask", "--app", "wsgi", "tail", *args]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(argv, cwd=ROOT, env=env, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_ends_when_it_is_told_to_and_when_nobody_reads(worker, running, tmp_path):
    say(worker, "one")
    cursor = tmp_path / "cursor"
    told_to, unread = running("general", "--cursor", str(cursor)), running("--all")
    for process in (told_to, unread):
        assert json.loads(process.stdout.readline())["entry"]["seq"] == 1
    wait_until(cursor.exists, what="the cursor is noted")
    unread.stdout.close()
    told_to.send_signal(signal.SIGINT)
    assert (told_to.wait(20), unread.wait(20)) == (0, 0)
    assert told_to.stderr.read() == unread.stderr.read() == ""
    assert json.loads(cursor.read_text())["general"][1] == 1


def test_a_redis_that_is_away_is_said_once(worker, running):
    say(worker, "one")
    process = running("general", redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert json.loads(process.stdout.readline())["entry"]["seq"] == 1
    say(worker, "two")
    assert json.loads(process.stdout.readline())["entry"]["seq"] == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stderr.read() == "Redis does not answer; reading the tables instead.\n"
