"""What the bus lost is found: each room's head is compared with what Redis has proposed, and with the table."""

from __future__ import annotations

import random
import time
from functools import partial
from itertools import islice

from chat.models import Room
from chat.services.log.dormant import Dormant
from chat.services.log.followers import Followers
from chat.services.log.sequence import Sequences
from chat.services.runtime.background import Background
from chat.services.runtime.gather import Gather, one_by_one

CHECK_EVERY_S = 60.0
DORMANT_EVERY_S = 3600.0
PROPOSED_EVERY_S = 2.0
DOUBT_S, DOUBT_EVERY_S = 60.0, 3.0
IDLE_S = 60.0
QUIET_S = 600.0  # a room that has not moved for so long falls asleep
AT_ONCE = 16  # heads that are read side by side
DORMANT_AT_ONCE = 500  # dormant rooms that are compared together in doubt; without one, AT_ONCE in a round
REST = 3  # so many times as long as a round over the dormant rooms took, none follows


class Checks:
    """Of this worker's rooms: they are checked in their rhythm, dropped when no socket is in them, and fall asleep when
    they are quiet."""

    def __init__(self, followers: Followers, sequences: Sequences, gather: Gather = one_by_one):
        self._followers = followers
        self._sequences = sequences
        self._gather = gather
        self._doubt_until = float("-inf")
        self._rest_until = float("-inf")

    def start(self, background: Background) -> None:
        """Checks from now on."""
        background.every(0.5 + random.random() / 2, self.check_followers)
        background.every(0.5 + random.random() / 2, self.check_dormant)
        background.every(PROPOSED_EVERY_S, self.check_proposed)

    def doubt(self) -> None:
        """The bus may have lost events: for the next minute every head is read often, beginning now."""
        self._doubt_until = time.monotonic() + DOUBT_S
        self._rest_until = float("-inf")
        self._sequences.doubt()
        for attended in (*self._followers.all().values(), *self._followers.dormant):
            attended.checked_at = float("-inf")

    def check_proposed(self) -> None:
        """Asks Redis how far all rooms have come. Raises: ChatError `unavailable`; then the heads are read from the
        table instead, once Redis is back."""
        followers, dormant = self._followers.all(), list(self._followers.dormant)
        rooms = [*(follower.room for follower in followers.values()), *(each.room for each in dormant)]
        proposed = self._sequences.proposed(rooms)
        for room, follower in followers.items():
            follower.check_proposed(proposed[room])
        for each in dormant:
            before, each.proposed = each.proposed, proposed[each.room.id]
            if before > each.head:
                self._followers.wake(each)

    def check_followers(self) -> None:
        """Reads the heads whose time it is. Raises: ChatError `unavailable`; the rest is checked in the next round."""
        now = time.monotonic()
        every_s = DOUBT_EVERY_S if now < self._doubt_until else CHECK_EVERY_S
        for room, follower in self._followers.all().items():
            if _empty(follower.subscribers.empty_since, now):
                self._followers.drop(room)
            elif follower.is_quiet(now - QUIET_S):
                self._followers.sleep(follower)
        due = iter([each for each in self._followers.all().values() if now - each.checked_at > every_s])
        while part := list(islice(due, AT_ONCE)):
            self._gather([each.check_head for each in part])

    def check_dormant(self) -> None:
        """The same for dormant rooms: a few at a time each hour, or all of them in doubt. Raises: ChatError
        `unavailable`."""
        began, doubt = time.monotonic(), time.monotonic() < self._doubt_until
        for each in self._followers.dormant:
            if _empty(each.empty_since, began):
                self._followers.drop(each.room.id)
        every_s = DOUBT_EVERY_S if doubt else DORMANT_EVERY_S
        due = [each for each in self._followers.dormant if began - each.checked_at > every_s]
        if doubt and began >= self._rest_until:
            rest = iter(due)
            while part := list(islice(rest, DORMANT_AT_ONCE)):
                self._compare(part, self._followers.heads_of(each.room for each in part))
            self._rest_until = time.monotonic() + REST * (time.monotonic() - began)
        elif not doubt:
            self._compare(due[:AT_ONCE], self._read([each.room for each in due[:AT_ONCE]]))

    def _read(self, rooms: list[Room]) -> dict[str, int]:
        heads = self._gather([partial(self._sequences.read_head, room) for room in rooms])
        return {room.id: head for room, head in zip(rooms, heads, strict=True)}

    def _compare(self, dormant: list[Dormant], heads: dict[str, int]) -> None:
        now = time.monotonic()
        for each in dormant:
            each.checked_at = now
            if heads[each.room.id] > each.head:
                self._followers.wake(each)


def _empty(since: float | None, now: float) -> bool:
    return since is not None and now - since > IDLE_S
