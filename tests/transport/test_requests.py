"""Requests that two parsers could read differently are refused and their connection closed: never two answers."""

from __future__ import annotations

import random

import pytest

from tests.transport.conftest import Tiny
from tests.transport.peers import connection, everything, exchange, status

SMUGGLED = b"GET /facts HTTP/1.1\r\nHost: {host}\r\n\r\n"
POST = b"POST /body HTTP/1.1\r\nHost: {host}\r\n"

SHAPES = {
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + SMUGGLED,
    "two equal lengths": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED,
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello" + SMUGGLED,
    "a signed length": POST + b"Content-Length: +5\r\n\r\nhello" + SMUGGLED,
    "a negative length": POST + b"Content-Length: -5\r\n\r\nhello" + SMUGGLED,
    "a length in hex": POST + b"Content-Length: 0x5\r\n\r\nhello" + SMUGGLED,
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked, identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a bad chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a signed chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk that is longer": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a bare line feed in a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "chunks in HTTP/1.0": b"POST /body HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "NUL in a header": b"GET /facts HTTP/1.1\r\nHost: {host}\r\nX-A: a\x00b\r\n\r\n" + SMUGGLED,
    "a carriage return in a header": b"GET /facts HTTP/1.1\r\nHost: {host}\r\nX-A: a\rb\r\n\r\n" + SMUGGLED,
    "two hosts": b"GET /facts HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n" + SMUGGLED,
    "bare line feeds": b"GET /facts HTTP/1.1\nHost: {host}\n\n" + SMUGGLED,
    "a space before the first header": b"GET /facts HTTP/1.1\r\n Host: {host}\r\n\r\n" + SMUGGLED,
    "no version": b"GET /facts\r\n\r\n" + SMUGGLED,
    "a version of its own": b"GET /facts HTTP/3.1\r\nHost: {host}\r\n\r\n" + SMUGGLED,
    "a method in small letters": b"get /facts HTTP/1.1\r\nHost: {host}\r\n\r\n" + SMUGGLED,
    "a byte that is no ASCII in the target": b"GET /fa\xffcts HTTP/1.1\r\nHost: {host}\r\n\r\n" + SMUGGLED,
}


def filled(request: bytes, tiny: Tiny) -> bytes:
    return request.replace(b"{host}", b"localhost:%d" % tiny.port)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_that_smuggles_is_refused(tiny: Tiny, shape: str) -> None:
    answer = exchange(tiny.port, filled(SHAPES[shape], tiny))
    assert 400 <= status(answer) < 502 and status(answer) != 500, answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b"connects" not in answer, "the second request was not answered"


def test_two_proper_requests_on_one_connection_are_answered(tiny: Tiny) -> None:
    """So the refusals above are not the end of keep-alive."""
    proper = POST + b"Content-Length: 5\r\n\r\nhello" + POST
    proper += b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + SMUGGLED
    answer = exchange(tiny.port, filled(proper, tiny), timeout_s=1)
    assert answer.count(b"HTTP/1.1 200 ") == 3, answer


def test_mutated_requests_are_never_answered_by_a_fault(tiny: Tiny) -> None:
    """A few hundred of the 10,000 that run by hand: bytes replaced, doubled, dropped."""
    rng = random.Random(20261123)
    seeds = [filled(shape, tiny) for shape in SHAPES.values()]
    for _ in range(300):
        request = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(request))
            change = rng.choice([b"", b"\r", b"\n", b"\x00", b" ", b":", b",", request[at : at + 9], rng.randbytes(1)])
            request[at : at + 1] = change
        with connection(tiny.port) as sock:
            try:
                sock.sendall(request)
                sock.shutdown(1)
            except OSError:
                pass
            answer = everything(sock)
        assert b" 500 " not in answer.partition(b"\r\n")[0], (bytes(request), answer)
    assert tiny.facts()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /" + b"x" * 8_200 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n", 414),
        (b"GET /facts HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"x" * 8_200 + b"\r\n\r\n", 431),
        (b"GET /facts HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"x" * 100_000 + b"\r\n\r\n", 431),
        (b"GET /facts HTTP/1.1\r\nHost: {host}\r\n" + b"X-A: x\r\n" * 500 + b"\r\n", 431),
        (b"GET /facts HTTP/1.1\r\nHost: {host}\r\n" + b"X-A: x\r\n" * 200_000, 431),
        (b"GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"x" * 8_000 + b"\r\n\r\n", 200),
        (b"POST /body HTTP/1.1\r\nHost: {host}\r\nContent-Length: 65537\r\n\r\n", 413),
        (b"POST /body HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000, 413),
    ],
    ids=["line", "header", "large header", "many headers", "endless headers", "allowed", "body", "sent body"],
)
def test_what_is_too_long_is_refused_by_its_own_code(tiny: Tiny, request_: bytes, expected: int) -> None:
    answer = exchange(tiny.port, filled(request_, tiny))
    assert status(answer) == expected, answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1


def test_an_endless_body_keeps_nobody_waiting(tiny: Tiny) -> None:
    """A client that sends faster than it is read never lets gunicorn's own reading come to an end."""
    with connection(tiny.port) as sock:
        sock.sendall(filled(POST + b"Transfer-Encoding: chunked\r\n\r\n", tiny))
        chunks = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        with pytest.raises(ConnectionError):
            sock.sendall(chunks * 10_000)  # 160 MB; the kernel holds a few for a server that does not read
        assert tiny.facts()


def test_there_is_no_banner(tiny: Tiny) -> None:
    answer = exchange(tiny.port, filled(b"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", tiny))
    assert b"\r\nServer: parley\r\n" in answer
    assert b"gunicorn" not in answer.lower() and b"python" not in answer.lower()
    assert b"gunicorn" not in exchange(tiny.port, b"nonsense\r\n\r\n").lower()


def test_a_loopback_client_cannot_rewrite_its_request(tiny: Tiny) -> None:
    """gunicorn believes these headers from 127.0.0.1 unless told otherwise."""
    head = b"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    for header in (b"SCRIPT_NAME: /healthz", b"PATH_INFO: /facts", b"X-Forwarded-Proto: https"):
        answer = exchange(tiny.port, filled(head + header + b"\r\n\r\n", tiny))
        assert status(answer) in (200, 400) and b"connects" not in answer
