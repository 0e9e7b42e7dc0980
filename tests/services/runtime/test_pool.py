"""Work off the hub: so many threads, a queue with an end, a turn for everybody, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import gevent
import pytest

from chat.errors import ChatError
from chat.services.runtime.pool import NOBODY, Busy, Late, Pool

WITHIN_S = 60.0  # a guard against never


class Work:
    """Work that begins, and ends when it is told to."""

    def __init__(self, name: str, begun: list[str]):
        self.name = name
        self._begun = begun
        self._end: Future[str] = Future()

    def __call__(self) -> str:
        self._begun.append(self.name)
        return self._end.result(WITHIN_S)

    def end(self) -> None:
        self._end.set_result(self.name)


class Bench:
    """A pool, and the work that was given to it."""

    def __init__(self, threads: int, queue: int):
        self.pool = Pool(threads, queue)
        self.begun: list[str] = []
        self.given: list[Work] = []

    def give(self, name: str, who: str = NOBODY, within_s: float = WITHIN_S) -> tuple[Work, gevent.Greenlet]:
        """The work, and the greenlet that waits for it, as far as it comes by itself."""
        work = Work(name, self.begun)
        self.given.append(work)
        waiting = gevent.spawn(lambda: self._outcome(lambda: self.pool.run(work, within_s, who)))
        gevent.idle()
        return work, waiting

    def _outcome(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except Busy as error:
            return type(error)

    def until_begun(self, count: int) -> None:
        with gevent.Timeout(WITHIN_S):
            while len(self.begun) < count:
                gevent.sleep(0.001)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(threads: int, queue: int) -> Bench:
        made.append(Bench(threads, queue))
        return made[-1]

    yield make
    for each in made:
        for work in each.given:
            if not work._end.done():
                work.end()


def test_the_hub_goes_on_while_a_thread_works() -> None:
    told = threading.Event()
    waiting = gevent.spawn(Pool(1, 1).run, lambda: told.wait(WITHIN_S), WITHIN_S)
    gevent.spawn_later(0.01, told.set)  # which a hub that worked could not
    assert waiting.get() is True


def test_what_the_work_raises_is_raised_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    pool = Pool(1, 1)
    with pytest.raises(ZeroDivisionError):
        pool.run(lambda: 1 // 0, WITHIN_S)
    assert pool.run(lambda: 7, WITHIN_S) == 7, "its thread serves others"
    assert capfd.readouterr() == ("", "")


def test_only_as_many_run_as_there_are_threads_and_beyond_the_queue_it_is_busy(bench: Callable[..., Bench]) -> None:
    it = bench(threads=2, queue=2)
    given = [it.give(name) for name in "abcd"]
    it.until_begun(2)
    assert it.give("e")[1].get() is Busy
    assert sorted(it.begun) == ["a", "b"]
    for work, _ in given:
        work.end()
    assert [waiting.get() for _, waiting in given] == ["a", "b", "c", "d"]
    work, waiting = it.give("f")
    work.end()
    assert waiting.get() == "f", "there is room again"


def test_busy_is_an_error_that_every_door_knows() -> None:
    assert isinstance(Busy(), ChatError)
    assert (Busy().code, Late().code, Late().status, Late().retry) == ("busy", "busy", 503, True)


def test_one_whose_work_hangs_leaves_half_of_the_threads_and_of_the_queue_to_others(
    bench: Callable[..., Bench],
) -> None:
    it = bench(threads=2, queue=4)
    for name in ("m1", "m2", "m3"):
        it.give(name, who="mallory")
    assert it.give("m4", who="mallory")[1].get() is Busy
    it.until_begun(1)
    work, waiting = it.give("a1", who="alice")
    it.until_begun(2)
    work.end()
    assert waiting.get() == "a1"
    assert it.begun == ["m1", "a1"], "a thread stands idle, and those of mallory wait"


def test_whoever_was_served_last_is_served_last(bench: Callable[..., Bench]) -> None:
    it = bench(threads=1, queue=8)
    given = [it.give(name, who=name[0]) for name in ("a1", "a2", "a3", "b1", "b2", "c1")]
    for work, _ in given:
        work.end()
    gevent.joinall([waiting for _, waiting in given])
    assert it.begun == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_who_has_waited_for_too_long_is_told_so_and_their_work_never_begins(bench: Callable[..., Bench]) -> None:
    it = bench(threads=1, queue=2)
    first, waiting = it.give("first")
    it.until_begun(1)
    assert it.give("late", within_s=0.01)[1].get() is Late
    first.end()
    assert waiting.get() == "first"
    after, waiting = it.give("after")
    after.end()
    assert waiting.get() == "after"
    assert it.begun == ["first", "after"]


def test_work_that_takes_too_long_keeps_its_thread_until_it_ends(bench: Callable[..., Bench]) -> None:
    it = bench(threads=1, queue=1)
    slow, waiting = it.give("slow", within_s=0.05)
    assert waiting.get() is Late
    it.until_begun(1)
    after, waiting = it.give("after")
    assert it.begun == ["slow"], "there is one thread"
    slow.end()
    after.end()
    assert waiting.get() == "after"


def test_who_is_interrupted_leaves_the_queue(bench: Callable[..., Bench]) -> None:
    it = bench(threads=1, queue=1)
    first, waiting = it.give("first")
    it.until_begun(1)
    it.give("gone")[1].kill()
    second, other = it.give("second")
    first.end()
    second.end()
    assert [waiting.get(), other.get()] == ["first", "second"]
    assert it.begun == ["first", "second"]
