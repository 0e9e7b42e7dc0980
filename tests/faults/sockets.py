"""Drives sockets.mjs: many sockets of the real JavaScript client in one process."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

WITHIN_S = 60.0
TIMES = ("content_at", "written_at", "ended_at", "closed_at")


@dataclass(frozen=True)
class Seen:
    """What one socket has seen; times in seconds since 1970, 0 for never. `written_at` is when the newest message that
    came was written, by the product's clock."""

    content_at: float
    written_at: float
    contents: int
    ended_at: float
    reason: str | None
    closed_at: float
    acked: int
    refused: int


class Sockets:
    """`with Sockets(url) as sockets:`; leaving it ends them all."""

    def __init__(self, url: str):
        self._url = url
        self._numbers = count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._writing = threading.Lock()

    def __enter__(self) -> Sockets:
        script = str(Path(__file__).with_name("sockets.mjs"))
        self._process = subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def open(self, cookies: dict[str, str], reconnects: bool = False) -> None:
        """Opens a socket for each id with its cookie, side by side; returns when all are connected. One that is closed
        comes back only when it `reconnects`."""
        opening = [
            self._ask("open", id=id, url=self._url, cookie=cookie, reconnects=reconnects)
            for id, cookie in cookies.items()
        ]
        for each in opening:
            each.result(WITHIN_S)

    def chatter(self, id: str, room: str, per_s: float) -> None:
        """That socket sends so many messages a second, for ever."""
        self._ask("chatter", id=id, room=room, every_ms=1000 / per_s).result(WITHIN_S)

    def seen(self, ids: Iterable[str]) -> dict[str, Seen]:
        """What each of these sockets has seen so far."""
        told = self._ask("report", ids=list(ids)).result(WITHIN_S)
        for facts in told.values():
            facts |= {name: facts[name] / 1000 for name in TIMES}
        return {id: Seen(**facts) for id, facts in told.items()}

    def forget(self, ids: Iterable[str]) -> None:
        """Closes these sockets."""
        self._ask("forget", ids=list(ids)).result(WITHIN_S)

    def _ask(self, command: str, **fields: Any) -> Future[Any]:
        assert self._process.stdin is not None
        number, answer = next(self._numbers), Future[Any]()
        self._waiting[number] = answer
        with self._writing:
            self._process.stdin.write(json.dumps({"number": number, "command": command, **fields}) + "\n")
            self._process.stdin.flush()
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            answer = self._waiting.pop(told["number"])
            if "error" in told:
                answer.set_exception(AssertionError(told["error"]))
            else:
                answer.set_result(told["answer"])
