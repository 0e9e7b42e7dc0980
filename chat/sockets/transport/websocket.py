"""One websocket over a gevent socket: whole writes, bounded reads, an end that the other side can still read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.lock import Semaphore

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
)
from chat.sockets.transport.token_bucket import TokenBucket

SEND_TIMEOUT_S = 5.0
LINGER_S = 0.5
LINGER_BYTES = 1024 * 1024
READ_BYTES = 16 * 1024
SEND_BUFFER_BYTES = 128 * 1024  # what the kernel may hold for a client that does not read
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(environ: dict[str, Any]) -> str | None:
    """The answer to a handshake's key; None when the request is not a websocket handshake (RFC 6455, 4.2.1)."""
    tokens = {token.strip().lower() for token in environ.get("HTTP_CONNECTION", "").split(",")}
    if environ.get("REQUEST_METHOD") != "GET" or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return None
    if environ.get("HTTP_UPGRADE", "").lower() != "websocket" or "upgrade" not in tokens:
        return None
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        return None
    if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            return None
    except (ValueError, binascii.Error):
        return None
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def switching(key: str) -> bytes:
    """The answer to a handshake, with what `accept_key` made of it."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + key.encode() + b"\r\n\r\n"
    )


class WebSocket:
    """The server's end. One greenlet reads, any may send; no extension is ever agreed on, so nothing is compressed."""

    def __init__(self, sock: Any):
        self._sock = sock
        self._reader = FrameReader()
        self._sending = Semaphore()
        self._closing = False
        self._farewell: bytes | None = None  # what answers the client's own close frame
        self._bucket = TokenBucket()
        self._charged_frames = 0
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if self._sock.family != socket.AF_UNIX:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def accept(cls, environ: dict[str, Any]) -> WebSocket:
        """Answers the handshake of a request under gunicorn. Raises: Refused, OSError."""
        key = accept_key(environ)
        if key is None:
            raise Refused(POLICY, "not a websocket handshake")
        sock = environ["gunicorn.socket"]
        websocket = cls(sock.hand_over() if hasattr(sock, "hand_over") else sock)
        websocket.send(switching(key))
        return websocket

    def send(self, data: bytes, may_deliver: Callable[[], bool] = lambda: True) -> None:
        """Sends all of it, whole frames. Raises: OSError when the client takes nothing for SEND_TIMEOUT_S seconds, or
        has not taken all of it when `may_deliver` says no: the rest may not follow.

        gevent's plain `send` returns after a part when the client's buffer is full; the next frame would begin inside
        the last one.
        """
        rest = memoryview(data)
        with self._sending:
            while rest:
                if len(rest) < len(data) and not may_deliver():
                    raise OSError("the client did not read in time")
                with gevent.Timeout(SEND_TIMEOUT_S, TimeoutError("the client does not read")):
                    sent = self._sock.send(rest)
                rest = rest[sent:]

    def receive(self) -> str | None:
        """The next message, or None when the client has gone. Answers pings meanwhile. Raises: Refused."""
        while True:
            taken = self._reader.next()
            if taken is None:
                data = self._read()
                if not data:
                    return None
                self._bucket.charge(self._reader.frames - self._charged_frames, len(data), time.monotonic())
                self._charged_frames = self._reader.frames
                self._reader.feed(data)
                continue
            opcode, payload = taken
            if opcode == TEXT:
                try:
                    return payload.decode()
                except UnicodeDecodeError:
                    raise Refused(BAD_TEXT, "not UTF-8") from None
            if opcode == CLOSE:
                self._farewell = close_answer(payload)
                return None
            if opcode == PING and not self._closing:
                try:
                    self.send(frame(PONG, payload))
                except OSError:
                    return None

    def close(self, code: int = GOING_AWAY, reason: str = "") -> None:
        """Says goodbye behind all that was sent. The reader goes on until the client has gone too."""
        if self._closing:
            return
        self._closing = True
        try:
            self.send(self._farewell or close_frame(code, reason))
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()

    def finish(self) -> None:
        """Reads on until the client has gone, for LINGER_S seconds and LINGER_BYTES at most: closing with unread bytes
        makes the kernel take back what the client has not read yet."""
        read = 0
        with gevent.Timeout(LINGER_S, False):
            while read < LINGER_BYTES and (data := self._read()):
                read += len(data)
                gevent.sleep(0)  # recv does not let others run while there is something to read

    def stop_reading(self) -> None:
        """Wakes the reader, for which the client has gone now."""
        try:
            self._sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass

    def abort(self) -> None:
        """Ends it at once, in both directions; reader and senders wake. What the kernel held for it is freed."""
        self._closing = True
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _read(self) -> bytes:
        try:
            return self._sock.recv(READ_BYTES)
        except OSError:
            return b""
