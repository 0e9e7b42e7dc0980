"""Whatever clients send: no fault, no wait, no growth. The short form of `python -m tests.transport.fuzz`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from socketio.packet import Packet

from chat.sockets.transport.fast import handshake
from chat.sockets.transport.frames import FrameReader
from chat.sockets.transport.packets import ClientPacket
from tests.transport.conftest import Start, Tiny, on_each
from tests.transport.fuzz import CASES, CONNECTIONS, REQUESTS, SEED, cases, readers, sockets
from tests.transport.fuzz.requests import proper_requests
from tests.transport.test_requests import POST, SHAPES, SMUGGLED


@pytest.fixture(scope="module")
def shared(start: Start) -> Tiny:
    """Whoever is not ended at once is ended much later than the tests wait."""
    return start(hurry_s=sockets.HURRY_S)


def test_a_hundredth_of_the_frames_packets_and_handshakes() -> None:
    assert cases.run(SEED, range(CASES // 100)).cases == CASES // 100


@on_each
def test_a_hundredth_of_the_connections(tiny: Tiny) -> None:
    assert sockets.run(SEED, range(CONNECTIONS // 100), tiny).cases == CONNECTIONS // 100


def test_a_hundredth_of_the_requests_that_smuggle(tiny: Tiny) -> None:
    assert sockets.run_smuggling(SEED, range(REQUESTS // 100), tiny).cases == REQUESTS // 100


class Forgetful(FrameReader):
    """Forgets half a frame when more bytes come."""

    __slots__ = ()

    def feed(self, data: bytes) -> None:
        self._buffer.clear()
        super().feed(data)


class Trusting(FrameReader):
    """Takes frames that are not masked for masked ones."""

    __slots__ = ()

    def _judge(self, first: int, second: int) -> None:
        super()._judge(first, second | 0x80)


def installed(text: str) -> ClientPacket:
    """As the installed decoder decodes it."""
    packet = Packet(encoded_packet=text)
    return ClientPacket(packet.packet_type, packet.namespace or "/", packet.id, packet.data)


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (readers, "FrameReader", Forgetful),
        (readers, "FrameReader", Trusting),
        (readers, "sole_text", lambda data: data[6:] if data[:1] == b"\x81" else None),
        (readers, "decode", installed),
        (handshake, "FIELD", re.compile(rb"([^:]+): ?(.*)", re.DOTALL)),
    ],
    ids=["forgets", "unmasked", "sole", "decoder", "handshake"],
)
def test_a_reader_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, planted: Any) -> None:
    """So what is not found above is not there, as far as it goes."""
    monkeypatch.setattr(owner, name, planted)
    with pytest.raises(cases.Found):
        cases.run(SEED, range(CASES // 100))


def test_a_case_that_takes_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MAX_S", 0.0)
    with pytest.raises(cases.Found):
        cases.run(SEED, range(10))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_that_smuggles_is_a_proper_request(shape: str) -> None:
    assert proper_requests(SHAPES[shape]) == 0


def test_proper_requests_are_counted() -> None:
    proper = POST + b"Content-Length: 5\r\n\r\nhello" + POST
    proper += b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + SMUGGLED
    assert [proper_requests(proper[:size]) for size in (10, 70, len(proper) - 1, len(proper))] == [0, 1, 2, 3]


def test_an_answer_too_many_is_found() -> None:
    twice = b"HTTP/1.1 400 Bad Request\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    sockets.judge_requests(SHAPES["two lengths"], twice[:28])
    with pytest.raises(AssertionError):
        sockets.judge_requests(SHAPES["two lengths"], twice)
    with pytest.raises(AssertionError):
        sockets.judge_requests(SHAPES["two lengths"], twice[28:])
