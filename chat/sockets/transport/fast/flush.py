"""What is written during one turn of the event loop leaves together: one send for each socket.

A lone message leaves in the turn that brought it. Under load frames gather by themselves, and fewer sends is what makes
a busy server cheap: a send costs 4 µs whatever it carries, joining a frame 0.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import gevent

from chat.sockets.transport.outbox import MAX_BATCH_BYTES

SLICE = 500  # sends, about 2 ms, before others may run


class Sender(Protocol):
    """A connection with something to send (chat.sockets.transport.fast.connection)."""

    pending: bytes | list[bytes] | None
    may_deliver: Callable[[], bool] | None
    backlog: Any
    transmit: Any

    def hold(self, pending: bytes | list[bytes], sent: int = 0) -> None:
        """What was not sent goes into the backlog."""

    def lost(self) -> None:
        """Nobody is there any more."""


class Flush:
    """The connections of one worker that have something to send. Whoever fills a connection's `pending` for the first
    time puts it into `dirty` and calls `schedule`."""

    def __init__(self) -> None:
        self.dirty: list[Sender] = []
        self._scheduled = False

    def schedule(self) -> None:
        """Sends at the end of this turn."""
        if not self._scheduled:
            self._scheduled = True
            gevent.get_hub().loop.run_callback(self._send)

    def _send(self) -> None:
        dirty, self.dirty = self.dirty, []
        self._scheduled = False
        if len(dirty) > SLICE:
            self.dirty = dirty[SLICE:]
            del dirty[SLICE:]
            self.schedule()
        joined: dict[tuple[bytes, ...], bytes] = {}
        for connection in dirty:
            pending = connection.pending
            connection.pending = None
            if pending is None:
                continue
            may_deliver = connection.may_deliver
            if (may_deliver is not None and not may_deliver()) or connection.backlog is not None:
                connection.hold(pending)
                continue
            if isinstance(pending, bytes):
                data = pending
            else:
                key = tuple(pending)
                known = joined.get(key)  # members of one room have the same frames
                if known is None:
                    if sum(map(len, pending)) > MAX_BATCH_BYTES:
                        connection.hold(pending)
                        continue
                    known = joined[key] = b"".join(pending)
                data = known
            try:
                sent = connection.transmit(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                connection.lost()
                continue
            if sent != len(data):
                connection.hold(pending, sent)
