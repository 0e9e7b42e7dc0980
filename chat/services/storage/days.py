"""A room's days in the table `chat`: `PROJ#days#<room>`/`2026-03-03`, so that a calendar is one Query, in order.

A row says what was counted and up to which number (`upto`), of the log that began with `generation`; so what is counted
twice, late, or by two at once does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.errors import ChatError
from chat.models import Room
from chat.services.storage.projections import CONDITION_FAILED, ProjectionRows, Tables, own_partition
from chat.services.storage.rows import Row
from chat.services.storage.values import pack, unpack

NAME = "days"
TRIES = 20


@dataclass(frozen=True)
class Day:
    """What was done in a room on a day, by UTC: how many messages were said (deleted since or not), the numbers of the
    first and the last act, and when the last was."""

    day: str
    messages: int
    first: int
    last: int
    last_act_at_ms: int


@dataclass(frozen=True)
class Act:
    """An entry, as far as a day counts it."""

    seq: int
    at_ms: int
    said: bool


class DayRows:
    """The days of all rooms. Raises: ChatError `unavailable`."""

    def __init__(self, tables: Tables):
        self._tables = tables
        self._rows = ProjectionRows(tables)

    def of(self, room: Room) -> list[Day]:
        """The days on which something was done that is still kept, in order. The day that the floor lies in says what
        was counted of it, also what has gone."""
        found = [row for row in self._rows.in_partition(own_partition(NAME, room.id)) if _counts(row, room)]
        return [
            Day(row["sk"], row["messages"], max(row["first"], room.floor), row["upto"], row["last_act_at_ms"])
            for row in found
        ]

    def count(self, room: Room, day: str, acts: Sequence[Act]) -> None:
        """Counts acts of that day, in the order of their numbers, each once: those up to which was counted already are
        left out. Nothing when the room has begun anew since it was read."""
        for _ in range(TRIES):
            if not acts or self._add(room, day, acts):
                return
            row = self._get(room.id, day)
            if row is not None and row["generation"] > room.generation:
                return
            if row is not None and row["generation"] < room.generation:
                self._delete(room.id, row, "generation = :seen", {":seen": row["generation"]})
            elif row is not None:
                acts = [act for act in acts if act.seq > row["upto"]]
        raise ChatError("unavailable", retry_after_s=1)

    def forget(self, room: str) -> None:
        """Deletes all of a room's days."""
        self._rows.forget(NAME, room)

    def drop_below(self, room: Room) -> None:
        """Deletes the days of which nothing is kept any more."""
        for row in list(self._rows.in_partition(own_partition(NAME, room.id))):
            if row["upto"] < room.floor and row["generation"] == room.generation:
                self._delete(room.id, row, "upto < :floor", {":floor": room.floor})

    def _add(self, room: Room, day: str, acts: Sequence[Act]) -> bool:
        said = sum(act.said for act in acts)
        values = {
            ":generation": room.generation,
            ":first": acts[0].seq,
            ":upto": acts[-1].seq,
            ":at": acts[-1].at_ms,
            ":said": said,
        }
        added = self._tables.unless(
            CONDITION_FAILED,
            "update_item",
            TableName=self._tables.table("chat"),
            Key=pack(_key(room.id, day)),
            UpdateExpression="SET generation = :generation, #first = if_not_exists(#first, :first), upto = :upto,"
            " last_act_at_ms = :at ADD messages :said",
            ConditionExpression="attribute_not_exists(upto) OR (generation = :generation AND upto < :first)",
            ExpressionAttributeNames={"#first": "first"},
            ExpressionAttributeValues=pack(values),
        )
        return added is not None

    def _get(self, room: str, day: str) -> Row | None:
        key = pack(_key(room, day))
        item = self._tables.call("get_item", TableName=self._tables.table("chat"), Key=key, ConsistentRead=True)
        return unpack(item["Item"]) if "Item" in item else None

    def _delete(self, room: str, row: Row, condition: str, values: Row) -> None:
        self._tables.unless(
            CONDITION_FAILED,
            "delete_item",
            TableName=self._tables.table("chat"),
            Key=pack(_key(room, row["sk"])),
            ConditionExpression=condition,
            ExpressionAttributeValues=pack(values),
        )


def _key(room: str, day: str) -> Row:
    return {"pk": own_partition(NAME, room), "sk": day}


def _counts(row: Row, room: Room) -> bool:
    return row["generation"] == room.generation and row["upto"] >= room.floor
