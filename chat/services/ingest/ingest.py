"""Rows that somebody puts into the table `messages` become messages; taken from the table's stream, a change at a time.

Whoever may write to the table may speak in every room: by the AWS CLI, a script, another service. Their rows are never
written to: a plain put of the same key would wipe what we wrote there. What became of a row stands in its checkpoint,
which is stored in the same transaction as the entry, on the condition that the checkpoint is still the one that the
change was judged by. So a change may be told twice, late, or by two pollers at once.

The stream also reports the app's own entries: these are announced again, because a worker may have died between the
commit and the publish.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from chat.errors import ChatError
from chat.models import Checkpoint, CheckpointMove, Entry, Message, RejectedRow, Room
from chat.services.bus.events import Decided
from chat.services.bus.publisher import Publisher
from chat.services.log.append import Draft, DraftUnder, Log
from chat.services.messages.text import check_text, shows
from chat.services.rooms.rooms import Rooms
from chat.services.storage.changes import DIGITS, Change, Row
from chat.services.storage.entries import slot_of
from chat.services.storage.external import is_own
from chat.services.storage.storage import Storage

REJECTED_KEPT_S = 7 * 24 * 60 * 60
MAX_NAME_CHARS = 32
BEFORE_ALL = "0" * DIGITS
NAMELESS = "table"
TRIES = 10  # so often another reader may be a change ahead; then the change is told again


log = logging.getLogger(__name__)


class Unusable(Exception):
    """Why a row cannot become a message, in plain words."""


class Ingest:
    """Takes changes over, in the order of the stream for each row. Raises ChatError `unavailable`: tell it again."""

    def __init__(self, storage: Storage, rooms: Rooms, log: Log, bus: Publisher):
        self._storage = storage
        self._rooms = rooms
        self._log = log
        self._bus = bus

    def take(self, changes: Iterable[Change]) -> None:
        """Takes over what these changes mean for the rooms."""
        decided: dict[str, int] = {}
        for change in changes:
            if is_own(change.room):
                slot = slot_of(change.room, change.id) if change.kind == "INSERT" else None
                if slot is not None:
                    decided[slot[0]] = max(decided.get(slot[0], 0), slot[1])
            else:
                self._take_or_reject(change)
        for room, seq in decided.items():
            self._bus.publish(Decided(room, seq))

    def _take_or_reject(self, change: Change) -> None:
        """A change that nobody foresaw must not stop those behind it."""
        try:
            self._take_foreign(change)
        except Exception as error:
            if isinstance(error, ChatError) and error.retry:
                raise
            log.exception("a row that somebody put is set aside")
            self._reject(change.room, change.id, "it could not be taken over; the server's log says why")

    def _take_foreign(self, change: Change) -> None:
        for _ in range(TRIES):
            checkpoint = self._storage.external.get_checkpoint(change.room, change.id)
            if checkpoint is not None and (checkpoint.stream, checkpoint.number) >= (change.stream, change.number):
                return
            if self._take_after(checkpoint, change):
                return
        raise ChatError("unavailable", retry_after_s=1)

    def _take_after(self, checkpoint: Checkpoint | None, change: Change) -> bool:
        """Takes over a change of a row that has this checkpoint; False when it has another one meanwhile."""
        if change.kind == "REMOVE" and change.by_ttl:  # the row has had its time; what was said stays
            return self._storage.external.put_checkpoint(_move(checkpoint, change, 0))
        if change.kind == "REMOVE" or change.row is None:
            return self._delete(checkpoint, change)
        try:
            room, name, text = self._read(change.room, change.row)
        except Unusable as reason:
            self._reject(change.room, change.id, str(reason))
            return True
        if change.kind == "MODIFY":  # it may have been bad, and is put right; first, because the change is told again
            self._storage.external.forget_set_aside(change.room, change.id)
        if checkpoint is None or not checkpoint.seq:
            return self._adopt(room, checkpoint, change, name, text)
        if checkpoint.seq >= room.floor:
            return self._edit(room, checkpoint, change, name, text)
        if self._said_before(change, name, text):
            return self._storage.external.put_checkpoint(_move(checkpoint, change, checkpoint.seq))
        return self._adopt(room, checkpoint, change, name, text)  # what it had become is no longer kept

    # --- what a row says ------------------------------------------------------------------------------------------

    def _read(self, room_id: str, row: Row) -> tuple[Room, str, str]:
        """The room, the author's name and the text. Raises: Unusable."""
        text = row.get("text", row.get("message"))
        name = row.get("username", row.get("user", NAMELESS))
        if not isinstance(text, str):
            raise Unusable("it has no text: an attribute `text` (or `message`) of type S")
        if not isinstance(name, str) or len(name.strip()) > MAX_NAME_CHARS or not name.isprintable() or not shows(name):
            raise Unusable(f"its `username` (or `user`) is not a name of 1 to {MAX_NAME_CHARS} characters")
        try:
            check_text(text)
            return self._rooms.get(room_id), name.strip(), text
        except ChatError as error:
            if error.retry:
                raise
            raise Unusable("there is no such room" if error.code == "room_not_found" else error.message) from error

    def _said_before(self, change: Change, name: str, text: str) -> bool:
        """Whether the row said the same before this change."""
        try:
            return change.before is not None and self._read(change.room, change.before)[1:] == (name, text)
        except Unusable:
            return False

    def _reject(self, room_id: str, row_id: str, reason: str) -> None:
        bad = RejectedRow(room_id, row_id, reason, self._log.now_ms())
        self._storage.external.reject(bad, REJECTED_KEPT_S)

    # --- what becomes of it ---------------------------------------------------------------------------------------

    def _adopt(self, room: Room, checkpoint: Checkpoint | None, change: Change, name: str, text: str) -> bool:
        def build(seq: int) -> Draft:
            at_ms = self._log.now_ms()
            snapshot = Message(room.id, seq, seq, _client_id(change), f"table:{name}", name, text, at_ms, via="table")
            return Draft(Entry(room.id, seq, "message", at_ms), snapshot)

        return self._log.take_over(room, lambda: build, lambda seq: _move(checkpoint, change, seq)).before is None

    def _edit(self, room: Room, checkpoint: Checkpoint, change: Change, name: str, text: str) -> bool:
        def edited(old: Message) -> Message | None:
            if (old.name, old.text) == (name, text):
                return None
            return replace(old, name=name, text=text, author=f"table:{name}", edited_at_ms=self._log.now_ms())

        return self._change(room, checkpoint, edited, change, checkpoint.seq)

    def _delete(self, checkpoint: Checkpoint | None, change: Change) -> bool:
        if checkpoint is not None and checkpoint.seq:
            try:
                room = self._rooms.get(change.room)
            except ChatError as error:
                if error.retry:
                    raise
            else:
                return self._change(room, checkpoint, Message.erased, change, 0)
        return self._storage.external.put_checkpoint(_move(checkpoint, change, 0))

    def _change(self, room: Room, checkpoint: Checkpoint, change_snapshot: Any, change: Change, stays: int) -> bool:
        """Appends a change of the message that a row has become. A deletion in the chat is final: then, and when there
        is nothing to change, the checkpoint alone is written."""

        def judge() -> DraftUnder | None:
            found = self._storage.entries.get(room.id, checkpoint.seq)
            old = found[1] if found else None
            new = change_snapshot(old) if old is not None and not old.deleted else None
            return partial(self._log.draft_change, old, new) if old is not None and new is not None else None

        move = _move(checkpoint, change, stays)
        placed = self._log.take_over(room, judge, lambda number: move)
        if placed.draft is None and placed.before is None:
            return self._storage.external.put_checkpoint(move)
        return placed.before is None

    # --- after a gap in the stream --------------------------------------------------------------------------------

    def reconcile(self, stream: str, hold_on: Callable[[], None] = lambda: None) -> None:
        """Compares every row that others put with its checkpoint, for what the stream no longer tells: reads both
        tables whole, and calls `hold_on` again and again meanwhile. Changes that are in the stream still count as later
        than what is found here."""
        for room, row_id in self._storage.external.rows():
            hold_on()
            checkpoint = self._storage.external.get_checkpoint(room, row_id)
            row = self._storage.external.row(room, row_id)  # read after its checkpoint, or it may be older than that
            if row is not None:
                # `before`: what a row said whose message is no longer kept is not known, and not said again.
                told = Change("MODIFY", room, row_id, row, _after(checkpoint, stream), stream, before=row)
                self._take_or_reject(told)
        for checkpoint in self._storage.external.checkpoints():
            hold_on()
            if checkpoint.seq and self._storage.external.row(checkpoint.room, checkpoint.id) is None:
                self._take_or_reject(
                    Change("REMOVE", checkpoint.room, checkpoint.id, None, _after(checkpoint, stream), stream)
                )


def _move(before: Checkpoint | None, change: Change, seq: int) -> CheckpointMove:
    return CheckpointMove(Checkpoint(change.room, change.id, change.number, change.stream, seq), before)


def _after(checkpoint: Checkpoint | None, stream: str) -> str:
    """A place right after that of the checkpoint, and before any other of the stream."""
    return f"{checkpoint.number}~" if checkpoint is not None and checkpoint.stream == stream else BEFORE_ALL


def _client_id(change: Change) -> str:
    """The same for the same change, whoever takes it over."""
    told = "\0".join((change.stream, change.room, change.id, change.number))
    return "row-" + hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
