"""The process behind tests.faults.proxy: it passes TCP connections on, in whatever weather it is told.

It listens on a Unix socket for the weather, a JSON line each. With `--http` it also knows requests, and answers some
itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

CHUNK = 65536
STEPS_PER_S = 20  # so often a dribbling connection passes on some bytes


@dataclass(frozen=True)
class Weather:
    """What befalls the connections, old and new. Shares are chances between 0 and 1."""

    delay_s: float = 0  # each answer is late by this
    stall: bool = False  # nothing passes until this is over; then all of it at once
    bytes_per_s: int = 0  # of each connection and way; 0: no limit
    refuse: bool = False  # new connections are refused
    black_hole: bool = False  # what is sent is lost for good, and the connection with it
    half_close: bool = False  # the client is told the end of the stream, while what it sends still passes
    reset_share: float = 0  # of the pieces of data, either way
    lose_answers: float = 0  # of the answers: the request was carried out, the connection breaks in its place
    refuse_requests: float = 0  # of the requests, answered in place with what follows
    refusal_status: int = 400
    refusal_type: str = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"


@dataclass
class Relay:
    """What all connections of the process share."""

    to: tuple[str, int]
    http: bool
    dice: random.Random
    weather: Weather = Weather()
    counts: Counter[str] = field(default_factory=Counter)
    clearing: asyncio.Event = field(default_factory=asyncio.Event)  # set while nothing stalls
    clients: set[asyncio.StreamWriter] = field(default_factory=set)

    def set(self, weather: Weather) -> None:
        self.weather = weather
        if weather.stall:
            self.clearing.clear()
        else:
            self.clearing.set()
        if weather.half_close:
            for writer in self.clients:
                if writer.can_write_eof() and not writer.is_closing():
                    writer.write_eof()
                    self.counts["half_closed"] += 1

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        self.counts["connections"] += 1
        try:
            upstream, answers = await asyncio.open_connection(*self.to)
        except OSError:
            _reset(writer)
            return
        self.clients.add(writer)
        requests = _requests if self.http else _pieces
        ways = [
            asyncio.ensure_future(self._pass(requests(reader), answers, writer, self._request)),
            asyncio.ensure_future(self._pass(_pieces(upstream), writer, answers, self._answer)),
        ]
        try:
            await asyncio.gather(*ways)
        except (OSError, asyncio.IncompleteReadError):
            _reset(writer)
            _reset(answers)
        finally:
            self.clients.discard(writer)
            for way in ways:
                way.cancel()
            writer.close()
            answers.close()

    async def _pass(
        self,
        pieces: Callable[[], Awaitable[bytes]],
        to: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        befall: Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]],
    ) -> None:
        while piece := await pieces():
            await self.clearing.wait()
            if self.weather.black_hole:
                self.counts["swallowed"] += 1
                continue
            if self._happens(self.weather.reset_share):
                self.counts["resets"] += 1
                raise ConnectionResetError
            if await befall(piece, back):
                await self._write(to, piece)
        if to.can_write_eof() and not to.is_closing():
            to.write_eof()

    async def _request(self, piece: bytes, back: asyncio.StreamWriter) -> bool:
        self.counts["requests"] += 1
        if self.http and self._happens(self.weather.refuse_requests):
            self.counts["refused"] += 1
            back.write(_refusal(self.weather))
            return False
        return True

    async def _answer(self, piece: bytes, back: asyncio.StreamWriter) -> bool:
        if self._happens(self.weather.lose_answers):
            self.counts["answers_lost"] += 1
            raise ConnectionResetError
        if self.weather.delay_s:
            self.counts["delayed"] += 1
            await asyncio.sleep(self.weather.delay_s)
        return True

    async def _write(self, to: asyncio.StreamWriter, data: bytes) -> None:
        while data:
            step = self.weather.bytes_per_s // STEPS_PER_S or len(data)
            to.write(data[:step])
            await to.drain()
            data = data[step:]
            if self.weather.bytes_per_s:
                await asyncio.sleep(1 / STEPS_PER_S)

    def _happens(self, share: float) -> bool:
        return share > 0 and self.dice.random() < share


def _pieces(reader: asyncio.StreamReader) -> Callable[[], Awaitable[bytes]]:
    return lambda: reader.read(CHUNK)


def _requests(reader: asyncio.StreamReader) -> Callable[[], Awaitable[bytes]]:
    """Whole requests, head and body, of clients that give each a Content-Length."""

    async def request() -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return error.partial
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
        return head + await reader.readexactly(length)

    return request


def _refusal(weather: Weather) -> bytes:
    body = json.dumps({"__type": weather.refusal_type, "message": "a fault of the test"}).encode()
    return (
        f"HTTP/1.1 {weather.refusal_status} Refused\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection by a reset instead of an orderly end."""
    peer = writer.get_extra_info("socket")
    if peer is not None and not writer.is_closing():
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _main(options: argparse.Namespace) -> None:
    relay = Relay(_address(options.to), options.http, random.Random(options.seed))
    relay.set(Weather())
    host, port = _address(options.listen)
    listening: asyncio.Server | None = None

    async def listen() -> None:
        nonlocal listening
        if relay.weather.refuse and listening is not None:
            listening.close()
            listening = None
        elif not relay.weather.refuse and listening is None:
            listening = await asyncio.start_server(relay.serve, host, port, reuse_address=True)

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            relay.set(Weather(**json.loads(line)))
            await listen()
            writer.write(json.dumps(relay.counts).encode() + b"\n")
            await writer.drain()
        writer.close()

    await listen()
    async with await asyncio.start_unix_server(control, options.control) as server:
        await server.serve_forever()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults.relay", description=__doc__)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--control", required=True)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    asyncio.run(_main(parser.parse_args()))
