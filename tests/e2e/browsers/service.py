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
    images: dict[int, dict[str, Any]] = {}
    for _ in range(PAGES):
        page = get(person, f"/api/rooms/{room}/messages?after={after}&limit={PAGE}")
        entries += [entry["seq"] for entry in page["entries"]]
        for image in page["messages"]:
            if image["seq"] not in images or images[image["seq"]]["rev"] <= image["rev"]:
                images[image["seq"]] = image
        if not page["more"] or not page["entries"]:
            break
        after = entries[-1]
    rows = {seq: row(image) for seq, image in images.items() if seq >= listed["from"]}
    authors = {seq: (images[seq]["author"], images[seq]["client_id"]) for seq in rows}
    counts = (listed["read"], listed["unread"], listed["unread_more"])
    return Log(person.user, room, rows, authors, tuple(entries), *counts)


def row(image: dict[str, Any]) -> Row:
    """A message as a page shows it."""
    if image["deleted"]:
        return Row(image["seq"], image["name"], "", deleted=True)
    reactions = tuple(sorted(image.get("reactions", {}).items()))
    return Row(
        image["seq"],
        image["name"],
        image["text"],
        edited="edited_at_ms" in image,
        replies="reply_to" in image,
        reactions=reactions,
        mine=frozenset(image.get("mine", [])),
    )
