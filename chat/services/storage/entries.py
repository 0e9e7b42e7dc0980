"""The logs of rooms: each entry's row, which of a message is its snapshot.

`messages`: `room = R#<room>#<n // 10000>`, `id = <12-digit n>`. A message's row is its current snapshot; a change's row
says only which message changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from chat.emoji import by_emoji
from chat.models import Entry, EntryKind, Message
from chat.services.storage.client import CONDITION_FAILED, CONFLICT, Client
from chat.services.storage.facts import AppendRefused, Fact, Write, again, put_new, update
from chat.services.storage.rows import Row
from chat.services.storage.values import pack, unpack

BUCKET_SIZE = 10_000
MAX_AHEAD = 5_000  # how far ahead of a decided entry a number may be proposed
MAX_DELETES = 25  # in one BatchWriteItem
# What a log row's `kind` attribute says, in one letter to keep rows small.
LETTERS: dict[EntryKind, str] = {
    "message": "m",
    "change": "c",
    "joined": "j",
    "left": "l",
    "removed": "x",
    "room": "r",
    "tombstone": "t",
}
FACTS = ("message", "user", "name", "by", "successor")  # of an entry that is no message, as Entry has them
KINDS: dict[str, EntryKind] = {letter: kind for kind, letter in LETTERS.items()}


def bucket_of(seq: int) -> int:
    """The bucket that holds the entry with that number."""
    return seq // BUCKET_SIZE


def end_of(bucket: int) -> int:
    """The last number that the bucket holds."""
    return (bucket + 1) * BUCKET_SIZE - 1


def slot_key(room: str, seq: int) -> Row:
    """Where a log entry lies."""
    return {"room": f"R#{room}#{bucket_of(seq)}", "id": f"{seq:012d}"}


def slot_of(room_key: str, row_id: str) -> tuple[str, int] | None:
    """(room, number) of a log entry by its key, None when it is no entry's."""
    parts = room_key.split("#")
    return (parts[1], int(row_id)) if len(parts) == 3 and parts[0] == "R" and row_id.isdecimal() else None


def log_row(entry: Entry, snapshot: Message | None) -> Row:
    """The row of a new entry; a message's row is its snapshot."""
    row = slot_key(entry.room, entry.seq) | {"kind": LETTERS[entry.kind], "at_ms": entry.at_ms}
    if entry.kind == "message":
        assert snapshot is not None
        return row | snapshot_attributes(snapshot)
    return row | {name: getattr(entry, name) for name in FACTS}


def snapshot_attributes(snapshot: Message) -> Row:
    """What of a message's row its snapshot says."""
    return {
        "rev": snapshot.rev,
        "client_id": snapshot.client_id,
        "author": snapshot.author,
        "name": snapshot.name,
        "text": snapshot.text,
        "edited_at_ms": snapshot.edited_at_ms,
        "reply_to": snapshot.reply_to,
        "deleted": snapshot.deleted or None,
        "via": snapshot.via,
        # A list, because a map has no order: [[emoji, username, …], …]
        "reactions": [[emoji, *who] for emoji, who in snapshot.reactions.items()] or None,
    }


# All that is read of a message's row; `kind` and `at_ms` are in every log row, of whatever kind and version.
SNAPSHOT_ROW = frozenset({"room", "id", "kind", "at_ms", *snapshot_attributes(Message("", 0, 0, "", "", "", "", 0))})


def snapshot_row(snapshot: Message) -> Row:
    """The whole row of a message with its present snapshot."""
    entry = Entry(snapshot.room, snapshot.seq, "message", snapshot.created_at_ms)
    return log_row(entry, snapshot)


def read_entry(room: str, row: Row) -> Entry:
    """The entry that a log row records; of a kind that only later versions know, its number and time."""
    kind = KINDS.get(row["kind"], "unknown")
    seq = int(row["id"])
    if kind in ("message", "unknown"):
        return Entry(room, seq, kind, row["at_ms"])
    return Entry(room, seq, kind, row["at_ms"], *[row.get(name) for name in FACTS])


def read_snapshot(room: str, row: Row) -> Message | None:
    """The message that a log row holds, or None when the entry is not a message."""
    if row["kind"] != LETTERS["message"]:
        return None
    return Message(
        room=room,
        seq=int(row["id"]),
        rev=row["rev"],
        client_id=row["client_id"],
        author=row["author"],
        name=row["name"],
        text=row["text"],
        created_at_ms=row["at_ms"],
        edited_at_ms=row.get("edited_at_ms"),
        reply_to=row.get("reply_to"),
        deleted=row.get("deleted", False),
        via=row.get("via"),
        reactions=by_emoji(row.get("reactions", ())),
        more=not row.keys() <= SNAPSHOT_ROW,
    )


def slot_fact(entry: Entry, snapshot: Message | None) -> Fact:
    """The entry under its number, which nothing has yet; with the snapshot of a message that is sent."""
    return Fact((put_new("messages", log_row(entry, snapshot)),), lambda row: AppendRefused(slot_taken=True))


def snapshot_fact(snapshot: Message, replaces_rev: int | None) -> Fact:
    """A message's snapshot in the place of the one with that `rev`, which must not be deleted."""
    return Fact((snapshot_write(snapshot, replaces_rev),), again())


def snapshot_write(snapshot: Message, replaces_rev: int | None) -> Write:
    """What other versions wrote into the row stays there; unless the message is deleted now: then nothing does."""
    condition, replaced = "#rev = :replaced AND attribute_not_exists(#deleted)", {":replaced": replaces_rev}
    if not snapshot.deleted:
        return update(
            "messages", slot_key(snapshot.room, snapshot.seq), snapshot_attributes(snapshot), condition, replaced
        )
    request = {
        "Item": pack(snapshot_row(snapshot)),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#rev": "rev", "#deleted": "deleted"},
        "ExpressionAttributeValues": pack(replaced),
    }
    return Write("messages", "Put", request)


class EntryRows:
    """The rows of logs."""

    def __init__(self, client: Client):
        self._client = client

    def tombstone(self, room: str, seq: int, at_ms: int) -> bool:
        """Decides that nobody uses this number; False when somebody did."""
        row = log_row(Entry(room, seq, "tombstone", at_ms), None)
        try:
            self._client.write(put_new("messages", row))
        except ClientError as error:
            if error.response["Error"]["Code"] not in (CONDITION_FAILED, CONFLICT):
                raise
            return False
        return True

    def get(self, room: str, seq: int) -> tuple[Entry, Message | None] | None:
        """The entry with that number, with the snapshot if it is a message; None when the number is undecided."""
        row = self._client.get("messages", slot_key(room, seq))
        return (read_entry(room, row), read_snapshot(room, row)) if row else None

    def after(self, room: str, after: int, limit: int, head: int = 0) -> list[tuple[Entry, Message | None]]:
        """Up to `limit` decided entries after that number, in order; there may be holes among them.

        Goes on into the next bucket only over its edge, or when the `head` is known to be there: without it, entries
        behind a hole at the very edge are not seen.
        """
        found: list[tuple[Entry, Message | None]] = []
        position = after
        while len(found) < limit:
            bucket = bucket_of(position + 1)
            last = end_of(bucket)
            batch = self._log_query(room, bucket, ">", position, limit - len(found), forward=True)
            found += batch
            if (not batch or batch[-1][0].seq != last) and head <= last:
                break
            position = last
        return found

    def count_messages(self, room: str, after: int, head: int, limit: int, not_by: str) -> tuple[int, int]:
        """How many messages, not deleted and not by that author, are among the up to `limit` entries after that number
        up to the head; and how many entries that were. Counted where they lie: nothing but the numbers travels."""
        counted = seen = 0
        position = after
        while seen < limit and position < head:
            bucket = bucket_of(position + 1)
            answer = self._client.call(
                "query",
                TableName=self._client.table("messages"),
                KeyConditionExpression="#room = :room AND #id > :id",
                FilterExpression="#kind = :message AND #author <> :author AND attribute_not_exists(#deleted)",
                ExpressionAttributeNames={
                    "#room": "room",
                    "#id": "id",
                    "#kind": "kind",
                    "#author": "author",
                    "#deleted": "deleted",
                },
                ExpressionAttributeValues=pack(
                    {
                        ":room": f"R#{room}#{bucket}",
                        ":id": f"{position:012d}",
                        ":message": LETTERS["message"],
                        ":author": not_by,
                    }
                ),
                Select="COUNT",
                Limit=limit - seen,
                ConsistentRead=True,
            )
            counted += answer["Count"]
            seen += answer["ScannedCount"]
            last = answer.get("LastEvaluatedKey")
            position = int(unpack(last)["id"]) if last else end_of(bucket)
        return counted, seen

    def before(self, room: str, before: int, limit: int, floor: int = 1) -> list[tuple[Entry, Message | None]]:
        """The last `limit` decided entries before that number and not below `floor`, in ascending order."""
        found: list[tuple[Entry, Message | None]] = []
        bucket = bucket_of(max(before - 1, 0))
        while len(found) < limit and (bucket + 1) * BUCKET_SIZE > floor and bucket >= 0:
            found += self._log_query(room, bucket, "<", before, limit - len(found), forward=False)
            bucket -= 1
        return [pair for pair in reversed(found) if pair[0].seq >= floor]

    def _log_query(
        self, room: str, bucket: int, comparison: str, seq: int, limit: int, forward: bool
    ) -> list[tuple[Entry, Message | None]]:
        request: dict[str, Any] = {
            "TableName": self._client.table("messages"),
            "KeyConditionExpression": f"#room = :room AND #id {comparison} :id",
            "ExpressionAttributeNames": {"#room": "room", "#id": "id"},
            "ExpressionAttributeValues": pack({":room": f"R#{room}#{bucket}", ":id": f"{seq:012d}"}),
            "ScanIndexForward": forward,
            "ConsistentRead": True,
        }
        return [(read_entry(room, row), read_snapshot(room, row)) for row in self._client.query(request, limit)]

    def head(self, room: str, bucket: int = 0) -> int:
        """The highest decided number of the room, 0 when it has none. `bucket` is one that has begun.

        Numbers are proposed at most 5,000 ahead of a decided one, so a later bucket can have begun only when this one
        is filled to its last 5,000.
        """
        head = self._bucket_head(room, bucket)
        while not head and bucket > 0:
            bucket -= 1
            head = self._bucket_head(room, bucket)
        while head >= (bucket + 1) * BUCKET_SIZE - MAX_AHEAD:
            bucket += 1
            later = self._bucket_head(room, bucket)
            if not later:
                break
            head = later
        return head

    def _bucket_head(self, room: str, bucket: int) -> int:
        newest = self._log_query(room, bucket, "<", (bucket + 1) * BUCKET_SIZE, 1, forward=False)
        return newest[0][0].seq if newest else 0

    def decided(self, slots: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        """Which of these (room, number) are decided; a hundred are asked for in one request."""
        names = {"#room": "room", "#id": "id"}
        keys = (slot_key(room, seq) for room, seq in slots)
        rows = self._client.get_each(
            "messages", keys, ProjectionExpression="#room, #id", ExpressionAttributeNames=names
        )
        return {slot for row in rows if (slot := slot_of(row["room"], row["id"])) is not None}

    def snapshots(self, room: str, seqs: Iterable[int]) -> dict[int, Message]:
        """The current snapshots of these messages, by number; one that is no message is left out."""
        rows = self._client.get_each("messages", (slot_key(room, seq) for seq in sorted(set(seqs))))
        snapshots = (read_snapshot(room, row) for row in rows)
        return {snapshot.seq: snapshot for snapshot in snapshots if snapshot is not None}

    def delete(self, room: str, seqs: Iterable[int]) -> None:
        """Deletes these entries for good; what is gone already is no matter."""
        table = self._client.table("messages")
        wanted = [{"DeleteRequest": {"Key": pack(slot_key(room, seq))}} for seq in seqs]
        while wanted:
            answer = self._client.call("batch_write_item", RequestItems={table: wanted[:MAX_DELETES]})
            wanted = answer.get("UnprocessedItems", {}).get(table, []) + wanted[MAX_DELETES:]
