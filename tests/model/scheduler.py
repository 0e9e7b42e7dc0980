"""A seeded scheduler in virtual time: greenlets that run the product's code, one at a time, switching where it waits.

Every wait (a request, an answer, a sleep) ends at a moment drawn from the seed, so that one seed is one interleaving,
exactly. The scheduler runs in the greenlet that made it; tasks are that one's children.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

TRACE = 10_000


class Killed(GreenletExit):
    """The process or the task is gone: nothing it does has an effect any more."""


class Process:
    """Something that can be stopped, killed or have a clock of its own: a worker, a browser."""

    def __init__(self, name: str):
        self.name = name
        self.dead = False
        self.stopped_until = 0.0
        self.skew_s = 0.0
        self.tasks: dict[Task, None] = {}


class Task:
    """A greenlet of a process. `value` is what it returned, once it has `ended`."""

    def __init__(self, scheduler: Scheduler, process: Process, work: Callable[..., Any], args: tuple[Any, ...]):
        self.process = process
        self.ended = False
        self.killed = False
        self.value: Any = None
        self.heard_at = 0.0  # when its last request was carried out on the other side
        self.waiting: object | None = None  # the wait that it is in; a wake-up for another one comes too late
        self._scheduler = scheduler
        self._joining: list[tuple[Task, object]] = []
        self._work, self._args = work, args
        self.greenlet = greenlet(self._run, scheduler.hub)

    def _run(self) -> None:
        try:
            self.value = self._work(*self._args)
        except Killed:
            pass
        except BaseException as error:
            self._scheduler.fail(error)
        finally:
            self.ended = True
            self.process.tasks.pop(self, None)
            for task, wait in self._joining:
                self._scheduler.wake(task, wait)

    def join(self) -> None:
        """Waits until it has ended."""
        if not self.ended:
            current = self._scheduler.task
            wait = current.waiting = object()
            self._joining.append((current, wait))
            self._scheduler.switch()

    def get(self) -> Any:
        """What it returned, once it has ended."""
        self.join()
        return self.value

    def kill(self) -> None:
        """Ends it where it waits."""
        self._scheduler.kill_task(self)

    @property
    def dead(self) -> bool:
        """As gevent calls it."""
        return self.ended


class Scheduler:
    """Runs tasks in the order of virtual time. `now` is in seconds since the beginning."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.now = 0.0
        self.task: Task = None  # type: ignore[assignment]
        self.tracing = False
        self.trace: deque[tuple[float, str, str]] = deque(maxlen=TRACE)
        self.failure: BaseException | None = None
        self.hub = getcurrent()
        self._events: list[tuple[float, float, int, Process | None, Callable[[], None]]] = []
        self._serial = 0

    # --- from inside of tasks ---

    def alive(self) -> None:
        """Raises: Killed in a task that is gone."""
        if self.task is not None and (self.task.process.dead or self.task.killed):
            raise Killed

    def note(self, *words: object) -> None:
        """Adds a line to the trace, if somebody is going to read it."""
        if not self.tracing:
            return
        who = self.task.process.name if self.task is not None else "-"
        self.trace.append((self.now, who, " ".join(map(str, words))))

    def sleep(self, seconds: float) -> None:
        """Waits so long."""
        self.alive()
        task = self.task
        wait = task.waiting = object()
        self.at(self.now + max(seconds, 0.0), lambda: self.wake(task, wait), task.process)
        self.switch()

    def switch(self) -> None:
        """Lets others go on until something wakes this task."""
        self.hub.switch()

    # --- from anywhere ---

    def spawn(self, process: Process, work: Callable[..., Any], *args: Any, delay_s: float = 0.0) -> Task:
        """Starts a task of that process."""
        task = Task(self, process, work, args)
        if process.dead:
            task.ended = True
            return task
        process.tasks[task] = None
        wait = task.waiting = object()
        self.at(self.now + delay_s, lambda: self.wake(task, wait), process)
        return task

    def at(self, when: float, event: Callable[[], None], process: Process | None = None) -> None:
        """Lets something happen at that time: in a stopped process, when it goes on; in a dead one, never."""
        self._serial += 1
        heapq.heappush(self._events, (when, self.rng.random(), self._serial, process, event))

    def wake(self, task: Task, wait: object, error: BaseException | None = None) -> None:
        """Lets a task go on that is still in this wait."""
        if task.ended or task.waiting is not wait:
            return
        if self.task is not None:  # a task wakes another: that one has its turn later
            self.at(self.now, lambda: self.wake(task, wait, error), task.process)
            return
        task.waiting = None
        self.task = task
        try:
            if error is not None:
                task.greenlet.throw(error)
            else:
                task.greenlet.switch()
        finally:
            self.task = None  # type: ignore[assignment]

    def interrupt(self, task: Task, error: BaseException) -> None:
        """Raises an error in a task where it waits."""
        if not task.ended and task.waiting is not None:
            self.wake(task, task.waiting, error)

    def kill(self, process: Process) -> None:
        """Ends a process: none of its tasks goes on. Not from one of its own."""
        process.dead = True
        for task in list(process.tasks):
            self.kill_task(task)

    def kill_task(self, task: Task) -> None:
        """Ends a task where it waits."""
        if task.ended:
            return
        task.waiting, task.killed = None, True
        if not task.greenlet:  # it has not begun
            task.ended = True
            task.process.tasks.pop(task, None)
            return
        before, self.task = self.task, task
        task.greenlet.parent = getcurrent()
        try:
            task.greenlet.throw(Killed)
        finally:
            self.task = before

    def fail(self, error: BaseException) -> None:
        """Ends the run: this must not have happened."""
        self.failure = self.failure or error

    def run(self, until: Callable[[], bool] = lambda: False, within_s: float = float("inf")) -> bool:
        """Goes on until `until` holds (then True), nothing is left to do, or so much virtual time has passed.

        Raises what a task failed with.
        """
        deadline = self.now + within_s
        while self.failure is None and not until():
            if not self._events or self._events[0][0] > deadline:
                self.now = max(self.now, deadline) if deadline != float("inf") else self.now
                return False
            when, _, _, process, event = heapq.heappop(self._events)
            if process is not None:
                if process.dead:
                    continue
                if process.stopped_until > when:
                    self.at(process.stopped_until, event, process)
                    continue
            self.now = max(self.now, when)
            event()
        if self.failure is not None:
            raise self.failure
        return True
