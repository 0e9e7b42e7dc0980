"""Slow or silent clients are cut, and never keep /healthz waiting."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event, Thread
from types import SimpleNamespace

import gevent
import gevent.socket
import pytest

from chat.sockets.transport import slow_clients
from tests.conftest import wait_until
from tests.transport.conftest import FANOUTS, Start, Tiny
from tests.transport.peers import PATIENCE_S, connection, exchange, handshake, has_ended, status

HEALTH = "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"


def health(tiny: Tiny) -> int:
    return status(exchange(tiny.port, HEALTH.format(port=tiny.port).encode()))


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


def is_cut(sock: socket.socket) -> bool:
    """Waits until the server ends the connection, whatever it says before. Raises: TimeoutError."""
    try:
        while sock.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


def test_a_worker_that_stood_still_looks_who_has_spoken_before_it_finds_them_slow(monkeypatch):
    monkeypatch.setattr(slow_clients, "PEEK_S", 0.05)
    for said in (b"GET /", None):
        ours, theirs = gevent.socket.socketpair()
        looking = gevent.spawn(slow_clients.GuardedSocket(ours, slow_clients.SlowClientGuard(10)).peek)
        gevent.sleep(0)
        if said:
            theirs.sendall(said)
        time.sleep(0.1)  # the worker stands still: its time is over before it looks
        looking.join()
        assert looking.value == said
        assert said or isinstance(looking.exception, slow_clients.TooSlow)
        theirs.close()


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"


def test_who_says_nothing_or_dribbles_is_cut(tiny: Tiny) -> None:
    """A head has gunicorn's `keepalive` of two seconds; a body has HURRY_S in this server, two as well."""
    assert slow_clients.BODY_S <= 10
    silent, head, body = (connection(tiny.port) for _ in range(3))
    head.sendall(HEAD)
    body.sendall(BODY)
    with dribbling([head, body]):
        assert all(is_cut(sock) for sock in (silent, head, body))
    for sock in (silent, head, body):
        sock.close()


def test_a_reader_of_nothing_is_cut(tiny: Tiny) -> None:
    """20 MB are asked for and not read; the answer must move every HURRY_S seconds."""
    assert slow_clients.WRITE_S <= 10
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    sock.connect(("127.0.0.1", tiny.port))
    sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    states = partial(_states, tiny.port, sock.getsockname()[1])
    assert states() == b"ESTAB"
    wait_until(lambda: states() != b"ESTAB", PATIENCE_S, "the server gives it up")
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
    """20 sockets and 100 further slots. No clock ends a slow client here: who thins them out makes the room."""
    patient = "--keep-alive 600"
    return start(sockets_per_worker=20, hurry_s=600, silent_s=600, gunicorn_cmd_args=patient)


@pytest.mark.parametrize("attack", [silent, slow_head, slow_body, slow_handshake])
def test_health_is_answered_among_many_slow_clients(narrow: Tiny, attack: Callable[[Tiny], socket.socket]) -> None:
    """300 of them for 120 slots."""
    socks = [attack(narrow) for _ in range(300)]
    try:
        with dribbling(socks if attack is not silent else []):
            assert [health(narrow) for _ in range(5)] == [200] * 5
            assert sum(map(has_ended, socks)) > 300 - 120
    finally:
        for sock in socks:
            sock.close()


@pytest.mark.expects_traceback("Bad file descriptor")
@pytest.mark.parametrize("fanout", FANOUTS[-1:], indirect=True, scope="module")
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
    """However many come at once: who speaks is answered."""
    socks: list[socket.socket] = []
    for _ in range(100):
        socks.append(connection(narrow.port))
        socks[-1].sendall(HEALTH.format(port=narrow.port).encode())
    assert {status(sock.recv(65_536)) for sock in socks} == {200}
    for sock in socks:
        sock.close()


class Guest:
    """A connection that has waited for its client and so long."""

    def __init__(self, cut: list[Guest]):
        self._cut = cut

    def cut(self) -> None:
        self._cut.append(self)


@pytest.mark.parametrize(
    ("present", "waited_s", "cut"),
    [(100, 1.0, 8), (20, 1.0, 0), (100, slow_clients.PATIENT_S / 2, 0)],
    ids=["scarce", "room for all", "a moment"],
)
def test_beyond_so_many_who_wait_longest_are_cut_when_places_are_scarce_and_nobody_within_a_moment(
    monkeypatch: pytest.MonkeyPatch, present: int, waited_s: float, cut: int
) -> None:
    monkeypatch.setattr(slow_clients, "time", SimpleNamespace(monotonic=lambda: 1_000.0))
    visited, gone = slow_clients.SlowClientGuard(120), list[Guest]()
    visited.present = present
    guests = [Guest(gone) for _ in range(slow_clients.WAITING + 8)]
    with ExitStack() as waiting:
        for number, guest in enumerate(guests):
            waiting.enter_context(visited.waiting(guest, 1_000.0 - waited_s - (0.001 * number)))  # type: ignore[arg-type]
        visited.thin_out()
    assert gone == guests[: -cut - 1 : -1]
