"""The bus on a real Redis that is killed, emptied, stopped and slow: fast when it can be, never silent about a loss."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gevent
import pytest
import redis

from chat.services.assembly import create_services
from chat.services.bus.bus import STREAM, Bus
from chat.services.bus.events import MembershipChanged, PositionMoved
from tests.conftest import ROOT, free_port, wait_until
from tests.services.numbered import numbered

WELL_S = 0.4  # of deafness: a station's heart beats ten times a second


class OwnRedis:
    """A Redis that a test may kill, stop and empty."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Starts it, empty, and waits until it answers."""
        server = shutil.which("redis-server") or shutil.which("valkey-server")
        assert server
        argv = [server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        wait_until(self.answers, what="Redis answers")

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Station:
    """One process with a bus (tests/services/station.py)."""

    def __init__(self, url: str):
        argv = [sys.executable, "-m", "tests.services.station", url]
        self._process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: self.doubts, what="the station listens")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(json.loads(line))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    @property
    def doubts(self) -> int:
        return sum("doubt" in line for line in self.told)

    def heard(self, kind: str) -> list[int]:
        """The numbers of the events of that kind, as they came."""
        return [line["heard"]["number"] for line in list(self.told) if line.get("heard", {}).get("kind") == kind]

    def hears(self, kind: str, numbers: Iterable[int]) -> None:
        expected = list(numbers)
        wait_until(lambda: self.heard(kind) == expected, what=f"hearing {kind} {numbers}")

    def ask(self, **command: Any) -> dict[str, Any]:
        before = len(self._answers())
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        wait_until(lambda: len(self._answers()) > before, what=f"an answer to {command}")
        return self._answers()[before]

    def _answers(self) -> list[dict[str, Any]]:
        return [line for line in list(self.told) if "heard" not in line and "doubt" not in line]

    def publish(self, kind: str, times: int = 1, **how: Any) -> int:
        """Publishes so many events, numbered from 0; returns how many times others went on meanwhile."""
        return int(self.ask(publish=kind, times=times, **how)["switches"])

    @property
    def deaf_s(self) -> float:
        return float(self.ask(state=True)["deaf_s"])


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path_factory.mktemp("bus"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def station(own_redis: OwnRedis) -> Iterator[Callable[[], Station]]:
    with ExitStack() as stack:

        def start() -> Station:
            one = Station(own_redis.url)
            stack.callback(one.close)
            return one

        yield start


@pytest.fixture(scope="module")
def stations(station: Callable[[], Station]) -> tuple[Station, Station]:
    """They outlast whatever the tests do to Redis, as workers do."""
    return station(), station()


@pytest.fixture
def two(own_redis: OwnRedis, stations: tuple[Station, Station]) -> tuple[Station, Station]:
    """Both hear each other, and have their doubts about all that was before behind them."""
    if own_redis.process.poll() is not None:
        own_redis.start()
    for one in stations:
        wait_until(lambda one=one: one.deaf_s < WELL_S, what="it hears")
    for one in stations:
        one.told.clear()
    for one in stations:
        one.publish("hello")
    for one in stations:
        wait_until(lambda one=one: len(one.heard("hello")) == len(stations), what="they know each other")
    return stations


def test_what_one_worker_publishes_every_worker_hears_once_and_in_order(two):
    here, there = two
    here.publish("news", times=500)
    there.hears("news", range(500))
    here.hears("news", range(500))


def test_publishing_never_waits_for_redis_and_nothing_is_lost_or_doubled_while_it_is_stopped(own_redis, two):
    here, there = two
    try:
        # No heartbeat may come before them: what waits behind one is written once, when Redis goes on.
        assert here.publish("slow", times=300, stopping=own_redis.process.pid) == 0
        here.hears("slow", range(300))
        for one in two:  # each by its own clock: what `here` writes is to be given up and written again
            wait_until(lambda one=one: one.deaf_s > 3, what="what is written and what is read has timed out")
    finally:
        own_redis.process.send_signal(signal.SIGCONT)
    there.hears("slow", range(300))
    wait_until(lambda: there.deaf_s < WELL_S, what="it hears again")
    written = sum(fields["e"].count('"kind":"slow"') for _, fields in own_redis.client.xrange(STREAM))
    assert written > 300, "what was written twice was heard once"


def test_what_is_published_while_redis_is_away_arrives_when_it_is_back_empty(own_redis, two):
    here, there = two
    before = there.doubts
    own_redis.kill()
    here.publish("news", times=50)
    own_redis.start()
    there.hears("news", range(50))
    assert there.doubts > before, "it may have missed something"


def test_events_that_were_flushed_before_they_were_read_are_noticed(own_redis, two):
    here, there = two
    before = there.doubts

    def is_written(kind: str) -> bool:
        return any(f'"{kind}","number":4' in fields["e"] for _, fields in own_redis.client.xrange(STREAM))

    there.pause()
    try:
        here.publish("answered", times=5)  # what it was waiting for when it was paused
        wait_until(lambda: is_written("answered"))
        here.publish("lost", times=5)
        wait_until(lambda: is_written("lost"))
        own_redis.client.flushall()
        here.publish("kept")
    finally:
        there.resume()
    there.hears("kept", range(1))
    assert there.heard("lost") == []
    assert there.doubts > before


def test_a_bus_whose_ids_begin_anew_below_the_old_ones_is_read_again(own_redis, two):
    here, there = two
    own_redis.client.xadd(STREAM, {"e": "{}"}, id="99999999999999-0")  # a clock that was ahead
    here.publish("ahead")
    there.hears("ahead", range(1))
    own_redis.client.flushall()
    wait_until(lambda: here.deaf_s < WELL_S and there.deaf_s < WELL_S, what="both hear")
    here.publish("news", times=3)
    there.hears("news", range(3))


def test_a_single_event_that_is_missing_is_noticed(own_redis, two):
    here, _ = two

    def write(number: int) -> None:
        event = json.dumps({"n": number, "kind": "news", "number": number})
        own_redis.client.xadd(STREAM, {"from": "another", "e": event})

    write(1)
    write(2)
    here.hears("news", (1, 2))
    before = here.doubts
    write(4)
    here.hears("news", (1, 2, 4))
    assert here.doubts == before + 1


def test_an_outbox_that_overflows_tells_the_others_that_something_is_missing(own_redis, two):
    here, there = two
    before = there.doubts
    own_redis.process.send_signal(signal.SIGSTOP)
    try:
        dropped = here.ask(room_for=20)["dropped"]
        here.publish("news", times=50)
        assert here.ask(state=True)["dropped"] >= dropped + 30
    finally:
        here.ask(room_for=20_000)
        own_redis.process.send_signal(signal.SIGCONT)
    wait_until(lambda: there.doubts > before, what="the heartbeat shows the gap")
    assert len(there.heard("news")) <= 20


def test_volatile_events_are_dropped_first(own_redis, two):
    here, there = two
    own_redis.process.send_signal(signal.SIGSTOP)
    try:
        here.publish("whispered", times=3_000, volatile=True)
        dropped = here.ask(state=True)["dropped"]
        here.publish("news", times=100)
        assert here.ask(state=True)["dropped"] == dropped
    finally:
        own_redis.process.send_signal(signal.SIGCONT)
    there.hears("news", range(100))
    assert len(there.heard("whispered")) < 3_000


def test_a_quiet_bus_is_told_from_a_deaf_reader_by_heartbeats(own_redis, two):
    quiet, _ = two
    before = own_redis.client.xlen(STREAM)
    wait_until(lambda: own_redis.client.xlen(STREAM) > before + 20, what="a deaf one would have been noticed by now")
    wait_until(lambda: quiet.deaf_s < WELL_S, what="it hears itself")
    own_redis.kill()
    wait_until(lambda: quiet.deaf_s > 2 * WELL_S, what="it is deaf")
    own_redis.start()
    wait_until(lambda: quiet.deaf_s < WELL_S, what="it hears again")


def test_what_waits_is_written_when_a_worker_ends(station, two):
    here, there = station(), two[0]
    here.publish("last", times=100)
    assert here.ask(stop=True) == {"stopped": True}
    there.hears("last", range(100))


def test_something_else_in_the_stream_does_no_harm(own_redis, two):
    here, there = two
    for text in (
        "",
        "{}",
        "no JSON",
        '["n"]',
        '{"n":1}',
        '{"n":"one","kind":"news","number":7}',
        '{"n":[],"kind":"news","number":7}',
    ):
        own_redis.client.xadd(STREAM, {"from": "x", "e": text})
    own_redis.client.xadd(STREAM, {"e": '{"n":1,"kind":"news","number":8}\nno JSON\n{"n":2,"kind":"news","number":9}'})
    own_redis.client.xadd(STREAM, {"other": "field"})
    here.publish("news", times=3)
    there.hears("news", [8, 9, 0, 1, 2])


def test_without_a_worker_an_event_is_written_at_once_and_a_redis_that_is_away_is_no_error(own_redis, two):
    there, _ = two
    Bus(own_redis.client, own_redis.url).publish(numbered("from a command", 0))
    there.hears("from a command", range(1))
    own_redis.kill()
    Bus(own_redis.client, own_redis.url).publish(numbered("from a command", 1))


def test_what_a_worker_without_a_socket_publishes_side_by_side_reaches_redis_in_that_order(config, monkeypatch):
    """Who reads would take an event that comes behind a later one of the same worker for told twice, and drop it."""
    services = create_services(replace(config, ingest_mode="off"), Mock())
    delays_s, written = iter((0.05, 0.0, 0.0)), []

    def write(events):
        gevent.sleep(next(delays_s))  # Redis answers the first one late
        written.extend(json.loads(event)["n"] for event in events)
        return "0-1"

    monkeypatch.setattr(services.bus, "_write", write)
    services.start(end=lambda: None)
    gevent.joinall([gevent.spawn(services.bus.publish, PositionMoved("alice", "general", n)) for n in range(3)])
    services.stop()
    assert written == [1, 2, 3]


def test_what_a_command_publishes_is_written_before_it_goes_on(config):
    services = create_services(config, Mock())
    services.bus.publish(MembershipChanged("alice"))
    assert services.redis.xlen(STREAM) == 1
