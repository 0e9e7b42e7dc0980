"""Connections that speak plain HTTP, or nothing at all: none may hold a slot by being slow.

gunicorn's gevent worker gives a request's head `keepalive` seconds and everything else all the time there is. Here a
body has BODY_S seconds, an answer must move every WRITE_S seconds, and when slots get scarce, those who have waited
longest for their clients are cut, so that there is one for whoever speaks up (docs/decisions/0003).
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent import socket
from gunicorn.http.errors import LimitRequestHeaders

HEAD_S = 10.0
BODY_S = 10.0
WRITE_S = 10.0
PEEK_S = 2.0  # as gunicorn.conf.py's keepalive, which is the time for a head
PEEK_BYTES = 8 * 1024
HEAD_BYTES = 64 * 1024
DRAIN_BYTES = 1024 * 1024  # of a body that nobody read, for the sake of an answer that the client shall still read
SPARE = 50  # with fewer free slots, clients are thinned out
WAITING = 32
PATIENT_S = 0.15


class SlowClientGuard:
    """The connections of one worker that has so many `slots`, and which of them wait for their clients."""

    def __init__(self, slots: int):
        self.present = 0
        self._slots = slots
        self._waiting: dict[GuardedSocket, float] = {}

    @contextmanager
    def waiting(self, guarded: GuardedSocket, since: float) -> Iterator[None]:
        """This one's client is to do something, and has been since then (monotonic seconds)."""
        self._waiting[guarded] = since
        try:
            yield
        finally:
            self._waiting.pop(guarded, None)

    def thin_out(self) -> None:
        """Cuts who has waited longest, beyond WAITING of them, when slots are scarce. To be called several times a
        second. Idle kept-alive connections wait too: where there is room, they stay."""
        excess = len(self._waiting) - WAITING
        if excess > 0 and self._slots - self.present < SPARE:
            long_ago = time.monotonic() - PATIENT_S
            for guarded, since in sorted(self._waiting.items(), key=lambda entry: entry[1])[:excess]:
                if since < long_ago:
                    guarded.cut()


class GuardedSocket(socket.socket):
    """One connection as gunicorn sees it, until a websocket takes it over."""

    def __init__(self, client: Any, guard: SlowClientGuard):
        family, kind, proto = client.family, client.type, client.proto
        super().__init__(family, kind, proto, fileno=client.detach())
        self._guard = guard
        self._handed_over = False
        self._in_head = True
        self._served = 0
        self._since = time.monotonic()
        self._until = self._since + HEAD_S
        self._left = HEAD_BYTES

    def hand_over(self) -> GuardedSocket:
        """From now on it is somebody else's to be patient."""
        self._handed_over = True
        return self

    def peek(self) -> bytes:
        """What the client said first, without taking it. Raises: OSError when it says nothing for PEEK_S seconds."""
        return self._received(PEEK_S, PEEK_BYTES, socket.MSG_PEEK)

    def request_began(self) -> None:
        """The head has been read: the body's time begins."""
        self._in_head = False
        self._since = time.monotonic()
        self._until = self._since + BODY_S

    def request_over(self, unread: int | None) -> None:
        """It has been answered. `unread` bytes of its body are still to come; None: nobody knows how many."""
        self._in_head = True
        self._served += 1
        self._since = time.monotonic()
        self._until = self._since + HEAD_S
        self._left = 0 if unread is None else HEAD_BYTES + min(unread, DRAIN_BYTES)

    def recv(self, *args: Any) -> bytes:
        """As ever, but in time. Raises: OSError, or LimitRequestHeaders, which gunicorn answers with 431."""
        if self._handed_over:
            return super().recv(*args)
        if self._in_head and self._left <= 0:
            if self._served:
                return b""
            raise LimitRequestHeaders("too large")
        data = self._received(self._until - time.monotonic(), *args)
        if self._in_head:
            self._left -= len(data)
        return data

    def _received(self, within_s: float, *args: Any) -> bytes:
        try:
            with self._guard.waiting(self, self._since), _within(within_s):
                return super().recv(*args)
        except TooSlow:
            # A worker that stood still finds the time over before it has looked who has said something meanwhile.
            try:
                return self._sock.recv(*args)
            except BlockingIOError:
                raise TooSlow from None

    def send(self, data: Any, flags: int = 0, **options: Any) -> int:
        """As ever, but it must move; gevent's `sendall` and `sendfile` come through here. Raises: OSError."""
        if self._handed_over:
            return super().send(data, flags, **options)
        with self._guard.waiting(self, time.monotonic()), _within(WRITE_S):
            return super().send(data, flags, **options)

    def cut(self) -> None:
        """Ends it; its greenlet wakes, and finds an end as of a client that went. gevent's own `shutdown` wakes it with
        an error that gunicorn logs with a traceback: strangers could fill the log."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def said_already(client: Any) -> bytes:
    """What a client that has just come has said, without taking it and without waiting for it."""
    client.settimeout(0.0)
    try:
        said: bytes = client.recv(PEEK_BYTES, socket.MSG_PEEK)
    except OSError:
        return b""
    return said


class TooSlow(ConnectionResetError):
    """gunicorn takes it for a client that went away, which it does not log."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "too slow")


def _within(seconds: float) -> Any:
    return gevent.Timeout(max(seconds, 0), TooSlow())
