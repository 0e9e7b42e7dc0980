"""What a client says over a websocket once it is open: packets, in frames, as bytes."""

from __future__ import annotations

import struct
from random import Random

from chat.sockets.transport.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, unmask
from tests.transport.fuzz.spoilt import spoil

ENTERS = ["40", "40{}", '40{"user":"alice"}']
SAYS = [
    '42["echo"]',
    '427["echo",{"text":"Grüße 👋","at":1.5e3},[null,true,-1]]',
    '42999999999999999["echo","x"]',
    '4212["whoami"]',
    '423["hot",{"a":1}]',
    '424["hot","later"]',
    '425["nobody:knows",{"__proto__":{"admin":true}}]',
    '431["x"]',
    "3",
]
LEAVES = ["41", "1"]
STRANGE = [
    *('"__proto__"', '"constructor"', '{"_placeholder":true,"num":0}', "1-", "452-", "461-7[", "5", "6", "4", "0", "2"),
    *("9" * 16, "9" * 310, "9" * 5_000, "1e999", "1e-999", "-0", "-", ".", "e5", "NaN", "Infinity", "0x1", "01"),
    *("[" * 40, "]" * 40, "[" * 3_000, '{"a":' * 300, "[[" * 470, "}" * 300, "[", "]", "{", "}", '"', ",", ":", "\\"),
    *("\\u0000", "\\ud800", "\\ud83d\\udc4b", "\x00", "\u2028", "\ufeff", "²", "٣", "é", "👋", "\x1e", " ", "\n"),
    *("/", "/,", "/admin,", "/a?b=c,", "/" + "n" * 70, "?", "null", "true", '"connect"', '"disconnect"', '"*"'),
    *('"' + "e" * 80 + '"', "x" * 300, '"x":' * 20, "probe", "bAAEC"),
]
NO_UTF8 = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x91", b"\x80", b"\xc3"]
CODES = [
    b"",
    b"\x03\xe8",
    b"\x03\xe9",
    b"\x03\xec",
    b"\x03\xed",
    b"\x07\xd0",
    b"\x0b\xb8",
    b"\x03",
    b"\xff\xff",
    b"\0\0",
]
HEADS = [b"\x81\xfe\x00\x05", b"\x81\xff" + b"\xff" * 8, b"\x81\xff\0\0\0\0\0\x01\0\x01", b"\x88\x80", b"\x00\x80"]
HEADS += [b"\x81\xfe\xff\xff", b"\x89\xfe\x00\x7e", b"\xc1\x80", b"\x82\x80", b"\x83\x80", b"\x01\x80", b"\x8a\x80"]


def text(rng: Random) -> str:
    """One packet of Engine.IO with Socket.IO in it; mostly not as it should be."""
    said = rng.choice(SAYS if rng.randrange(12) else ENTERS + LEAVES)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(said) + 1)
        end = min(len(said), at + rng.choice((0, 0, 1, 2, 8)))
        said = said[:at] + rng.choice(STRANGE) + said[end:]
    if rng.randrange(300) == 0:
        said += "x" * rng.choice((60_000, 65_500, 65_536, 70_000))
    return said


def stream(rng: Random) -> bytes:
    """One to six messages or control frames, each whole or in parts, some with lies in their heads."""
    frames: list[bytes] = []
    for _ in range(rng.randint(1, 6)):
        payload = text(rng).encode()
        if rng.randrange(10) == 0:
            at = rng.randrange(len(payload) + 1)
            payload = payload[:at] + rng.choice(NO_UTF8) + payload[at + rng.randrange(2) :]
        frames += _parts(rng, payload) if rng.randrange(4) == 0 else [_frame(rng, TEXT, payload)]
    while rng.randrange(3) == 0:
        frames.insert(rng.randrange(len(frames) + 1), _control(rng))
    if rng.randrange(12) == 0:
        rng.shuffle(frames)
    data = b"".join(frames)
    return spoil(rng, data, HEADS + NO_UTF8, rng.choice((0, 0, 0, 1, 1, 2, 4)))


def _parts(rng: Random, payload: bytes) -> list[bytes]:
    """A message in fragments, perhaps with control frames between them."""
    count = rng.choice((2, 2, 3, 5, 70))
    cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(count - 1))
    frames = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)], strict=True)):
        frames.append(_frame(rng, CONTINUATION if number else TEXT, payload[start:end], final=number == count - 1))
        if rng.randrange(4) == 0:
            frames.append(_control(rng))
    return frames


def _control(rng: Random) -> bytes:
    kind = rng.choice((PING, PONG, PING, PONG, CLOSE))
    if kind == CLOSE:
        return _frame(rng, kind, rng.choice(CODES) + rng.choice((b"", b"bye", b"\xff")))
    return _frame(rng, kind, rng.randbytes(rng.choice((0, 4, 125))))


def _frame(rng: Random, opcode: int, payload: bytes, final: bool = True) -> bytes:
    """A client's frame; every thirtieth or so is not quite one."""
    size, flags, mask = len(payload), 0, 0x80
    lie = rng.randrange(150)
    if lie == 0:
        size = rng.choice((0, 125, 126, 127, 65_535, 65_536, 65_537, 1 << 31, 1 << 32, (1 << 63) - 1, (1 << 64) - 1))
    elif lie == 1:
        flags = rng.choice((0x10, 0x20, 0x40))
    elif lie == 2:
        opcode = rng.choice((BINARY, 0x3, 0x7, 0xB, 0xF, CONTINUATION, TEXT))
    elif lie == 3:
        final = not final
    elif lie == 4:
        mask = 0
    first = (0x80 if final else 0) | flags | opcode
    form = rng.choice((126, 127)) if lie == 5 else 0  # a length in more bytes than it needs
    if form != 127 and size < 1 << 16 and (form == 126 or size >= 126):
        head = struct.pack("!BBH", first, mask | 126, size)
    elif form == 127 or size >= 1 << 16:
        head = struct.pack("!BBQ", first, mask | 127, size)
    else:
        head = struct.pack("!BB", first, mask | size)
    if not mask:
        return head + payload
    key = rng.randbytes(4) if rng.randrange(8) else b"\0\0\0\0"
    return head + key + unmask(payload, key)
