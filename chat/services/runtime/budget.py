"""How long an answer may still take, for who has no greenlets that could be interrupted: the Lambda functions.

`with budget(2.8):` bounds what the block asks of DynamoDB, all of it together (chat/services/storage/wire/endpoint.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ANSWER_WITHIN_S = 2.8  # a request is answered within three seconds, with an error that says to try again if need be
LEAST_S = 0.5  # that one request is given, even by who is late already: a cold start is no fault of DynamoDB

_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def budget(seconds: float = ANSWER_WITHIN_S) -> Iterator[None]:
    """From now on, what the block asks for has so long."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def left_s() -> float | None:
    """How much of it is left, below zero when it is spent; None without one."""
    until = _until.get()
    return until - time.monotonic() if until is not None else None
