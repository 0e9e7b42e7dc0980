"""The handshake that is read without gunicorn's parser says the same as that parser, or is left to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config as Settings
from gunicorn.http import RequestParser
from gunicorn.http.wsgi import create
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.sockets.transport.fast.handshake import environ_of
from chat.sockets.transport.websocket import accept_key
from tests.transport.peers import KEY, PATH, handshake

ADDRESS = ("127.0.0.1", 4711)
BY_NGINX = {"X_Real_IP": "203.0.113.7", "X_Forwarded_For": "203.0.113.7", "X_Forwarded_Proto": "https"}
BY_ALB = {
    "X_Forwarded_For": "203.0.113.7",
    "X_Forwarded_Port": "443",
    "X_Amzn_Trace_Id": "Root=1-67891233-abcdef012345678912345678",
    "Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits",
    "User_Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    "Cookie": "__Host-parley=abc; other=x",
}


def shipped() -> Settings:
    """What gunicorn.conf.py says of reading requests."""
    cfg = Settings()
    cfg.set("http_parser", "python")
    cfg.set("forwarded_allow_ips", "")
    cfg.set("forwarder_headers", "")
    cfg.set("secure_scheme_headers", {})
    cfg.set("limit_request_fields", 64)
    return cfg


SHIPPED = shipped()


def by_gunicorn(data: bytes) -> dict[str, Any]:
    request = next(RequestParser(SHIPPED, [data], ADDRESS))
    sock = SimpleNamespace(send=len)  # for "100 Continue"
    return dict(create(request, sock, ADDRESS, ("127.0.0.1", 80), SHIPPED)[1])


def same(data: bytes) -> bool:
    """Whether it is read here; then it must say what gunicorn's parser says."""
    ours = environ_of(data, ADDRESS)
    if ours is None:
        return False
    theirs = by_gunicorn(data)
    assert {name: value for name, value in theirs.items() if name in ours} == ours
    assert {name for name in theirs if name.startswith("HTTP_")} <= ours.keys()
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE"} & theirs.keys()
    return True


@pytest.mark.parametrize("headers", [{}, BY_NGINX, BY_ALB], ids=["direct", "nginx", "ALB"])
def test_the_usual_handshake_is_read_here(headers: dict[str, str]) -> None:
    data = handshake(8000, **headers)
    assert same(data)
    assert accept_key(environ_of(data, ADDRESS) or {}) == accept_key(by_gunicorn(data)) is not None


def test_over_a_unix_socket_there_is_no_address() -> None:
    environ = environ_of(handshake(8000), "")
    assert environ is not None and environ["REMOTE_ADDR"] == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        handshake(8000)[:-1],
        handshake(8000)[:-2],
        handshake(8000, path="/healthz"),
        handshake(8000, path="/socket.io/../healthz?EIO=4"),
        handshake(8000, path="http://localhost:8000" + PATH),
        handshake(8000, path=PATH + "#x"),
        handshake(8000, path=PATH + "&x=%0a"),
        handshake(8000, path=PATH + "\xe9"),
        handshake(8000, method="POST"),
        handshake(8000, method="get"),
        handshake(8000, Content_Length="0"),
        handshake(8000, Content_Type="text/plain"),
        handshake(8000, Transfer_Encoding="chunked"),
        handshake(8000, Expect="100-continue"),
        handshake(8000, X_A=""),
        handshake(8000, X_A="a\x00b"),
        handshake(8000, X_A="a\tb"),
        handshake(8000, X_A="a\rb"),
        handshake(8000, X_A="\xe9"),
        handshake(8000, X_A="a\r\n folded"),
        handshake(8000).replace(b"Origin:", b"Origin :"),
        handshake(8000).replace(b"Origin:", b" Origin:"),
        handshake(8000).replace(b"Origin:", b"Ori_gin:"),
        handshake(8000).replace(b"Origin:", b"Host: evil.example\r\nOrigin:"),
        handshake(8000).replace(b"Origin:", b"Origin: http://evil.example\r\nORIGIN:"),
        handshake(8000).replace(b"HTTP/1.1", b"HTTP/1.0"),
        handshake(8000).replace(b"HTTP/1.1", b"HTTP/1.1 "),
        handshake(8000).replace(b"\r\n", b"\n"),
        handshake(8000, **{f"X_{n}": "x" for n in range(70)}),
    ],
    ids=lambda data: repr(data[:30] + data[-30:]),
)
def test_anything_else_is_left_to_gunicorn(data: bytes) -> None:
    assert environ_of(data, ADDRESS) is None


PIECES = [handshake(8000), PATH.encode(), KEY.encode(), b"Upgrade: websocket\r\n", b"Content-Length: 1\r\n"]
PIECES += b"GET | HTTP/1.1|\r\n|\n|\r| |\t|:|: |\x00|\xff|Host|Origin".split(b"|")
PIECES += [b"Transfer-Encoding: chunked\r\n", b"Script-Name: /\r\n", b"SCRIPT_NAME: /x\r\n", b"Proxy: x\r\n"]


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_however_it_is_mutated_both_read_the_same(data: st.DataObject) -> None:
    request = bytearray(handshake(8000, **data.draw(st.sampled_from([{}, BY_NGINX, BY_ALB]))))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(request) - 1))
        request[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
    same(bytes(request))
