"""Appends: what one transaction stores, on which conditions, and why it was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat.models import Entry, Mark, Membership, Message, Room
from chat.services.storage import rows
from chat.services.storage.rows import Claim, Row
from chat.services.storage.values import pack, unpack

MAX_PROOFS = 90  # in one append, with what else it writes: a TransactWriteItems takes 100


@dataclass(frozen=True)
class AppendRefused(Exception):
    """Why an append wrote nothing; the first that holds, in this order, says what to do next.

    `claims`: requests that were carried out before, as these. `overtaken`: a later change of the row was taken over
    before. `room_taken`: the room exists. `made_enough`: its owner may make no more. `slot_taken`: another entry has
    the number. `changed`: the message or the membership is not what was read. None of them: a passing conflict, try
    again.
    """

    claims: tuple[Claim, ...] = ()
    overtaken: bool = False
    room_taken: bool = False
    made_enough: bool = False
    slot_taken: bool = False
    changed: bool = False

    @property
    def claim(self) -> Claim | None:
        """The claim, where there was but one request."""
        return self.claims[0] if self.claims else None


Proof = Claim | Mark | tuple[Claim, ...]


@dataclass(frozen=True)
class Append:
    """An entry to be stored with the proof that it was: all of it, or nothing.

    The proof is the claim of a person's request, or of several people's, at most MAX_PROOFS and none twice; or the mark
    of a row that somebody put. `image` is the message sent or, with `replaces_rev`, the new image of an older one whose
    `rev` must still be that and which must not be deleted. A `membership` is written to both its rows unless a later
    entry wrote them already. A `new_room` is counted among those that its owner has made, at most `most_rooms`.
    """

    entry: Entry
    proof: Proof
    image: Message | None = None
    replaces_rev: int | None = None
    membership: Membership | None = None
    new_room: Room | None = None
    most_rooms: int | None = None

    @property
    def proofs(self) -> tuple[Claim | Mark, ...]:
        """All of them, also where there is but one."""
        return self.proof if isinstance(self.proof, tuple) else (self.proof,)

    @property
    def items(self) -> frozenset[tuple[str, ...]]:
        """Names for the items that it writes: at most so many as there are writes, and the same for the same item."""
        room = self.entry.room
        named = {
            ("claim", proof.user, proof.client_id) if isinstance(proof, Claim) else ("mark", proof.room, proof.id)
            for proof in self.proofs
        }
        named.add(("slot", room, str(self.entry.seq)))
        if self.image is not None:
            named.add(("slot", room, str(self.image.seq)))
        if self.membership is not None:
            named |= {(row, self.membership.room, self.membership.username) for row in ("member", "room of")}
        return frozenset(named)


class Writes:
    """Writes with their conditions, as a TransactWriteItems takes them. `table` tells the real name of a table."""

    def __init__(self, table: Callable[[str], str]):
        self._table = table

    def of(self, append: Append) -> list[tuple[str, dict[str, Any]]]:
        """What an append writes, each with the word that `refusals` has for it."""
        entry, image, membership = append.entry, append.image, append.membership
        own_image = image if entry.kind == "message" else None
        writes = [
            ("claim", self.put_new("chat", rows.claim_row(proof)))
            if isinstance(proof, Claim)
            else ("mark", self.put_mark(proof))
            for proof in append.proofs
        ]
        writes.append(("slot", self.put_new("messages", rows.log_row(entry, own_image))))
        if image is not None and own_image is None:
            writes.append(("changed", self.replace_image(image, append.replaces_rev)))
        if membership is not None:
            for key in (
                rows.member_key(membership.room, membership.username),
                rows.user_room_key(membership.username, membership.room),
            ):
                writes.append(("changed", self.set_membership(key, membership)))
        if append.new_room is not None:
            writes.append(("room", self.put_new("chat", rows.meta_row(append.new_room))))
            if append.new_room.kind == "public":
                writes.append(("room", self.put_new("chat", _directory_row(append.new_room))))
            if append.most_rooms is not None and append.new_room.owner is not None:
                writes.append(("made", self.count_made(append.new_room.owner, append.most_rooms)))
        return writes

    def put_new(self, table: str, row: Row) -> dict[str, Any]:
        """A row where there is none."""
        key = "id" if table == "messages" else "pk"
        return {
            "Put": {
                "TableName": self._table(table),
                "Item": pack(row),
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": key},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def replace_image(self, image: Message, replaces_rev: int | None) -> dict[str, Any]:
        """A message's image in the place of that one, which must not be deleted. What other versions wrote into its row
        stays there; unless it is deleted now: then nothing does."""
        condition, replaced = "#rev = :replaced AND attribute_not_exists(#deleted)", {":replaced": replaces_rev}
        if not image.deleted:
            key = rows.slot_key(image.room, image.seq)
            return self._update("messages", key, rows.image_attributes(image), condition, replaced)
        return {
            "Put": {
                "TableName": self._table("messages"),
                "Item": pack(rows.image_row(image)),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#rev": "rev", "#deleted": "deleted"},
                "ExpressionAttributeValues": pack(replaced),
            }
        }

    def set_membership(self, key: Row, membership: Membership) -> dict[str, Any]:
        """One of the two rows of a membership, unless a later entry wrote it already."""
        attributes = rows.membership_attributes(membership)
        if membership.inside:
            attributes["read"] = membership.read
        return self._update("chat", key, attributes, "attribute_not_exists(#seq) OR #seq < :seq")

    def count_made(self, username: str, most: int) -> dict[str, Any]:
        """One more room that this person has made, of at most so many."""
        return {
            "Update": {
                "TableName": self._table("chat"),
                "Key": pack(rows.made_key(username)),
                "UpdateExpression": "SET #made = if_not_exists(#made, :none) + :one",
                "ConditionExpression": "attribute_not_exists(#made) OR #made < :most",
                "ExpressionAttributeNames": {"#made": "made"},
                "ExpressionAttributeValues": pack({":none": 0, ":one": 1, ":most": most}),
            }
        }

    def put_mark(self, mark: Mark) -> dict[str, Any]:
        """What has become of a row that somebody put, unless a later change was taken over before."""
        earlier = "attribute_not_exists(pk) OR #stream < :stream OR (#stream = :stream AND #number < :number)"
        return self._update("chat", rows.mark_key(mark.room, mark.id), rows.mark_attributes(mark), earlier)

    def _update(
        self, table: str, key: Row, attributes: Row, condition: str, values: Row | None = None
    ) -> dict[str, Any]:
        """A row with these attributes, without those that are None; whatever else it has stays. In the condition they
        are called #name and :name; it may have further `values`."""
        there = [name for name, value in attributes.items() if value is not None]
        gone = [f"#{name}" for name in attributes if name not in there]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in there)
        return {
            "Update": {
                "TableName": self._table(table),
                "Key": pack(key),
                "UpdateExpression": f"{update} REMOVE {', '.join(gone)}" if gone else update,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
                "ExpressionAttributeValues": pack({f":{name}": attributes[name] for name in there} | (values or {})),
            }
        }


def _directory_row(room: Room) -> Row:
    return {"pk": rows.PUBLIC, "sk": room.room, "room": room.room, "name": room.name}


def refusals(appends: list[list[tuple[str, Any]]], reasons: list[dict[str, Any]]) -> list[Exception | None]:
    """Reads of a cancelled transaction why it refused each append; None of one that was not in the way."""
    at = 0
    found: list[Exception | None] = []
    for writes in appends:
        found.append(_refusal([what for what, _ in writes], reasons[at : at + len(writes)]))
        at += len(writes)
    return found if any(found) else [AppendRefused() for _ in appends]


def _refusal(what: list[str], reasons: list[dict[str, Any]]) -> AppendRefused | None:
    """Which writes of one append (`claim` or `mark`, `slot`, `changed`, `room`, `made`) met what; None: none did."""
    if all(reason.get("Code", "None") == "None" for reason in reasons):
        return None
    failed = set()
    claims = []
    for name, reason in zip(what, reasons, strict=False):
        if reason.get("Code") == "ConditionalCheckFailed":
            failed.add(name)
            if name == "claim" and reason.get("Item"):
                claims.append(rows.read_claim(unpack(reason["Item"])))
    return AppendRefused(
        claims=tuple(claims),
        overtaken="mark" in failed,
        room_taken="room" in failed,
        made_enough="made" in failed,
        slot_taken="slot" in failed,
        changed="changed" in failed,
    )
