"""Each fault of the proxy does what it says, and heals."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from chat.config import Config
from chat.errors import ChatError
from chat.models import User
from chat.services.storage.storage import Storage
from tests.conftest import free_port, wait_until
from tests.faults.proxy import Proxy

Connect = Callable[[], socket.socket]


class Echo:
    """Sends back what it gets, and keeps it."""

    def __init__(self) -> None:
        self.got = b""
        self.ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._server.getsockname())
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    def _echo(self, peer: socket.socket) -> None:
        with peer:
            try:
                while data := peer.recv(65536):
                    self.got += data
                    peer.sendall(data)
            except OSError:
                pass
        self.ended.set()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def listen() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def proxy(echo: Echo, listen: str, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy(listen, echo.address, tmp_path / "control") as proxy:
        yield proxy


@pytest.fixture
def connect(proxy: Proxy, listen: str) -> Iterator[Connect]:
    """Opens connections to the echo through the proxy."""
    with ExitStack() as open_:

        def connect() -> socket.socket:
            host, port = listen.split(":")
            return open_.enter_context(socket.create_connection((host, int(port)), timeout=10))

        yield connect


def answers(client: socket.socket, data: bytes = b"hello") -> bool:
    client.sendall(data)
    missing = len(data)
    while missing and (got := client.recv(65536)):
        missing -= len(got)
    return not missing


def silent(client: socket.socket, for_s: float = 0.3) -> bool:
    client.settimeout(for_s)
    try:
        return client.recv(1) == b"never"
    except TimeoutError:
        return True
    finally:
        client.settimeout(10)


def test_it_passes_on_what_it_gets_both_ways_and_the_end_too(connect: Connect, echo: Echo) -> None:
    client = connect()
    assert answers(client, os.urandom(300_000))
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b"" and echo.ended.wait(30)


def test_it_delays_answers(connect: Connect, proxy: Proxy) -> None:
    client = connect()
    proxy.set(delay_s=0.5)
    began = time.monotonic()
    assert answers(client)
    assert time.monotonic() - began >= 0.5
    assert proxy.heal()["delayed"] == 1
    assert answers(client)
    assert proxy.heal()["delayed"] == 1, "no longer"


def test_two_faults_at_once_heal_one_by_one(connect: Connect, proxy: Proxy) -> None:
    client = connect()
    assert answers(client)
    clear_up = proxy.befall(delay_s=0.3)
    come_back = proxy.befall(refuse=True)
    with pytest.raises(ConnectionRefusedError):
        connect()
    come_back()
    began = time.monotonic()
    assert answers(client) and answers(connect())
    assert time.monotonic() - began >= 0.6
    clear_up()
    assert proxy.heal()["delayed"] == 2


def test_it_stalls_and_then_everything_comes_at_once(connect: Connect, proxy: Proxy) -> None:
    client = connect()
    proxy.set(stall=True)
    client.sendall(b"abc")
    assert silent(client)
    client.sendall(b"def")
    proxy.heal()
    got = b""
    while len(got) < 6:
        got += client.recv(10)
    assert got == b"abcdef"


def test_it_dribbles(connect: Connect, proxy: Proxy) -> None:
    client = connect()
    proxy.set(bytes_per_s=2000)
    began = time.monotonic()
    assert answers(client, bytes(2000))
    assert time.monotonic() - began > 0.9


def test_it_half_closes(connect: Connect, proxy: Proxy, echo: Echo) -> None:
    client = connect()
    assert answers(client)
    assert proxy.set(half_close=True)["half_closed"] == 1
    assert client.recv(1) == b""
    client.sendall(b" still heard")
    wait_until(lambda: echo.got == b"hello still heard", what="the far end hears")


def test_it_refuses_new_connections_and_keeps_the_old(connect: Connect, proxy: Proxy) -> None:
    client = connect()
    assert answers(client)
    proxy.set(refuse=True)
    with pytest.raises(ConnectionRefusedError):
        connect()
    assert answers(client)
    proxy.heal()
    assert answers(connect())


def test_it_resets_at_random(connect: Connect, proxy: Proxy) -> None:
    proxy.set(reset_share=0.5)
    broken = 0
    for _ in range(20):
        try:
            broken += not answers(connect())
        except ConnectionResetError:
            broken += 1
    assert 5 < broken < 20, "each has two chances of a half"
    assert proxy.heal()["resets"] == broken


def test_a_black_hole_answers_nothing_and_delivers_nothing(connect: Connect, proxy: Proxy, echo: Echo) -> None:
    client = connect()
    assert answers(client)
    proxy.set(black_hole=True)
    client.sendall(b"gone")
    assert silent(client)
    proxy.heal()
    assert silent(client) and echo.got == b"hello"
    assert answers(connect())


def test_it_loses_the_answer_of_what_was_carried_out(connect: Connect, proxy: Proxy, echo: Echo) -> None:
    client = connect()
    assert answers(client)
    proxy.set(lose_answers=1)
    client.sendall(b" and done")
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert echo.got == b"hello and done"


@pytest.fixture
def dynamodb_proxy(config: Config, listen: str, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy(listen, config.dynamodb_endpoint.removeprefix("http://"), tmp_path / "control", http=True) as proxy:
        yield proxy


@pytest.fixture
def through(config: Config, listen: str, dynamodb_proxy: Proxy) -> Storage:
    """The tables, asked through the proxy."""
    return Storage.connect(replace(config, dynamodb_endpoint=f"http://{listen}"))


def test_dynamodb_throttles_a_share_of_the_requests(dynamodb_proxy: Proxy, through: Storage) -> None:
    dynamodb_proxy.set(refuse_requests=0.3)
    for _ in range(20):
        through.users.get("nobody")
    counts = dynamodb_proxy.set(refuse_requests=1)
    assert counts["refused"] >= 2 and counts["requests"] == 20 + counts["refused"]
    with pytest.raises(ChatError) as refused:
        through.users.get("nobody")
    assert refused.value.code == "unavailable"
    dynamodb_proxy.heal()
    through.users.get("nobody")


def test_dynamodb_stores_and_its_answer_is_lost(dynamodb_proxy: Proxy, through: Storage, config: Config) -> None:
    through.users.get("nobody")
    dynamodb_proxy.set(lose_answers=1)
    with pytest.raises(ChatError) as lost:
        through.users.put(User("alice", "Alice"))
    assert lost.value.code == "unavailable"
    assert dynamodb_proxy.heal()["answers_lost"] >= 1
    assert Storage.connect(config).users.get("alice") is not None
