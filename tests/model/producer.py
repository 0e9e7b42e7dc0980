"""Somebody who puts rows into the table `messages`, changes and deletes them, and knows nothing of the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat.services.storage.values import pack
from tests.model.scheduler import Process

if TYPE_CHECKING:
    from tests.model.schedule import Schedule


class Producer(Process):
    """A script with a key of its own to the table."""

    def __init__(self, schedule: Schedule, acts: int):
        super().__init__("ci")
        self._schedule = schedule
        self._acts = acts

    @property
    def done(self) -> bool:
        """Whether it has put everything."""
        return self._acts == 0

    def start(self) -> None:
        self._schedule.scheduler.spawn(self, self._write)

    def _write(self) -> None:
        scheduler, tables = self._schedule.scheduler, self._schedule.tables
        rng = scheduler.rng
        while self._acts:
            scheduler.sleep(rng.random() * rng.choice((0.01, 0.3, 2.0)))
            room, row_id = rng.choice((self._schedule.room, "general")), rng.choice(("x", "y"))
            place = ("messages", room, row_id)
            if tables.get(place) is not None and rng.random() < 0.4:
                new = None
            else:
                new = {"room": room, "id": row_id, "username": "ci", "text": f"row {row_id} as of {self._acts}"}
            scheduler.note("row", *place[1:], "becomes", new)
            tables.set(place, pack(new) if new is not None else None)
            self._acts -= 1
