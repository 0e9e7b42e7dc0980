"""Endless work of a worker, beside its requests: begun, watched, begun again, and given up for good.

What fails is begun again after 1, 2, 4 … 30 seconds; what has worked for a minute begins with one again. Five failures
within a minute are for good: the work is left, and the worker is to leave too (chat/services/jobs/leaving.py), so that
another takes its place. A store that does not answer is no failure: whoever waits for it would only wait elsewhere.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import gevent
from redis import RedisError

from chat.errors import ChatError
from chat.services.runtime.outages import Outage

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
FAILURES, WITHIN_S = 5, 60.0

log = logging.getLogger(__name__)
Work = Callable[[], None]


class Task:
    """One endless work. `name` says in the log what it is."""

    def __init__(self, name: str, work: Work, died: Callable[[str], None], now: Callable[[], float] = time.monotonic):
        self.name = name
        self._work = work
        self._died = died
        self._now = now
        self._outage = Outage(f"{name} failed", now)
        self._failed_at: deque[float] = deque(maxlen=FAILURES)
        self._pause_s = FIRST_PAUSE_S
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Ends it, in the midst of what it does."""
        self._greenlet.kill()

    def join(self) -> None:
        """Waits until it was stopped or given up."""
        self._greenlet.join()

    def worked(self) -> None:
        """A round of it went well."""
        self._outage.succeeded()

    def _run(self) -> None:
        while True:
            began_at = self._now()
            try:
                self._work()
                self._outage.failed("it ended")
            except ChatError as error:
                _refused(self.name, error)
                gevent.sleep(FIRST_PAUSE_S)
                continue
            except (RedisError, OSError) as error:
                self._outage.failed(f"{type(error).__name__}: {error}")
                gevent.sleep(FIRST_PAUSE_S)
                continue
            except Exception as error:
                self._outage.failed(f"{type(error).__name__}: {error}", trace=True)
            if not self._may_begin_again(began_at):
                log.critical("%s failed %d times within %d s and is given up", self.name, FAILURES, WITHIN_S)
                self._died(self.name)
                return

    def _may_begin_again(self, began_at: float) -> bool:
        """Waits, unless it has failed too often."""
        now = self._now()
        self._failed_at.append(now)
        if len(self._failed_at) == FAILURES and now - self._failed_at[0] <= WITHIN_S:
            return False
        if now - began_at > WITHIN_S:
            self._pause_s = FIRST_PAUSE_S
        gevent.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return True


class Background:
    """All endless work of one process. `dead` is the name of one that was given up, empty while there is none;
    `on_death` is called then, once, with why."""

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self.dead = ""
        self.on_death: Callable[[str], object] = lambda why: None
        self._now = now
        self._tasks: list[Task] = []

    def forever(self, work: Work, name: str = "") -> Task:
        """Does `work`, which ends only when it is stopped."""
        task = Task(name or _name(work), work, self._give_up, self._now)
        self._tasks.append(task)
        return task

    def every(self, seconds: float, work: Work) -> Task:
        """Does `work` again and again, with so many seconds before each time."""

        def rounds() -> None:
            while True:
                gevent.sleep(seconds)
                try:
                    work()
                except ChatError as error:
                    _refused(task.name, error)
                else:
                    task.worked()

        task = self.forever(rounds, _name(work))
        return task

    def stop(self) -> None:
        """Ends all of it."""
        for task in self._tasks:
            task.stop()

    def _give_up(self, name: str) -> None:
        if not self.dead:
            self.dead = name
            self.on_death(f"{name} was given up")


def run_every(seconds: float, work: Work) -> None:
    """Does `work` for ever, with pauses; for a greenlet of its own. A round that fails is logged, and it goes on."""
    while True:
        gevent.sleep(seconds)
        try:
            work()
        except ChatError as error:
            _refused(_name(work), error)
        except Exception:
            log.exception("%s failed; it goes on", _name(work))


def _refused(name: str, error: ChatError) -> None:
    if error.code != "unavailable":  # of that the log knows more: chat/services/runtime/outages.py
        log.warning("%s: %s", name, error.code)


def _name(work: Work) -> str:
    return str(getattr(work, "__qualname__", work))
