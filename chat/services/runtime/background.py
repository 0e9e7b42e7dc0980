"""Work that a worker does again and again beside its requests."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent

from chat.errors import ChatError

log = logging.getLogger(__name__)


def run_every(seconds: float, work: Callable[[], None]) -> None:
    """Does `work` for ever, with pauses; for a greenlet of its own. A round that fails is logged, and it goes on."""
    while True:
        gevent.sleep(seconds)
        try:
            work()
        except ChatError as error:
            if error.code != "unavailable":  # of that the log knows more: chat/services/runtime/outages.py
                log.warning("%s: %s", work.__qualname__, error.code)
        except Exception:
            log.exception("%s failed; it goes on", work.__qualname__)
