"""What the product's modules find in place of gevent, time, random and secrets while a scheduler runs them."""

from __future__ import annotations

import random
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import gevent
import gevent.event
import gevent.lock

from tests.model.scheduler import Process, Scheduler, Task

START_S = 1_700_000_000.0
SOCKETS = ("broadcaster", "bus_listener", "client_sockets", "subscriptions")
MODULES = ("chat.services.", *(f"chat.sockets.{name}" for name in SOCKETS))
_current: list[Scheduler] = []


def scheduler() -> Scheduler:
    """The one that runs now."""
    return _current[-1]


def _spawn(work: Callable[..., Any], *args: Any, delay_s: float = 0.0, **kwargs: Any) -> Task:
    running = scheduler()
    running.alive()
    call = (lambda *args: work(*args, **kwargs)) if kwargs else work
    return running.spawn(running.task.process, call, *args, delay_s=delay_s)


def _joinall(tasks: Iterable[Task], timeout: float | None = None) -> None:
    for task in list(tasks):
        task.join()


def now() -> float:
    """The clock of the process whose code runs, in seconds since 1970."""
    running = scheduler()
    return START_S + running.now + (running.task.process.skew_s if running.task is not None else 0.0)


class Timeout(BaseException):
    """gevent.Timeout: raised in the task that started it, where it waits, after so many seconds."""

    def __init__(self, seconds: float | None = None, exception: Any = None):
        self._seconds = seconds
        self._exception = exception
        self._pending = False

    def start(self) -> None:
        running = scheduler()
        task = running.task
        self._pending = True

        def fire() -> None:
            if self._pending:
                self._pending = False
                running.interrupt(task, self if self._exception in (None, False) else self._exception)

        if self._seconds is not None:
            running.at(running.now + self._seconds, fire, task.process)

    @classmethod
    def start_new(cls, seconds: float | None = None) -> Timeout:
        timeout = cls(seconds)
        timeout.start()
        return timeout

    def close(self) -> None:
        self._pending = False

    cancel = close

    def __enter__(self) -> Timeout:
        self.start()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> bool:
        self.close()
        return error is self and self._exception is False


class Event:
    """gevent.event.Event"""

    def __init__(self) -> None:
        self._set = False
        self._waiting: list[tuple[Task, object]] = []

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        waiting, self._waiting = self._waiting, []
        for task, wait in waiting:
            scheduler().wake(task, wait)

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            running = scheduler()
            running.alive()
            task = running.task
            wait = task.waiting = object()
            self._waiting.append((task, wait))
            if timeout is not None:
                running.at(running.now + timeout, lambda: running.wake(task, wait), task.process)
            running.switch()
        return self._set


class Semaphore:
    """gevent.lock.BoundedSemaphore"""

    def __init__(self, value: int = 1):
        self._left = value
        self._freed: list[Event] = []

    def __enter__(self) -> None:
        while not self._left:
            freed = Event()
            self._freed.append(freed)
            freed.wait()
        self._left -= 1

    def __exit__(self, *error: object) -> None:
        self._left += 1
        waiting, self._freed = self._freed, []
        for freed in waiting:
            freed.set()


GEVENT = SimpleNamespace(
    spawn=_spawn,
    spawn_later=lambda seconds, work, *args, **kwargs: _spawn(work, *args, delay_s=seconds, **kwargs),
    sleep=lambda seconds=0: scheduler().sleep(seconds),
    joinall=_joinall,
    killall=lambda tasks, timeout=None, block=True: [task.kill() for task in list(tasks)],
    Timeout=Timeout,
    Greenlet=Task,
    getcurrent=lambda: scheduler().task,
)
TIME = SimpleNamespace(
    time=now,
    monotonic=lambda: START_S / 2 + scheduler().now,
    perf_counter=lambda: scheduler().now,
    sleep=lambda seconds: scheduler().sleep(seconds),
    strftime=time.strftime,
    gmtime=time.gmtime,
)


def _chance(scheduler: Scheduler) -> tuple[Any, Any]:
    """`random` and `secrets`, drawn from the seed but apart from what the scheduler draws."""
    chance = random.Random(scheduler.rng.random())
    return chance, SimpleNamespace(token_hex=lambda n: chance.randbytes(n).hex())


@contextmanager
def standing_in(scheduler: Scheduler) -> Iterator[None]:
    """Puts the stand-ins into the product's modules for as long as the block runs."""
    chance, tokens = _chance(scheduler)
    places: list[tuple[Any, Any]] = [
        (gevent, GEVENT),
        (time, TIME),
        (random, chance),
        (secrets, tokens),
        (gevent.event.Event, Event),
        (gevent.lock.BoundedSemaphore, Semaphore),
    ]
    replaced = []
    for module_name, module in list(sys.modules.items()):
        if not module_name.startswith(MODULES):
            continue
        for name, value in list(vars(module).items()):
            for original, standin in places:
                if value is original:
                    replaced.append((module, name, value))
                    setattr(module, name, standin)
    _current.append(scheduler)
    try:
        yield
    finally:
        _current.pop()
        for module, name, value in replaced:
            setattr(module, name, value)


__all__ = ["Event", "Process", "Timeout", "now", "scheduler", "standing_in"]
