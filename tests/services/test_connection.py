"""A kept connection of HTTP/1.1: what it reads from a server that may say anything, in any pieces."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.services.storage.wire.http1 import MOST_HEADER_BYTES, Connection, Damaged, Response


class Server:
    """Sends each connection its pieces, once a request has come, and closes it; notes the requests."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        if tls is not None:
            self._listening = tls.wrap_socket(self._listening, server_side=True)
        self.port = self._listening.getsockname()[1]
        self.pieces: list[bytes] = []
        self.heard = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            with connection, suppress(OSError):  # who has heard enough closes
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.heard = connection.recv(65_536)
                for piece in self.pieces:
                    connection.sendall(piece)

    def answer(self, *pieces: bytes) -> tuple[Response, Connection]:
        self.pieces = list(pieces)
        connection = Connection("127.0.0.1", self.port, 1, 2)
        try:
            return connection.post({"Host": "there"}, b"{}"), connection
        finally:
            connection.close()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_a_request_is_one_message_with_its_fields(server):
    server.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    head, _, body = server.heard.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST / HTTP/1.1",
        b"Host: there",
        b"Accept-Encoding: identity",
        b"Content-Length: 2",
    ]
    assert body == b"{}"


@pytest.mark.parametrize(
    ("answer", "body", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:  5 \r\nX-Amz-CRC32:1\r\n\r\nhello", b"hello", True),
        (b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\nA\r\nllo, you: \r\n0\r\n\r\n",
            b"hello, you: ",
            True,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\nTrailer: 1\r\n\r\n", b"he", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", b"hi", False),
        (b"HTTP/1.1 200 OK\r\n\r\nup to the end", b"up to the end", False),
    ],
)
def test_it_reads_an_answer_in_one_piece_and_byte_by_byte(server, answer, body, reusable):
    for pieces in ([answer], [answer[at : at + 1] for at in range(len(answer))]):
        response, connection = server.answer(*pieces)
        assert (response.status, response.body) == (200, body)
        assert connection.reusable is reusable or pieces[0] != answer  # what comes behind may not have come yet


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 twohundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MOST_HEADER_BYTES + 70_000),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(server, answer):
    with pytest.raises(Damaged):
        server.answer(answer)


def test_one_that_closes_without_a_word_is_told_from_one_that_breaks_off(server):
    with pytest.raises(ConnectionResetError):
        server.answer()


def test_by_tls_the_server_must_show_the_certificate_of_its_name(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    argv += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(argv, check=True, capture_output=True)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(cert, key)
    server = Server(ours)
    server.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"]
    theirs = ssl.create_default_context(cafile=str(cert))
    connection = Connection("localhost", server.port, 1, 2, theirs)
    assert connection.post({}, b"").body == b"hi"
    connection.close()
    for host, context in (("127.0.0.1", theirs), ("localhost", ssl.create_default_context())):
        with pytest.raises(ssl.SSLCertVerificationError):
            Connection(host, server.port, 1, 2, context)
    server.close()


def test_a_server_that_is_silent_is_not_waited_for_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = Connection("127.0.0.1", silent.getsockname()[1], 1, 0.1)
        with pytest.raises(TimeoutError):
            connection.post({}, b"")
        connection.close()


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=3_000),
    chunks=st.lists(st.integers(1, 900), max_size=5),
    cuts=st.lists(st.integers(1, 4_000), max_size=5),
)
def test_any_answer_in_any_pieces_is_what_was_sent(server, status, body, chunks, cuts):
    if chunks:
        answer, rest = b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status, body
        for size in (*chunks, len(body)):
            chunk, rest = rest[:size], rest[size:]
            answer += b"%x\r\n%s\r\n" % (len(chunk), chunk) if chunk else b""
        answer += b"0\r\n\r\n"
    else:
        answer = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
    edges = sorted({0, len(answer), *(cut % len(answer) for cut in cuts)})
    response, connection = server.answer(*(answer[a:b] for a, b in pairwise(edges)))
    assert (response.status, response.body, connection.reusable) == (status, body, True)


@given(data=st.data())
def test_a_spoilt_answer_is_read_or_refused_and_nothing_else(server, data):
    answer = bytearray(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Amz-Crc32: 12\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(answer) - 1), st.integers(0, 255)), max_size=4)):
        answer[at] = byte
    try:
        response, _ = server.answer(bytes(answer))
    except (Damaged, ConnectionResetError):
        return
    assert isinstance(response.body, bytes)
