"""Whoever asks for a number while Redis is being asked shares the next question."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import pytest
import redis
from gevent.event import Event

from chat.errors import ChatError
from chat.models import Room
from chat.services.log.sequence import PROPOSE, Numbers

GENERAL = Room("general", "General", "public")


class Counter:
    """Stands for Redis and its script: every question waits until the test lets it go on."""

    def __init__(self) -> None:
        self.last = 7
        self.asked: list[tuple[int, int]] = []  # (seen, how many)
        self.open = Event()
        self.fails = False

    def register_script(self, script):
        return self._propose if script == PROPOSE else lambda keys, args: 1

    def _propose(self, keys, args):
        seen, _, count = args
        self.asked.append((seen, count))
        self.open.wait()
        if self.fails:
            raise redis.ConnectionError
        first = self.last + 1
        self.last += count
        return first


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def numbers(counter) -> Numbers:
    numbers = Numbers(counter, SimpleNamespace(entries=SimpleNamespace(head=lambda room, bucket: 7)))
    numbers.decided("general", 7)
    numbers._trusted.add("general")
    return numbers


def ask(numbers, seen=0):
    def propose():
        try:
            return numbers.propose(GENERAL, seen)
        except ChatError as error:
            return error.code

    greenlet = gevent.spawn(propose)
    gevent.sleep(0)
    return greenlet


def values(greenlets):
    gevent.joinall(greenlets, timeout=10, raise_error=True)
    return [greenlet.value for greenlet in greenlets]


def test_one_question_is_asked_for_all_who_came_meanwhile_and_no_number_is_given_twice(numbers, counter):
    asked = [ask(numbers) for _ in range(6)]
    counter.open.set()
    assert sorted(values(asked)) == [8, 9, 10, 11, 12, 13]
    assert counter.asked == [(7, 1), (7, 5)]


def test_who_has_seen_more_than_this_worker_asks_alone(numbers, counter):
    asked = [ask(numbers), ask(numbers, seen=7), ask(numbers, seen=8)]
    counter.open.set()
    assert len(set(values(asked))) == 3
    assert sorted(counter.asked) == [(7, 1), (7, 1), (8, 1)]


def test_who_is_interrupted_while_asking_for_others_strands_none_of_them(numbers, counter):
    first, second, third, fourth = (ask(numbers) for _ in range(4))
    first.kill()
    gevent.sleep(0)
    second.kill()
    counter.open.set()
    assert len(set(values([third, fourth]))) == 2
    assert ask(numbers).get(timeout=10) == counter.last


def test_a_redis_that_fails_is_asked_once_for_all_who_wait(numbers, counter):
    asked = [ask(numbers) for _ in range(4)]
    counter.fails = True
    counter.open.set()
    assert values(asked) == ["unavailable"] * 4
    assert len(counter.asked) == 2
    counter.fails = False
    assert ask(numbers).get(timeout=10) == 8


def test_when_redis_may_not_be_believed_each_reads_the_head(numbers, counter):
    counter.last = -1
    asked = [ask(numbers) for _ in range(3)]
    counter.open.set()
    assert len(set(values(asked))) == 3


def test_what_is_decided_is_what_the_next_number_must_exceed(numbers, counter):
    numbers.decided("general", 40)
    numbers.decided("general", 9)  # an older answer that comes later lowers nothing
    counter.open.set()
    numbers.propose(GENERAL)
    assert counter.asked == [(40, 1)]
