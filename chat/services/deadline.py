"""A bound on how long a person waits: storage that hangs is answered for, not waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent

from chat.errors import ChatError

ANSWER_WITHIN_S = 2.8  # a request is answered within three seconds, with an error that says to try again if need be


@contextmanager
def deadline(seconds: float = ANSWER_WITHIN_S) -> Iterator[None]:
    """Ends the block with ChatError `unavailable` when it takes longer: the outcome of what it began is unknown.

    The greenlet is interrupted where it waits, with a BaseException, so that no library takes it for an answer that it
    might try again. Without effect where nothing yields (commands, Lambda functions).
    """
    timeout = gevent.Timeout(max(seconds, 0.001))
    timeout.start()
    try:
        yield
    except gevent.Timeout as fired:
        if fired is not timeout:
            raise
        raise ChatError("unavailable", retry_after_s=1) from fired
    finally:
        timeout.close()
