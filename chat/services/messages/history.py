"""Reading again what was said: a room that is opened, pages of it, and who reacted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from chat.errors import ChatError
from chat.models import LEAVING, Membership, Message, Page, Person, Room
from chat.services.limits.allowance import MESSAGES_PER_READ, Allowance
from chat.services.log.append import Log
from chat.services.log.followers import Followers
from chat.services.log.sequence import Sequences
from chat.services.log.snapshots import snapshots_of_changes
from chat.services.messages.pairs import (
    ENOUGH_BYTES,
    MAX_PAGE_ENTRIES,
    Pair,
    count_messages,
    first_messages,
    last_run,
    merged,
    piece,
    rev_of,
    run,
    text_bytes,
)
from chat.services.messages.quotes import quotes_of
from chat.services.messages.reactions import who_reacted
from chat.services.rooms.rooms import Rooms, first_visible
from chat.services.storage.storage import Storage

MAX_PAGE = 200
MAX_SPARSE_ENTRIES = 5_000
SPARSE_COUNTS = MESSAGES_PER_READ * MAX_SPARSE_ENTRIES // MAX_PAGE_ENTRIES  # messages at least, for what it may read
MAX_BEHIND = 1_000
OLD_HOLE_S = 10.0
# Of a page before a number: the snapshots are those of now, so a change tells a reader nothing there.
NOTHING_TO_SHOW = ("tombstone", "unknown", "change")


class History:
    """Every method takes the person who asks, and raises ChatError `room_not_found` when the room is not theirs."""

    def __init__(
        self,
        storage: Storage,
        rooms: Rooms,
        log: Log,
        sequences: Sequences,
        followers: Followers,
        allowance: Allowance | None = None,
    ):
        self._storage = storage
        self._rooms = rooms
        self._log = log
        self._sequences = sequences
        self._followers = followers
        self._allowance = allowance or Allowance()

    def open(self, person: Person, room_id: str, after: int) -> Page:
        """What happened after that entry; the newest page when `after` is 0, or with `gap` when it is too far behind
        or what follows is no longer kept."""
        room, membership = self._rooms.require(person, room_id)
        head = self._followers.head(room)
        behind = min(max(head - after, 0), MAX_PAGE) if after else MESSAGES_PER_READ
        with self._reading(person, behind):
            if after and after >= room.floor - 1 and head - after <= MAX_BEHIND:
                return self._after(person, room, membership, after, MAX_PAGE)
            page = self._before(person, room, membership, None, MAX_PAGE if after else 50, head)
            return replace(page, gap=bool(after))

    def _reading(self, person: Person, messages: int) -> AbstractContextManager[None]:
        return self._allowance.reading(person.username, "page", max(1.0, messages / MESSAGES_PER_READ))

    def page(
        self,
        person: Person,
        room_id: str,
        limit: int = 50,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        sparse: bool = False,
    ) -> Page:
        """A page of up to `limit` messages: before, after or around that number, or the newest. A `sparse` one before a
        number leaves out what shows nothing, reaches back further for that, and says how far.

        Raises: ChatError `cursor_invalid`, `expired` when it asks only for what is below the floor.
        """
        if not 1 <= limit <= MAX_PAGE or sum(given is not None for given in (before, after, around)) > 1:
            raise ChatError("cursor_invalid")
        sparse = sparse and before is not None
        with self._reading(person, max(limit, SPARSE_COUNTS) if sparse else limit):
            return self._page(person, room_id, limit, before, after, around, sparse)

    def _page(
        self,
        person: Person,
        room_id: str,
        limit: int,
        before: int | None,
        after: int | None,
        around: int | None,
        sparse: bool,
    ) -> Page:
        room, membership = self._rooms.require(person, room_id)
        # What another worker has acked is in the newest page, also before this one has heard of it.
        newest = before is None and after is None and around is None
        head = self._sequences.read_head(room) if newest else self._followers.head(room)
        if around is not None:
            older = self._before(person, room, membership, around, max(limit // 2, 1), head)
            newer = self._after(person, room, membership, around - 1, max(limit - limit // 2, 1), older.messages)
            messages = merged(older.messages, newer.messages)
            shown = {message.seq for message in messages}
            return replace(
                newer,
                entries=older.entries + newer.entries,
                messages=messages,
                quotes=[quote for quote in merged(older.quotes, newer.quotes) if quote.seq not in shown],
            )
        if after is not None:
            return self._after(person, room, membership, after, limit)
        page = self._before(person, room, membership, before, limit, head, sparse)
        if before is not None and page.more and not page.entries and page.oldest in (None, before):
            raise ChatError("unavailable", retry_after_s=1)  # what comes right before it is still undecided
        return page

    def _after(
        self,
        person: Person,
        room: Room,
        membership: Membership,
        after: int,
        limit: int,
        beside: Sequence[Message] = (),
    ) -> Page:
        first = first_visible(room, membership)
        after = max(after, first - 1)
        pairs = self._settled(room, after, partial(self._read_on, room, after, limit))
        pairs = first_messages(run(pairs, after), limit)
        head = max(self._followers.head(room), pairs[-1][0].seq if pairs else 0)
        more = bool(pairs) and pairs[-1][0].seq < head
        return self._checked(person, room, membership, head, pairs, more, first, beside)

    def _before(
        self,
        person: Person,
        room: Room,
        membership: Membership,
        before: int | None,
        limit: int,
        head: int,
        sparse: bool = False,
    ) -> Page:
        """The newest page ends before the first number that is undecided; a page before a number begins behind the
        last one, so that nothing is missing between the two."""
        first = first_visible(room, membership)
        if before is not None and before < room.floor:
            raise ChatError("expired")
        if before is not None and before > head + 1:  # by far, perhaps: every bucket down to the head would be read
            before = min(before, self._sequences.read_head(room) + 1)
        if before is None:
            pairs = self._settled(room, None, partial(self._read_back, room, head + 1, limit, first))
            pairs = first_messages(pairs[::-1], limit)[::-1]
            pairs = run(pairs, pairs[0][0].seq - 1 if pairs else 0)
        else:
            # Together with the entry of that number, which shows what is missing right before it.
            most = MAX_SPARSE_ENTRIES if sparse else MAX_PAGE_ENTRIES
            pairs = self._settled(room, None, partial(self._read_back, room, before + 1, limit + 1, first, most + 1))
            pairs = [pair for pair in last_run(pairs) if pair[0].seq < before]
            pairs = first_messages(pairs[::-1], limit, most)[::-1]
        oldest = pairs[0][0].seq if pairs else min(before or first, head + 1)
        first = oldest if pairs else first
        more = oldest > first_visible(room, membership)
        if not sparse:
            return self._checked(person, room, membership, head, pairs, more, first)
        shown = [pair for pair in pairs if pair[0].kind not in NOTHING_TO_SHOW]
        return replace(self._checked(person, room, membership, head, shown, more, first), oldest=oldest)

    def _read_on(self, room: Room, after: int, limit: int) -> list[Pair]:
        pairs: list[Pair] = []
        while count_messages(pairs) < limit and len(pairs) < MAX_PAGE_ENTRIES and text_bytes(pairs) < ENOUGH_BYTES:
            last, head = pairs[-1][0].seq if pairs else after, self._sequences.known(room.id)
            wanted = min(piece(pairs, limit), MAX_PAGE_ENTRIES - len(pairs))
            batch = self._storage.entries.after(room.id, last, wanted, head)
            pairs += batch
            if len(batch) < wanted:
                break
        return pairs

    def _read_back(self, room: Room, end: int, limit: int, first: int, most: int = MAX_PAGE_ENTRIES) -> list[Pair]:
        pairs: list[Pair] = []
        while count_messages(pairs) < limit and len(pairs) < most and text_bytes(pairs) < ENOUGH_BYTES:
            wanted = min(piece(pairs, limit), most - len(pairs))
            batch = self._storage.entries.before(room.id, pairs[0][0].seq if pairs else end, wanted, first)
            pairs = batch + pairs
            if len(batch) < wanted:
                break
        return pairs

    def _settled(self, room: Room, last: int | None, read: Callable[[], list[Pair]]) -> list[Pair]:
        """What `read` finds, behind the entry `last` if one is given. Numbers among it that have been undecided for
        long are decided now, and it is read again."""
        pairs, settled = read(), False
        for entry, _ in pairs:
            if last is not None and entry.seq != last + 1:
                # By another worker's clock, which may be wrong by hours: a number that is decided too early costs its
                # writer another one, and one that never is would end every page here.
                if abs(self._log.now_ms() - entry.at_ms) > OLD_HOLE_S * 1000:
                    self._settle(room, range(last + 1, entry.seq))
                    settled = True
                else:
                    self._followers.decided(room.id, entry.seq)
            last = entry.seq
        return read() if settled else pairs

    def _settle(self, room: Room, numbers: Iterable[int]) -> None:
        """Decides numbers that nobody wrote, unless they are missing because they are no longer kept: then this page
        began with an old floor. Raises: ChatError `unavailable`."""
        now = self._storage.rooms.get(room.id)
        if now is not None and now.floor > room.floor:
            self._rooms.forget(room.id)
            raise ChatError("unavailable")
        for seq in numbers:
            self._log.settle(room, seq)

    def _checked(
        self,
        person: Person,
        room: Room,
        membership: Membership,
        head: int,
        pairs: list[Pair],
        more: bool,
        first: int,
        beside: Sequence[Message] = (),
    ) -> Page:
        """The page with the snapshots that its changes speak of, from number `first` on, and those that its messages
        answer, unless they stand `beside` it; if the person is still in the room now that everything has been read."""
        entries = [entry for entry, _ in pairs]
        snapshots = {snapshot.seq: snapshot for _, snapshot in pairs if snapshot is not None}
        stale = [e for e in entries if e.message and e.message >= first and rev_of(snapshots.get(e.message)) < e.seq]
        snapshots |= snapshots_of_changes(self._storage, room.id, stale)
        messages = [snapshots[seq] for seq in sorted(snapshots)]
        quotes = quotes_of(self._storage, room, membership, messages, beside)
        now = self._storage.rooms.membership(room.id, person.username)
        if now is None or not now.inside or now.start != membership.start:
            raise ChatError("room_not_found")
        if any(e.kind in LEAVING and e.user == person.username and e.seq > now.seq for e in entries):
            raise ChatError("room_not_found")  # read beside the transaction that ends the membership
        return Page(
            generation=room.generation,
            head=head,
            floor=room.floor,
            start=membership.start,
            entries=entries,
            messages=messages,
            quotes=quotes,
            more=more,
            reader=person.username,
        )

    def who_reacted(self, person: Person, room_id: str, seq: int) -> dict[str, list[str]]:
        """Emoji → the names of those who reacted with it, the first 50 of each.

        Raises: ChatError `message_not_found`, `message_deleted`.
        """
        room, membership = self._rooms.require(person, room_id)
        with self._reading(person, MESSAGES_PER_READ):
            return who_reacted(self._storage, room, seq, membership.start)
