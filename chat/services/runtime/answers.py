"""An answer of HTTP/1.1, read from a server that may say anything, and as slowly or as fast as it likes.

A connection is for one answer: nothing here has to find out where the next one begins.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gevent

from chat.services.runtime.targets import Refused

MOST_HEAD_BYTES, MOST_FIELDS = 16_384, 200
MOST_CHUNKS, MOST_CHUNK_HEAD_BYTES = 4_096, 256
MOST_INTERIM = 5
PIECE = 16_384


@dataclass(frozen=True)
class Answer:
    """What came from where the last redirect led: the status, the fields by their names in lower case, the body."""

    url: str
    status: int
    fields: dict[str, str]
    body: bytes


class Reading:
    """Of one answer from a connection of gevent's, with a body of at most so many bytes, until then."""

    def __init__(self, connection: Any, most_bytes: int, until: float):
        self._connection = connection
        self._most_bytes = most_bytes
        self._until = until
        self._come = bytearray()

    def answer(self, url: str) -> Answer:
        """Raises: Refused `damaged`, `encoded`, `too_large`, `late`; OSError."""
        for _ in range(MOST_INTERIM):
            status, fields = self._fields()
            if not 100 <= status < 200:
                break
        else:
            raise Refused("damaged", "no end of interim answers")
        if status in (204, 304) or (300 <= status < 400 and "location" in fields):
            return Answer(url, status, fields, b"")
        if fields.get("content-encoding", "identity").lower() != "identity":
            raise Refused("encoded", ascii(fields["content-encoding"][:100]))
        return Answer(url, status, fields, self._body(fields))

    def _fields(self) -> tuple[int, dict[str, str]]:
        first, *lines = self._line(b"\r\n\r\n", MOST_HEAD_BYTES).decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not re.fullmatch("[1-9][0-9]{2}", rest[:3]):
            raise Refused("damaged", "no answer of HTTP")
        if len(lines) > MOST_FIELDS:
            raise Refused("damaged", "too many fields")
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return int(rest[:3]), fields

    def _body(self, fields: Mapping[str, str]) -> bytes:
        if "transfer-encoding" in fields:
            if fields["transfer-encoding"].lower() != "chunked":
                raise Refused("damaged", "an unknown transfer encoding")
            return self._chunks()
        if "content-length" in fields:
            return self._exactly(self._size(fields["content-length"], 10))
        more = True
        while more:
            self._refuse_beyond(len(self._come))
            more = self._receive()
        return bytes(self._come)

    def _chunks(self) -> bytes:
        chunks = bytearray()
        for _ in range(MOST_CHUNKS):
            size = self._size(
                self._line(b"\r\n", MOST_CHUNK_HEAD_BYTES).partition(b";")[0].decode("latin-1").strip(" \t"), 16
            )
            if size == 0:
                return bytes(chunks)  # what follows are trailers, which nobody asks for
            self._refuse_beyond(len(chunks) + size)
            chunks += self._exactly(size)
            if self._line(b"\r\n", 2):
                raise Refused("damaged", "a chunk of another length")
        raise Refused("too_large", "in very small chunks")

    def _size(self, digits: str, base: int) -> int:
        """A number of bytes that may be taken."""
        if not re.fullmatch("[0-9]{1,15}" if base == 10 else "[0-9A-Fa-f]{1,12}", digits):
            raise Refused("damaged", "no length")
        size = int(digits, base)
        self._refuse_beyond(size)
        return size

    def _refuse_beyond(self, size: int) -> None:
        if size > self._most_bytes:
            raise Refused("too_large")

    def _line(self, end: bytes, most: int) -> bytes:
        while (at := self._come.find(end)) < 0 and len(self._come) <= most:
            self._receive_more()
        if not 0 <= at <= most:
            raise Refused("damaged", "a line or a head without an end")
        found = bytes(self._come[:at])
        del self._come[: at + len(end)]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._come) < size:
            self._receive_more()
        found = bytes(self._come[:size])
        del self._come[:size]
        return found

    def _receive_more(self) -> None:
        if not self._receive():
            raise Refused("damaged", "closed in the middle of an answer")

    def _receive(self) -> bool:
        """A piece more, if there is one; others have their turn in between, however fast it comes."""
        gevent.sleep(0)
        if time.monotonic() > self._until:
            raise Refused("late")
        piece = self._connection.recv(PIECE)
        self._come += piece
        return bool(piece)
