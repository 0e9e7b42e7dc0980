"""Whether the days of rooms (chat/services/jobs/days.py) are what their logs say, once everything rests."""

from __future__ import annotations

import time
from collections.abc import Iterable

from chat.services.jobs.days import recount
from chat.services.storage.days import DayRows
from chat.services.storage.storage import Storage

WITHIN_S = 100.0  # a worker that is killed leaves its lease for 15 s; what only Redis knows is found within 60 s


def miscounts(storage: Storage, rooms: Iterable[str], within_s: float = WITHIN_S) -> list[str]:
    """Of each room whose days do not become, within that time, what its log says: both, in words."""
    until, wrong = time.monotonic() + within_s, dict.fromkeys(rooms, "")
    while True:
        wrong = {room: words for room in wrong if (words := _miscount(storage, room))}
        if not wrong or time.monotonic() > until:
            return list(wrong.values())
        time.sleep(0.5)


def _miscount(storage: Storage, name: str) -> str:
    room = storage.rooms.get(name)
    if room is None:
        return ""
    days, log = DayRows(storage.client).of(room), recount(storage, room)
    return f"{name}: its days are {days}, its log has {log}" if days != log else ""
