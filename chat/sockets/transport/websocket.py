"""One websocket, with what simple-websocket 1.1.0 lacks: whole writes, size limits, no compression, no read-ahead."""

from __future__ import annotations

from typing import Any

import gevent
import simple_websocket
from engineio.async_drivers.gevent import Thread
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.selectors import DefaultSelector

MAX_MESSAGE_BYTES = 64 * 1024
SEND_TIMEOUT_S = 5.0
MAX_READ_AHEAD = 32  # messages read from a client and not yet handled; beyond, it waits in its own TCP


class WholeSocket:
    """A TCP socket whose `send` sends everything or fails: under gevent a full buffer makes plain `send` stop half-way,
    and the next frame would begin inside the last. `recv` waits while the reader lags."""

    def __init__(self, sock: Any):
        self._sock = sock
        self._lock = Semaphore()
        self.waiting: list[Any] = []

    def send(self, data: bytes) -> int:
        """Sends all of it. Raises: OSError when that takes more than SEND_TIMEOUT_S seconds."""
        with self._lock:
            try:
                with gevent.Timeout(SEND_TIMEOUT_S):
                    self._sock.sendall(data)
            except gevent.Timeout:
                self.close()
                raise OSError("the client does not read") from None
        return len(data)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes, as soon as earlier messages have been handled."""
        while len(self.waiting) >= MAX_READ_AHEAD:
            gevent.sleep(0.01)
        return self._sock.recv(size)

    def close(self) -> None:
        """Closes both directions, so that a reader wakes too."""
        try:
            self._sock.shutdown(2)
        except OSError:
            pass
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class GuardedServer(simple_websocket.Server):
    """A websocket that takes no message over MAX_MESSAGE_BYTES, also in fragments, and never compresses."""

    def __init__(self, environ: dict[str, Any]):
        whole = WholeSocket(environ["gunicorn.socket"])
        handshake = {k: v for k, v in environ.items() if k != "HTTP_SEC_WEBSOCKET_EXTENSIONS"}
        super().__init__(
            handshake | {"gunicorn.socket": whole},
            max_message_size=MAX_MESSAGE_BYTES,
            thread_class=Thread,
            event_class=Event,
            selector_class=DefaultSelector,
        )
        whole.waiting = self.input_buffer


class GuardedWebSocket:
    """What engineio's driver table calls `websocket`: hands the connection to `handler` for as long as it lives."""

    def __init__(self, handler: Any, server: Any):
        self._handler = handler

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        try:
            self._ws = GuardedServer(environ)
        except (simple_websocket.ConnectionError, simple_websocket.ConnectionClosed, OSError):
            return []
        self._handler(self)
        raise StopIteration  # tells gunicorn that the connection is ours, and over

    def send(self, message: str | bytes) -> None:
        """Sends one message. Raises: OSError when the connection is gone."""
        try:
            self._ws.send(message)
        except simple_websocket.ConnectionClosed:
            raise OSError from None

    def wait(self) -> str | bytes | None:
        """The next message, or None when the connection is gone."""
        try:
            return self._ws.receive()
        except simple_websocket.ConnectionClosed:
            return None

    def close(self) -> None:
        """Says goodbye and closes."""
        try:
            if self._ws.connected:
                self._ws.close()
                self._ws.sock.close()
        except (simple_websocket.ConnectionClosed, OSError):
            pass
