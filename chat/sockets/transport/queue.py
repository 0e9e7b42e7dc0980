"""What waits to be sent to one socket: bounded, so that a client that does not read cannot fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.queue import JoinableQueue

MAX_PACKETS = 256
MAX_BYTES = 1_000_000


class BoundedQueue(JoinableQueue):
    """A queue that calls `overflow` once, and takes nothing more, when too much waits."""

    def __init__(self, overflow: Callable[[BoundedQueue], None]):
        super().__init__()
        self._overflow = overflow
        self._bytes = 0
        self._full = False

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Queues a packet, or None for the end. Never blocks."""
        if self._full and item is not None:
            return
        size = len(item.data) if item is not None and isinstance(item.data, str | bytes) else 0
        if item is not None and (self.qsize() >= MAX_PACKETS or self._bytes + size > MAX_BYTES):
            self._full = True
            gevent.spawn(self._overflow, self)
            return
        self._bytes += size
        super().put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next packet. Raises: gevent.queue.Empty."""
        item = super().get(block, timeout)
        if item is not None and isinstance(item.data, str | bytes):
            self._bytes -= len(item.data)
        return item
