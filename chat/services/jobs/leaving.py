"""A worker that can no longer do all of its work makes room for another one: no two of a site within a minute, and none
while Redis is away, whatever it was that failed."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent

from chat.errors import ChatError
from chat.services.jobs.leases import Lease

ASK_EVERY_S = 1.0
APART_MS = 60_000

log = logging.getLogger(__name__)


def leave(lease: Lease, end: Callable[[], None], why: str) -> None:
    """Waits for this worker's turn and ends it; the lease lasts APART_MS, and is not given back."""
    while not _taken(lease):
        gevent.sleep(ASK_EVERY_S)
    log.critical("this worker leaves: %s", why)
    end()


def _taken(lease: Lease) -> bool:
    try:
        return lease.take()
    except ChatError:
        return False
