"""A stream stays whole under load; the stock send path breaks it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.event
import gevent.selectors
import pytest
import simple_websocket
from engineio.async_drivers.gevent import Thread
from gevent import socket
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from chat.sockets.transport import websocket as guarded
from chat.sockets.transport.frames import TEXT, Refused, frame
from chat.sockets.transport.websocket import WebSocket, accept_key
from tests.transport.peers import KEY, PATIENCE_S, masked

MESSAGES, SIZE = 400, 4_000
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost",
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "keep-alive, Upgrade",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_SEC_WEBSOCKET_KEY": KEY,
    "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate; client_max_window_bits",
}


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """A server's and a client's end, over TCP, with small buffers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    client.connect(listener.getsockname())
    server = listener.accept()[0]
    yield server, client
    for sock in (server, client, listener):
        sock.close()


def stock(sock: Any) -> Callable[[int], None]:
    server = simple_websocket.Server(
        ENVIRON | {"gunicorn.socket": sock},
        thread_class=Thread,
        event_class=gevent.event.Event,
        selector_class=gevent.selectors.DefaultSelector,
    )
    return lambda number: server.send(f"{number:06}" + "x" * SIZE)


def ours(sock: Any) -> Callable[[int], None]:
    websocket = WebSocket.accept(ENVIRON | {"gunicorn.socket": sock})
    return lambda number: websocket.send(frame(TEXT, f"{number:06}".encode() + b"x" * SIZE))


def received(pair: tuple[Any, Any], open: Callable[[Any], Callable[[int], None]]) -> list[int] | None:
    """The numbers of the messages as they arrive at a client that pauses now and then; None when the stream broke."""
    server, client = pair
    send = open(server)

    def flood() -> None:
        for number in range(MESSAGES):
            send(number)

    sender = gevent.spawn(flood)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(4_096)
    parser, numbers = FrameProtocol(client=True, extensions=[]), []
    parser.receive_bytes(answer.partition(b"\r\n\r\n")[2])
    try:
        with gevent.Timeout(PATIENCE_S, TimeoutError):
            message = ""
            while len(numbers) < MESSAGES:
                for found in parser.received_frames():
                    message += found.payload
                    if found.message_finished:
                        assert len(message) == 6 + SIZE
                        numbers.append(int(message[:6]))
                        message = ""
                if len(numbers) < MESSAGES:
                    parser.receive_bytes(client.recv(4_096))
                    gevent.sleep(0)
    except (ParseFailed, AssertionError, ValueError, TimeoutError, UnicodeDecodeError):
        return None
    finally:
        sender.kill()
    return numbers


def test_the_stock_send_path_breaks_the_stream(pair: tuple[Any, Any]) -> None:
    """So the next test can fail."""
    assert received(pair, stock) is None


def test_a_flood_arrives_whole_and_in_order(pair: tuple[Any, Any]) -> None:
    assert received(pair, ours) == list(range(MESSAGES))


def test_a_client_that_takes_nothing_is_given_up(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "SEND_TIMEOUT_S", 0.2)
    websocket = WebSocket(pair[0])
    with pytest.raises(OSError, match="does not read"):
        websocket.send(frame(TEXT, b"x" * 5_000_000))


def test_a_client_that_takes_little_is_not(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow line makes progress, and progress is what is asked for."""
    monkeypatch.setattr(guarded, "SEND_TIMEOUT_S", 1.0)
    websocket = WebSocket(pair[0])
    whole = frame(TEXT, b"x" * 1_500_000)
    sender = gevent.spawn(websocket.send, whole)
    read = 0
    while read < len(whole):
        read += len(pair[1].recv(20_000))
        gevent.sleep(0.02)  # a slow line: 1.5 s altogether
    sender.get(timeout=PATIENCE_S)


def test_two_senders_do_not_mix_their_frames(pair: tuple[Any, Any]) -> None:
    websocket = WebSocket(pair[0])
    senders = [gevent.spawn(websocket.send, frame(TEXT, letter * 300_000)) for letter in (b"a", b"b")]
    read = b""
    while len(read) < 2 * 300_010:
        read += pair[1].recv(4_096)
    gevent.joinall(senders, timeout=PATIENCE_S)
    assert {read[10:300_010], read[300_020:]} == {b"a" * 300_000, b"b" * 300_000}


@pytest.mark.parametrize("kind", [b"ping", b"tiny", b"large"])
def test_a_flood_is_refused(pair: tuple[Any, Any], kind: bytes) -> None:
    websocket, client = WebSocket(pair[0]), pair[1]
    piece = {
        b"ping": masked(0x9, b"x" * 100),
        b"tiny": masked(TEXT, b"", final=False) + masked(0x0, b"", final=False) * 10 + masked(0x0, b""),
        b"large": masked(TEXT, b"x" * 60_000),
    }[kind]

    def flood() -> None:
        try:
            for _ in range(5_000):
                client.sendall(piece)
        except OSError:
            pass

    def listen() -> None:
        while client.recv(65_536):
            pass

    greenlets = [gevent.spawn(flood), gevent.spawn(listen)]
    messages: list[str] = []
    with pytest.raises(Refused) as refused:
        messages.extend(iter(websocket.receive, None))
    gevent.killall(greenlets)
    assert refused.value.code == 1008
    assert len(messages) <= 2_100


def test_the_handshake_s_key_is_answered() -> None:
    digest = hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    assert accept_key(ENVIRON) == base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"REQUEST_METHOD": "POST"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
        {"HTTP_UPGRADE": "h2c"},
        {"HTTP_UPGRADE": ""},
        {"HTTP_CONNECTION": "keep-alive"},
        {"HTTP_SEC_WEBSOCKET_VERSION": "8"},
        {"HTTP_SEC_WEBSOCKET_KEY": ""},
        {"HTTP_SEC_WEBSOCKET_KEY": "not base64!"},
        {"HTTP_SEC_WEBSOCKET_KEY": "c2hvcnQ="},
        {"CONTENT_LENGTH": "5"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
    ],
)
def test_anything_else_is_no_handshake(change: dict[str, str]) -> None:
    assert accept_key(ENVIRON | change) is None


def test_the_rest_of_what_a_client_did_not_take_does_not_follow_when_the_gate_closes(pair: tuple[Any, Any]) -> None:
    server, client = pair
    websocket = WebSocket.accept(ENVIRON | {"gunicorn.socket": server})
    gate = {"open": True}
    data = frame(TEXT, b"x" * 4_000_000)
    sending = gevent.spawn(websocket.send, data, lambda: gate["open"])
    taken = len(client.recv(1_000))  # the answer to the handshake, at least: it is being sent
    assert not sending.ready(), "the client has not taken all of it"
    gate["open"] = False
    with gevent.Timeout(PATIENCE_S):
        while not sending.ready():
            taken += len(client.recv(1_000_000))
    assert isinstance(sending.exception, OSError) and taken < len(data) / 2


def test_a_frame_that_has_not_begun_is_the_outboxs_to_hold_back(pair: tuple[Any, Any]) -> None:
    """A goodbye must pass a closed gate."""
    server, client = pair
    websocket = WebSocket.accept(ENVIRON | {"gunicorn.socket": server})
    client.recv(1_000)
    websocket.send(frame(TEXT, b"goodbye"), lambda: False)
    assert client.recv(100).endswith(b"goodbye")
