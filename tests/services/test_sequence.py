"""Whoever asks for a number while Redis is being asked shares the next question."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import pytest
import redis
from gevent.event import Event

from chat.errors import ChatError
from chat.models import Room
from chat.services.log.sequence import PROPOSE, Sequences

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
def sequences(counter) -> Sequences:
    sequences = Sequences(counter, SimpleNamespace(entries=SimpleNamespace(head=lambda room, bucket: 7)))
    sequences.decided("general", 7)
    sequences._trusted.add("general")
    return sequences


def ask(sequences, seen=0):
    def propose():
        try:
            return sequences.propose(GENERAL, seen)
        except ChatError as error:
            return error.code

    greenlet = gevent.spawn(propose)
    gevent.sleep(0)
    return greenlet


def values(greenlets):
    gevent.joinall(greenlets, timeout=10, raise_error=True)
    return [greenlet.value for greenlet in greenlets]


def test_one_question_is_asked_for_all_who_came_meanwhile_and_no_number_is_given_twice(sequences, counter):
    asked = [ask(sequences) for _ in range(6)]
    counter.open.set()
    assert sorted(values(asked)) == [8, 9, 10, 11, 12, 13]
    assert counter.asked == [(7, 1), (7, 5)]


def test_who_has_seen_more_than_this_worker_asks_alone(sequences, counter):
    asked = [ask(sequences), ask(sequences, seen=7), ask(sequences, seen=8)]
    counter.open.set()
    assert len(set(values(asked))) == 3
    assert sorted(counter.asked) == [(7, 1), (7, 1), (8, 1)]


def test_who_is_interrupted_while_asking_for_others_strands_none_of_them(sequences, counter):
    first, second, third, fourth = (ask(sequences) for _ in range(4))
    first.kill()
    gevent.sleep(0)
    second.kill()
    counter.open.set()
    assert len(set(values([third, fourth]))) == 2
    assert ask(sequences).get(timeout=10) == counter.last


def test_a_redis_that_fails_is_asked_once_for_all_who_wait(sequences, counter):
    asked = [ask(sequences) for _ in range(4)]
    counter.fails = True
    counter.open.set()
    assert values(asked) == ["unavailable"] * 4
    assert len(counter.asked) == 2
    counter.fails = False
    assert ask(sequences).get(timeout=10) == 8


def test_when_redis_may_not_be_believed_each_reads_the_head(sequences, counter):
    counter.last = -1
    asked = [ask(sequences) for _ in range(3)]
    counter.open.set()
    assert len(set(values(asked))) == 3


def test_what_is_decided_is_what_the_next_number_must_exceed(sequences, counter):
    sequences.decided("general", 40)
    sequences.decided("general", 9)  # an older answer that comes later lowers nothing
    counter.open.set()
    sequences.propose(GENERAL)
    assert counter.asked == [(40, 1)]
