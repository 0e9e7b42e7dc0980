"""Cases over real sockets, to a tiny app under the shipped worker: each is answered as it must be and ended soon, a
healthy client is answered meanwhile, and nothing is left behind."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random

from chat.sockets.transport.frames import BAD_TEXT, CLOSE, GOING_AWAY, POLICY, PROTOCOL_ERROR, TOO_BIG
from tests.transport.fuzz.answers import answers_to, frames_of, said, same
from tests.transport.fuzz.cases import MAX_GROWTH_BYTES, Found, Outcome
from tests.transport.fuzz.readers import Messages, taken
from tests.transport.fuzz.requests import opening, proper_requests, smuggling
from tests.transport.fuzz.streams import stream
from tests.transport.peers import Peer, connection, masked
from tests.transport.served import Tiny

AT_ONCE = 40
HURRY_S = 90.0  # on such a server whoever is not ended at once is not ended soon
ENDS_S = 30.0  # so this much is patience with a busy machine
STATUS = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3}) ")  # gunicorn answers in the version that it was asked in
REFUSALS = {400, 403, 404, 405, 413, 414, 417, 431, 501, 505}


class Case:
    """One connection. `judge` is told what came back, and whether it was cut short by a reset. `last` says that the
    client closes its side behind the data."""

    def __init__(
        self, number: int, sock: socket.socket, data: bytes, judge: Callable[[bytes, bool], None], last: bool = True
    ):
        self.number = number
        self._sock, self._data, self._judge, self._last = sock, data, judge, last
        self._sent_at = 0.0

    def send(self) -> None:
        self._sent_at = time.monotonic()
        try:
            self._sock.sendall(self._data)
            if self._last:
                self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was refused meanwhile

    def end(self) -> float:
        """Reads all that comes and judges it; returns how long it took in seconds. Raises: AssertionError."""
        found, cut = b"", False
        with self._sock as sock:
            try:
                while data := sock.recv(65536):
                    found += data
            except ConnectionResetError:
                cut = True
            took = time.monotonic() - self._sent_at
        self._judge(found, cut)
        return took


Make = Callable[[Random, int], Case]


def run(seed: int, numbers: Iterable[int], tiny: Tiny, within_s: float = ENDS_S) -> Outcome:
    """Streams, and a handshake every eighth time. Raises: Found."""

    def make(rng: Random, number: int) -> Case:
        if number % 8 == 0:
            return Case(number, connection(tiny.port), opening(rng, tiny.port), judge_opening)
        return _stream(rng, number, tiny)

    return _run(seed, numbers, tiny, within_s, make)


def run_smuggling(seed: int, numbers: Iterable[int], tiny: Tiny, within_s: float = ENDS_S) -> Outcome:
    """Requests that two parsers could read differently. Raises: Found."""

    def make(rng: Random, number: int) -> Case:
        data = smuggling(rng, tiny.port)
        return Case(number, connection(tiny.port), data, lambda found, _: judge_requests(data, found))

    return _run(seed, numbers, tiny, within_s, make)


def judge_opening(found: bytes, _: bool) -> None:
    """A handshake is accepted or refused; nobody's fault is ours."""
    statuses = {int(status) for status in STATUS.findall(found)}
    assert statuses <= REFUSALS | {100, 101, 200}, found[:200]


def judge_requests(data: bytes, found: bytes) -> None:
    """As many answers as there are proper requests, and one refusal behind them at most."""
    statuses = [int(status) for status in STATUS.findall(found) if status != b"100"]
    proper = proper_requests(data)
    assert set(statuses) <= REFUSALS | {101, 200}, found[:200]
    assert len(statuses) <= proper + 1, f"{len(statuses)} answers to {proper} requests: {data!r}"
    assert set(statuses[proper:]) <= REFUSALS, f"{statuses} to {proper} requests: {data!r}"


def judge_answers(messages: Messages, frames: Messages) -> None:
    """What was answered before the end is what is due, in that order; a pong may overtake an ack."""
    known = list(answers_to(messages))
    found = [said(*frame) for frame in frames]
    for pongs in (True, False):
        due = [answer for answer in known if isinstance(answer, bytes) is pongs]
        came = [answer for answer in found if isinstance(answer, bytes) is pongs]
        for expected, answer in zip(due, came, strict=False):
            assert same(expected, answer), f"{answer!r} where {expected!r} was due"


def _stream(rng: Random, number: int, tiny: Tiny) -> Case:
    """Bytes behind an open websocket, three times in four of a client that is connected. They end with a close, or with
    what no frame can be once the last one is filled."""
    data = stream(rng)
    messages, code, whole = taken(data, [])
    peer = Peer(tiny.port)
    connected = rng.randrange(4) > 0
    if connected:
        peer.enter()
    else:
        assert peer.text().startswith("0{")

    def judge(found: bytes, cut: bool) -> None:
        frames = frames_of(found, cut)
        assert cut or (frames and frames[-1][0] == CLOSE), "not closed properly"
        if cut:
            return
        *frames, (_, close) = frames
        own = {GOING_AWAY, POLICY} | ({code} if whole or code else {PROTOCOL_ERROR, BAD_TEXT, TOO_BIG})
        theirs = messages[-1][1] if messages and messages[-1][0] == CLOSE else b"\x03\xe8"
        if not close and not whole and code is None:
            return  # what was cut short was a close, which the filling made one without a code
        assert close[:2] == theirs[:2] or int.from_bytes(close[:2], "big") in own, f"closed with {close!r}"
        if connected:
            judge_answers(messages, frames)

    end = masked(CLOSE, b"\x03\xe8") if whole else bytes(70_000)
    return Case(number, peer.sock, data + end, judge, last=False)


def _run(seed: int, numbers: Iterable[int], tiny: Tiny, within_s: float, make: Make) -> Outcome:
    outcome, began = Outcome(), time.monotonic()
    high_water = tiny.facts()["high_water"]
    said_before = tiny.log.stat().st_size
    with tiny.entered() as healthy:
        for batch in _batches(numbers):
            cases = [make(Random(f"{seed}:{number}"), number) for number in batch]
            for case in cases:
                case.send()
            for case in cases:
                try:
                    took = case.end()
                    assert took < within_s, f"ended after {took:.2f} s"
                except (AssertionError, OSError) as error:
                    raise Found(f"case {case.number} of seed {seed}: {error}") from error
                outcome.cases += 1
                if took > outcome.worst_s:
                    outcome.worst_s, outcome.worst_case = took, case.number
            asked_at = time.monotonic()
            assert healthy.ask("echo", outcome.cases) == {"echo": [outcome.cases]}
            assert time.monotonic() - asked_at < within_s, "a healthy client waits"
    tiny.empty()
    outcome.seconds = time.monotonic() - began
    outcome.growth_bytes = tiny.facts()["high_water"] - high_water
    with tiny.log.open() as log:
        log.seek(said_before)
        if "Traceback" in (lines := log.read()):
            raise Found(f"seed {seed}: {lines[-4_000:]}")
    if outcome.growth_bytes > MAX_GROWTH_BYTES:
        raise Found(f"the worker's memory grew by {outcome.growth_bytes} bytes")
    return outcome


def _batches(numbers: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(numbers)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
