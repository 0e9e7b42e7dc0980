"""Somebody who speaks past the chat: rows put straight into the table, edited by a plain put of the same key, deleted.

They reach DynamoDB behind the proxy, so that what was put is known; the faults strike the workers who adopt it.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import IO, Any

from chat.errors import ChatError
from chat.services.storage.storage import Storage
from chat.services.storage.values import pack
from tests.faults.site import Site

NAME = "ci"
EDITS, DELETES = 0.15, 0.10
LIVE = 50  # of the rows, the newest are edited and deleted
NEWEST = 200


class Rows:
    """`with Rows(site, rooms, per_s, seed) as rows:` writes until `end()`. What was done to a row is in the history as
    `foreign`, once it was done."""

    def __init__(self, site: Site, rooms: Sequence[str], per_s: float, seed: int = 0):
        self.done: Counter[str] = Counter()
        self._site = site
        self._rooms = rooms
        self._per_s = per_s
        self._dice = random.Random(f"{seed}/rows")
        self._live: list[tuple[str, str]] = []
        self._last: dict[str, str] = {}  # room → the text of its last row
        self._ending = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write)
        self._notes: IO[str]

    def __enter__(self) -> Rows:
        self._notes = (self._site.folder / "history.driver.jsonl").open("a", buffering=1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._notes.close()

    def end(self) -> None:
        """No more rows but one in each room, behind which all others must have come when it has."""
        self._ending.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        with self._site.dynamodb.host.inside():
            storage = self._site.storage_behind_proxy()
            self._last = {room: self._put(storage, room, f"last-{k}") for k, room in enumerate(self._rooms)}

    def arrived(self) -> bool:
        """Whether each room's last row is a message there."""
        with self._site.dynamodb.host.inside():
            storage = self._site.storage_behind_proxy()
            return all(_says(storage, room, text) for room, text in self._last.items())

    def _write(self) -> None:
        try:
            with self._site.dynamodb.host.inside():
                storage = self._site.storage_behind_proxy()
                while not self._ending.wait(self._dice.expovariate(self._per_s)):
                    self._act(storage)
        except BaseException as error:  # told to who calls `end`
            self._error = error

    def _act(self, storage: Storage) -> None:
        what = self._dice.random()
        self._live = self._live[-LIVE:]
        if what < EDITS and self._live:
            self._put(storage, *self._dice.choice(self._live))
        elif what < EDITS + DELETES and self._live:
            self._delete(storage, *self._live.pop(self._dice.randrange(len(self._live))))
        else:
            room, row = self._dice.choice(self._rooms), f"row-{self.done['put']}"
            self._put(storage, room, row)
            self._live.append((room, row))

    def _put(self, storage: Storage, room: str, row: str) -> str:
        again = (room, row) in self._live
        self.done["edited" if again else "put"] += 1
        text = f"{row} says {self.done['put'] + self.done['edited']}"
        item = {"room": room, "id": row, "text": text, "username": NAME}
        _insist(storage, "put_item", Item=pack(item))
        self._note(room, row, text)
        return text

    def _delete(self, storage: Storage, room: str, row: str) -> None:
        self.done["deleted"] += 1
        _insist(storage, "delete_item", Key=pack({"room": room, "id": row}))
        self._note(room, row, None)

    def _note(self, room: str, row: str, text: str | None) -> None:
        facts = {"t": int(time.time() * 1000), "e": "foreign", "room": room, "id": row, "text": text}
        self._notes.write(json.dumps(facts) + "\n")


def _insist(storage: Storage, operation: str, **what: Any) -> None:
    """Until it is done: each is the same again when it is done twice, and the next waits for it."""
    while True:
        try:
            storage.client.call(operation, TableName=storage.client.table("messages"), **what)
            return
        except ChatError:
            time.sleep(0.2)


def _says(storage: Storage, room: str, text: str) -> bool:
    newest = storage.entries.before(room, storage.entries.head(room) + 1, NEWEST)
    return any(snapshot is not None and snapshot.text == text for _, snapshot in newest)
