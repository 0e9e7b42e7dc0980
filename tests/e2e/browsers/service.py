"""What the service tells one person by HTTP: their rooms, and each from the first entry that they may see."""

from __future__ import annotations

import time
from typing import Any

from tests.e2e.browsers.checker import Log, Row
from tests.e2e.parley import Person

PAGE = 200
WITHIN_S = 60.0
PAGES = 1_000


def get(person: Person, path: str) -> dict[str, Any]:
    """An answer of 200, asked for again while the service is away, with a new session where the last one is over."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        status, answer = person.get(path)
        if status == 200:
            return answer
        assert status in (401, 503) and time.monotonic() < deadline, (path, status, answer)
        if status == 401:
            person.enter()
        time.sleep(0.1)  # between two questions


def logs(person: Person) -> dict[tuple[str, str], Log]:
    """All rooms of theirs."""
    rooms = get(person, "/api/rooms")["rooms"]
    return {(person.user, room["room"]): log(person, room) for room in rooms}


def log(person: Person, listed: dict[str, Any]) -> Log:
    """One room, all pages to the start."""
    room, after = listed["room"], listed["from"] - 1
    entries: list[int] = []
    snapshots: dict[int, dict[str, Any]] = {}
    for _ in range(PAGES):
        page = get(person, f"/api/rooms/{room}/messages?after={after}&limit={PAGE}")
        entries += [entry["seq"] for entry in page["entries"]]
        for snapshot in page["messages"]:
            if snapshot["seq"] not in snapshots or snapshots[snapshot["seq"]]["rev"] <= snapshot["rev"]:
                snapshots[snapshot["seq"]] = snapshot
        if not page["more"] or not page["entries"]:
            break
        after = entries[-1]
    rows = {seq: row(snapshot) for seq, snapshot in snapshots.items() if seq >= listed["from"]}
    authors = {seq: (snapshots[seq]["author"], snapshots[seq]["client_id"]) for seq in rows}
    counts = (listed["read"], listed["unread"], listed["unread_more"])
    return Log(person.user, room, rows, authors, tuple(entries), *counts)


def row(snapshot: dict[str, Any]) -> Row:
    """A message as a page shows it."""
    if snapshot["deleted"]:
        return Row(snapshot["seq"], snapshot["name"], "", deleted=True)
    reactions = tuple(sorted(snapshot.get("reactions", {}).items()))
    return Row(
        snapshot["seq"],
        snapshot["name"],
        snapshot["text"],
        edited="edited_at_ms" in snapshot,
        replies="reply_to" in snapshot,
        reactions=reactions,
        mine=frozenset(snapshot.get("mine", [])),
    )
