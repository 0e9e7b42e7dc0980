"""Reading much at once, where there are greenlets to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

# Runs jobs side by side and answers their results in order; the first failure is everybody's.
Gather = Callable[[Iterable[Callable[[], Any]]], list[Any]]


def one_by_one(jobs: Iterable[Callable[[], Any]]) -> list[Any]:
    """The Gather of a process without greenlets."""
    return [job() for job in jobs]
