"""Followers: all of this worker's, one for each room that its sockets are in and in which something moves.

A room in which nothing does is dormant (dormant.py): its sockets are known, its head is, and the first that is heard of
it wakes it. Its follower then begins at that head, so to the sockets there is no difference.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent

from chat.errors import ChatError
from chat.models import Entry, Membership, Message, Room
from chat.services.log.append import Log
from chat.services.log.dormant import Dormant, DormantRooms
from chat.services.log.follower import Follower
from chat.services.log.heads import Heads
from chat.services.log.sequence import Sequences
from chat.services.log.subscribers import SETTLED_S, Broadcaster, Subscribers
from chat.services.runtime.gather import Gather, one_by_one
from chat.services.runtime.keyed_lock import KeyedLock
from chat.services.storage.rows import UNREADABLE
from chat.services.storage.storage import Storage

REPLAY, MAX_REPLAY = 50, 3_200
AGAIN_S = 1.0

log = logging.getLogger(__name__)


class Followers:
    """All followers and dormant rooms of this worker. `on_refused` is told of a socket that a room did not take, since
    the log knows more than the membership it came by: its memberships are to be read again."""

    def __init__(
        self, storage: Storage, sequences: Sequences, log_: Log, broadcaster: Broadcaster, gather: Gather = one_by_one
    ):
        self.on_refused: Callable[[str], None] = lambda sid: None
        self.dormant = DormantRooms()
        self.heads_of = Heads(storage, sequences, gather).read
        self._storage = storage
        self._sequences = sequences
        self._log = log_
        self._broadcaster = broadcaster
        self._followers: dict[str, Follower] = {}
        self._by_socket: dict[str, dict[str, Subscribers]] = {}  # socket → room: leaving costs one's own rooms
        self._attending = KeyedLock()
        self._starting = KeyedLock()

    # --- which rooms ------------------------------------------------------------------------------------------------

    def get(self, room: str) -> Follower | None:
        """The room's follower, if this worker has one."""
        return self._followers.get(room)

    def all(self) -> dict[str, Follower]:
        """Room → its follower, as they are now."""
        return dict(self._followers)

    def attend(self, rooms: Sequence[Room]) -> set[str]:
        """From now on nothing that happens in these rooms is missed. Returns which are left out, since their log cannot
        be read. Raises: ChatError `unavailable`."""
        with self._attending("rooms"):  # those who come in a crowd have most of them in common
            new = [room for room in rooms if self._attended(room) is None]
            heads = self.heads_of(new)
            for room in new:
                if self._attended(room) is None and room.id in heads:
                    self._give_up(room.id)
                    self._lay(Dormant(room, heads[room.id], time.monotonic()))
        return {room.id for room in new} - heads.keys()

    def attended_since(self, room: Room) -> float | None:
        """Since when nothing that happens in the room is missed, by the monotonic clock; None when it may be."""
        attended = self._attended(room)
        return attended.since if attended is not None else None

    def _attended(self, room: Room) -> Follower | Dormant | None:
        return self._following(room) or self._sleeping(room)

    def _following(self, room: Room) -> Follower | None:
        follower = self._followers.get(room.id)
        return follower if follower is not None and follower.room.generation == room.generation else None

    def _sleeping(self, room: Room) -> Dormant | None:
        dormant = self.dormant.get(room.id)
        return dormant if dormant is not None and dormant.room.generation == room.generation else None

    def _give_up(self, room: str) -> None:
        self.dormant.take(room)
        follower = self._followers.pop(room, None)
        if follower is not None:
            follower.abandon()

    def head(self, room: Room) -> int:
        """How far the room's log has come: as this worker knows, else as the table has it. Raises: ChatError
        `unavailable`."""
        attended = self._attended(room)
        if attended is None:
            return self._sequences.read_head(room)
        return max(attended.head, self._sequences.known(room.id))  # a dormant room that is waking has heard of more

    # --- whose sockets ----------------------------------------------------------------------------------------------

    def subscribe(self, sid: str, room: Room, membership: Membership, asked_at: float) -> bool:
        """Adds a socket to an attended room, by a membership that was asked for since then, at that time of the
        monotonic clock. False when it is to be read again: the log has told of a later one."""
        follower, dormant = self._following(room), self._sleeping(room)
        if follower is None and dormant is not None:
            self.dormant.add(dormant, sid, membership, asked_at)
            return True
        return follower is not None and follower.subscribe(sid, membership, asked_at)

    def has(self, sid: str, room: str) -> bool:
        """Whether the socket is in the room, as far as it is known here."""
        return room in self._by_socket.get(sid, ()) or room in self.dormant.of(sid)

    def member(self, room: str, username: str) -> Membership | None:
        """What the log, as far as it is followed here, says of somebody with a socket in the room; None without one."""
        follower = self._followers.get(room)
        return follower.subscribers.member(username) if follower is not None else None

    def forget(self, sid: str) -> None:
        """Takes a closed socket out of every room."""
        self.dormant.forget(sid)
        for subscribers in list(self._by_socket.get(sid, {}).values()):
            subscribers.remove(sid)

    def heads(self, sid: str) -> dict[str, tuple[int, int]]:
        """Room → (generation, the entry that it was told up to) of each room that the socket is in."""
        mine: dict[str, Follower | Dormant] = dict(self.dormant.of(sid))
        for room, subscribers in self._by_socket.get(sid, {}).items():
            follower = self._followers.get(room)
            if follower is not None and follower.subscribers is subscribers:
                mine[room] = follower
        return {room: (attended.room.generation, attended.head) for room, attended in mine.items()}

    # --- what is heard ----------------------------------------------------------------------------------------------

    def offer(self, room: str, generation: int, entry: dict[str, Any], snapshot: dict[str, Any] | None) -> None:
        """An entry from the bus."""
        self._sequences.decided(room, entry["seq"])
        follower, dormant = self._followers.get(room), self.dormant.get(room)
        if follower is not None and follower.room.generation == generation:
            follower.offer(entry, snapshot)
        elif dormant is not None and dormant.room.generation == generation and dormant.hears(entry["seq"]):
            self.wake(dormant)

    def decided(self, room: str, seq: int) -> None:
        """The bus says that this number is decided, without saying what it is."""
        follower, dormant = self._followers.get(room), self.dormant.get(room)
        if follower is not None and follower.cursor < seq:
            follower.repair(upto=seq)
        elif dormant is not None and dormant.hears(seq):
            self.wake(dormant)

    def when_followed(self, room: str, act: Callable[[Follower], None]) -> None:
        """Does this with the room's follower: now, or when the dormant room is awake; never where no socket is."""
        follower, dormant = self._followers.get(room), self.dormant.get(room)
        if follower is not None:
            act(follower)
        elif dormant is not None:
            self.wake(dormant, act)

    def restored(self) -> None:
        """The tables were put back to an earlier state: nothing that is known here holds any more. Sockets are to be
        subscribed anew."""
        self._sequences.forget()
        for follower in self._followers.values():
            follower.abandon()
        self._followers.clear()
        self.dormant.clear()

    # --- waking and falling asleep ----------------------------------------------------------------------------------

    def wake(self, dormant: Dormant, act: Callable[[Follower], None] | None = None) -> None:
        """Follows a dormant room, soon, and then does that."""
        if act is not None:
            dormant.then.append(act)
        if not dormant.waking:
            dormant.waking = True
            gevent.spawn(self._wake, dormant)

    def _wake(self, dormant: Dormant) -> None:
        try:
            room = self._storage.rooms.get(dormant.room.id)  # its floor may have risen while it slept
            if self._sleeping(dormant.room) is not dormant:
                return
            if room is None or room.generation != dormant.room.generation:
                self._put_out(dormant)
                return
            follower = self.follow(room)
            for act in dormant.then:
                act(follower)
        except ChatError:
            gevent.spawn_later(AGAIN_S, self.wake, dormant)
        except UNREADABLE:
            log.exception("what was said in %.80r cannot be read", dormant.room.id)
            dormant.head = max(dormant.head, dormant.proposed, self._sequences.known(dormant.room.id))
        finally:
            dormant.waking = False

    def _put_out(self, dormant: Dormant) -> None:
        """The room is another one now."""
        self._give_up(dormant.room.id)
        for sid in dormant.sockets:
            self.on_refused(sid)

    def sleep(self, follower: Follower) -> None:
        """Nothing has moved in the room for a while: its sockets wait, and its follower is not needed."""
        dormant = Dormant(follower.room, follower.cursor, follower.since, settled=follower.cursor)
        members = follower.subscribers.memberships()
        self._give_up(follower.room.id)
        self._lay(dormant)
        for sid, membership in members.items():
            self.dormant.add(dormant, sid, membership, time.monotonic())

    def drop(self, room: str) -> None:
        """No socket is in the room any more."""
        self._give_up(room)

    def _lay(self, dormant: Dormant) -> None:
        self.dormant.put(dormant)
        if self._sequences.known(dormant.room.id) > dormant.head:  # heard of while its head was read
            self.wake(dormant)

    def follow(self, room: Room) -> Follower:
        """The room's follower. A new one starts where the dormant room was, else at the head of the log, or before the
        first number still undecided; and it knows who came and went lately.

        Raises: ChatError `unavailable`.
        """
        existing = self._following(room)
        if existing is not None:
            return existing
        with self._starting(room.id):
            return self._following(room) or self._start(room)

    def _start(self, room: Room) -> Follower:
        dormant = self._sleeping(room)
        head = self._sequences.read_head(room)
        last, first = self._recent(room, head, min(dormant.head, head) if dormant is not None else head)
        cursor = first - 1
        for entry, _ in last:
            if entry.seq != cursor + 1:
                break
            cursor = entry.seq
        if dormant is not None:
            cursor = min(cursor, dormant.head, max(dormant.begin, first - 1))
        follower = Follower(room, cursor, self._storage, self._sequences, self._log, self._broadcaster, self._by_socket)
        for entry, _ in last:
            if entry.seq <= cursor:
                follower.subscribers.note(entry.to_dict())
        awake = dormant if dormant is not None and self._sleeping(room) is dormant else None
        waiting = dict(awake.sockets) if awake is not None else {}
        self._give_up(room.id)
        self._followers[room.id] = follower
        if awake is not None:
            follower.since = awake.since
        for sid, (membership, asked_at) in waiting.items():
            if not follower.subscribe(sid, membership, asked_at):
                self.on_refused(sid)
        if cursor < head:
            follower.repair(upto=head)
        return follower

    def _recent(self, room: Room, head: int, upto: int) -> tuple[list[tuple[Entry, Message | None]], int]:
        """The last entries, and the number that they begin with: no number below it can still become an entry, nor
        could one when `upto` was the head.

        So they go back from there for as long as a commit may take, or to the beginning of the log.
        """
        wanted = REPLAY
        while True:
            last = self._storage.entries.before(room.id, head + 1, wanted, room.floor)
            if len(last) < wanted:
                return last, room.floor
            until = max((entry.at_ms for entry, _ in last if entry.seq <= upto), default=0)
            if until - last[0][0].at_ms > SETTLED_S * 1000 or wanted >= MAX_REPLAY:
                return last, last[0][0].seq
            wanted *= 4
