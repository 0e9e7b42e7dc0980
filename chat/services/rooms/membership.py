"""Coming and going: making rooms, joining and leaving them, bringing others in and putting them out."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from chat import names
from chat.errors import ChatError
from chat.models import GENERAL, Entry, EntryKind, Membership, Person, Room, RoomKind
from chat.services.accounts.audit import note
from chat.services.bus.events import MembershipChanged, RoomMade
from chat.services.bus.publisher import Publisher
from chat.services.limits.allowance import CREATE_COST, MOVE_COST, Allowance
from chat.services.log.append import Draft, DraftUnder, Log
from chat.services.rooms.overview import Overview
from chat.services.rooms.owners import NO_OWNERS, Owners, judge_owners
from chat.services.rooms.rooms import UNBOUNDED, Bounds, Rooms
from chat.services.storage.rooms import membership_fact
from chat.services.storage.storage import Storage

if TYPE_CHECKING:
    from chat.services.limits.limits import Limit

Named = tuple[str, str | None]  # a field of a request that came later: see chat.services.log.idempotency.digest
NOBODY: Named = ("successor", None)
NOTED: dict[EntryKind, str] = {"joined": "room_join", "left": "room_leave", "removed": "room_remove"}


class Memberships:
    """Who is in which room, by what they and others do. Raises ChatError `room_not_found` alike for a room that is not
    there and one that is not theirs."""

    def __init__(
        self,
        storage: Storage,
        rooms: Rooms,
        overview: Overview,
        log: Log,
        bus: Publisher,
        allowance: Allowance | None = None,
        bounds: Bounds = UNBOUNDED,
    ):
        self._storage = storage
        self._rooms = rooms
        self._overview = overview
        self._log = log
        self._bus = bus
        self._allowance = allowance or Allowance()
        self._bounds = bounds

    def create(self, person: Person, client_id: str, name: str, kind: RoomKind) -> dict[str, Any]:
        """Makes a room with the person in it; the same room when the request comes again.

        Raises: ChatError `room_name_invalid`, `room_name_taken`, `too_many_rooms`, `client_id_invalid`,
        `client_id_reused`, `rate_limited`.
        """
        self._allowance.write(person.username, CREATE_COST)
        name = " ".join(name.split())
        slug = names.room_slug(name)
        if slug == GENERAL.id:
            self._rooms.get(slug)  # it is there from now on, and so nobody can make it
        room_id = slug if kind == "public" else secrets.token_hex(8)
        founder = Membership(room_id, person.username, person.name, inside=True, seq=1, start=1, read=1)
        room = Room(room_id, name, kind, owner=person.username, generation=self._log.now_ms() // 1000)
        room_id = self._log.begin(room, person.username, client_id, ("create", name, kind), founder, self._bounds.made)
        note("room_create", user=person.username, room=room_id, kind=kind, outcome="ok")
        self._membership_changed(person.username)
        if kind == "public":
            self._bus.publish(RoomMade(room_id, name))
        return self._overview.describe(person, room_id)

    def join(self, person: Person, client_id: str, room_id: str) -> dict[str, Any]:
        """Enters a public room. Raises: ChatError `room_not_found`, also for private rooms, `too_many_rooms`,
        `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        if not self._moved(person, client_id, "joined", room_id, person.username):
            room = self._rooms.get(room_id)
            if room.kind != "public":
                raise ChatError("room_not_found")
            self._move(person, client_id, room, person, "joined")
        return self._overview.describe(person, room_id)

    def leave(self, person: Person, client_id: str, room_id: str, successor: str | None = None) -> None:
        """Leaves a room. Its owner hands it to the `successor`, a member; to who has been there longest without one.

        Raises: ChatError `room_required` for `general`, `not_room_owner` for who names a successor and owns nothing,
        `user_not_found` when that is no other member, `rate_limited`.
        """
        self._allowance.write(person.username, MOVE_COST)
        if room_id == GENERAL.id:
            raise ChatError("room_required")
        named = ("successor", successor if successor is None else self._named(successor))
        if not self._moved(person, client_id, "left", room_id, person.username, named):
            self._move(person, client_id, self._rooms.get(room_id), person, "left", named=named)

    def invite(self, person: Person, client_id: str, room_id: str, username: str) -> None:
        """Brings somebody into a room the person is in. Raises: ChatError `user_not_found`, `too_many_rooms`,
        `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        username = self._named(username)
        if not self._moved(person, client_id, "joined", room_id, username):
            room, _ = self._rooms.require(person, room_id)
            self._move(person, client_id, room, self._user(username), "joined", self._bounds.invitations)

    def remove(self, person: Person, client_id: str, room_id: str, username: str) -> None:
        """Puts somebody out of a room the person owns. Raises: ChatError `not_room_owner`, `room_required`,
        `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        username = self._named(username)
        if not self._moved(person, client_id, "removed", room_id, username):
            room, _ = self._rooms.require(person, room_id)
            if room.owner != person.username:
                self._refuse_unless_owner_now(person, room)
            self._move(person, client_id, room, self._user(username), "removed")

    def _refuse_unless_owner_now(self, person: Person, room: Room) -> None:
        self._rooms.forget(room.id)  # somebody may have handed it to them, and this worker not have heard
        if self._rooms.get(room.id).owner != person.username:
            raise ChatError("not_room_owner")

    @staticmethod
    def _named(typed: str) -> str:
        username = names.username(typed)
        if username is None:
            raise ChatError("user_not_found")
        return username

    def _user(self, username: str) -> Person:
        user = self._storage.users.get(username)
        if user is None:
            raise ChatError("user_not_found")
        return Person(user.username, user.name)

    def _moved(
        self, by: Person, client_id: str, kind: EntryKind, room_id: str, username: str, named: Named = NOBODY
    ) -> bool:
        """Whether this very request was carried out before: then no rule of today may refuse it."""
        done = self._log.claims.already(by.username, client_id, (kind, room_id, username, named)) is not None
        if done:
            self._membership_changed(username)
        return done

    def _move(
        self,
        by: Person,
        client_id: str,
        room: Room,
        whom: Person,
        kind: EntryKind,
        spends: Limit | None = None,
        named: Named = NOBODY,
    ) -> None:
        """Appends a membership entry unless it would change nothing. Who is out cannot leave: `room_not_found`. What it
        spends is spent once, and only for what nothing else refuses."""
        request = (kind, room.id, whom.username, named)
        enters, spent, owners = kind == "joined", False, NO_OWNERS

        def judge() -> DraftUnder | None:
            nonlocal spent, owners
            old = self._storage.rooms.membership(room.id, whom.username)
            inside = old is not None and old.inside
            if not enters and not inside:
                raise ChatError("room_not_found" if whom == by else "user_not_found")
            if enters and inside:
                return None
            if enters:
                self._refuse_if_in_too_many(whom, by)
            if spends is not None and not spent:
                spends.spend(by.username)
                spent = True
            owners = NO_OWNERS if enters else judge_owners(self._storage, room.id, by, whom, kind, named[1])
            return partial(self._draft_move, room, by, whom, kind, old, owners)

        done = self._log.append(room, by.username, client_id, request, judge)
        if not enters:
            self._rooms.forget(room.id)
        if done.seq:
            event = "room_invite" if enters and whom != by else NOTED[kind]
            note(event, user=by.username, room=room.id, whom=whom.username, outcome="ok")
            if owners.successor is not None:
                note("room_owner", user=by.username, room=room.id, whom=owners.successor, outcome="ok")
        self._membership_changed(whom.username)

    def _refuse_if_in_too_many(self, whom: Person, by: Person) -> None:
        most = self._bounds.memberships
        if most is not None:
            most = most if whom == by else most // 2
            if self._storage.rooms.count_memberships(whom.username) >= most:
                raise ChatError("too_many_rooms")

    def _draft_move(
        self, room: Room, by: Person, whom: Person, kind: EntryKind, old: Membership | None, owners: Owners, seq: int
    ) -> Draft:
        enters = kind == "joined"
        start = old.start if old and not enters else (1 if room.kind == "public" else seq)
        actor = by.username if by.username != whom.username else None
        at_ms, successor = self._log.now_ms(), owners.successor
        entry = Entry(room.id, seq, kind, at_ms, user=whom.username, name=whom.name, by=actor, successor=successor)
        membership = Membership(room.id, whom.username, whom.name, enters, seq, start, read=seq)
        return Draft(entry, facts=(membership_fact(membership), *owners.facts))

    def _membership_changed(self, username: str) -> None:
        self._bus.publish(MembershipChanged(username))
