"""What people say: sending, editing, deleting, reacting, and reading it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

from chat.errors import ChatError
from chat.models import Entry, Membership, Message, Page, Person, Room
from chat.services.bus.publisher import Publisher
from chat.services.limits.allowance import MESSAGES_PER_READ, Allowance, weight
from chat.services.log.append import Appended, Asked, Draft, DraftUnder, Log, check_client_id
from chat.services.log.followers import LEAVING, Followers, images_of_changes
from chat.services.log.sequence import Numbers
from chat.services.messages.reactions import Reactions, Wish, check_emoji
from chat.services.messages.text import check_text
from chat.services.rooms.rooms import Rooms
from chat.services.storage.storage import Storage

MAX_PAGE = 200
MAX_PAGE_ENTRIES = 1_000
# A page ends early behind so many bytes of text, and is read in pieces: what one person asks for at once is not to take
# so long that others wait for it, here or in the database.
ENOUGH_BYTES = 128 * 1024
FIRST_PIECE = 51  # a page of fifty, and the entry before which it is
MAX_SPARSE_ENTRIES = 5_000
SPARSE_COUNTS = MESSAGES_PER_READ * MAX_SPARSE_ENTRIES // MAX_PAGE_ENTRIES  # messages at least, for what it may read
MAX_BEHIND = 1_000
OLD_HOLE_S = 10.0
# Of a page before a number: the images are those of now, so a change tells a reader nothing there.
NOTHING_TO_SHOW = ("tombstone", "unknown", "change")

Pair = tuple[Entry, Message | None]


class Messages:
    """Every method takes the person who asks, and raises ChatError `room_not_found` when the room is not theirs."""

    def __init__(
        self,
        storage: Storage,
        rooms: Rooms,
        log: Log,
        numbers: Numbers,
        followers: Followers,
        bus: Publisher,
        allowance: Allowance | None = None,
    ):
        self._storage = storage
        self._rooms = rooms
        self._log = log
        self._numbers = numbers
        self._followers = followers
        self._bus = bus
        self._allowance = allowance or Allowance()
        self._reactions = Reactions(storage, log, bus)

    # --- writing --------------------------------------------------------------------------------------------------

    def send(
        self, person: Person, room_id: str, client_id: str, text: str, seen: int = 0, reply_to: int | None = None
    ) -> dict[str, Any]:
        """Stores a message and tells every member; returns its image, the same one when the request comes again; or
        `{seq}` alone, its entry's number, when the person may not see what became of it since (see `acked`).

        `seen` is the last entry the sender knows of. Raises: ChatError `text_empty`, `text_too_long`,
        `client_id_invalid`, `client_id_reused`, `rate_limited`, `unavailable`.
        """
        check_text(text)
        request = ("send", room_id, text, reply_to)
        try:
            room, membership = self._rooms.require(person, room_id)
        except ChatError as refusal:
            return self._done(person, room_id, client_id, request, refusal)

        def build(seq: int) -> Draft:
            at_ms = self._log.now_ms()
            image = Message(
                room.room, seq, seq, client_id, person.username, person.name, text, at_ms, reply_to=reply_to
            )
            return Draft(Entry(room.room, seq, "message", at_ms), image)

        charge = self._allowance.charge(person.username, weight(text))
        appended = self._log.append(room, person.username, client_id, request, lambda: build, seen, charge=charge)
        return self._answer(person, room, membership, appended)

    def edit(self, person: Person, room_id: str, client_id: str, seq: int, text: str) -> dict[str, Any]:
        """Gives the person's own message another text; answers as `send` does.

        Raises: ChatError `message_not_found`, `message_deleted`, `not_author`, and those of `send`.
        """
        check_text(text)
        self._allowance.write(person.username, weight(text))
        request = ("edit", room_id, seq, text)
        return self._change(
            person,
            room_id,
            client_id,
            seq,
            request,
            lambda old, at_ms: None if old.text == text else replace(old, text=text, edited_at_ms=at_ms),
        )

    def delete(self, person: Person, room_id: str, client_id: str, seq: int) -> dict[str, Any]:
        """Takes the person's own message back: its text is gone from the table. Answers as `send` does.

        Raises: ChatError `message_not_found`, `message_deleted`, `not_author`, and those of `send` but for the text.
        """
        self._allowance.write(person.username)
        request = ("delete", room_id, seq)
        return self._change(person, room_id, client_id, seq, request, lambda old, at_ms: old.erased())

    def react(self, person: Person, room_id: str, client_id: str, seq: int, emoji: str, wanted: bool) -> dict[str, Any]:
        """Adds the person's reaction to anybody's message, or takes it back; answers as `send` does. What is there
        already, or is not, changes nothing.

        Raises: ChatError `emoji_invalid`, `message_not_found`, `message_deleted`, `reactions_full`, and those of
        `send` but for the text.
        """
        check_emoji(emoji)
        check_client_id(client_id)
        self._allowance.write(person.username)
        request = ("react" if wanted else "unreact", room_id, seq, emoji)
        try:
            room, membership = self._rooms.require(person, room_id)
        except ChatError as refusal:
            return self._done(person, room_id, client_id, request, refusal)
        wish = Wish(Asked(person.username, client_id, request), emoji, wanted, first=membership.start)
        return self._answer(person, room, membership, self._reactions.carry_out(room, seq, wish))

    def _change(
        self,
        person: Person,
        room_id: str,
        client_id: str,
        seq: int,
        request: tuple[Any, ...],
        change: Callable[[Message, int], Message | None],
    ) -> dict[str, Any]:
        try:
            room, membership = self._rooms.require(person, room_id)
        except ChatError as refusal:
            return self._done(person, room_id, client_id, request, refusal)
        done = self._log.already(person.username, client_id, request)
        if done:
            return self._answer(person, room, membership, done)

        def judge() -> DraftUnder | None:
            old = self._own(person, room, membership, seq)
            new = change(old, self._log.now_ms())
            return partial(self._log.draft_change, old, new) if new is not None else None

        appended = self._log.append(room, person.username, client_id, request, judge, about=seq)
        return self._answer(person, room, membership, appended)

    def _own(self, person: Person, room: Room, membership: Membership, seq: int) -> Message:
        found = self._storage.entries.get(room.room, seq) if seq >= max(membership.start, room.floor) else None
        if found is None or found[1] is None:
            raise ChatError("message_not_found")
        if found[1].author != person.username:
            raise ChatError("not_author")
        if found[1].deleted:
            raise ChatError("message_deleted")
        return found[1]

    def _done(
        self, person: Person, room_id: str, client_id: str, request: tuple[Any, ...], refusal: ChatError
    ) -> dict[str, Any]:
        """The answer to a request that was carried out before its author was put out of the room: what stands in the
        log must not be refused, and what became of it since is not theirs to see. Raises: `refusal` when it was not."""
        done = self._log.already(person.username, client_id, request) if refusal.code == "room_not_found" else None
        if done is None:
            raise refusal
        return {"seq": done.seq}

    @staticmethod
    def _answer(person: Person, room: Room, membership: Membership, appended: Appended) -> dict[str, Any]:
        """The image, or `{seq}` alone where the request speaks of a message from before the person's time here."""
        if appended.image is None:
            raise ChatError("expired" if appended.seq < room.floor else "message_not_found")
        if appended.image.seq < membership.start:
            return {"seq": appended.seq}
        return appended.image.to_dict(room.generation, person.username)

    # --- reading --------------------------------------------------------------------------------------------------

    def open(self, person: Person, room_id: str, after: int) -> Page:
        """What happened after that entry; the newest page when `after` is 0, or with `gap` when it is too far behind
        or what follows is no longer kept."""
        room, membership = self._rooms.require(person, room_id)
        head = self._head(room)
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
        head = self._numbers.read_head(room) if newest else self._head(room)
        if around is not None:
            older = self._before(person, room, membership, around, max(limit // 2, 1), head)
            newer = self._after(person, room, membership, around - 1, max(limit - limit // 2, 1))
            return replace(
                newer,
                entries=older.entries + newer.entries,
                messages=_merged(older.messages, newer.messages),
            )
        if after is not None:
            return self._after(person, room, membership, after, limit)
        page = self._before(person, room, membership, before, limit, head, sparse)
        if before is not None and page.more and not page.entries and page.oldest in (None, before):
            raise ChatError("unavailable", retry_after_s=1)  # what comes right before it is still undecided
        return page

    def _after(self, person: Person, room: Room, membership: Membership, after: int, limit: int) -> Page:
        first = max(membership.start, room.floor)
        after = max(after, first - 1)
        pairs = self._settled(room, after, partial(self._read_on, room, after, limit))
        pairs = _first_messages(_run(pairs, after), limit)
        head = max(self._head(room), pairs[-1][0].seq if pairs else 0)
        more = bool(pairs) and pairs[-1][0].seq < head
        return self._checked(person, room, membership, head, pairs, more, first)

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
        first = max(membership.start, room.floor)
        if before is not None and before < room.floor:
            raise ChatError("expired")
        if before is not None and before > head + 1:  # by far, perhaps: every bucket down to the head would be read
            before = min(before, self._numbers.read_head(room) + 1)
        if before is None:
            pairs = self._settled(room, None, partial(self._read_back, room, head + 1, limit, first))
            pairs = _first_messages(pairs[::-1], limit)[::-1]
            pairs = _run(pairs, pairs[0][0].seq - 1 if pairs else 0)
        else:
            # Together with the entry of that number, which shows what is missing right before it.
            most = MAX_SPARSE_ENTRIES if sparse else MAX_PAGE_ENTRIES
            pairs = self._settled(room, None, partial(self._read_back, room, before + 1, limit + 1, first, most + 1))
            pairs = [pair for pair in _last_run(pairs) if pair[0].seq < before]
            pairs = _first_messages(pairs[::-1], limit, most)[::-1]
        oldest = pairs[0][0].seq if pairs else min(before or first, head + 1)
        first = oldest if pairs else first
        more = oldest > max(membership.start, room.floor)
        if not sparse:
            return self._checked(person, room, membership, head, pairs, more, first)
        shown = [pair for pair in pairs if pair[0].kind not in NOTHING_TO_SHOW]
        return replace(self._checked(person, room, membership, head, shown, more, first), oldest=oldest)

    def _read_on(self, room: Room, after: int, limit: int) -> list[Pair]:
        pairs: list[Pair] = []
        while _count(pairs) < limit and len(pairs) < MAX_PAGE_ENTRIES and _bytes(pairs) < ENOUGH_BYTES:
            last, head = pairs[-1][0].seq if pairs else after, self._numbers.known(room.room)
            wanted = min(_piece(pairs, limit), MAX_PAGE_ENTRIES - len(pairs))
            batch = self._storage.entries.after(room.room, last, wanted, head)
            pairs += batch
            if len(batch) < wanted:
                break
        return pairs

    def _read_back(self, room: Room, end: int, limit: int, first: int, most: int = MAX_PAGE_ENTRIES) -> list[Pair]:
        pairs: list[Pair] = []
        while _count(pairs) < limit and len(pairs) < most and _bytes(pairs) < ENOUGH_BYTES:
            wanted = min(_piece(pairs, limit), most - len(pairs))
            batch = self._storage.entries.before(room.room, pairs[0][0].seq if pairs else end, wanted, first)
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
                    self._followers.decided(room.room, entry.seq)
            last = entry.seq
        return read() if settled else pairs

    def _settle(self, room: Room, numbers: Iterable[int]) -> None:
        """Decides numbers that nobody wrote, unless they are missing because they are no longer kept: then this page
        began with an old floor. Raises: ChatError `unavailable`."""
        now = self._storage.rooms.get(room.room)
        if now is not None and now.floor > room.floor:
            self._rooms.forget(room.room)
            raise ChatError("unavailable")
        for seq in numbers:
            self._log.settle(room, seq)

    def _head(self, room: Room) -> int:
        follower = self._followers.get(room.room)
        return follower.cursor if follower is not None else self._numbers.read_head(room)

    def _checked(
        self,
        person: Person,
        room: Room,
        membership: Membership,
        head: int,
        pairs: list[Pair],
        more: bool,
        first: int,
    ) -> Page:
        """The page with the images that its changes speak of, from number `first` on, if the person is still in the
        room now that everything has been read."""
        entries = [entry for entry, _ in pairs]
        images = {image.seq: image for _, image in pairs if image is not None}
        stale = [e for e in entries if e.message and e.message >= first and _rev(images.get(e.message)) < e.seq]
        images |= images_of_changes(self._storage, room.room, stale)
        now = self._storage.rooms.membership(room.room, person.username)
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
            messages=[images[seq] for seq in sorted(images)],
            more=more,
            reader=person.username,
        )

    def who_reacted(self, person: Person, room_id: str, seq: int) -> dict[str, list[str]]:
        """Emoji → the names of those who reacted with it, the first 50 of each.

        Raises: ChatError `message_not_found`, `message_deleted`.
        """
        room, membership = self._rooms.require(person, room_id)
        with self._reading(person, MESSAGES_PER_READ):
            return self._reactions.who(room, seq, membership.start)

    # --- reading positions and typing -----------------------------------------------------------------------------

    def mark_read(self, person: Person, room_id: str, seq: int) -> int:
        """Moves the person's read position forward, on all their devices; returns it, never beyond the head."""
        room, _ = self._rooms.require(person, room_id)
        seq = min(seq, self._head(room))
        if self._storage.rooms.mark_read(person.username, room.room, seq):
            self._bus.publish("read", user=person.username, room=room.room, seq=seq)
            return seq
        membership = self._storage.rooms.membership(room.room, person.username)
        if membership is None or not membership.inside:
            raise ChatError("room_not_found")
        return membership.read

    def is_known(self, person: Person, room_id: str) -> bool:
        """Whether it is known here and now that the person is in the room: then `typing` waits for nothing."""
        return self._rooms.is_known(person, room_id)

    def typing(self, person: Person, room_id: str, typing: bool) -> None:
        """Tells the other members that the person types, or no longer; may be lost."""
        room, _ = self._rooms.require(person, room_id)
        self._bus.publish(
            "typing", volatile=True, room=room.room, user=person.username, name=person.name, typing=typing
        )


def acked(outcome: dict[str, Any]) -> dict[str, Any]:
    """How the doors answer what `send` and the others return: `{message}`, or `{seq}` where there is no image."""
    return {"message": outcome} if "rev" in outcome else outcome


def _count(pairs: Iterable[Pair]) -> int:
    return sum(image is not None for _, image in pairs)


def _piece(pairs: list[Pair], limit: int) -> int:
    """How many entries to ask for next: few first, for they may be long; then what is missing, and where little of what
    was read is a message, as many again."""
    return max(limit - _count(pairs), len(pairs)) if pairs else min(limit, FIRST_PIECE)


def _bytes(pairs: Iterable[Pair]) -> int:
    return sum(len(image.text.encode()) for _, image in pairs if image is not None)


def _first_messages(pairs: list[Pair], limit: int, most: int = MAX_PAGE_ENTRIES) -> list[Pair]:
    """The beginning of `pairs` with at most `limit` messages and `most` entries."""
    messages = 0
    for index, (_, image) in enumerate(pairs[:most]):
        messages += image is not None
        if messages == limit:
            return pairs[: index + 1]
    return pairs[:most]


def _run(pairs: list[Pair], last: int) -> list[Pair]:
    """The beginning of `pairs` that follows the entry `last` without a hole."""
    for index, (entry, _) in enumerate(pairs):
        if entry.seq != last + 1 + index:
            return pairs[:index]
    return pairs


def _last_run(pairs: list[Pair]) -> list[Pair]:
    """The end of `pairs` that is without a hole."""
    for index in range(len(pairs) - 1, 0, -1):
        if pairs[index - 1][0].seq != pairs[index][0].seq - 1:
            return pairs[index:]
    return pairs


def _rev(image: Message | None) -> int:
    return image.rev if image is not None else 0


def _merged(older: list[Message], newer: list[Message]) -> list[Message]:
    """Both, by number; of two images of one message the one with the higher rev."""
    images = {image.seq: image for image in older}
    images |= {image.seq: image for image in newer if image.rev >= _rev(images.get(image.seq))}
    return [images[seq] for seq in sorted(images)]
