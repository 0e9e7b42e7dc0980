"""Rows that others put into `messages`: what of them became messages, and what did not.

`chat`: `FOREIGN#r`/id is the checkpoint of a row, `INGEST#bad`/room#id lists one that could not become a message,
`INGEST#<stream>`/shard says how far a stream has been read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from chat.errors import ChatError
from chat.models import Checkpoint, CheckpointMove, RejectedRow
from chat.services.runtime.outages import DYNAMODB
from chat.services.storage.client import Client
from chat.services.storage.facts import AppendRefused, Fact, Write, update
from chat.services.storage.rows import Row
from chat.services.storage.values import pack, texts

FOREIGN_PREFIX = "FOREIGN#"
REJECTED = "INGEST#bad"
SAID = ("text", "message", "username", "user")  # what is read of a row that others put; whatever else it has is theirs


def is_own(room_key: str) -> bool:
    """Whether a row of `messages` under that key is the app's own; what others put has no `#` there."""
    return "#" in room_key


def checkpoint_key(room: str, row_id: str) -> Row:
    """Where the checkpoint of a row lies that somebody put."""
    return {"pk": FOREIGN_PREFIX + room, "sk": row_id}


def checkpoint_attributes(checkpoint: Checkpoint) -> Row:
    """What the checkpoint of a row says."""
    return {"number": checkpoint.number, "stream": checkpoint.stream, "seq": checkpoint.seq}


def read_checkpoint(row: Row) -> Checkpoint:
    """The checkpoint that a row records."""
    return Checkpoint(row["pk"].removeprefix(FOREIGN_PREFIX), row["sk"], row["number"], row["stream"], row["seq"])


def rejected_key(room: str, row_id: str) -> Row:
    """Where a row is listed that could not become a message: one place for each, however often it is put."""
    return {"pk": REJECTED, "sk": f"{room}#{row_id}"[:250]}


def rejected_row(bad: RejectedRow) -> Row:
    """A row that could not become a message, as a row."""
    return rejected_key(bad.room, bad.id) | {
        "room": bad.room[:250],
        "id": bad.id[:250],
        "reason": bad.reason,
        "at_ms": bad.at_ms,
    }


def read_rejected(row: Row) -> RejectedRow:
    """The row that was set aside, from its row."""
    return RejectedRow(row["room"], row["id"], row["reason"], row["at_ms"])


def position_key(stream: str, shard: str) -> Row:
    """Where it is noted how far a shard of a stream has been read."""
    return {"pk": f"INGEST#{stream}", "sk": shard}


def checkpoint_fact(move: CheckpointMove) -> Fact:
    """What has become of a row that somebody put, unless another change was taken over meanwhile."""
    return Fact((checkpoint_write(move),), lambda row: AppendRefused(overtaken=True))


def checkpoint_write(move: CheckpointMove) -> Write:
    """The same, also where no entry is made of it. That the change is a later one is not enough: what it means was
    judged by the checkpoint before it, and an earlier one may come in between."""
    checkpoint, before = move.checkpoint, move.before
    key, attributes = checkpoint_key(checkpoint.room, checkpoint.id), checkpoint_attributes(checkpoint)
    if before is None:
        return update("chat", key, attributes, "attribute_not_exists(pk)")
    still = {":before": before.number, ":of": before.stream}
    return update("chat", key, attributes, "#number = :before AND #stream = :of", still)


class ExternalRows:
    """The rows that others put, and ours about them."""

    def __init__(self, client: Client):
        self._client = client

    def put_checkpoint(self, move: CheckpointMove) -> bool:
        """Notes a change that makes no entry; False when another one was taken over meanwhile."""
        return self._client.write_if(checkpoint_write(move))

    def get_checkpoint(self, room: str, row_id: str) -> Checkpoint | None:
        """What has become of a row that somebody put, None when nothing has."""
        row = self._client.get("chat", checkpoint_key(room, row_id))
        return read_checkpoint(row) if row else None

    def row(self, room: str, row_id: str) -> dict[str, str | None] | None:
        """What a row that somebody put says now (`SAID`), None when there is no such row."""
        item = self._client.get_item("messages", {"room": room, "id": row_id})
        return texts(item, SAID) if item else None

    def rows(self) -> Iterator[tuple[str, str]]:
        """(room, id) of every row of `messages` that is not the app's own: reads the whole table, a page at a time."""
        for item in self._client.scan_items("messages", "NOT contains(#key, :key)", {"#key": "room"}, {":key": "#"}):
            yield item["room"]["S"], item["id"]["S"]

    def checkpoints(self) -> Iterator[Checkpoint]:
        """The checkpoints of all rows that anybody ever put: reads the whole table `chat`, a page at a time."""
        found = self._client.scan("chat", "begins_with(#key, :key)", {"#key": "pk"}, {":key": FOREIGN_PREFIX})
        yield from map(read_checkpoint, found)

    def reject(self, bad: RejectedRow, kept_s: int) -> None:
        """Lists a row that could not become a message, for so long."""
        row = rejected_row(bad) | {"expires_at": bad.at_ms // 1000 + kept_s}
        self._client.call("put_item", TableName=self._client.table("chat"), Item=pack(row))

    def forget_set_aside(self, room: str, row_id: str) -> None:
        """The row has become a message after all."""
        key = rejected_key(room, row_id)
        self._client.call("delete_item", TableName=self._client.table("chat"), Key=pack(key))

    def rejected_rows(self) -> list[RejectedRow]:
        """The rows that could not become messages, lately."""
        return [read_rejected(row) for row in self._client.partition("chat", REJECTED)]

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
