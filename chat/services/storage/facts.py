"""Facts: what nouns store in one transaction with an entry, each on its own conditions. No I/O.

A noun whose rows stand or fall with an entry makes a Fact of them, and who drafts the entry hands it in. Then neither
the append nor its transaction knows of the noun: a fact brings its items, by which no transaction takes one twice, and
says itself what a failed condition means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from chat.errors import ChatError
from chat.models import Claim
from chat.services.storage.rows import KEYS, Row
from chat.services.storage.values import pack


class Write(NamedTuple):
    """One write with its condition, alone or in a transaction: a `Put`, `Update`, `Delete` or `ConditionCheck` as
    TransactWriteItems takes it, but for the table's real name."""

    table: str
    kind: str
    request: dict[str, Any]

    @property
    def item(self) -> tuple[str, ...]:
        """The table and the key of the item that it writes."""
        key = self.request.get("Key") or self.request["Item"]
        return (self.table, *[key[name]["S"] for name in KEYS[self.table]])


def put_new(table: str, row: Row) -> Write:
    """A row where there is none."""
    request = {
        "Item": pack(row),
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": "id" if table == "messages" else KEYS[table][0]},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return Write(table, "Put", request)


def update(table: str, key: Row, attributes: Row, condition: str, values: Row | None = None) -> Write:
    """A row with these attributes, without those that are None; whatever else it has stays. In the condition they are
    called #name and :name; it may have further `values`."""
    there = [name for name, value in attributes.items() if value is not None]
    gone = [f"#{name}" for name in attributes if name not in there]
    setting = "SET " + ", ".join(f"#{name} = :{name}" for name in there)
    request = {
        "Key": pack(key),
        "UpdateExpression": f"{setting} REMOVE {', '.join(gone)}" if gone else setting,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        "ExpressionAttributeValues": pack({f":{name}": attributes[name] for name in there} | (values or {})),
    }
    return Write(table, "Update", request)


@dataclass(frozen=True)
class AppendRefused(Exception):
    """Why an append wrote nothing; the first that holds, in this order, says what to do next.

    `claims`: requests that were carried out before, as these. `overtaken`: another change of the row was taken over
    meanwhile. `final`: whoever asks is told so, and asking again is no use. `slot_taken`: another entry has the number.
    `changed`: something is not what it was judged by; judge again, and say this when there is no time for that. None
    of them: a passing conflict, try again.
    """

    claims: tuple[Claim, ...] = ()
    overtaken: bool = False
    final: ChatError | None = None
    slot_taken: bool = False
    changed: ChatError | None = None

    @property
    def claim(self) -> Claim | None:
        """The claim, where there was but one request."""
        return self.claims[0] if self.claims else None

    def __or__(self, other: AppendRefused) -> AppendRefused:
        """Both; of two errors the first."""
        return AppendRefused(
            claims=self.claims + other.claims,
            overtaken=self.overtaken or other.overtaken,
            final=self.final or other.final,
            slot_taken=self.slot_taken or other.slot_taken,
            changed=self.changed or other.changed,
        )


Meaning = Callable[[Row | None], AppendRefused]


class Fact(NamedTuple):
    """What a noun stores with an entry: all its writes or none. `refused` says what it means that the condition of one
    fails; it is given the row that is in the way, where the write asks for that (`put_new` does)."""

    writes: tuple[Write, ...]
    refused: Meaning


def final(error: ChatError) -> Meaning:
    """The request is refused with this, once and for all."""
    return lambda row: AppendRefused(final=error)


def again(error: ChatError | None = None) -> Meaning:
    """The request is judged anew by what is true now, for as long as there is time; then it is refused with this."""
    return lambda row: AppendRefused(changed=error or ChatError("unavailable", retry_after_s=1))
