"""Reading much at once, where there are greenlets to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Job = Callable[[], Any]
# Runs jobs side by side and answers their results in order; when all have ended, the first failure is everybody's.
Gather = Callable[[Iterable[Job]], list[Any]]
Outcome = tuple[Any, Exception | None]


def one_by_one(jobs: Iterable[Job]) -> list[Any]:
    """The Gather of a process without greenlets."""
    return [job() for job in jobs]


def outcome(job: Job) -> Outcome:
    """What became of a job: a greenlet that dies of a failure would have it printed."""
    try:
        return job(), None
    except Exception as error:
        return None, error


def results(outcomes: list[Outcome]) -> list[Any]:
    """The results, in order. Raises the first failure."""
    for _, error in outcomes:
        if error is not None:
            raise error
    return [result for result, _ in outcomes]
