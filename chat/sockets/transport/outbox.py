"""What waits to be sent to one socket: bounded, so that a client that does not read cannot fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from engineio import packet as engineio_packet
from gevent.event import Event

from chat.sockets.transport.content import tells
from chat.sockets.transport.frames import TEXT, frame

MAX_PACKETS = 256
MAX_BYTES = 1_000_000
MAX_BATCH_BYTES = 256 * 1024
HARD_PACKETS, HARD_BYTES = 16 * MAX_PACKETS, 4 * MAX_BYTES


class Outbox:
    """The queue of one socket, as engineio uses its queue: `put` a packet, or None for the end.

    Too much waiting is judged one turn of the event loop later, when the writer has had its chance: a burst within one
    turn says nothing about the reader, unless it is very large (HARD_*). Then `overflow` is called, once.

    `may_deliver` says whether content may go out now. It is asked when a packet comes and again when it leaves, because
    the process may have been stopped in between; what it does not let through is dropped.
    """

    def __init__(self) -> None:
        self.overflow: Callable[[], None] = lambda: None
        self.may_deliver: Callable[[], bool] = lambda: True
        self._frames: list[tuple[bytes, bool]] = []  # each with whether it is content
        self._bytes = 0
        self._ready = Event()
        self._ended = False
        self._judging = False
        self._full = False

    def put(self, packet: Any, block: bool = True, timeout: float | None = None) -> None:
        """Queues an engineio packet, or None for the end. Never blocks; what comes after the end is dropped."""
        if self._ended or self._full:
            return
        if packet is None:
            self._ended = True
        else:
            data, content = framed(packet)
            if content and not self.may_deliver():
                return
            self._frames.append((data, content))
            self._bytes += len(data)
            if self._too_much(MAX_PACKETS, MAX_BYTES) and not self._judging:
                self._judging = True
                gevent.spawn(self._judge)
            if self._too_much(HARD_PACKETS, HARD_BYTES):
                self._overflow()
        self._ready.set()

    def take(self) -> bytes | None:
        """Waits for frames and takes up to about MAX_BATCH_BYTES of them, joined; None at the end."""
        self._drop()
        while not self._frames:
            if self._ended or self._full:
                return None
            self._ready.clear()
            self._ready.wait()
            self._drop()
        size, count = 0, 0
        while count < len(self._frames) and (size == 0 or size + len(self._frames[count][0]) <= MAX_BATCH_BYTES):
            size += len(self._frames[count][0])
            count += 1
        batch = b"".join(data for data, _ in self._frames[:count])
        del self._frames[:count]
        self._bytes -= size
        return batch

    def join(self) -> None:
        """Returns at once: the writer sends what waits, and nobody has to wait for a client."""

    def __len__(self) -> int:
        return len(self._frames)

    def _drop(self) -> None:
        """Drops what may not go out any more."""
        if self._frames and not self.may_deliver():
            self._frames = [(data, content) for data, content in self._frames if not content]
            self._bytes = sum(len(data) for data, _ in self._frames)

    def _too_much(self, packets: int, size: int) -> bool:
        return len(self._frames) > packets or self._bytes > size

    def _judge(self) -> None:
        self._judging = False
        if self._too_much(MAX_PACKETS, MAX_BYTES) and not self._full:
            self._overflow()

    def _overflow(self) -> None:
        self._full = True
        self._frames.clear()
        self._bytes = 0
        self._ready.set()
        gevent.spawn(self.overflow)


def framed(packet: Any) -> tuple[bytes, bool]:
    """The frame of an engineio packet, and whether it is content; made once: a broadcast hands the same packet to every
    socket."""
    made: tuple[bytes, bool] | None = getattr(packet, "framed", None)
    if made is None:
        encoded = packet.encode()
        if not isinstance(encoded, str):
            raise TypeError("the chat sends text only")
        content = packet.packet_type == engineio_packet.MESSAGE and tells(packet.data)
        made = packet.framed = (frame(TEXT, encoded.encode()), content)
    return made
