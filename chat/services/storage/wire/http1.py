"""A kept connection of HTTP/1.1 to one server, for requests that are small and many.

`http.client` reads an answer's header line by line into an e-mail message, which was two fifths of what a request to
DynamoDB cost (decision 13). Of RFC 9112 this understands what an answer to a POST can be: with a length, in chunks, or
up to the end of the connection; interim answers are passed over.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

PIECE = 65_536
MOST_HEADER_BYTES = 65_536


class Damaged(Exception):
    """What came is no answer of HTTP, or not the whole of one."""


@dataclass(frozen=True)
class Response:
    """The status, the header's fields by their names in lower case, and the body."""

    status: int
    fields: dict[str, str]
    body: bytes


class Connection:
    """Open from the start. After any error it can only be closed. `reusable` says whether another request may follow.

    Raises: OSError when it cannot be made.
    """

    def __init__(self, host: str, port: int, connect_s: float, read_s: float, tls: ssl.SSLContext | None = None):
        made = socket.create_connection((host, port), connect_s)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = made if tls is None else tls.wrap_socket(made, server_hostname=host)
            self._socket.settimeout(read_s)
        except BaseException:
            made.close()
            raise
        self._come = bytearray()
        self.reusable = True

    def close(self) -> None:
        self._socket.close()

    def wait_at_most(self, seconds: float) -> None:
        """From now on, whatever is waited for comes within so long."""
        self._socket.settimeout(seconds)

    def post(self, fields: Mapping[str, str], body: bytes) -> Response:
        """Asks, and waits for the whole answer.

        Raises: ConnectionError when it closed before anything came; Damaged; OSError, of it TimeoutError.
        """
        lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
        head = f"POST / HTTP/1.1\r\n{''.join(lines)}Accept-Encoding: identity\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode("latin-1") + body)
        if not self._receive():
            raise ConnectionResetError("closed before there was an answer")
        status, answered, newest = self._head()
        while 100 <= status < 200:
            status, answered, newest = self._head()
        content = self._body(answered)
        self.reusable &= newest and answered.get("connection", "").lower() != "close" and not self._come
        return Response(status, answered, content)

    def _head(self) -> tuple[int, dict[str, str], bool]:
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not rest[:3].isdecimal():
            raise Damaged(f"no answer of HTTP: {first[:100]!r}")
        fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return int(rest[:3]), fields, version == "HTTP/1.1"

    def _body(self, fields: dict[str, str]) -> bytes:
        if "transfer-encoding" in fields:
            if fields["transfer-encoding"].lower() != "chunked":
                raise Damaged(f"transferred as {fields['transfer-encoding']}")
            return self._chunks()
        if "content-length" in fields:
            return self._exactly(_number(fields["content-length"], 10))
        while self._receive():
            pass
        self.reusable = False
        return bytes(self._come)

    def _chunks(self) -> bytes:
        chunks = bytearray()
        while size := _number(self._until(b"\r\n").partition(b";")[0].decode("latin-1"), 16):
            chunks += self._exactly(size)
            if self._until(b"\r\n"):
                raise Damaged("a chunk of another length")
        while self._until(b"\r\n"):  # trailers
            pass
        return bytes(chunks)

    def _until(self, mark: bytes) -> bytes:
        while (at := self._come.find(mark)) < 0:
            if len(self._come) > MOST_HEADER_BYTES:
                raise Damaged("a header without an end")
            self._receive_more()
        found = bytes(self._come[:at])
        del self._come[: at + len(mark)]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._come) < size:
            self._receive_more()
        found = bytes(self._come[:size])
        del self._come[:size]
        return found

    def _receive_more(self) -> None:
        if not self._receive():
            raise Damaged("closed in the middle of an answer")

    def _receive(self) -> bool:
        piece = self._socket.recv(PIECE)
        self._come += piece
        return bool(piece)


def _number(digits: str, base: int) -> int:
    """Raises: Damaged."""
    if not digits.strip().isalnum():  # int() would also take a sign
        raise Damaged(f"no length: {digits[:100]!r}")
    try:
        return int(digits, base)
    except ValueError as error:
        raise Damaged(f"no length: {digits[:100]!r}") from error
