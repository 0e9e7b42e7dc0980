"""A version that comes after this one, as it could be: `tests.faults.planted_app:next_version()`.

Its messages have a mood, in their rows and to people; behind some of them it writes a poll, an entry of a kind of its
own, of which its pages and all workers hear by events of its own. It does so beside workers that know of none of this,
as after somebody has gone back to the version before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from chat import models
from chat.models import Entry, Message, Person, Room
from chat.services.bus.events import Event
from chat.services.log import follower
from chat.services.log.append import Draft
from chat.services.messages import writing
from chat.services.messages.writing import Messages
from chat.services.storage import entries, rows
from tests.faults.planted import put

POLL_EVERY = 4  # messages
KIND, LETTER = "poll", "p"


def mood_of(client_id: str) -> str:
    """The mood that a message of that client id has."""
    return f"as {client_id} feels"


class PollAsked(Event, frozen=True, tag="poll:asked"):
    """What its workers tell each other of a poll; to those before it, an event of a kind that they do not know."""

    room: str
    by: str


@dataclass(frozen=True)
class Moody(Message):
    """A message of that version."""

    mood: str | None = None

    def erased(self) -> Message:
        return replace(super().erased(), mood=None)


def grow() -> None:
    """Makes this process one of that version."""
    read_snapshot, snapshot_attributes, push = entries.read_snapshot, entries.snapshot_attributes, follower.push
    send = Messages.send

    def sent(*args: Any, **fields: Any) -> Moody:
        message = Moody(*args, **fields)
        return replace(message, mood=mood_of(message.client_id))

    def read(room: str, row: rows.Row) -> Message | None:
        snapshot = read_snapshot(room, row)
        return replace(snapshot, mood=row.get("mood")) if isinstance(snapshot, Moody) else snapshot

    def attributes(snapshot: Message) -> rows.Row:
        return snapshot_attributes(snapshot) | {"mood": getattr(snapshot, "mood", None)}

    def asks(self: Messages, person: Person, room_id: str, client_id: str, *args: Any, **fields: Any) -> dict[str, Any]:
        answer = send(self, person, room_id, client_id, *args, **fields)
        if answer["seq"] % POLL_EVERY == 0:
            room = self._rooms.get(room_id)
            build = partial(poll, room, person, answer["seq"], self._log.now_ms())
            self._log.append(room, person.username, f"{client_id}-poll", (KIND, room_id), lambda: build)
            self._log._bus.publish(PollAsked(room_id, person.username))
        return answer

    def told(room: Room, entry: dict[str, Any], snapshot: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
        if entry["kind"] != KIND:
            return push(room, entry, snapshot)
        return "poll:asked", {"room": room.id, "generation": room.generation, "poll": entry["seq"]}

    put(writing, "Message", sent)
    put(entries, "Message", Moody)
    put(entries, "read_snapshot", read)
    put(entries, "snapshot_attributes", attributes)
    put(entries, "SNAPSHOT_ROW", entries.SNAPSHOT_ROW | {"mood"})
    put(rows, "FORMAT", rows.FORMAT + 1)
    put(follower, "push", told)
    put(Messages, "send", asks)
    entries.LETTERS[KIND], entries.KINDS[LETTER] = LETTER, KIND  # type: ignore[index, assignment]


def poll(room: Room, person: Person, message: int, at_ms: int, seq: int) -> Draft:
    """A poll about a message."""
    kind: models.EntryKind = KIND  # type: ignore[assignment]
    return Draft(Entry(room.id, seq, kind, at_ms, message=message, user=person.username))
