"""What a client has not taken yet, frame by frame, so that it can be judged again before it leaves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from chat.sockets.transport.outbox import MAX_BATCH_BYTES


class Backlog:
    """Frames in order; of the first, `begun` bytes have left already."""

    __slots__ = ("_frames", "begun", "size")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self.size = 0
        self.begun = 0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frames: Iterable[bytes], sent: int = 0) -> None:
        """Appends frames, of which the first `sent` bytes have left; then nothing may be in it yet."""
        for frame in frames:
            self._frames.append(frame)
            self.size += len(frame)
        if sent:
            self.left(sent)

    def batch(self) -> bytes:
        """The bytes to send next, about MAX_BATCH_BYTES; empty when all have left."""
        size, some = -self.begun, []
        for frame in self._frames:
            some.append(frame)
            size += len(frame)
            if size >= MAX_BATCH_BYTES:
                break
        return b"".join(some)[self.begun :]

    def left(self, size: int) -> None:
        """So many bytes have left."""
        self.size -= size
        size += self.begun
        while self._frames and size >= len(self._frames[0]):
            size -= len(self._frames.popleft())
        self.begun = size

    def keep(self, may_leave: Callable[[bytes], bool]) -> bool:
        """Drops frames that may not leave; False when one of them has begun to."""
        if self.begun and not may_leave(self._frames[0]):
            return False
        self._frames = deque(frame for frame in self._frames if may_leave(frame))
        self.size = sum(map(len, self._frames)) - self.begun
        return True
