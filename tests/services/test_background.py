"""Endless work: begun again when it fails, given up when it fails too often, and never for a store that is away."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import gevent
import pytest
import redis
from gevent.event import Event

from chat.errors import ChatError
from chat.services.jobs import leaving
from chat.services.runtime import background as module
from chat.services.runtime.background import Background


class Clock:
    """Time passes in pauses alone; `pauses` are those that were made by `tasks`. What another test has left in this
    process pauses as ever."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.tasks: list[module.Task] = []

    def sleep(self, seconds: float = 0) -> None:
        if all(task._greenlet is not gevent.getcurrent() for task in self.tasks):
            gevent.sleep(seconds)
            return
        self.now += seconds
        self.pauses.append(seconds)
        gevent.sleep(0)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=clock.sleep, spawn=gevent.spawn))
    return clock


@pytest.fixture
def background(clock):
    background = Background(now=lambda: clock.now)
    clock.tasks = background._tasks
    background.died = Event()
    background.on_death = lambda why: background.died.set()
    yield background
    background.stop()


def script(clock, *rounds):
    """Work that does one of these after the other: lasts for so many seconds and ends, or fails; then nothing more.
    `over` is set when all are done."""
    left = list(rounds)
    over = Event()

    def work() -> None:
        if not left:
            over.set()
            Event().wait()
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        clock.now += now
        raise ValueError("it has worked for a while")

    work.over = over
    return work


def test_what_fails_is_begun_again_after_longer_and_longer_pauses(clock, background):
    work = script(clock, *[20.0] * 7)  # too seldom to be for good
    background.forever(work)
    assert work.over.wait(30)
    assert clock.pauses == [1, 2, 4, 8, 16, 30, 30] and not background.dead


def test_what_has_worked_for_a_minute_begins_with_a_short_pause_again(clock, background):
    work = script(clock, 20.0, 20.0, 20.0, 61.0, 20.0)
    background.forever(work)
    assert work.over.wait(30)
    assert clock.pauses == [1, 2, 4, 1, 2]


def test_five_failures_within_a_minute_are_for_good(clock, background, caplog):
    background.forever(script(clock, *[ZeroDivisionError("the planted one")] * 9), "the planted work")
    assert background.died.wait(30)
    assert background.dead == "the planted work" and clock.pauses == [1, 2, 4, 8]
    said = [record.message for record in caplog.records]
    assert said[0] == "the planted work failed: ZeroDivisionError: the planted one"
    assert caplog.records[0].exc_info, "with where it happened"
    assert said[1:] == ["the planted work failed 5 times within 60 s and is given up"], (
        "the cause was said a minute ago"
    )


def test_work_that_ends_by_itself_has_failed(clock, background):
    background.forever(lambda: None)
    assert background.died.wait(30)


def test_four_are_not(clock, background):
    work = script(clock, *[ValueError()] * 4)
    background.forever(work)
    assert work.over.wait(30) and not background.dead


@pytest.mark.parametrize("away", [ChatError("unavailable"), redis.ConnectionError("refused"), ConnectionResetError()])
def test_a_store_that_is_away_is_never_a_reason(clock, background, away):
    work = script(clock, *[away] * 50)
    background.forever(work)
    assert work.over.wait(30) and not background.dead
    assert set(clock.pauses) == {1}


def test_rounds_go_on_through_refusals_and_begin_again_after_a_failure(clock, background, caplog):
    caplog.set_level(logging.WARNING)
    rounds = iter([None, ChatError("unavailable"), ChatError("expired"), KeyError("x"), None])
    over = Event()

    def work() -> None:
        now = next(rounds, over)
        if now is over:
            over.set()
            Event().wait()
        if now is not None:
            raise now

    background.every(7, work)
    assert over.wait(30) and not background.dead
    assert clock.pauses == [7, 7, 7, 7, 1, 7, 7]
    assert [record.levelname for record in caplog.records if "expired" in record.message] == ["WARNING"]
    assert not any("unavailable" in record.message for record in caplog.records)


def test_the_death_of_one_is_told_once_and_ends_no_other(clock, background):
    told = []
    background.on_death = told.append
    other = script(clock)
    background.forever(other, "the other")
    for name in ("first", "second"):
        background.forever(lambda: None, name).join()
    assert told == ["first was given up"] and background.dead == "first"
    assert other.over.is_set()


class Taken:
    """A lease that others hold, and a Redis that is away, before it is this one's turn."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def take(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_worker_leaves_when_it_is_its_turn_and_not_while_redis_is_away(monkeypatch):
    monkeypatch.setattr(leaving, "ASK_EVERY_S", 0)
    lease, ended = Taken(False, ChatError("unavailable"), False, True), []
    leaving.leave(lease, lambda: ended.append(len(lease.answers)), "something was given up")
    assert ended == [0]
