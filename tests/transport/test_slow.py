"""Slow or silent clients are cut, and never keep /healthz waiting."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from chat.sockets.transport import visitors
from tests.transport.conftest import Start, Tiny
from tests.transport.peers import connection, exchange, handshake, status

HEALTH = "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"


def slowest_health(tiny: Tiny, times: int = 10) -> float:
    """Seconds; of the slowest of that many requests, 50 ms apart."""
    slowest = 0.0
    for _ in range(times):
        began = time.monotonic()
        assert status(exchange(tiny.port, HEALTH.format(port=tiny.port).encode())) == 200
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    return slowest


@contextmanager
def dribbling(socks: list[socket.socket], every_s: float = 0.5) -> Iterator[None]:
    """Sends a byte to each now and then."""
    done = Event()

    def dribble() -> None:
        while not done.wait(every_s):
            for sock in socks:
                try:
                    sock.send(b"x")
                except OSError:
                    pass

    thread = Thread(target=dribble)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def seconds_until_cut(sock: socket.socket, within_s: float = 12) -> float:
    """Seconds until the server ends the connection, whatever it says before."""
    began = time.monotonic()
    sock.settimeout(within_s)
    try:
        while sock.recv(65_536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - began


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("opening", [b"", HEAD, BODY], ids=["silence", "head", "body"])
def test_a_dribbler_is_cut(tiny: Tiny, opening: bytes) -> None:
    """A head has gunicorn's `keepalive` of two seconds; a body has HURRY_S in this server, two as well."""
    assert visitors.BODY_S <= 10
    with connection(tiny.port) as sock:
        sock.sendall(opening)
        with dribbling([sock] if opening else []):
            assert seconds_until_cut(sock) < 4


def test_a_reader_of_nothing_is_cut(tiny: Tiny) -> None:
    """20 MB are asked for and not read; the answer must move every HURRY_S seconds."""
    assert visitors.WRITE_S <= 10
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    sock.connect(("127.0.0.1", tiny.port))
    sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    began = time.monotonic()
    while b"ESTAB" in _states(tiny.port, sock.getsockname()[1]) and time.monotonic() - began < 6:
        time.sleep(0.02)
    assert time.monotonic() - began < 5
    sock.close()


def _states(port: int, client_port: int) -> bytes:
    """ESTAB when the server's side of the connection is still open."""
    with open("/proc/net/tcp", "rb") as table:
        for line in table:
            fields = line.split()
            if fields[1].endswith(b":%04X" % port) and fields[2].endswith(b":%04X" % client_port):
                return b"ESTAB" if fields[3] == b"01" else b"CLOSING"
    return b""


def silent(tiny: Tiny) -> socket.socket:
    return connection(tiny.port)


def slow_head(tiny: Tiny) -> socket.socket:
    sock = connection(tiny.port)
    sock.sendall(HEAD)
    return sock


def slow_body(tiny: Tiny) -> socket.socket:
    sock = connection(tiny.port)
    sock.sendall(BODY)
    return sock


def slow_handshake(tiny: Tiny) -> socket.socket:
    sock = connection(tiny.port)
    sock.sendall(handshake(tiny.port)[:-2])
    return sock


@pytest.fixture(scope="module")
def narrow(start: Start) -> Tiny:
    """20 sockets and 100 further places."""
    return start(sockets_per_worker=20)


@pytest.mark.parametrize("attack", [silent, slow_head, slow_body, slow_handshake])
def test_health_is_answered_among_many_slow_clients(narrow: Tiny, attack: Callable[[Tiny], socket.socket]) -> None:
    """300 of them for 120 places."""
    socks = [attack(narrow) for _ in range(300)]
    try:
        with dribbling(socks if attack is not silent else []):
            assert slowest_health(narrow) < 1
    finally:
        for sock in socks:
            sock.close()


def test_gunicorn_as_it_is_is_starved_and_waits_for_its_sockets(start: Start) -> None:
    """So the tests above and those of the end can fail."""
    unguarded = start(sockets_per_worker=20, unguarded=1)
    open_socket = unguarded.entered()
    socks = [slow_body(unguarded) for _ in range(300)]
    try:
        assert exchange(unguarded.port, HEALTH.format(port=unguarded.port).encode(), timeout_s=1.5) == b""
    finally:
        for sock in socks:
            sock.close()
    unguarded.process.terminate()
    if unguarded.fanout == "stock":  # the fast transport takes its sockets out of gunicorn's hands
        with pytest.raises(subprocess.TimeoutExpired):
            unguarded.process.wait(3)
    open_socket.sock.close()


def test_a_quick_client_is_not_thinned_out(narrow: Tiny) -> None:
    """However many come at once: who speaks within a moment is answered."""
    socks = [connection(narrow.port) for _ in range(100)]
    for sock in socks:
        sock.sendall(HEALTH.format(port=narrow.port).encode())
    assert {status(sock.recv(65_536)) for sock in socks} == {200}
    for sock in socks:
        sock.close()
