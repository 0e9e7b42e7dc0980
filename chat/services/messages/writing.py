"""What people say: sending, editing, deleting and reacting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from chat.emoji import one_form
from chat.errors import ChatError
from chat.models import Entry, Membership, Message, Person, Room
from chat.services.bus.publisher import Publisher
from chat.services.limits.allowance import Allowance, weight
from chat.services.log.append import Draft, DraftUnder, Log
from chat.services.log.idempotency import Appended, Asked, check_client_id
from chat.services.messages.quotes import check_reply
from chat.services.messages.reactions import ReactionRequest, Reactions, check_emoji
from chat.services.messages.text import check_text
from chat.services.rooms.rooms import Rooms, first_visible
from chat.services.storage.storage import Storage


class Messages:
    """Every method takes the person who asks, and raises ChatError `room_not_found` when the room is not theirs."""

    def __init__(
        self,
        storage: Storage,
        rooms: Rooms,
        log: Log,
        bus: Publisher,
        allowance: Allowance | None = None,
    ):
        self._storage = storage
        self._rooms = rooms
        self._log = log
        self._allowance = allowance or Allowance()
        self._reactions = Reactions(storage, log, bus)

    def send(
        self, person: Person, room_id: str, client_id: str, text: str, seen: int = 0, reply_to: int | None = None
    ) -> dict[str, Any]:
        """Stores a message and tells every member; returns its snapshot, the same one when the request comes again; or
        `{seq}` alone, its entry's number, when the person may not see what became of it since (see `acked`).

        `seen` is the last entry the sender knows of, `reply_to` the message that it answers. Raises: ChatError
        `text_empty`, `text_too_long`, `reply_not_found`, `client_id_invalid`, `client_id_reused`, `rate_limited`,
        `unavailable`.
        """
        check_text(text)
        request = ("send", room_id, text, reply_to)
        try:
            room, membership = self._rooms.require(person, room_id)
        except ChatError as refusal:
            return self._done(person, room_id, client_id, request, refusal)
        try:
            check_reply(self._storage, room, membership, reply_to)
        except ChatError:
            done = self._log.claims.already(person.username, client_id, request)
            if done is None:
                raise
            return self._answer(person, room, membership, done)  # it was carried out while there was such a message

        def build(seq: int) -> Draft:
            at_ms = self._log.now_ms()
            snapshot = Message(
                room.id, seq, seq, client_id, person.username, person.name, text, at_ms, reply_to=reply_to
            )
            return Draft(Entry(room.id, seq, "message", at_ms), snapshot)

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
        reaction = ReactionRequest(
            Asked(person.username, client_id, request), one_form(emoji), wanted, first=membership.start
        )
        return self._answer(person, room, membership, self._reactions.carry_out(room, seq, reaction))

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
        done = self._log.claims.already(person.username, client_id, request)
        if done:
            return self._answer(person, room, membership, done)

        def judge() -> DraftUnder | None:
            old = self._own(person, room, membership, seq)
            new = change(old, self._log.now_ms())
            return partial(self._log.draft_change, old, new) if new is not None else None

        appended = self._log.append(room, person.username, client_id, request, judge, about=seq)
        return self._answer(person, room, membership, appended)

    def _own(self, person: Person, room: Room, membership: Membership, seq: int) -> Message:
        found = self._storage.entries.get(room.id, seq) if seq >= first_visible(room, membership) else None
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
        claims = self._log.claims
        done = claims.already(person.username, client_id, request) if refusal.code == "room_not_found" else None
        if done is None:
            raise refusal
        return {"seq": done.seq}

    @staticmethod
    def _answer(person: Person, room: Room, membership: Membership, appended: Appended) -> dict[str, Any]:
        """The snapshot, or `{seq}` alone where the request speaks of a message from before the person's time here."""
        if appended.snapshot is None:
            raise ChatError("expired" if appended.seq < room.floor else "message_not_found")
        if appended.snapshot.seq < membership.start:
            return {"seq": appended.seq}
        return appended.snapshot.to_dict(room.generation, person.username)


def acked(outcome: dict[str, Any]) -> dict[str, Any]:
    """How the doors answer what `send` and the others return: `{message}`, or `{seq}` where there is no snapshot."""
    return {"message": outcome} if "rev" in outcome else outcome
