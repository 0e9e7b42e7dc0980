"""What the tiny app says to a client, read strictly, and what it should say to one that is connected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chat.sockets.transport.frames import CLOSE, PING, PONG, TEXT
from chat.sockets.transport.packets import ACK, EVENT, ClientPacket, Malformed, decode
from tests.transport.fuzz.readers import Messages

ANY = object()  # something is said, and nobody knows what beforehand


def frames_of(data: bytes, cut: bool) -> Messages:
    """A server's frames, the last of which may be `cut` short by a reset. Raises: AssertionError."""
    found, at = Messages(), 0
    while at < len(data):
        first, size, start = data[at], int.from_bytes(data[at + 1 : at + 2], "big"), at + 2
        assert first in (0x80 | TEXT, 0x80 | CLOSE, 0x80 | PONG) and size < 0x80, "not a server's frame"
        if size == 126:
            size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        if start + size > len(data):
            assert cut, "half a frame"
            break
        assert not found or found[-1][0] != CLOSE, "something behind the close"
        found.append((first & 0x0F, data[start : start + size]))
        at = start + size
    return found


def answers_to(messages: Messages) -> Iterator[Any]:
    """What a connected client is answered, one after the other, as far as that is known: acks as (id, argument), pongs
    as bytes, ANY."""
    for kind, payload in messages:
        if kind == PING:
            yield payload
        elif kind == TEXT and payload[:1] == b"4":
            try:
                packet = decode(payload[1:].decode())
            except Malformed:
                return
            if packet.kind not in (EVENT, ACK) or packet.namespace != "/":
                yield ANY
                return
            if packet.kind == EVENT and packet.id is not None:
                yield packet.id, _answer(packet)
        elif kind == TEXT and payload[:1] != b"3":
            return


def _answer(packet: ClientPacket) -> Any:
    name, *args = packet.data
    if name == "echo":
        return {"echo": args}
    if name == "hot":
        return {"ordinary": args} if args == ["later"] else {"hot": args}
    return ANY if name in ("whoami", "wait") else {"unknown": name}


def said(kind: int, payload: bytes) -> Any:
    """A frame of the server in the words of `answers_to`."""
    if kind == PONG:
        return payload
    text = payload.decode()
    digits = text[2:].partition("[")[0]
    return (int(digits), json.loads(text[2 + len(digits) :])[0]) if text.startswith("43") else text


def same(expected: Any, found: Any) -> bool:
    """Whether the one is the other, as far as it is known."""
    if expected is ANY:
        return True
    if isinstance(expected, tuple) and expected[1] is ANY:
        return isinstance(found, tuple) and found[0] == expected[0]
    return bool(expected == found)
