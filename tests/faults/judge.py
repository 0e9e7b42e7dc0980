"""Compares what everybody was told with what the tables hold: lost, doubled, disordered, leaked, or none of it.

The tables' log of a room is the one order that all must have seen. What a reader may have seen follows from the log
itself, because coming and going are entries of it.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chat.models import Entry, Message
from chat.services import rows
from chat.services.dynamodb import Storage, unpack

Line = dict[str, Any]


@dataclass
class Log:
    """One room as the tables have it."""

    entries: dict[int, Entry] = field(default_factory=dict)
    images: dict[int, Message] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return max(self.entries, default=0)

    def inside(self, user: str) -> list[tuple[int, int]]:
        """The stretches of the log that this person may see, from their coming to their going, both included."""
        stretches, since = [], None
        for seq in sorted(self.entries):
            entry = self.entries[seq]
            if entry.user == user and entry.kind == "joined" and since is None:
                since = seq
            elif entry.user == user and entry.kind in ("left", "removed") and since is not None:
                stretches.append((since, seq))
                since = None
        return stretches if since is None else [*stretches, (since, self.head)]


def scan(storage: Storage) -> dict[str, Log]:
    """Every room's log, straight from the table."""
    logs: dict[str, Log] = defaultdict(Log)
    request: dict[str, Any] = {"TableName": storage.table("messages"), "ConsistentRead": True}
    while True:
        answer = storage.call("scan", **request)
        for row in map(unpack, answer["Items"]):
            if not row["room"].startswith("R#"):
                continue
            room = row["room"].split("#")[1]
            entry, image = rows.read_entry(room, row), rows.read_image(room, row)
            logs[room].entries[entry.seq] = entry
            if image is not None:
                logs[room].images[entry.seq] = image
        if "LastEvaluatedKey" not in answer:
            return dict(logs)
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def judge(logs: dict[str, Log], history: Iterable[Line]) -> list[str]:
    """What is wrong, a sentence each that begins with its kind; empty when nothing is."""
    by_kind: dict[str, list[Line]] = defaultdict(list)
    for line in history:
        by_kind[line["kind"]].append(line)
    found = [
        f"leaked: {line['client']} heard {line['event']} of {line['room']} {line['after_ms']:.0f} ms after its logout"
        for line in by_kind["leak"]
    ]
    for line in by_kind["stray"]:
        inside = logs.get(line["room"], Log()).inside(line["client"])
        if not _within(line["entry"], inside):
            found.append(
                f"leaked: {line['client']} was pushed {line['entry']} of {line['room']}, inside only in {inside}"
            )
    for room, log in logs.items():
        found += _holes(room, log)
    found += _writes(logs, by_kind["write"])
    for transcript in by_kind["transcript"]:
        found += _transcript(logs.get(transcript["room"], Log()), transcript)
    return found


def _holes(room: str, log: Log) -> list[str]:
    missing = set(range(1, log.head + 1)) - set(log.entries)
    return [f"disordered: {room} has no entry {seq}" for seq in sorted(missing)]


def _writes(logs: dict[str, Log], writes: list[Line]) -> list[str]:
    found = []
    stored: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for room, log in logs.items():
        for image in log.images.values():
            stored[image.author, image.client_id].append((room, image.seq))
    last: Counter[tuple[str, str]] = Counter()
    for write in writes:
        name = f"{write['event']} {write['id']} in {write['room']}"
        log = logs.get(write["room"], Log())
        if write["how"] == "waiting":
            found.append(f"unended: {name}")
        elif write["event"] == "message:send":
            places = stored.pop((write["client"], write["id"]), [])
            if write["how"] == "ok" and places != [(write["room"], write["seq"])]:
                kind = "doubled" if len(places) > 1 else "lost"
                found.append(f"{kind}: {name} was acked as {write['seq']}, stored as {places}")
            elif write["how"] != "ok" and places and not write.get("unanswered"):
                found.append(f"refused but stored: {name} as {places}")
            elif write["how"] == "ok":
                if write["seq"] <= last[write["client"], write["room"]]:
                    found.append(f"disordered: {name} stands before what was sent before it")
                last[write["client"], write["room"]] = write["seq"]
        elif write["how"] == "ok":
            image = log.images.get(write["message"])
            if image is None or image.rev < write["rev"]:
                found.append(f"lost: {name} was acked with rev {write['rev']}, the message is {image}")
    return found + [
        f"unsent: {author}'s {client_id} stands at {places}" for (author, client_id), places in stored.items()
    ]


def _transcript(log: Log, transcript: Line) -> list[str]:
    who = f"{transcript['client']} in {transcript['room']}"
    inside = log.inside(transcript["client"])
    found = []
    expected = transcript["first"]
    for seq, client_id in transcript["entries"]:
        if seq != expected:
            found.append(f"{'doubled' if seq < expected else 'lost'}: {who} has {seq} where {expected} belongs")
        expected = seq + 1
        if not _within(seq, inside):
            found.append(f"leaked: {who} was given {seq}, and was inside only in {inside}")
        image = log.images.get(seq)
        if (image.client_id if image else None) != client_id:
            found.append(f"disordered: {who} has {client_id} as {seq}, the log has {image and image.client_id}")
    is_member = bool(inside) and inside[-1][1] == log.head and log.entries[log.head].user != transcript["client"]
    if transcript["open"] and is_member:
        if transcript["cursor"] != log.head:
            found.append(f"lost: {who} ends at {transcript['cursor']}, the log at {log.head}")
        found += _images(log, transcript, who)
    return found


def _images(log: Log, transcript: Line, who: str) -> list[str]:
    found = []
    for seq, told in transcript["images"]:
        image = log.images.get(seq)
        if image is None:
            found.append(f"disordered: {who} has a message {seq} that is none")
        elif (told["rev"], told["hash"], told["deleted"]) != (image.rev, _hash(image.text), image.deleted):
            found.append(f"lost: {who} has message {seq} at rev {told['rev']}, the table at {image.rev}")
    missing = {seq for seq in log.images if transcript["first"] <= seq} - {seq for seq, _ in transcript["images"]}
    return found + [f"lost: {who} has no image of message {seq}" for seq in sorted(missing)]


def _within(seq: int, stretches: list[tuple[int, int]]) -> bool:
    return any(since <= seq <= until for since, until in stretches)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()[:12]
