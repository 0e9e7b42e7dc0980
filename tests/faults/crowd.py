"""Drives crowd.mjs: one process with the clients of many people, on the hosts of a site."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.fleet import read_history
from tests.faults.site import PORT, URL, Site


class Crowd:
    """`with Crowd(site, number=200, room_number=40, per_room=20) as crowd:` returns when all are connected."""

    def __init__(self, site: Site, number: int, room_number: int, per_room: int, seed: int = 0):
        self._ids = count(1)
        self._log = (site.folder / "crowd.log").open("wb")
        script = Path(__file__).with_name("crowd.mjs")
        self._process = site.clients.spawn(
            ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        self._one = threading.Lock()
        sources = list(site.sources)
        shape = {"number": number, "roomNumber": room_number, "perRoom": per_room}
        self._path = site.folder / "history.jsonl"
        given = {"history": str(self._path), "seed": seed, "sources": sources, "url": URL, "port": PORT}
        self._gathering = {**shape, **given}
        self.rooms: list[str] = []

    def __enter__(self) -> Crowd:
        self.rooms = self.command("gather", **self._gathering)["rooms"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what it was not told any more
                    pipe.close()

    def command(self, command: str, **fields: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._one:
            number = next(self._ids)
            with suppress(BrokenPipeError):  # it has ended, and what it said last tells why
                self._process.stdin.write(json.dumps({"id": number, "command": command, **fields}) + "\n")
                self._process.stdin.flush()
            told = json.loads(self._process.stdout.readline() or '{"broken": "it ended"}')
        assert told.get("id") == number and "answer" in told, told
        return told["answer"]

    def admit(self, name: str) -> str:
        """Lets somebody else into the first room, and returns its id."""
        return self.command("admit", name=name)["room"]

    def load(self, rate: float) -> None:
        """From now on so many writes a second; 0 stops."""
        self.command("load", rate=rate)

    def calm(self, so: bool) -> None:
        """Whether latencies count: while a fault is on, they do not."""
        self.command("calm", so=so)

    def forget_latencies(self) -> None:
        """The latencies of the figures begin anew."""
        self.command("forget_latencies")

    def crash(self, share: float) -> None:
        """This share of the clients, and all with a write under way, crash or reload and come back."""
        self.command("crash", share=share)

    def status(self, since_s: float = 1e6) -> dict[str, Any]:
        """How many are connected, in sync, and `back`: with every write answered that began before `since_s` ago.
        `here` is everybody who has not just logged out."""
        return self.command("status", since_ms=since_s * 1000)

    def figures(self) -> dict[str, Any]:
        return self.command("figures")

    def history(self) -> list[dict[str, Any]]:
        """All that happened so far, what everybody holds now included, in the form that fleet.py describes."""
        self.command("transcripts")
        return read_history(self._path)

    def lists(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(user, room) → that room as it is listed to this person."""
        return {(told["user"], told["room"]): told for told in self.command("lists")}

    def fresh(self) -> dict[str, dict[str, Any]]:
        """Each public room → all its pages, as somebody is told them who comes there only now."""
        return self.command("fresh")
