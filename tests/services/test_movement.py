"""A stream that stands still for a minute: every worker and `doctor` know, by Redis's clock, and why."""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from functools import partial

import pytest

from chat.app import create_app
from chat.errors import ChatError
from chat.services.health.movement import AT, STILL_S, Movement
from chat.services.jobs.leases import Lease
from chat.services.jobs.poller import Poller
from chat.services.storage import redis_client
from chat.services.storage.stream import Streams
from tests.conftest import browser
from tests.services.split_stream import SplitStream
from tests.services.test_poller import Ours, Recording
from tests.test_doctor import working


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def redis(redis_url):
    client = redis_client.connect(redis_url)
    client.flushall()
    return client


def pass_by(redis, table: str, seconds: int) -> None:
    """The stream's last movement was so much longer ago, for everybody."""
    for key in redis.scan_iter(f"stream_moved:{table}"):
        redis.hincrby(key, AT, -seconds)


def test_a_reader_that_moves_is_noted_every_five_seconds_and_one_that_stops_is_missed(redis):
    clock = Clock()
    reads, asks = Movement(redis, "t", clock), Movement(redis, "t")
    assert asks.problem() is None, "nobody has begun"
    reads.note("")
    pass_by(redis, "t", STILL_S + 10)
    assert asks.problem() == "nothing was taken over from the table's stream for 1 min"
    reads.note("")
    assert not asks.moves(), "it was written down a moment ago"
    clock.now += 5
    reads.note("")
    assert asks.moves()


def test_a_reader_that_fails_says_why_and_keeps_the_time_when_it_moved_last(redis):
    clock = Clock()
    reads, asks = Movement(redis, "t", clock), Movement(redis, "t")
    reads.note("")
    reads.note("Inexact")
    assert asks.problem() is None, "not for a minute"
    pass_by(redis, "t", 600)
    for _ in range(3):
        clock.now += 5
        reads.note("Inexact")
    assert asks.problem() == "nothing was taken over from the table's stream for 10 min (Inexact)"
    reads.note("")
    assert asks.problem() is None, "at once, and without the reason"
    pass_by(redis, "t", 600)
    assert "Inexact" not in (asks.problem() or "")


def test_who_watches_begins_the_minute_and_says_in_the_log_what_is_wrong_and_when_it_is_over(redis, caplog):
    clock = Clock()
    watches = Movement(redis, "t", clock)
    watches.watch()
    pass_by(redis, "t", STILL_S + 1)
    for _ in range(5):
        watches.watch()
    clock.now += 10
    Movement(redis, "t").note("")
    watches.watch()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (
            logging.ERROR,
            "The stream of messages does not move: nothing was taken over from the table's stream for 1 min",
        ),
        (logging.WARNING, "The stream of messages does not move: over, well again after 10 s"),
    ]


def test_a_redis_that_is_away_is_no_stream_that_stands_still():
    away = Movement(redis_client.connect("redis://127.0.0.1:1/0"), "t")
    away.note("")
    assert away.moves() is None
    with pytest.raises(ChatError):
        away.watch()


class Poisoned(Recording):
    """Has no way past one record."""

    def take(self, changes):
        changes = list(changes)
        if any(change.id == "poison" for change in changes):
            raise ArithmeticError("of somebody's row")
        super().take(changes)


def test_a_poller_notes_a_round_without_anything_left_and_no_other(worker):
    stream, ours, told = SplitStream(random.Random(1)), Ours(), []
    lease = Lease(worker.redis, "moves", 2_500)
    poller = Poller(ours, partial(Streams, stream), Poisoned(), lease, note=told.append)
    assert poller.begin() and told == []
    poller.round()
    assert told == [""], "nothing waits"
    stream.record(0, "INSERT", "room", "good", {})
    poller.round()
    assert told == ["", ""]
    stream.expire = 1.0
    poller.round()
    assert told == ["", ""], "iterators that are always too old read nothing"
    stream.expire = 0.0
    stream.record(0, "INSERT", "room", "poison", {})
    with pytest.raises(ArithmeticError):
        poller.round()
    assert told == ["", ""]


def test_ready_says_so_and_stays_ready_and_doctor_says_it_in_words(config, redis):
    app = create_app(config)
    client, found = browser(app), app.extensions["parley"]
    assert "stream" not in client.get("/readyz").json
    doctor = app.test_cli_runner()
    assert "All is well" in doctor.invoke(args=["doctor"]).output
    found.movement.note("Inexact")
    found.movement.watch()
    pass_by(redis, found.storage.client.table("messages"), 7_200)
    found.workers.beat()
    found.readiness._asked_at = float("-inf")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["stream"]) == (200, False)
    with working(config, config.public_url):
        said = doctor.invoke(args=["doctor"])
    words = "- Broken: a worker takes rows over: nothing was taken over from the table's stream for 120 min (Inexact)."
    assert said.exit_code == 2 and words in said.output


def test_where_no_worker_reads_the_stream_nobody_asks_whether_it_moves(config, redis):
    app = create_app(replace(config, ingest_mode="lambda"))
    found = app.extensions["parley"]
    found.movement.watch()
    pass_by(redis, found.storage.client.table("messages"), 7_200)
    assert "stream" not in browser(app).get("/readyz").json
    assert "All is well" in app.test_cli_runner().invoke(args=["doctor"]).output
