"""What projections keep in the table `chat`: how far each has come in each room, and what it did.

`PROJECTIONS`/name: the projections there are. `PROJ#<name>`/room: the cursors, one Query for all rooms.
`PROJ#<name>#<room>`: whatever a projection keeps of a room, among it `done#<generation>#<n>`, by TTL; so one that is
removed can be swept away by who knows nothing but its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from chat.services.storage.rows import Row
from chat.services.storage.values import pack, unpack

PROJECTIONS = "PROJECTIONS"
CONDITION_FAILED = "ConditionalCheckFailedException"
AT_ONCE = 25  # in one BatchWriteItem
KEYS_AT_ONCE = 100  # in one BatchGetItem


class Tables(Protocol):
    """What is needed of the access to the tables (chat.services.storage.client.Client)."""

    def table(self, name: str) -> str:
        """The real name of a table."""

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """One request."""

    def unless(self, refusal: str, operation: str, **request: Any) -> dict[str, Any] | None:
        """One request, None when it is refused with that code."""


@dataclass(frozen=True)
class Cursor:
    """Everything of a room up to `seq` has been taken, of the log that began with `generation`; `floor` is the last
    floor that was told."""

    room: str
    generation: int
    seq: int
    floor: int = 1


@dataclass(frozen=True)
class Made:
    """When a projection was made; when all rooms were listed for it last, 0 before the first time has ended; and when a
    worker last had it. Milliseconds since 1970."""

    name: str
    made_at_ms: int
    listed_at_ms: int = 0
    seen_at_ms: int = 0


def own_partition(name: str, room: str) -> str:
    """Where a projection keeps what it has of a room."""
    return f"PROJ#{name}#{room}"


class ProjectionRows:
    """The rows of all projections. Reads are strongly consistent. Raises: ChatError `unavailable`."""

    def __init__(self, tables: Tables):
        self._tables = tables

    # --- the projections there are --------------------------------------------------------------------------------

    def made(self) -> dict[str, Made]:
        """Every projection that any version of this chat has here, by name."""
        found = (
            Made(row["sk"], row["made_at_ms"], row["listed_at_ms"], row["seen_at_ms"])
            for row in self.in_partition(PROJECTIONS)
        )
        return {made.name: made for made in found}

    def put_made(self, made: Made) -> None:
        """Notes what is known of a projection now."""
        row = {"pk": PROJECTIONS, "sk": made.name, **vars(made)} | {"name": None}
        self._tables.call("put_item", TableName=self._chat, Item=pack(row))

    def remove(self, name: str) -> None:
        """Deletes every row of a projection, its name last; again, when this ended in the midst of it."""
        for room in self.cursors(name):
            self.forget(name, room)
            self.drop_cursor(name, room)
        self._write([_delete({"pk": PROJECTIONS, "sk": name})])

    # --- cursors --------------------------------------------------------------------------------------------------

    def cursors(self, name: str) -> dict[str, Cursor]:
        """How far that projection has come, by room."""
        found = (
            Cursor(row["sk"], row["generation"], row["seq"], row["floor"]) for row in self.in_partition(f"PROJ#{name}")
        )
        return {cursor.room: cursor for cursor in found}

    def note_cursors(self, name: str, cursors: Iterable[Cursor]) -> None:
        """Notes how far that projection has come; 25 rooms in a request."""
        self._write(
            [
                {"PutRequest": {"Item": pack({"pk": f"PROJ#{name}", "sk": c.room, **vars(c)} | {"room": None})}}
                for c in cursors
            ]
        )

    def drop_cursor(self, name: str, room: str) -> None:
        """The projection has nothing to do with that room any more."""
        self._write([_delete({"pk": f"PROJ#{name}", "sk": room})])

    def forget(self, name: str, room: str) -> None:
        """Deletes everything that a projection keeps of a room but its cursor."""
        self._write([_delete(row) for row in self.in_partition(own_partition(name, room), keys_only=True)])

    # --- what was done --------------------------------------------------------------------------------------------

    def done(self, name: str, room: str, generation: int, seqs: Iterable[int]) -> set[int]:
        """Which of these entries an effect was noted for."""
        wanted = [pack(_done_key(name, room, generation, seq)) for seq in seqs]
        found: set[int] = set()
        while wanted:
            request = {"Keys": wanted[:KEYS_AT_ONCE], "ConsistentRead": True, "ProjectionExpression": "seq"}
            answer = self._tables.call("batch_get_item", RequestItems={self._chat: request})
            found |= {unpack(item)["seq"] for item in answer["Responses"].get(self._chat, [])}
            left = answer.get("UnprocessedKeys", {}).get(self._chat, {}).get("Keys", [])
            wanted = left + wanted[KEYS_AT_ONCE:]
        return found

    def note_done(self, name: str, room: str, generation: int, seq: int, until_s: int) -> bool:
        """Notes, until then (seconds since 1970), that an entry's effect is done; False when that stood there."""
        row = _done_key(name, room, generation, seq) | {"seq": seq, "expires_at": until_s}
        stored = self._tables.unless(
            CONDITION_FAILED,
            "put_item",
            TableName=self._chat,
            Item=pack(row),
            ConditionExpression="attribute_not_exists(pk)",
        )
        return stored is not None

    # --- shared ---------------------------------------------------------------------------------------------------

    @property
    def _chat(self) -> str:
        return self._tables.table("chat")

    def in_partition(self, partition: str, keys_only: bool = False) -> Iterator[Row]:
        """The rows of a partition, in the order of their keys."""
        request: dict[str, Any] = {
            "TableName": self._chat,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": pack({":pk": partition}),
            "ConsistentRead": True,
        }
        if keys_only:
            request["ProjectionExpression"] = "pk, sk"
        while True:
            answer = self._tables.call("query", **request)
            yield from map(unpack, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _write(self, wanted: list[dict[str, Any]]) -> None:
        while wanted:
            answer = self._tables.call("batch_write_item", RequestItems={self._chat: wanted[:AT_ONCE]})
            wanted = answer.get("UnprocessedItems", {}).get(self._chat, []) + wanted[AT_ONCE:]


def _done_key(name: str, room: str, generation: int, seq: int) -> Row:
    return {"pk": own_partition(name, room), "sk": f"done#{generation}#{seq:012d}"}


def _delete(row: Row) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": pack({"pk": row["pk"], "sk": row["sk"]})}}
