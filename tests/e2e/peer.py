"""Drives peer.mjs: one process with the real JavaScript client for every device of every person."""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from tests.e2e.parley import Person, new_id

WITHIN_S = 60.0  # a guard against never: what is slow here, the machine decides


class Clients:
    """The process with the clients of all devices, started by the first of them; it ends with this one."""

    def __init__(self) -> None:
        self.devices: dict[int, Peer] = {}
        self._numbers = count(1)
        self._writing = threading.Lock()
        self._process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("peer.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @classmethod
    @cache
    def started(cls) -> Clients:
        clients = cls()
        atexit.register(clients.end)
        return clients

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def add(self, peer: Peer) -> int:
        """The number of a new device."""
        number = next(self._numbers)
        self.devices[number] = peer
        return number

    def tell(self, **line: Any) -> None:
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if peer := self.devices.get(told["device"]):
                peer.take(told)


class Peer:
    """`with Peer(person) as peer:` connects; `heard` is all that has come so far, in order, as `(event, payload)`."""

    def __init__(self, person: Person, follow: bool = True, connect: bool = True):
        self.person = person
        self.heard: list[tuple[str, Any]] = []
        self._acks: list[dict[str, Any]] = []
        self._cursors: dict[str, int] = {}
        self._follow = follow
        self._answers: dict[int, dict[str, Any]] = {}
        self._ids = count(1)
        self._news = threading.Condition()
        self._clients = Clients.started()
        self._device = self._clients.add(self)
        if connect:
            self.connect()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends without a word to the server."""
        if self._clients.devices.get(self._device) is self:
            self.command("close")
            del self._clients.devices[self._device]

    def take(self, told: dict[str, Any]) -> None:
        """Something that this device heard, or an answer to a command."""
        with self._news:
            if "heard" not in told:
                self._answers[told["id"]] = told
            else:
                event, payload = told["heard"], told["payload"]
                self.heard.append((event, payload))
                if event == "acked":
                    self._acks.append(payload)
                elif event == "moved":
                    room = payload["room"]
                    self._cursors[room] = max(self._cursors.get(room, 0), payload["cursor"])
            self._news.notify_all()

    def _wait(self, found: Callable[[], Any], what: str, within_s: float) -> Any:
        deadline = time.monotonic() + within_s
        with self._news:
            while not (result := found()):
                left = deadline - time.monotonic()
                if left <= 0 or not self._clients.runs:
                    raise AssertionError(f"{self.person.name} waited {within_s} s for {what}; heard {self.heard[-8:]}")
                self._news.wait(left)
            return result

    def command(self, command: str, **fields: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._clients.tell(device=self._device, id=number, command=command, **fields)
        told = self._wait(lambda: self._answers.pop(number, None), f"an answer to {command}", WITHIN_S)
        assert "error" not in told, told
        return told["answer"]

    def connect(self, expect: str = "connect", origin: str | None = None, user: str | None = None) -> Any:
        """Connects with the person's cookie; returns what `expect` brought."""
        begin = len(self.heard)
        self.command(
            "connect",
            url=self.person.parley.url,
            cookie=self.person.cookie,
            origin=self.person.parley.url if origin is None else origin,
            user=user or self.person.user,
            follow=self._follow,
        )
        answer = self.hears(expect, since=begin)
        if expect == "connect":
            self.hears("room:heads", since=begin)
        return answer

    def disconnect(self) -> None:
        self.command("disconnect")

    def cut(self) -> None:
        self.command("cut")

    def emit(self, event: str, *args: Any, timeout_ms: int = 50_000) -> dict[str, Any]:
        """The ack, or `{lost: true}`."""
        return self.command("emit", event=event, args=args, timeout_ms=timeout_ms)

    def send(self, room: str, text: str, client_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """The ack of one `message:send`."""
        return self.emit("message:send", {"room": room, "client_id": client_id or new_id(), "text": text, **fields})

    def say(self, room: str, text: str) -> str:
        """Queues a message that is sent until it is acked; returns its client_id."""
        client_id = new_id()
        self.command("say", room=room, client_id=client_id, text=text)
        return client_id

    def flood(self, room: str, texts: Sequence[str]) -> None:
        """Sends them all at once, which arrives in this order; `acked` tells of them."""
        self.command("flood", room=room, client_ids=[new_id() for _ in texts], texts=texts)

    def hears(
        self,
        event: str,
        check: Callable[[Any], Any] = lambda payload: True,
        since: int = 0,
        within_s: float = WITHIN_S,
    ) -> Any:
        """Waits for an event whose payload passes `check`; returns the payload."""

        def found() -> Any:
            return next(([p] for e, p in self.heard[since:] if e == event and check(p)), None)

        return self._wait(found, event, within_s)[0]

    def hears_no(self, *events: str, for_s: float, since: int = 0) -> None:
        """Listens for so long, and fails as soon as one of these events has come."""
        deadline = time.monotonic() + for_s
        with self._news:
            while (left := deadline - time.monotonic()) > 0:
                found = [each for each in self.heard[since:] if each[0] in events]
                assert not found, f"{self.person.name} heard {found}"
                self._news.wait(left)

    def all_of(self, event: str, room: str | None = None) -> list[Any]:
        """Every payload of that event so far."""
        return [p for e, p in list(self.heard) if e == event and (room is None or p.get("room") == room)]

    def acked(self, number: int, within_s: float = WITHIN_S) -> list[dict[str, Any]]:
        """Waits until that many of `say` are acked; returns the messages."""
        self._wait(lambda: len(self._acks) >= number, f"{number} acks", within_s)
        answers = list(self._acks)
        assert all(answer["ok"] for answer in answers), answers
        return [answer["message"] for answer in answers]

    def reaches(self, room: str, seq: int, within_s: float = WITHIN_S) -> dict[str, Any]:
        """Waits until the follower's cursor is at `seq`; returns its state."""
        self._wait(lambda: self._cursors.get(room, 0) >= seq, f"entry {seq}", within_s)
        return self.state(room)

    def state(self, room: str) -> dict[str, Any]:
        """What the follower knows of a room."""
        return self.command("state", room=room)

    def messages(self, room: str) -> list[tuple[int, str, str]]:
        """The transcript's messages, in the order in which they passed: `(seq, client_id, text)`."""
        return [(t["seq"], t["client_id"], t["text"]) for t in self.state(room)["transcript"] if "text" in t]


def say_all(peer: Peer, room: str, texts: Sequence[str], acked: int = 0, at_once: int = 100) -> None:
    """Says all of that, in this order, a hundred at a time; `acked` of `flood` and `say` were there before."""
    for begin in range(0, len(texts), at_once):
        peer.flood(room, texts[begin : begin + at_once])
        peer.acked(acked + min(begin + at_once, len(texts)), within_s=60)
