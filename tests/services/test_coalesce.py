"""What is asked for in one turn is asked for once, and nobody is answered by what was read before they came."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
from gevent.event import Event

from chat.errors import ChatError
from chat.services.runtime import coalesce as module
from chat.services.runtime.coalesce import Coalescer


class Asked:
    """What was asked for, each time; every answer but those of `quick` waits for `go`."""

    def __init__(self, quick=False):
        self.times = []
        self.go = Event()
        if quick:
            self.go.set()

    def __call__(self, items):
        number = len(self.times)
        self.times.append(items)
        self.go.wait()
        return number


def test_those_who_come_in_one_turn_are_answered_by_one_asking():
    coalesce, ask = Coalescer(), Asked(quick=True)
    asking = [gevent.spawn(coalesce, "sessions", item, ask) for item in ("a", "b", "b", "c")]
    assert [each.get(timeout=30) for each in asking] == [0] * 4
    assert ask.times == [["a", "b", "c"]]


def test_who_comes_after_the_asking_began_is_answered_by_a_later_one():
    coalesce, ask = Coalescer(), Asked()
    early = gevent.spawn(coalesce, "sessions", "a", ask)
    while not ask.times:
        gevent.sleep(0)
    late = gevent.spawn(coalesce, "sessions", "a", ask)
    while len(ask.times) < 2:
        gevent.sleep(0)
    ask.go.set()
    assert (early.get(timeout=30), late.get(timeout=5)) == (0, 1)


def test_other_names_are_asked_for_apart():
    coalesce, ask = Coalescer(), Asked(quick=True)
    asking = [gevent.spawn(coalesce, name, name, ask) for name in ("alice", "bob", "alice")]
    assert [each.get(timeout=30) for each in asking] == [0, 1, 0]
    assert ask.times == [["alice"], ["bob"]]


def test_a_failure_is_everybodys_and_the_next_turn_asks_anew():
    def fail(items):
        raise ChatError("unavailable")

    def outcome(ask):
        try:
            return coalesce("sessions", "a", ask)
        except ChatError as error:
            return error.code

    coalesce, ask = Coalescer(), Asked(quick=True)
    asking = [gevent.spawn(outcome, each) for each in (fail, ask)]
    assert [each.get(timeout=30) for each in asking] == ["unavailable"] * 2
    assert ask.times == []
    assert outcome(ask) == 0


def all_but_the_first_are_answered(coalesce, interrupt, ask):
    first = gevent.spawn(coalesce, "sessions", "a", ask)
    others = [gevent.spawn(coalesce, "sessions", item, ask) for item in ("b", "c")]
    interrupt(first)
    ask.go.set()
    assert len({each.get(timeout=30) for each in others}) == 1
    assert ask.times[-1] == ["b", "c"]
    assert isinstance(first.exception, gevent.Timeout)


def test_the_deadline_of_the_first_while_it_asks_ends_only_the_first():
    def interrupt(first):
        while not ask.times:
            gevent.sleep(0)
        first.kill(gevent.Timeout(1))

    ask = Asked()
    all_but_the_first_are_answered(Coalescer(), interrupt, ask)
    assert len(ask.times) == 2


def test_the_deadline_of_the_first_before_it_asks_ends_only_the_first(monkeypatch):
    def sleep(seconds):
        gevent.sleep(seconds)
        if not interrupted:
            interrupted.append(True)
            raise gevent.Timeout(1)

    interrupted, ask = [], Asked()
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=sleep))
    all_but_the_first_are_answered(Coalescer(), lambda first: first.join(30), ask)
    assert len(ask.times) == 1
