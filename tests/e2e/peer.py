"""Drives peer.mjs: one process with the real JavaScript client for one device of one person."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from tests.e2e.parley import Person, new_id

WITHIN_S = 20.0


class Peer:
    """`with Peer(person) as peer:` connects; `heard` is all that has come so far, in order, as `(event, payload)`."""

    def __init__(self, person: Person, follow: bool = True, connect: bool = True):
        self.person = person
        self.heard: list[tuple[str, Any]] = []
        self._follow = follow
        self._answers: dict[int, dict[str, Any]] = {}
        self._ids = count(1)
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("peer.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if connect:
            self.connect()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            with self._news:
                if "heard" in told:
                    self.heard.append((told["heard"], told["payload"]))
                else:
                    self._answers[told["id"]] = told
                self._news.notify_all()

    def _wait(self, found: Callable[[], Any], what: str, within_s: float) -> Any:
        deadline = time.monotonic() + within_s
        with self._news:
            while not (result := found()):
                left = deadline - time.monotonic()
                if left <= 0 or self._process.poll() is not None:
                    raise AssertionError(f"{self.person.name} waited {within_s} s for {what}; heard {self.heard[-8:]}")
                self._news.wait(left)
            return result

    def command(self, command: str, **fields: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        number = next(self._ids)
        self._process.stdin.write(json.dumps({"id": number, "command": command, **fields}) + "\n")
        self._process.stdin.flush()
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

    def emit(self, event: str, *args: Any, timeout_ms: int = 10_000) -> dict[str, Any]:
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

    def all_of(self, event: str, room: str | None = None) -> list[Any]:
        """Every payload of that event so far."""
        return [p for e, p in list(self.heard) if e == event and (room is None or p.get("room") == room)]

    def acked(self, number: int, within_s: float = WITHIN_S) -> list[dict[str, Any]]:
        """Waits until that many of `say` are acked; returns the messages."""
        self._wait(lambda: len(self.all_of("acked")) >= number, f"{number} acks", within_s)
        answers = self.all_of("acked")
        assert all(answer["ok"] for answer in answers), answers
        return [answer["message"] for answer in answers]

    def reaches(self, room: str, seq: int, within_s: float = WITHIN_S) -> dict[str, Any]:
        """Waits until the follower's cursor is at `seq`; returns its state."""
        self._wait(
            lambda: any(e == "moved" and p["room"] == room and p["cursor"] >= seq for e, p in reversed(self.heard)),
            f"entry {seq}",
            within_s,
        )
        return self.state(room)

    def state(self, room: str) -> dict[str, Any]:
        """What the follower knows of a room."""
        return self.command("state", room=room)

    def messages(self, room: str) -> list[tuple[int, str, str]]:
        """The transcript's messages, in the order in which they passed: `(seq, client_id, text)`."""
        return [(t["seq"], t["client_id"], t["text"]) for t in self.state(room)["transcript"] if "text" in t]
