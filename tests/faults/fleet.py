"""Many people's devices, in one Node process: fleet.mjs does as it is told here and writes down all that happens.

`with Fleet(path) as fleet:`, or `Fleet(path, prefix=["ip", "netns", "exec", namespace])` for a fleet on another host.
Each device has a name (`client`), a cookie, addresses of which it draws one at each connect, a follower of
docs/protocol.md, and an outbox: one in flight per room (`in_flight` for a bot that does not wait), sent again under the
same `client_id` until it is acked, refused, or given up after 30 s. Devices do as they are told, one by
one: that is for the planted bugs. crowd.py has people who act for themselves, for the harness; both write the same
history.

The history at `path` has one JSON object a line: `t` in milliseconds since 1970, `e` what happened, `c` the device. `n`
is the number of the device's connection, a snapshot is `{seq, rev, author, client_id, text, deleted,
reactions, mood?}` (the mood is of next_version.py).

| `e` | further fields |
|---|---|
| `device` | `user` |
| `connect` `disconnect` `unconnected` | `n`, `url` / `reason` / `code` |
| `away` `back` | it was told to disconnect / to connect |
| `crash` `reset` | all memory but the outbox is gone / what was held of `room` was dropped |
| `send` | `event`, `room`, `client_id`, `text?`, `seq?`, `emoji?`, `in_flight`: it is in the outbox |
| `try` | `n`, `room`, `client_id`: it is on its way |
| `ack` `refused` `unknown` | `event`, `room`, `client_id`, `seq` and `rev` / `code` / : how it ended |
| `push` | `n`, `room`, `entry`, `kind`, `snapshot?` |
| `page` | `n`, `room`, `after`, `asked` (when), `gap`, `entries` (numbers), `snapshots` |
| `session_ended` `signed_in` | `n`, `reason` / |
| `transcript` | `room`, `entries` (`{seq, client_id, author, text}` or `{seq, kind}`), `snapshots`: what it holds now |
| `revoked` | by `Fleet.revoked`: from now on this device has no session |
| `removed` | by `Fleet.removed`: `user`, `room`: the removal was answered |
| `reads` `has_read` | by `Fleet.read`: `room`, `seq`: it asks for that read position / was answered this one |
| `foreign` | by `Fleet.foreign`: `room`, `id`, `text`: a row was put into the table, or deleted (null) |
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

ANSWER_WITHIN_S = 20.0


class Fleet:
    """The driver's end. Every method returns when the fleet has done it; devices act on their own in between."""

    def __init__(self, path: Path, seed: int = 0, prefix: Sequence[str] = ()):
        self.path = path
        self._answers: dict[int, dict[str, Any]] = {}
        self._ids = count(1)
        self._news = threading.Condition()
        self._notes = path.with_suffix(".driver.jsonl").open("a", buffering=1)
        argv = [*prefix, "node", str(Path(__file__).with_name("fleet.mjs")), str(path), str(seed)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; what was to be written is written."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()
        self._notes.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            with self._news:
                self._answers[told["id"]] = told
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def command(self, command: str, **fields: Any) -> Any:
        """What fleet.mjs answers to one command."""
        assert self.process.stdin is not None
        with self._news:
            number = next(self._ids)
            self.process.stdin.write(json.dumps({"id": number, "command": command, **fields}) + "\n")
            self.process.stdin.flush()
            answered = self._news.wait_for(
                lambda: number in self._answers or self.process.poll() is not None, ANSWER_WITHIN_S
            )
            told = self._answers.pop(number, None)
        assert answered and told and "error" not in told, f"{command}: {told or 'no answer'}"
        return told["answer"]

    # --- devices --------------------------------------------------------------------------------------------------

    def add(
        self,
        client: str,
        user: str,
        cookie: str,
        urls: Sequence[str],
        local_address: str | None = None,
        in_flight: int = 1,
    ) -> None:
        """A device that connects, and again whenever it is disconnected."""
        self.command(
            "add",
            **{"client": client, "user": user, "cookie": cookie, "urls": list(urls)},
            **{"local_address": local_address, "in_flight": in_flight},
        )

    def sign_in(self, client: str, cookie: str) -> None:
        """A device has a new session."""
        self.command("sign_in", client=client, cookie=cookie)

    def cut(self, clients: Iterable[str] | None = None) -> None:
        """Breaks their connections without a word (everybody's, with None); they come back by themselves."""
        self.command("cut", clients=_list(clients))

    def crash(self, clients: Iterable[str] | None = None) -> None:
        """They lose all memory but the outbox, and come back unless they were told to stay away."""
        self.command("crash", clients=_list(clients))

    def disconnect(self, clients: Iterable[str] | None = None) -> None:
        """They go, and stay away until `connect`."""
        self.command("disconnect", clients=_list(clients))

    def connect(self, clients: Iterable[str] | None = None) -> None:
        self.command("connect", clients=_list(clients))

    def lose_acks(self, share: float) -> None:
        """From now on this share of requests loses its connection while it is under way."""
        self.command("lose_acks", share=share)

    # --- what people do -------------------------------------------------------------------------------------------

    def say(self, client: str, room: str, client_id: str, text: str) -> None:
        """Queues a message."""
        self.command("say", client=client, room=room, client_id=client_id, text=text)

    def edit(self, client: str, room: str, client_id: str, seq: int, text: str) -> None:
        """Queues another text for a message."""
        self.command("edit", client=client, room=room, client_id=client_id, seq=seq, text=text)

    def delete(self, client: str, room: str, client_id: str, seq: int) -> None:
        """Queues a deletion."""
        self.command("delete", client=client, room=room, client_id=client_id, seq=seq)

    def ask(self, client: str, event: str, **payload: Any) -> dict[str, Any]:
        """The ack of one request past the outbox, or `{lost: true}`."""
        answer: dict[str, Any] = self.command("ask", client=client, event=event, payload=payload)
        return answer

    def read(self, client: str, room: str, seq: int) -> None:
        """Somebody has read so far on this device, and says so."""
        self._note("reads", c=client, room=room, seq=seq)
        answer = self.ask(client, "room:read", room=room, seq=seq)
        if answer.get("ok"):
            self._note("has_read", c=client, room=room, seq=answer["seq"])

    def load(
        self,
        rooms: dict[str, list[str]] | None = None,
        per_s: float = 0,
        edits: float = 0,
        deletes: float = 0,
        reacts: float = 0,
    ) -> None:
        """From now on `per_s` acts a second by these devices in these rooms, of which so many are edits and deletions
        of earlier messages of theirs, and reactions to anybody's last ones; nothing ends it."""
        self.command("load", rooms=rooms or {}, per_s=per_s, edits=edits, deletes=deletes, reacts=reacts)

    # --- what is known --------------------------------------------------------------------------------------------

    def state(self) -> dict[str, dict[str, Any]]:
        """Device → `{connected, away, pending, cursors: {room: entry}}`: `away` is who was told to disconnect
        or has no session, `pending` how much waits in its outbox."""
        state: dict[str, dict[str, Any]] = self.command("state")
        return state

    def acked(self) -> int:
        """How many requests were acked so far."""
        return int(self.command("acked"))

    def ended(self, client: str, client_id: str) -> dict[str, Any] | None:
        """How a request ended: `{outcome, seq and rev, or code}`; None while it has not."""
        end: dict[str, Any] | None = self.command("ended", client=client, client_id=client_id)
        return end

    def said(self, client: str, room: str) -> list[int]:
        """The numbers of the last messages of this device there that were acked and that it has not deleted."""
        said: list[int] = self.command("said", client=client, room=room)
        return said

    def revoked(self, *clients: str) -> None:
        """Notes that these devices have no session from now on."""
        for client in clients:
            self._note("revoked", c=client)

    def removed(self, user: str, room: str) -> None:
        """Notes that a removal has been answered."""
        self._note("removed", user=user, room=room)

    def foreign(self, room: str, row_id: str, text: str | None) -> None:
        """Notes that a row was put into the table past the chat, or deleted there."""
        self._note("foreign", room=room, id=row_id, text=text)

    def _note(self, what: str, **facts: Any) -> None:
        self._notes.write(json.dumps({"t": int(time.time() * 1000), "e": what, **facts}) + "\n")

    def history(self) -> list[dict[str, Any]]:
        """All that happened so far, what the devices hold now included, in the order of time."""
        self.command("transcripts")
        return read_history(self.path)


def read_history(path: Path) -> list[dict[str, Any]]:
    """A history from its two files: the devices' and the driver's."""
    lines: list[dict[str, Any]] = []
    for part in (path, path.with_suffix(".driver.jsonl")):
        if part.exists():
            whole, _, _ = part.read_text().rpartition("\n")  # what follows is being written
            lines += [json.loads(line) for line in whole.splitlines()]
    return sorted(lines, key=lambda line: line["t"])


def _list(clients: Iterable[str] | None) -> list[str] | None:
    return None if clients is None else list(clients)
