"""Rooms, and who is in them.

`chat`: `ROOM#r`/`META` describes a room, `DIR#public`/`r` lists it if it is public. `ROOM#r`/`MEM#u` and
`USER#u`/`ROOM#r` are one membership, the second with the read position. `USER#u`/`MADE` counts rooms that are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chat.errors import ChatError
from chat.models import Membership, Room
from chat.services.storage.client import Client
from chat.services.storage.facts import Fact, Write, again, final, put_new, update
from chat.services.storage.rows import Row
from chat.services.storage.values import pack

PUBLIC = "DIR#public"


def meta_key(room: str) -> Row:
    """Where a room's description lies."""
    return {"pk": f"ROOM#{room}", "sk": "META"}


def member_key(room: str, username: str) -> Row:
    """Where a room lists one of its members."""
    return {"pk": f"ROOM#{room}", "sk": f"MEM#{username}"}


def made_key(username: str) -> Row:
    """Where it stands how many rooms a person has made."""
    return {"pk": f"USER#{username}", "sk": "MADE"}


def user_room_key(username: str, room: str) -> Row:
    """Where a person's list has one of their rooms."""
    return {"pk": f"USER#{username}", "sk": f"ROOM#{room}"}


def meta_row(room: Room) -> Row:
    """A room's description as a row."""
    return meta_key(room.id) | {
        "name": room.name,
        "kind": room.kind,
        "owner": room.owner,
        "generation": room.generation,
        "bucket": room.bucket,
        "floor": room.floor,
    }


def read_meta(row: Row) -> Room:
    """The room that a META row describes."""
    return Room(
        id=row["pk"].removeprefix("ROOM#"),
        name=row["name"],
        kind=row["kind"],
        owner=row.get("owner", ""),
        generation=row["generation"],
        bucket=row["bucket"],
        floor=row["floor"],
        swept=row.get("swept", 1),
    )


def membership_attributes(membership: Membership) -> Row:
    """What both rows of a membership say."""
    return {
        "username": membership.username,
        "room": membership.room,
        "name": membership.name,
        "state": "in" if membership.inside else "out",
        "seq": membership.seq,
        "start": membership.start,
    }


def read_membership(row: Row) -> Membership:
    """The membership that either of its rows records; only the person's own row has the read position."""
    return Membership(
        room=row["room"],
        username=row["username"],
        name=row["name"],
        inside=row["state"] == "in",
        seq=row["seq"],
        start=row["start"],
        read=row.get("read", 0),
    )


def room_facts(room: Room, most: int | None = None) -> tuple[Fact, ...]:
    """A room that is made now, and none before, listed if it is public; its owner has made less than `most`. Their
    errors: `room_name_taken`, `too_many_rooms`."""
    writes = [put_new("chat", meta_row(room))]
    if room.kind == "public":
        writes.append(put_new("chat", {"pk": PUBLIC, "sk": room.id, "room": room.id, "name": room.name}))
    facts = [Fact(tuple(writes), final(ChatError("room_name_taken")))]
    if most is not None and room.owner is not None:
        facts.append(Fact((count_made(room.owner, most),), final(ChatError("too_many_rooms"))))
    return tuple(facts)


def count_made(username: str, most: int) -> Write:
    """One more room that this person has made, of at most so many."""
    request = {
        "Key": pack(made_key(username)),
        "UpdateExpression": "SET #made = if_not_exists(#made, :none) + :one",
        "ConditionExpression": "attribute_not_exists(#made) OR #made < :most",
        "ExpressionAttributeNames": {"#made": "made"},
        "ExpressionAttributeValues": pack({":none": 0, ":one": 1, ":most": most}),
    }
    return Write("chat", "Update", request)


def owner_fact(room: str, before: str, after: str) -> Fact:
    """The room's owner is that one still, and is this one from now on."""
    condition = "#owner = :before" if before else "attribute_not_exists(#owner) OR #owner = :before"
    return Fact((update("chat", meta_key(room), {"owner": after}, condition, {":before": before}),), again())


def member_fact(room: str, username: str) -> Fact:
    """Somebody is in the room still; their row stays as it is. Their error, where they are not: `user_not_found`."""
    write = update("chat", member_key(room, username), {"state": "in"}, "#state = :state")
    return Fact((write,), again(ChatError("user_not_found")))


def membership_fact(membership: Membership) -> Fact:
    """A membership in both its rows, unless a later entry wrote them already."""
    return Fact(tuple(membership_write(key, membership) for key in membership_keys(membership)), again())


def membership_write(key: Row, membership: Membership) -> Write:
    """One of the two rows of a membership."""
    attributes = membership_attributes(membership)
    if membership.inside:
        attributes["read"] = membership.read
    return update("chat", key, attributes, "attribute_not_exists(#seq) OR #seq < :seq")


def membership_keys(membership: Membership) -> tuple[Row, Row]:
    """Where both rows of a membership lie."""
    room, username = membership.room, membership.username
    return member_key(room, username), user_room_key(username, room)


class RoomRows:
    """The rows of rooms and memberships."""

    def __init__(self, client: Client):
        self._client = client

    def get(self, room: str) -> Room | None:
        """A room's description, or None when there is no such room."""
        row = self._client.get("chat", meta_key(room))
        return read_meta(row) if row else None

    def each(self, rooms: Iterable[str]) -> Iterator[Room]:
        """The descriptions of those of these rooms that are there, in any order. Raises, as `get` does, KeyError,
        TypeError or ValueError at one that cannot be read."""
        yield from map(read_meta, self._client.get_each("chat", map(meta_key, rooms)))

    def put(self, room: Room) -> bool:
        """Stores a room without an entry in its log (`general`); False when it exists."""
        return self._client.write_if(put_new("chat", meta_row(room)))

    def raise_bucket(self, room: str, bucket: int) -> None:
        """Notes that the room's log has begun this bucket; never lowers it, never makes a room."""
        names, values = {"#bucket": "bucket"}, {":bucket": bucket}
        self._client.update_if("chat", meta_key(room), "SET #bucket = :bucket", "#bucket < :bucket", names, values)

    def all(self) -> Iterator[Room]:
        """Every room: reads the whole table `chat`, a page at a time."""
        names, values = {"#sk": "sk", "#pk": "pk"}, {":meta": "META", ":room": "ROOM#"}
        yield from map(read_meta, self._client.scan("chat", "#sk = :meta AND begins_with(#pk, :room)", names, values))

    def raise_floor(self, room: str, floor: int) -> None:
        """Notes the oldest number that the room's log keeps; never lowers it."""
        names, values = {"#floor": "floor"}, {":floor": floor}
        self._client.update_if("chat", meta_key(room), "SET #floor = :floor", "#floor < :floor", names, values)

    def set_generation(self, room: Room, generation: int) -> bool:
        """Gives a room another generation, if it still has the one that was read; False when it has not."""
        names, values = {"#generation": "generation"}, {":new": generation, ":old": room.generation}
        update, condition = "SET #generation = :new", "#generation = :old"
        return self._client.update_if("chat", meta_key(room.id), update, condition, names, values)

    def disown(self, room: str) -> bool:
        """Takes a room's owner away; False when it had none."""
        names, values = {"#owner": "owner"}, {":nobody": ""}
        condition = "attribute_exists(#owner) AND #owner <> :nobody"
        return self._client.update_if("chat", meta_key(room), "SET #owner = :nobody", condition, names, values)

    def note_swept(self, room: str, swept: int) -> None:
        """Notes that nothing of the room's log lies below that number any more; never lowers it."""
        condition = "attribute_exists(pk) AND (attribute_not_exists(#swept) OR #swept < :swept)"
        names, values = {"#swept": "swept"}, {":swept": swept}
        self._client.update_if("chat", meta_key(room), "SET #swept = :swept", condition, names, values)

    def public(self, after: str = "", limit: int | None = None) -> list[tuple[str, str]]:
        """(room, name) of the first public rooms behind that one, by the room's id; `after` empty: of all."""
        request = {
            "TableName": self._client.table("chat"),
            "KeyConditionExpression": "#key = :key AND #sort > :after",
            "ExpressionAttributeNames": {"#key": "pk", "#sort": "sk"},
            "ExpressionAttributeValues": pack({":key": PUBLIC, ":after": after or " "}),
            "ConsistentRead": True,
        }
        return [(row["room"], row["name"]) for row in self._client.query(request, limit)]

    def count_memberships(self, username: str) -> int:
        """In how many rooms the person is. Counted where they lie: nothing but the number travels."""
        request: dict[str, Any] = {
            "TableName": self._client.table("chat"),
            "KeyConditionExpression": "#key = :key AND begins_with(#sort, :prefix)",
            "FilterExpression": "#state = :in",
            "ExpressionAttributeNames": {"#key": "pk", "#sort": "sk", "#state": "state"},
            "ExpressionAttributeValues": pack({":key": f"USER#{username}", ":prefix": "ROOM#", ":in": "in"}),
            "Select": "COUNT",
            "ConsistentRead": True,  # a cap that is asked right behind the join that fills it must know of that
        }
        counted = 0
        while True:
            answer = self._client.call("query", **request)
            counted += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return counted
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def memberships(self, username: str) -> list[Membership]:
        """Every room the person is or was in, with read positions."""
        return [read_membership(row) for row in self._client.partition("chat", f"USER#{username}", "ROOM#")]

    def members(self, room: str) -> list[Membership]:
        """Everybody who is or was in the room."""
        return [read_membership(row) for row in self._client.partition("chat", f"ROOM#{room}", "MEM#")]

    def membership(self, room: str, username: str) -> Membership | None:
        """That person's membership of that room with its read position, or None when there never was one."""
        row = self._client.get("chat", user_room_key(username, room))
        return read_membership(row) if row else None

    def put_membership(self, membership: Membership) -> bool:
        """Stores a first membership that has no entry in the log; False when there is or was one already."""
        attributes = membership_attributes(membership) | {"read": membership.read}
        return self._client.transact_if(put_new("chat", key | attributes) for key in membership_keys(membership))

    def mark_read(self, username: str, room: str, seq: int) -> bool:
        """Moves a member's read position forward; False when it is there or beyond, or they are not in the room."""
        return self._client.update_if(
            "chat",
            user_room_key(username, room),
            "SET #read = :seq",
            "attribute_exists(pk) AND #state = :in AND #read < :seq",
            {"#read": "read", "#state": "state"},
            {":seq": seq, ":in": "in"},
        )
