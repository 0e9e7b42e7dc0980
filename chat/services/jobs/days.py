"""Days: what was done in each room on each day, by UTC; for calendars, the directory and the bill.

A projection that keeps rows. What its rows must say can be counted from the log at any time (`recount`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import groupby

from chat.models import Entry, Room
from chat.services.jobs.reading import Told, entries_of
from chat.services.storage.days import NAME, Act, Day, DayRows
from chat.services.storage.storage import Storage

ACTS = ("message", "change", "joined", "left", "removed", "room")  # what later versions add, each has to count alike


class Days:
    """The projection (chat.services.jobs.projection.Projection)."""

    name = NAME
    effect = False
    snapshots = False
    stale_after_s = 0.0

    def __init__(self, rows: DayRows):
        self._rows = rows

    def take(self, room: Room, told: Sequence[Told]) -> None:
        """Counts these entries, each once, however often they are told."""
        for day, acts in _by_day(entry for entry, _ in told).items():
            self._rows.count(room, day, acts)

    def forget(self, room: str) -> None:
        """The room began anew, or is gone."""
        self._rows.forget(room)

    def floor(self, room: Room) -> None:
        """What lies below the room's floor is no longer kept."""
        self._rows.drop_below(room)


def day_of(at_ms: int) -> str:
    """The day of that moment: `2026-03-03`."""
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))


def recount(storage: Storage, room: Room) -> list[Day]:
    """What the room's days are by its log, from the floor on."""
    days = _by_day(entry for entry, _ in entries_of(storage, room))
    return [
        Day(day, sum(act.said for act in acts), acts[0].seq, acts[-1].seq, acts[-1].at_ms)
        for day, acts in sorted(days.items())
    ]


def _by_day(entries: Iterable[Entry]) -> dict[str, list[Act]]:
    """Clocks of two workers differ, so about midnight the days of a log alternate."""
    days: dict[str, list[Act]] = {}
    acts = (entry for entry in entries if entry.kind in ACTS)
    for day, of_day in groupby(acts, key=lambda entry: day_of(entry.at_ms)):
        days.setdefault(day, []).extend(Act(e.seq, e.at_ms, e.kind == "message") for e in of_day)
    return days
