"""Rooms: making, joining and leaving them, who is in them, and the list that a person sees."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from chat import names
from chat.errors import ChatError
from chat.models import GENERAL, Entry, EntryKind, Membership, Person, Room, RoomKind
from chat.services.bus.publisher import Publisher
from chat.services.limits.allowance import CREATE_COST, MOVE_COST, Allowance
from chat.services.log.append import Draft, DraftUnder, Log
from chat.services.log.sequence import Numbers
from chat.services.runtime.keyed_lock import OneAtATime
from chat.services.storage.rooms import membership_fact
from chat.services.storage.storage import Storage

if TYPE_CHECKING:
    from chat.services.limits.limits import Limit

META_FRESH_S = 30.0
MAX_UNREAD_ENTRIES = 500
LISTED_AT_ONCE = 200  # rooms of a person's in one answer
JOINABLE_AT_ONCE = 500
MAX_CURSOR_CHARS = 256  # older versions made rooms of longer ids than a request takes: they are left out, but passed by
ROOMS_PER_READ = 10  # described for what a page of messages costs
PRIVATE_ID = re.compile(r"[0-9a-f]{16}")

log = logging.getLogger(__name__)

# (room, username) → the membership as a follower of this worker knows it from the log, None when it does not.
Known = Callable[[str, str], Membership | None]
# Runs jobs side by side and answers their results in order (in a worker: a pool of greenlets).
Gather = Callable[[Iterable[Callable[[], Any]]], list[Any]]


def one_by_one(jobs: Iterable[Callable[[], Any]]) -> list[Any]:
    """The Gather of a process without greenlets."""
    return [job() for job in jobs]


@dataclass(frozen=True)
class Bounds:
    """How many rooms a person may make, and be in: others bring them into half as many, so many an hour each."""

    made: int | None = None
    memberships: int | None = None
    invitations: Limit | None = None


class Rooms:
    """Rooms and memberships. Raises ChatError `room_not_found` alike for a room that is not there and one that is not
    theirs."""

    def __init__(
        self,
        storage: Storage,
        numbers: Numbers,
        log: Log,
        bus: Publisher,
        known: Known = lambda room_id, username: None,
        gather: Gather = one_by_one,
        allowance: Allowance | None = None,
        bounds: Bounds = Bounds(),
    ):
        self._storage = storage
        self._numbers = numbers
        self._log = log
        self._bus = bus
        self._known = known
        self._gather = gather
        self._allowance = allowance or Allowance()
        self._bounds = bounds
        self._metas: dict[str, tuple[float, Room]] = {}
        self._left_out: set[str] = set()
        self._reading = OneAtATime()

    def get(self, room_id: str) -> Room:
        """A room's description, at most META_FRESH_S seconds old."""
        room = self._fresh(room_id)
        if room is not None:
            return room
        with self._reading(room_id):
            return self._fresh(room_id) or self._read(room_id)

    def _fresh(self, room_id: str) -> Room | None:
        fresh_until, room = self._metas.get(room_id, (0.0, None))
        return room if time.monotonic() <= fresh_until else None

    def _read(self, room_id: str) -> Room:
        room = self._storage.rooms.get(room_id) if names.may_be_room(room_id) else None
        if room_id == GENERAL.room:
            room = self._general(room)
        if room is None:
            raise ChatError("room_not_found")
        self._metas[room_id] = (time.monotonic() + META_FRESH_S, room)
        return room

    def _general(self, room: Room | None) -> Room | None:
        """`general` where the tables were made without it; without its owner, whom an older version may have let be."""
        if room is None:
            self._storage.rooms.put(replace(GENERAL, generation=self._now_s()))
            return self._storage.rooms.get(GENERAL.room)  # another worker may have been first
        if room.owner:
            self._storage.rooms.disown(room.room)
        return replace(room, owner="")

    def _now_s(self) -> int:
        return self._log.now_ms() // 1000

    def forget(self, room_id: str) -> None:
        """Reads the room's description anew when it is asked for next."""
        self._metas.pop(room_id, None)

    def forget_all(self) -> None:
        """Reads every room's description anew when it is asked for next."""
        self._metas.clear()

    def restored(self) -> int:
        """Gives every room a generation that it never had, because the tables were put back to an earlier state: then
        every worker and every page starts over. Returns how many rooms there are."""
        now, count = int(time.time()), 0
        for room in self._storage.rooms.all():
            self._storage.rooms.set_generation(room, max(room.generation + 1, now))
            count += 1
        self.forget_all()
        self._bus.publish("restored")
        return count

    def require(self, person: Person, room_id: str) -> tuple[Room, Membership]:
        """The room and the person's membership of it: as this worker follows it, else read now.

        Raises: ChatError `room_not_found`.
        """
        if not names.may_be_room(room_id):
            raise ChatError("room_not_found")
        membership = self._known(room_id, person.username) or self._storage.rooms.membership(room_id, person.username)
        if membership is None and room_id == GENERAL.room:
            self._enter_general(person)
            membership = self._storage.rooms.membership(room_id, person.username)
        if membership is None or not membership.inside:
            raise ChatError("room_not_found")
        return self.get(room_id), membership

    def is_known(self, person: Person, room_id: str) -> bool:
        """Whether `require` would return without waiting for anything."""
        return self._known(room_id, person.username) is not None and self._fresh(room_id) is not None

    def memberships(self, person: Person) -> list[tuple[Room, Membership]]:
        """The rooms the person is in; `general` always, from the first time on. One that cannot be read is left out,
        and who was brought into more than anybody may be in has the first of them."""
        found = [(self._readable(m.room), m) for m in self._inside(person)]
        return [(room, m) for room, m in found if room is not None]

    def _inside(self, person: Person) -> list[Membership]:
        """Where the person is: `general`, public rooms, private ones."""
        mine = self._storage.rooms.memberships(person.username)
        if all(m.room != GENERAL.room for m in mine):
            self._enter_general(person)
            mine = self._storage.rooms.memberships(person.username)
        inside = sorted((m for m in mine if m.inside), key=lambda m: _place(m.room))
        return inside[: self._bounds.memberships]

    def _readable(self, room_id: str) -> Room | None:
        """A room of somebody's list. One that cannot be read, now or ever, does not take the others with it."""
        try:
            return self.get(room_id)
        except ChatError as error:
            if error.retry:
                raise
        except (KeyError, TypeError, ValueError):  # its row is not one of ours
            pass
        self._leave_out(room_id)
        return None

    def _leave_out(self, room_id: str) -> None:
        if room_id not in self._left_out:
            self._left_out.add(room_id)
            log.error("room %.80r cannot be read and is left out of lists (`flask doctor`)", room_id)

    def _enter_general(self, person: Person) -> None:
        room = self.get(GENERAL.room)
        head = self._numbers.read_head(room)
        self._storage.rooms.put_membership(Membership(room.room, person.username, person.name, inside=True, read=head))

    # --- the list -------------------------------------------------------------------------------------------------

    def overview(
        self, person: Person, rooms_after: str | None = None, joinable_after: str | None = None
    ) -> dict[str, Any]:
        """The person's rooms with heads and unread counts, and the public rooms they may join (docs/protocol.md): the
        first of both, or what follows those that are named. Raises: ChatError `cursor_invalid`, `rate_limited`."""
        for after in (rooms_after, joinable_after):
            if after is not None and not 0 < len(after) <= MAX_CURSOR_CHARS:
                raise ChatError("cursor_invalid")
        inside = self._inside(person)
        rest = [m for m in inside if rooms_after is None or _place(m.room) > _place(rooms_after)]
        listed = rest[:LISTED_AT_ONCE] if joinable_after is None else []
        answer: dict[str, Any] = {"rooms": [], "joinable": []}
        with self._allowance.reading(person.username, "rooms", max(1.0, len(listed) / ROOMS_PER_READ)):
            found = [(self._readable(m.room), m) for m in listed]
            mine = [partial(self._described_if_readable, person, room, m) for room, m in found if room is not None]
            answer["rooms"] = [each for each in self._gather(mine) if each is not None]
            if len(rest) > len(listed) > 0:
                answer["rooms_after"] = listed[-1].room
            if rooms_after is None:
                self._list_joinable({m.room for m in inside}, joinable_after, answer)
        return answer

    def _list_joinable(self, inside: set[str], after: str | None, answer: dict[str, Any]) -> None:
        found = self._storage.rooms.public(after or "", JOINABLE_AT_ONCE)
        others = [(room, name) for room, name in found if room not in inside and names.may_be_room(room)]
        answer["joinable"] = [{"room": room, "name": name} for room, name in others]
        if len(found) == JOINABLE_AT_ONCE:
            answer["joinable_after"] = found[-1][0]

    def _described_if_readable(self, person: Person, room: Room, membership: Membership) -> dict[str, Any] | None:
        try:
            return self._described(person, room, membership)
        except (KeyError, TypeError, ValueError):  # in its log is what this version cannot read
            self._leave_out(room.room)
            return None

    def describe(self, person: Person, room_id: str) -> dict[str, Any]:
        """One of the person's rooms as `overview` shows it."""
        return self._described(person, *self.require(person, room_id))

    def _described(self, person: Person, room: Room, membership: Membership) -> dict[str, Any]:
        head = self._numbers.read_head(room)
        unread, more = self._unread(person, room, max(membership.read, membership.start - 1, room.floor - 1), head)
        return {
            "room": room.room,
            "name": room.name,
            "kind": room.kind,
            "owner": room.owner,
            "generation": room.generation,
            "head": head,
            "read": membership.read,
            "from": membership.start,
            "unread": unread,
            "unread_more": more,
        }

    def _unread(self, person: Person, room: Room, read: int, head: int) -> tuple[int, bool]:
        """How many messages of others follow `read`, counted over at most 500 entries, and whether there may be
        more."""
        if head <= read:
            return 0, False
        count, entries = self._storage.entries.count_messages(
            room.room, read, head, MAX_UNREAD_ENTRIES, person.username
        )
        return count, entries == MAX_UNREAD_ENTRIES

    def members(self, person: Person, room_id: str) -> list[dict[str, str]]:
        """`{username, name}` of everybody in one of the person's rooms, by name. Raises: ChatError `rate_limited`."""
        with self._allowance.reading(person.username, "members"):
            self.require(person, room_id)
            inside = [m for m in self._storage.rooms.members(room_id) if m.inside]
        return [{"username": m.username, "name": m.name} for m in sorted(inside, key=lambda m: m.name.casefold())]

    # --- coming and going -----------------------------------------------------------------------------------------

    def create(self, person: Person, client_id: str, name: str, kind: RoomKind) -> dict[str, Any]:
        """Makes a room with the person in it; the same room when the request comes again.

        Raises: ChatError `room_name_invalid`, `room_name_taken`, `too_many_rooms`, `client_id_invalid`,
        `client_id_reused`, `rate_limited`.
        """
        self._allowance.write(person.username, CREATE_COST)
        name = " ".join(name.split())
        slug = names.room_slug(name)
        if slug == GENERAL.room:
            self.get(slug)  # it is there from now on, and so nobody can make it
        room_id = slug if kind == "public" else secrets.token_hex(8)
        founder = Membership(room_id, person.username, person.name, inside=True, seq=1, start=1, read=1)
        room = Room(room_id, name, kind, owner=person.username, generation=self._now_s())
        room_id = self._log.begin(room, person.username, client_id, ("create", name, kind), founder, self._bounds.made)
        self._membership_changed(person.username)
        return self.describe(person, room_id)

    def join(self, person: Person, client_id: str, room_id: str) -> dict[str, Any]:
        """Enters a public room. Raises: ChatError `room_not_found`, also for private rooms, `too_many_rooms`,
        `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        if not self._moved(person, client_id, "joined", room_id, person.username):
            room = self.get(room_id)
            if room.kind != "public":
                raise ChatError("room_not_found")
            self._move(person, client_id, room, person, "joined")
        return self.describe(person, room_id)

    def leave(self, person: Person, client_id: str, room_id: str) -> None:
        """Leaves a room. Raises: ChatError `room_required` for `general`, `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        if room_id == GENERAL.room:
            raise ChatError("room_required")
        if not self._moved(person, client_id, "left", room_id, person.username):
            self._move(person, client_id, self.get(room_id), person, "left")

    def invite(self, person: Person, client_id: str, room_id: str, username: str) -> None:
        """Brings somebody into a room the person is in. Raises: ChatError `user_not_found`, `too_many_rooms`,
        `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        username = self._named(username)
        if not self._moved(person, client_id, "joined", room_id, username):
            room, _ = self.require(person, room_id)
            whom = self._user(username)
            if self._bounds.invitations is not None:
                self._bounds.invitations.spend(person.username)
            self._move(person, client_id, room, whom, "joined")

    def remove(self, person: Person, client_id: str, room_id: str, username: str) -> None:
        """Puts somebody out of a room the person owns. Raises: ChatError `not_room_owner`, `room_required`,
        `rate_limited`."""
        self._allowance.write(person.username, MOVE_COST)
        username = self._named(username)
        if not self._moved(person, client_id, "removed", room_id, username):
            room, _ = self.require(person, room_id)
            if room.owner != person.username:
                raise ChatError("not_room_owner")
            self._move(person, client_id, room, self._user(username), "removed")

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

    def _moved(self, by: Person, client_id: str, kind: EntryKind, room_id: str, username: str) -> bool:
        """Whether this very request was carried out before: then no rule of today may refuse it."""
        done = self._log.already(by.username, client_id, (kind, room_id, username)) is not None
        if done:
            self._membership_changed(username)
        return done

    def _move(self, by: Person, client_id: str, room: Room, whom: Person, kind: EntryKind) -> None:
        """Appends a membership entry unless it would change nothing. Who is out cannot leave: `room_not_found`."""
        request = (kind, room.room, whom.username)
        enters = kind == "joined"

        def judge() -> DraftUnder | None:
            old = self._storage.rooms.membership(room.room, whom.username)
            inside = old is not None and old.inside
            if not enters and not inside:
                raise ChatError("room_not_found" if whom == by else "user_not_found")
            if enters and inside:
                return None
            if enters:
                self._refuse_if_in_too_many(whom, by)
            return partial(self._draft_move, room, by, whom, kind, old)

        self._log.append(room, by.username, client_id, request, judge)
        self._membership_changed(whom.username)

    def _refuse_if_in_too_many(self, whom: Person, by: Person) -> None:
        most = self._bounds.memberships
        if most is not None:
            most = most if whom == by else most // 2
            if self._storage.rooms.count_memberships(whom.username) >= most:
                raise ChatError("too_many_rooms")

    def _draft_move(
        self, room: Room, by: Person, whom: Person, kind: EntryKind, old: Membership | None, seq: int
    ) -> Draft:
        enters = kind == "joined"
        start = old.start if old and not enters else (1 if room.kind == "public" else seq)
        actor = by.username if by.username != whom.username else None
        entry = Entry(room.room, seq, kind, self._log.now_ms(), user=whom.username, name=whom.name, by=actor)
        membership = Membership(room.room, whom.username, whom.name, enters, seq, start, read=seq)
        return Draft(entry, facts=(membership_fact(membership),))

    def _membership_changed(self, username: str) -> None:
        self._bus.publish("membership", user=username)


def _place(room_id: str) -> tuple[bool, bool, str]:
    """Where a room stands in a list: `general`, public rooms, private ones."""
    return room_id != GENERAL.room, bool(PRIVATE_ID.fullmatch(room_id)), room_id
