"""Websocket frames (RFC 6455), as much of them as a chat needs: text, nothing large, nothing compressed. No I/O here.

What is too large is refused by its header, before the bytes that the header announces are waited for.
"""

from __future__ import annotations

import struct

MAX_MESSAGE_BYTES = 64 * 1024
MAX_FRAGMENTS = 64

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NORMAL, GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, BAD_TEXT, POLICY, TOO_BIG = 1000, 1001, 1002, 1003, 1007, 1008, 1009


class Refused(Exception):
    """The other side sent what we do not take. `code` is the websocket close code that says why."""

    def __init__(self, code: int, reason: str):
        super().__init__(reason)
        self.code = code
        self.reason = reason


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole, unmasked frame, as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame that says why."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode()[:120])


def close_answer(payload: bytes) -> bytes:
    """The close frame that answers a client's (RFC 6455, 5.5.1 and 7.4). Raises: Refused for one that is none."""
    if not payload:
        return frame(CLOSE, b"")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not ((1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999):
        raise Refused(PROTOCOL_ERROR, "no code to close with")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Refused(BAD_TEXT, "not UTF-8") from None
    return frame(CLOSE, payload[:2])


def sole_text(data: bytes) -> bytes | None:
    """The payload when the bytes are one whole text frame of a client, which they nearly always are; None for anything
    else, which is for FrameReader to judge."""
    size = len(data)
    if size < 6 or data[0] != 0x80 | TEXT:
        return None
    length = data[1] - 0x80
    if length == size - 6 and length < 126:
        return unmask(data[6:], data[2:6])
    if length == 126 and 126 <= size - 8 == int.from_bytes(data[2:4], "big") <= MAX_MESSAGE_BYTES:
        return unmask(data[8:], data[4:8])
    return None


class FrameReader:
    """Takes bytes as they come from a client and gives whole messages and control frames.

    Holds at most one unfinished message of MAX_MESSAGE_BYTES in MAX_FRAGMENTS fragments, and what was fed last.
    `frames` counts all that it has taken.
    """

    __slots__ = ("_buffer", "_fragments", "_message", "frames")

    def __init__(self) -> None:
        self.frames = 0
        self._buffer = bytearray()
        self._message = bytearray()
        self._fragments = 0

    def feed(self, data: bytes) -> None:
        """Adds bytes from the client."""
        self._buffer += data

    @property
    def empty(self) -> bool:
        """Whether nothing has begun that is not whole."""
        return not self._buffer and not self._fragments

    def next(self) -> tuple[int, bytes] | None:
        """The next TEXT, CLOSE, PING or PONG with its payload; None when more bytes are needed. Raises: Refused."""
        while (taken := self._take_frame()) is not None:
            final, opcode, payload = taken
            if opcode >= CLOSE:
                return opcode, payload
            self._message += payload
            self._fragments += 1
            if final:
                message = bytes(self._message)
                self._message.clear()
                self._fragments = 0
                return TEXT, message
        return None

    def _take_frame(self) -> tuple[bool, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        final, opcode, size = bool(buffer[0] & 0x80), buffer[0] & 0x0F, buffer[1] & 0x7F
        self._judge(buffer[0], buffer[1])
        at = 2
        if size == 126:
            at = 4
            size = int.from_bytes(buffer[2:4], "big") if len(buffer) >= 4 else -1
        elif size == 127:
            at = 10
            size = int.from_bytes(buffer[2:10], "big") if len(buffer) >= 10 else -1
        if size < 0:
            return None
        if at > 2 and size < (126 if at == 4 else 1 << 16):
            raise Refused(PROTOCOL_ERROR, "a length in more bytes than it needs")
        if size + len(self._message) > MAX_MESSAGE_BYTES:
            raise Refused(TOO_BIG, "too large")
        if len(buffer) < at + 4 + size:
            return None
        payload = unmask(bytes(buffer[at + 4 : at + 4 + size]), bytes(buffer[at : at + 4]))
        del buffer[: at + 4 + size]
        self.frames += 1
        return final, opcode, payload

    def _judge(self, first: int, second: int) -> None:
        """Raises: Refused for a frame that is wrong by its first two bytes."""
        final, opcode, size = first & 0x80, first & 0x0F, second & 0x7F
        if first & 0x70:
            raise Refused(PROTOCOL_ERROR, "an extension that was not agreed on")
        if not second & 0x80:
            raise Refused(PROTOCOL_ERROR, "not masked")
        if opcode == BINARY:
            raise Refused(UNSUPPORTED, "text only")
        if opcode not in (CONTINUATION, TEXT, CLOSE, PING, PONG):
            raise Refused(PROTOCOL_ERROR, "an unknown kind of frame")
        if opcode >= CLOSE and (size > 125 or not final):
            raise Refused(PROTOCOL_ERROR, "a control frame that is large or in parts")
        if opcode < CLOSE and (opcode == CONTINUATION) != (self._fragments > 0):
            raise Refused(PROTOCOL_ERROR, "fragments out of order")
        if opcode < CLOSE and self._fragments >= MAX_FRAGMENTS:
            raise Refused(POLICY, "too many fragments")


def unmask(payload: bytes, key: bytes) -> bytes:
    """The payload XOR the four bytes of the key, repeated; masks as well as it unmasks."""
    size = len(payload)
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")
