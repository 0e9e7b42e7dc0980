"""Rows that others put into `messages`: what of them became messages, and what did not.

`chat`: `FOREIGN#r`/id is the mark of a row, `INGEST#bad`/room#id lists one that could not become a message,
`INGEST#<stream>`/shard says how far a stream has been read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from chat.errors import ChatError
from chat.models import Mark, Marking, SetAside
from chat.services.runtime.outages import DYNAMODB
from chat.services.storage.client import Client
from chat.services.storage.facts import AppendRefused, Fact, Write, update
from chat.services.storage.rows import Row
from chat.services.storage.values import pack, texts

FOREIGN_PREFIX = "FOREIGN#"
SET_ASIDE = "INGEST#bad"
SAID = ("text", "message", "username", "user")  # what is read of a row that others put; whatever else it has is theirs


def is_own(room_key: str) -> bool:
    """Whether a row of `messages` under that key is the app's own; what others put has no `#` there."""
    return "#" in room_key


def mark_key(room: str, row_id: str) -> Row:
    """Where the mark of a row lies that somebody put."""
    return {"pk": FOREIGN_PREFIX + room, "sk": row_id}


def mark_attributes(mark: Mark) -> Row:
    """What the mark of a row says."""
    return {"number": mark.number, "stream": mark.stream, "seq": mark.seq}


def read_mark(row: Row) -> Mark:
    """The mark that a row records."""
    return Mark(row["pk"].removeprefix(FOREIGN_PREFIX), row["sk"], row["number"], row["stream"], row["seq"])


def set_aside_key(room: str, row_id: str) -> Row:
    """Where a row is listed that could not become a message: one place for each, however often it is put."""
    return {"pk": SET_ASIDE, "sk": f"{room}#{row_id}"[:250]}


def set_aside_row(bad: SetAside) -> Row:
    """A row that could not become a message, as a row."""
    return set_aside_key(bad.room, bad.id) | {
        "room": bad.room[:250],
        "id": bad.id[:250],
        "reason": bad.reason,
        "at_ms": bad.at_ms,
    }


def read_set_aside(row: Row) -> SetAside:
    """The row that was set aside, from its row."""
    return SetAside(row["room"], row["id"], row["reason"], row["at_ms"])


def position_key(stream: str, shard: str) -> Row:
    """Where it is noted how far a shard of a stream has been read."""
    return {"pk": f"INGEST#{stream}", "sk": shard}


def mark_fact(marking: Marking) -> Fact:
    """What has become of a row that somebody put, unless another change was taken over meanwhile."""
    return Fact((mark_write(marking),), lambda row: AppendRefused(overtaken=True))


def mark_write(marking: Marking) -> Write:
    """The same, also where no entry is made of it. That the change is a later one is not enough: what it means was
    judged by the mark before it, and an earlier one may come in between."""
    mark, before = marking.mark, marking.before
    key, attributes = mark_key(mark.room, mark.id), mark_attributes(mark)
    if before is None:
        return update("chat", key, attributes, "attribute_not_exists(pk)")
    still = {":before": before.number, ":of": before.stream}
    return update("chat", key, attributes, "#number = :before AND #stream = :of", still)


class ExternalRows:
    """The rows that others put, and ours about them."""

    def __init__(self, client: Client):
        self._client = client

    def put_mark(self, marking: Marking) -> bool:
        """Notes a change that makes no entry; False when another one was taken over meanwhile."""
        return self._client.write_if(mark_write(marking))

    def get_mark(self, room: str, row_id: str) -> Mark | None:
        """What has become of a row that somebody put, None when nothing has."""
        row = self._client.get("chat", mark_key(room, row_id))
        return read_mark(row) if row else None

    def row(self, room: str, row_id: str) -> dict[str, str | None] | None:
        """What a row that somebody put says now (`SAID`), None when there is no such row."""
        item = self._client.get_item("messages", {"room": room, "id": row_id})
        return texts(item, SAID) if item else None

    def rows(self) -> Iterator[tuple[str, str]]:
        """(room, id) of every row of `messages` that is not the app's own: reads the whole table, a page at a time."""
        for item in self._client.scan_items("messages", "NOT contains(#key, :key)", {"#key": "room"}, {":key": "#"}):
            yield item["room"]["S"], item["id"]["S"]

    def marks(self) -> Iterator[Mark]:
        """The marks of all rows that anybody ever put: reads the whole table `chat`, a page at a time."""
        found = self._client.scan("chat", "begins_with(#key, :key)", {"#key": "pk"}, {":key": FOREIGN_PREFIX})
        yield from map(read_mark, found)

    def set_aside(self, bad: SetAside, kept_s: int) -> None:
        """Lists a row that could not become a message, for so long."""
        row = set_aside_row(bad) | {"expires_at": bad.at_ms // 1000 + kept_s}
        self._client.call("put_item", TableName=self._client.table("chat"), Item=pack(row))

    def forget_set_aside(self, room: str, row_id: str) -> None:
        """The row has become a message after all."""
        key = set_aside_key(room, row_id)
        self._client.call("delete_item", TableName=self._client.table("chat"), Key=pack(key))

    def rows_set_aside(self) -> list[SetAside]:
        """The rows that could not become messages, lately."""
        return [read_set_aside(row) for row in self._client.partition("chat", SET_ASIDE)]

    def stream_arn(self) -> str | None:
        """The stream of `messages`, None when it has none. Raises: ChatError `unavailable`, also without the table."""
        described = self._client.unless(
            "ResourceNotFoundException", "describe_table", TableName=self._client.table("messages")
        )
        if described is None:
            DYNAMODB.failed(f"there is no table {self._client.table('messages')}: run `flask create-tables`")
            raise ChatError("unavailable")
        return described["Table"].get("LatestStreamArn")

    def stream_positions(self, stream: str) -> dict[str, str]:
        """Shard → how far it has been read, as noted last."""
        found = self._client.partition("chat", position_key(stream, "")["pk"])
        return {row["sk"]: row["position"] for row in found}

    def note_stream_position(self, stream: str, shard: str, position: str, kept_s: int) -> None:
        """Notes how far a shard has been read, for so long: shards are gone after a day."""
        row = position_key(stream, shard) | {"position": position, "expires_at": int(time.time()) + kept_s}
        self._client.call("put_item", TableName=self._client.table("chat"), Item=pack(row))
