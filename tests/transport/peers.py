"""Raw clients: what a browser would never send must be sendable here."""

from __future__ import annotations

import base64
import json
import select
import socket
import struct
import time
import zlib
from typing import Any

from chat.sockets.transport.frames import BINARY, CLOSE, PING, PONG, TEXT, unmask

PATH = "/socket.io/?EIO=4&transport=websocket"
KEY = base64.b64encode(b"0123456789abcdef").decode()
PATIENCE_S = 30.0  # what has not come by then, on however busy a machine, is not coming


def masked(opcode: int, payload: bytes = b"", final: bool = True, flags: int = 0, size: int | None = None) -> bytes:
    """A client's frame, masked as its payload wants it: the same bytes each time. `size` is what its header says, if
    that shall not be the truth."""
    size = len(payload) if size is None else size
    key = zlib.crc32(payload).to_bytes(4, "big")
    first = (0x80 if final else 0) | flags | opcode
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + key + unmask(payload, key)


def connection(port: int, timeout_s: float = PATIENCE_S) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout_s)


def exchange(port: int, request: bytes, timeout_s: float = PATIENCE_S) -> bytes:
    """All that comes back until the server closes, or nothing comes for that long."""
    with connection(port, timeout_s) as sock:
        try:
            sock.sendall(request)
        except OSError:
            pass
        return everything(sock)


def everything(sock: socket.socket) -> bytes:
    found = b""
    try:
        while data := sock.recv(65536):
            found += data
    except OSError:
        pass
    return found


def has_ended(sock: socket.socket) -> bool:
    """Whether the server has closed its side. Takes nothing of what it said before."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def get_json(port: int, path: str) -> dict[str, Any]:
    answer = exchange(port, f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) == 200, answer
    return dict(json.loads(answer.partition(b"\r\n\r\n")[2]))


def handshake(port: int, path: str = PATH, drop: tuple[str, ...] = (), method: str = "GET", **headers: str) -> bytes:
    """The request that opens a websocket; `headers` by name with underscores, in addition or instead."""
    fields = {
        "Host": f"localhost:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        "Origin": f"http://localhost:{port}",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if name not in drop]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()


class Peer:
    """A websocket spoken by hand."""

    def __init__(self, port: int, receive_buffer: int | None = None, **headers: str):
        self.sock = socket.socket()
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(handshake(port, **headers))
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                break
            self._buffer += data
        self.head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.status = status(self.head + b"\r\n")
        self.close_code: int | None = None

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def enter(self, auth: dict[str, Any] | None = None) -> Peer:
        """Opens and connects."""
        assert self.status == 101, self.head
        assert self.text().startswith("0{")
        self.say("40" + (json.dumps(auth) if auth else ""))
        assert self.text().startswith('40{"sid"')
        return self

    def say(self, text: str) -> None:
        self.sock.sendall(masked(TEXT, text.encode()))

    def ask(self, event: str, *args: Any, id: int = 7) -> Any:
        """Sends an event and returns its ack; what comes before it is dropped."""
        self.say(f"42{id}" + json.dumps([event, *args], separators=(",", ":")))
        while True:
            text = self.text()
            assert text, f"closed with {self.close_code}"
            if text.startswith(f"43{id}["):
                return json.loads(text[len(f"43{id}") :])[0]

    def text(self) -> str:
        """The next message; "" once the server has closed. Answers pings."""
        while True:
            frame = self.frame()
            if frame is None:
                return ""
            opcode, payload = frame
            if opcode == TEXT:
                if payload == b"2":
                    self.say("3")
                    continue
                return payload.decode()
            assert opcode != BINARY
            if opcode == CLOSE:
                self.close_code = struct.unpack("!H", payload[:2])[0] if payload else None
                return ""

    def frame(self) -> tuple[int, bytes] | None:
        """The next frame, or None at the end."""
        try:
            head = self._take(2)
            size = head[1] & 0x7F
            assert not head[1] & 0x80, "a server does not mask"
            assert not head[0] & 0x70, "no extension was agreed on"
            assert head[0] & 0x80, "the server sends whole messages"
            assert head[0] & 0x0F in (TEXT, CLOSE, PING, PONG), "the stream is corrupt"
            if size == 126:
                size = int.from_bytes(self._take(2), "big")
            elif size == 127:
                size = int.from_bytes(self._take(8), "big")
            return head[0] & 0x0F, self._take(size)
        except EOFError:
            return None

    def ends(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the server closes within that time; reads all that comes before. Keeps the close code."""
        deadline = time.monotonic() + within_s
        try:
            while time.monotonic() < deadline:
                self.sock.settimeout(max(0.01, deadline - time.monotonic()))
                frame = self.frame()
                if frame is None:
                    return True
                if frame[0] == CLOSE:
                    self.close_code = struct.unpack("!H", frame[1][:2])[0] if frame[1] else None
        except TimeoutError:
            pass
        return False

    def answers_until_end(self, sock: socket.socket) -> int:
        """How often this client is answered until the server has closed that connection: so an end is soon by what the
        server does meanwhile, not by a clock that others share."""
        answers = 0
        while not has_ended(sock):
            assert answers < 10_000, "the connection is not closed"
            assert self.ask("echo") == {"echo": []}
            answers += 1
        return answers

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken
