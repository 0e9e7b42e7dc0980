"""Whose a room is, and whose it is next: an owner who goes hands it on, by the entry that says that they went."""

from __future__ import annotations

from typing import NamedTuple

from chat.errors import ChatError
from chat.models import EntryKind, Person
from chat.services.rooms.rooms import longest
from chat.services.storage.facts import Fact
from chat.services.storage.rooms import member_fact, owner_fact
from chat.services.storage.storage import Storage


class Owners(NamedTuple):
    """What somebody's going makes of the room's owner: who it is from then on, if it is another, and the facts that
    this is judged by."""

    successor: str | None = None
    facts: tuple[Fact, ...] = ()


NO_OWNERS = Owners()


def judge_owners(
    storage: Storage, room_id: str, by: Person, whom: Person, kind: EntryKind, named: str | None
) -> Owners:
    """Who owns the room when `whom` goes, which `by` asks for. Where its owner goes, or has gone already (by an older
    version, or as the last one who was there), that is who is `named`, else who has been there longest; nobody else
    when they were alone. Whoever it is must own it still, and be there, when the entry is stored.

    Raises: ChatError `not_room_owner` for who removes somebody or names a successor and does not own the room,
    `user_not_found` when who is named is no other member.
    """
    room = storage.rooms.get(room_id)
    if room is None:
        raise ChatError("room_not_found")
    if room.owner != by.username and (kind == "removed" or named is not None):
        raise ChatError("not_room_owner")
    if whom.username != room.owner and (kind == "removed" or _is_in(storage, room_id, room.owner)):
        return Owners(facts=(owner_fact(room_id, room.owner, room.owner),))
    if named is None:
        successor = longest(storage.rooms.members(room_id), whom.username)
    elif named != whom.username and _is_in(storage, room_id, named):
        successor = named
    else:
        raise ChatError("user_not_found")
    if successor is None:
        return Owners(facts=(owner_fact(room_id, room.owner, room.owner),))
    return Owners(successor, (owner_fact(room_id, room.owner, successor), member_fact(room_id, successor)))


def _is_in(storage: Storage, room_id: str, username: str) -> bool:
    membership = storage.rooms.membership(room_id, username) if username else None
    return membership is not None and membership.inside
