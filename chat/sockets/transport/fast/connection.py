"""One client, as the hub sees it: a file that is readable or writable. A greenlet lives only while it is answered."""

from __future__ import annotations

import socket
import struct
import time
from _socket import socket as RawSocket
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import gevent

from chat.sockets.transport import engine as stock
from chat.sockets.transport.content import frame_tells
from chat.sockets.transport.engine import MALFORMED, NOT_CONNECTED, TOO_SLOW
from chat.sockets.transport.fast.backlog import Backlog
from chat.sockets.transport.fast.disconnect_queue import DisconnectQueue
from chat.sockets.transport.fast.flush import Flush
from chat.sockets.transport.fast.timer_wheel import TimerWheel
from chat.sockets.transport.frames import (
    BAD_TEXT,
    CLOSE,
    GOING_AWAY,
    PING,
    POLICY,
    PONG,
    TEXT,
    FrameReader,
    Refused,
    close_answer,
    close_frame,
    frame,
    sole_text,
)
from chat.sockets.transport.outbox import MAX_BYTES
from chat.sockets.transport.slots import ConnectionSlot
from chat.sockets.transport.token_bucket import TokenBucket
from chat.sockets.transport.websocket import LINGER_BYTES, LINGER_S, READ_BYTES, SEND_BUFFER_BYTES, SEND_TIMEOUT_S

READABLE, WRITABLE = 1, 2  # libev's
INBOX = 16  # messages that wait behind the one being handled before reading stops
PING_FRAME, CLOSE_FRAME = frame(TEXT, b"2"), frame(TEXT, b"1")


class Owner(Protocol):
    """What a connection uses of its engine (chat.sockets.transport.fast.engine)."""

    flush: Flush
    timers: TimerWheel
    disconnects: DisconnectQueue
    ping_interval: float
    ping_timeout: float
    reason: Any
    sockets: dict[str, Any]
    handle_inline: Callable[[str, str], bool]

    def is_connected(self, sid: str) -> bool:
        """Whether Socket.IO has connected that client."""

    def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any: ...


class Connection:
    """What python-engineio calls a socket, with as much of its interface as engineio.Server uses: `sid`, `closed`,
    `connected`, `session`, `send`, `close`.

    All but `send`, `close`, `refuse` and `cut` runs in the hub and may not wait. `pending` is what this turn has
    to send (see Flush); `may_deliver` says whether content may go out now and is asked when it does.
    """

    __slots__ = (
        "_bucket",
        "_engine",
        "_file",
        "_heard_at",
        "_inbox",
        "_moved_at",
        "_reader",
        "_reads",
        "_slot",
        "_swallowed",
        "_told",
        "_writes",
        "backlog",
        "busy",
        "closing",
        "ended",
        "expelled",
        "may_deliver",
        "pending",
        "session",
        "sid",
        "transmit",
    )
    connected = upgraded = True

    def __init__(self, engine: Owner, sid: str, file: RawSocket, slot: ConnectionSlot | None):
        self._engine = engine
        self._slot = slot
        if slot is not None:
            slot.give_way = lambda: self.cut(NOT_CONNECTED)
        self._bucket = TokenBucket()
        self._heard_at = 0.0
        self._inbox: deque[str] | None = None
        self._reader: FrameReader | None = None
        self._moved_at = 0.0
        self._swallowed = 0
        self._told = False
        self._writes: Any = None
        self.sid = sid
        self.session: dict[str, Any] | None = None
        self.pending: bytes | list[bytes] | None = None
        self.backlog: Backlog | None = None
        self.may_deliver: Callable[[], bool] | None = None
        self.busy = False  # one of its messages is being handled
        self.closing = False  # nothing of it is handled any more
        self.ended = False  # nothing is sent to it any more but what waits
        self.expelled = False  # then what it has not taken soon after is taken back, also from the kernel
        self._file: RawSocket | None = file
        self.transmit = file.send
        file.setblocking(False)
        file.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if file.family != socket.AF_UNIX:
            file.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reads = gevent.get_hub().loop.io(file.fileno(), READABLE)
        self._reads.start(self._on_readable)
        engine.timers.call(stock.CONNECT_WITHIN_S, self._look_whether_connected)
        engine.timers.call(engine.ping_interval, self._ping)

    @property
    def closed(self) -> bool:
        """For engineio: such a socket is sent nothing."""
        return self.closing

    # --- out --------------------------------------------------------------------------------------------------------

    def send(self, packet: Any) -> None:
        """Queues an engineio packet."""
        self.write(frame(TEXT, packet.encode().encode()))

    def guard(self, may_deliver: Callable[[], bool]) -> None:
        """From now on content goes out only while `may_deliver` says so."""
        self.may_deliver = may_deliver
        self.settle()

    def settle(self) -> None:
        """Its client has shown a session, or connected."""
        if self._slot is not None:
            self._slot.settle()

    def write(self, data: bytes) -> None:
        """Queues one frame: it leaves at the end of this turn of the loop."""
        pending = self.pending
        if pending is None:
            if not self.ended:
                self.pending = data
                self._engine.flush.dirty.append(self)
                self._engine.flush.schedule()
        elif isinstance(pending, list):
            pending.append(data)
        else:
            self.pending = [pending, data]

    def hold(self, frames: bytes | list[bytes], sent: int = 0) -> None:
        """Keeps what the client did not take, of which the first `sent` bytes have left; it follows when it takes more,
        or is dropped when it may not go out any more. A client that lets too much wait is cut."""
        if self._file is None:
            return
        if self.backlog is None:
            self.backlog = Backlog()
            self._moved_at = time.monotonic()
            self._engine.timers.call(SEND_TIMEOUT_S, self._look_whether_it_takes)
        self.backlog.add([frames] if isinstance(frames, bytes) else frames, sent)
        if self._writes is None:
            self._on_writable()
        if self.backlog is not None and self.backlog.size > MAX_BYTES:
            self.cut(TOO_SLOW)

    def _on_writable(self) -> None:
        backlog = self.backlog
        if backlog is None or self._file is None:
            return
        if (
            self.may_deliver is not None
            and not self.may_deliver()
            and not backlog.keep(lambda data: not frame_tells(data))
        ):
            self.cut(TOO_SLOW)  # the rest of a frame may not follow
            return
        try:
            if data := backlog.batch():
                backlog.left(self.transmit(data))
                self._moved_at = time.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self.lost()
            return
        if backlog:
            if self._writes is None:
                self._writes = gevent.get_hub().loop.io(self._file.fileno(), WRITABLE)
                self._writes.start(self._on_writable)
        else:
            self.backlog = None
            self._stop_writing()
            if self.ended:
                self._shut()

    def _stop_writing(self) -> None:
        if self._writes is not None:
            self._writes.stop()
            self._writes.close()
            self._writes = None

    def _look_whether_it_takes(self) -> None:
        if self.backlog is not None:
            left = self._moved_at + SEND_TIMEOUT_S - time.monotonic()
            if left <= 0:
                self.cut(TOO_SLOW)
            else:
                self._engine.timers.call(left, self._look_whether_it_takes)

    # --- in ---------------------------------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        try:
            data = self._file.recv(READ_BYTES) if self._file is not None else b""
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._reads.stop()
            self._engine.disconnects.add(self)
        elif self.closing:
            self._swallow(len(data))
        else:
            try:
                self._take(data)
            except Refused as refusal:
                self.refuse(refusal.code, refusal.reason)

    def _take(self, data: bytes) -> None:
        """Handles what came. Raises: Refused."""
        self._heard_at = time.monotonic()
        if self._reader is None and (payload := sole_text(data)) is not None:
            self._on_text(payload)
            self._bucket.charge(1, len(data), self._heard_at)
            return
        reader = self._reader or FrameReader()
        before = reader.frames
        reader.feed(data)
        while not self.closing and (taken := reader.next()) is not None:
            opcode, payload = taken
            if opcode == TEXT:
                self._on_text(payload)
            elif opcode == PING:
                self.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self._close(close_answer(payload), self._engine.reason.TRANSPORT_CLOSE)
        self._reader = None if reader.empty else reader
        self._bucket.charge(reader.frames - before, len(data), self._heard_at)

    def _on_text(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise Refused(BAD_TEXT, "not UTF-8") from None
        kind = text[:1]
        if kind == "4":
            self._on_message(text[1:])
        elif kind == "1":
            self.close(abort=True, reason=self._engine.reason.CLIENT_DISCONNECT)
        elif kind != "3":
            raise Refused(POLICY, MALFORMED)

    def _on_message(self, text: str) -> None:
        """One after the other: only what cannot wait for anything is handled at once, the rest in a greenlet."""
        if self.busy:
            if self._inbox is None:
                self._inbox = deque()
            self._inbox.append(text)
            if len(self._inbox) > INBOX:
                self._reads.stop()
        elif not self._engine.handle_inline(self.sid, text):
            self.busy = True
            gevent.spawn_raw(self._handle, text)

    def _handle(self, text: str) -> None:
        engine = self._engine
        while True:
            engine._trigger_event("message", self.sid, text, run_async=False)
            if not self._inbox or self.closing:
                break
            text = self._inbox.popleft()
            if not self._inbox and self._file is not None:
                self._reads.start(self._on_readable)
        self._inbox = None
        self.busy = False
        self._heard_at = time.monotonic()
        if self.closing:
            self._tell(engine.reason.TRANSPORT_CLOSE)

    def _swallow(self, size: int) -> None:
        """Of a client that is being closed: what it sends is read, or the kernel would take back what it has not read
        yet; but not for ever."""
        self._swallowed += size
        if self._swallowed > LINGER_BYTES:
            self._abort()

    # --- alive ------------------------------------------------------------------------------------------------------

    def _look_whether_connected(self) -> None:
        if not self.closing and not self._engine.is_connected(self.sid):
            self.close(reason=NOT_CONNECTED)

    def _ping(self) -> None:
        if not self.closing:
            asked_at = time.monotonic()
            self.write(PING_FRAME)
            self._engine.timers.call(self._engine.ping_timeout, lambda: self._look_whether_alive(asked_at))

    def _look_whether_alive(self, asked_at: float, again: bool = False) -> None:
        silent = not self.busy and self._heard_at < asked_at
        if self.closing:
            pass
        elif silent and again:
            self.cut(self._engine.reason.PING_TIMEOUT)
        elif silent:
            self._engine.timers.call(stock.GRACE_S, lambda: self._look_whether_alive(asked_at, again=True))
        else:
            due = asked_at + self._engine.ping_interval - time.monotonic()
            self._engine.timers.call(max(0.0, due), self._ping)

    # --- the end ----------------------------------------------------------------------------------------------------

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """Tells the handlers, sends what waits, closes. A client that does not go then is left. Never waits."""
        self._close(close_frame(GOING_AWAY), reason, *(() if abort else (CLOSE_FRAME,)))

    def refuse(self, code: int = POLICY, reason: str = MALFORMED) -> None:
        """Closes the socket of a client that sent what we do not take; `code` and `reason` are told to it."""
        self._close(close_frame(code, reason), reason)

    def cut(self, reason: str) -> None:
        """Ends the socket at once; what waits for it is dropped. Its client catches up when it is back."""
        self._leave(reason)
        self._abort()

    def lost(self) -> None:
        """The client is gone."""
        self._leave(self._engine.reason.TRANSPORT_CLOSE)
        self._finish()

    def _close(self, farewell: bytes, reason: str | None, *before: bytes) -> None:
        if self.closing:
            return
        pending = self.pending
        frames = [] if pending is None else pending if isinstance(pending, list) else [pending]
        self._leave(reason)
        self.hold([*frames, *before, farewell])
        if self._file is not None:
            self._reads.start(self._on_readable)  # it may have been stopped
            self._engine.timers.call(LINGER_S, self._look_whether_gone)

    def _leave(self, reason: str | None) -> None:
        """From now on nothing of the client is handled, and nothing more is queued for it."""
        self.ended = True
        self.pending = None
        self._reader = None
        if not self.closing:
            self.closing = True
            gevent.spawn_raw(self._tell, reason or self._engine.reason.SERVER_DISCONNECT)

    def _tell(self, reason: str) -> None:
        """Tells the handlers, and again when a message has been handled to its end: during a connect they do not
        listen."""
        self._engine._trigger_event("disconnect", self.sid, reason, run_async=False)
        self._told = True
        self._forget()

    def _shut(self) -> None:
        """All is sent: the client may go."""
        try:
            if self._file is not None:
                self._file.shutdown(socket.SHUT_WR)
        except OSError:
            self._finish()

    def _look_whether_gone(self) -> None:
        if self._file is None:
            return
        if self.expelled:
            self._abort()
        elif self.backlog is None:
            self._finish()
        else:
            self._engine.timers.call(LINGER_S, self._look_whether_gone)

    def _abort(self) -> None:
        """Closes, and takes back what the kernel holds for the client."""
        try:
            if self._file is not None:
                self._file.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self._finish()

    def _finish(self) -> None:
        self._stop_writing()
        self.backlog = None
        if self._file is not None:
            self._reads.stop()
            self._reads.close()
            self._file.close()
            self._file = None
        self._forget()

    def _forget(self) -> None:
        if self._file is None and self._told and not self.busy:
            self._engine.sockets.pop(self.sid, None)
            if self._slot is not None:
                self._slot.free()
                self._slot.give_way = None
