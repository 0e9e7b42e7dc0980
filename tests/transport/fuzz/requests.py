"""Handshakes, and requests that two parsers could read differently; and how many proper requests bytes begin with."""

from __future__ import annotations

import re
from random import Random

from tests.transport.fuzz.spoilt import spoil
from tests.transport.peers import KEY, PATH, handshake
from tests.transport.test_requests import SHAPES

BY_NGINX = {"X_Real_IP": "203.0.113.7", "X_Forwarded_For": "203.0.113.7", "X_Forwarded_Proto": "https"}
BY_ALB = {"X_Forwarded_For": "2001:db8::1, 203.0.113.7", "X_Amzn_Trace_Id": "Root=1-67891233", "Cookie": "parley=abc"}
PIECES = [PATH.encode(), KEY.encode(), b"Upgrade: websocket\r\n", b"Content-Length: 1\r\n", b"&sid=x", b"EIO=4"]
PIECES += b"GET | HTTP/1.1|HTTP/1.0|\r\n|\n|\r|\r\n\r\n| |\t|:|: |;|,|=|&|?|#|%|%00|\x00|\xff|\xc3\xa9".split(b"|")
PIECES += [b"Transfer-Encoding: chunked\r\n", b"Script-Name: /\r\n", b"SCRIPT_NAME: /x\r\n", b"X-Forwarded-For: x\r\n"]
PIECES += [b"X-Forwarded-For: ::ffff:1.2.3.4%lo, [::1]:80\r\n", b"A: " + b"x" * 9_000 + b"\r\n", b"B: c\r\n" * 70]
PIECES += [b"Host: evil.example\r\n", b"Expect: 100-continue\r\n", b"Sec-WebSocket-Key: \r\n", b"9" * 400, b"/../"]
PIECES += [b"Host", b"Origin", b"13", b"chunked", b"//"]
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A later minor version is read as 1.1 (RFC 9110, 2.5).
LINE = re.compile(rb"[A-Z!$%&'*+.^_`|~0-9-]{1,20} [!-~]+ HTTP/1\.([0-9])")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([^\x00\r\n]*?)[ \t]*")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\x00\r\n]*)?\r\n")


def opening(rng: Random, port: int) -> bytes:
    """A handshake, straight or through a proxy; mostly spoilt."""
    data = handshake(port, **rng.choice(({}, BY_NGINX, BY_ALB)))
    return spoil(rng, data, PIECES, rng.choice((0, 1, 1, 2, 3, 5)))


def smuggling(rng: Random, port: int) -> bytes:
    """One of the shapes that smuggle, spoilt further."""
    data = SHAPES[rng.choice(list(SHAPES))].replace(b"{host}", b"localhost:%d" % port)
    return spoil(rng, data, PIECES, rng.randint(1, 4))


def proper_requests(data: bytes) -> int:
    """How many requests the bytes begin with that nobody could read in two ways (RFC 9112): whole, one length or well
    formed chunks, no second Host, no character that a parser might take for an end of line."""
    count = 0
    while (rest := _behind_one(data)) is not None:
        count += 1
        data = rest
    return count


def _behind_one(data: bytes) -> bytes | None:
    """What comes behind a proper request; None when there is none."""
    head, end, rest = data.removeprefix(b"\r\n").partition(b"\r\n\r\n")  # RFC 9112, 2.2: an empty line before it
    first, *lines = head.split(b"\r\n")
    line, fields = LINE.fullmatch(first), [FIELD.fullmatch(text) for text in lines]
    if not end or line is None or None in fields:
        return None
    named: dict[bytes, list[bytes]] = {}
    for field in fields:
        assert field is not None
        named.setdefault(field[1].lower(), []).append(field[2])
    lengths, codings = named.get(b"content-length", []), named.get(b"transfer-encoding", [])
    if len(named.get(b"host", [])) > 1 or len(lengths) + len(codings) > 1:
        return None
    if codings:
        return _behind_chunks(rest) if codings[0].lower() == b"chunked" and line[1] != b"0" else None
    if lengths and not re.fullmatch(rb"[0-9]{1,8}", lengths[0]):
        return None
    size = int(lengths[0]) if lengths else 0
    return rest[size:]  # when the client ended before its body, nothing is behind it


def _behind_chunks(data: bytes) -> bytes | None:
    while (chunk := CHUNK.match(data)) is not None:
        size, data = int(chunk[1], 16), data[chunk.end() :]
        if size == 0:
            trailer, end, rest = data.partition(b"\r\n")
            while end and trailer and FIELD.fullmatch(trailer):
                trailer, end, rest = rest.partition(b"\r\n")
            return rest if end and not trailer else None
        if data[size : size + 2] != b"\r\n":
            return None
        data = data[size + 2 :]
    return None
