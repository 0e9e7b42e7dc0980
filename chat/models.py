"""The values that services, storage and edges speak of. Plain data; no rules, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

RoomKind = Literal["public", "private"]
MAX_SEQ = 10**12 - 1  # an entry's number fits twelve digits
EntryKind = Literal["message", "change", "joined", "left", "removed", "room", "tombstone", "unknown"]
LEAVING = ("left", "removed")  # kinds of entries that end a membership


@dataclass(frozen=True)
class User:
    """An account. `username` is the casefolded id, `name` what the person typed; `epoch` ends older sessions when it
    changes."""

    username: str
    name: str
    password_hash: str = ""
    epoch: int = 0
    created_at_ms: int = 0

    def public(self) -> dict[str, str]:
        """What others may see: `{username, name}`."""
        return {"username": self.username, "name": self.name}


@dataclass(frozen=True)
class Person:
    """Who asks: the user of a live session, as every service method takes it."""

    username: str
    name: str


@dataclass(frozen=True)
class Message:
    """A message's snapshot: what it is now. `rev` is the number of the entry that changed it last. `via` is `table`
    when it was put into the table by somebody who is no user here; then `author` is nobody's username. `reactions` has
    the usernames of those who reacted, by emoji, both in the order in which they came. `more`: another version has
    written more into its row than this one reads."""

    room: str
    seq: int
    rev: int
    client_id: str
    author: str
    name: str
    text: str
    created_at_ms: int
    edited_at_ms: int | None = None
    reply_to: int | None = None
    deleted: bool = False
    via: str | None = None
    reactions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    more: bool = False

    def mine(self, username: str) -> list[str]:
        """The emoji that this person reacted with."""
        return [emoji for emoji, who in self.reactions.items() if username in who]

    def erased(self) -> Message:
        """What is left of it once it is deleted; its `rev` is the caller's to set."""
        return replace(self, text="", deleted=True, reactions={}, more=False)

    def to_dict(self, generation: int, reader: str | None = None) -> dict[str, Any]:
        """The wire shape of docs/protocol.md: how many reacted; who did is asked for. Only what goes to one `reader`
        tells which of the reactions are theirs."""
        facts = {"generation": generation} | {k: v for k, v in vars(self).items() if v is not None}
        del facts["reactions"], facts["more"]
        if self.reactions:
            facts["reactions"] = {emoji: len(who) for emoji, who in self.reactions.items()}
            if reader is not None:
                facts["mine"] = self.mine(reader)
        return facts


@dataclass(frozen=True)
class Entry:
    """One decided slot of a room's log: what happened. `message` is the number of the message that a change speaks
    of; `successor` who owns the room from here on, where its owner went. `unknown` is what only later versions know: to
    everybody here, a tombstone."""

    room: str
    seq: int
    kind: EntryKind
    at_ms: int
    message: int | None = None
    user: str | None = None
    name: str | None = None
    by: str | None = None
    successor: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The wire shape of docs/protocol.md (the room stands beside the entries, not in them)."""
        facts = {k: v for k, v in vars(self).items() if v is not None and k != "room"}
        return facts | {"kind": "tombstone"} if self.kind == "unknown" else facts


@dataclass(frozen=True)
class Room:
    """A room's META row. `generation` is when it began, or began anew, in seconds since 1970 (older rooms: 1): another
    room of the same name before it is none to pages and counters. `bucket` is the highest log bucket begun, `floor` the
    oldest number kept; below `swept` everything has been deleted."""

    id: str
    name: str
    kind: RoomKind
    owner: str = ""
    generation: int = 1
    bucket: int = 0
    floor: int = 1
    swept: int = 1


GENERAL = Room("general", "General", "public")  # everybody's, made with the tables; nobody owns it


@dataclass(frozen=True)
class Membership:
    """Who is in a room: `seq` is the entry that made it so, `start` the first entry this member may see."""

    room: str
    username: str
    name: str
    inside: bool
    seq: int = 0
    start: int = 1
    read: int = 0


@dataclass(frozen=True)
class Claim:
    """Proof that a request was carried out: `(user, client_id)` → the entry it became, and the hash of what it asked.

    `seq` is 0 when the request changed nothing; `message` is the message that a change spoke of. `expires_at`, in
    seconds since 1970, is when the proof may go, a while after what it proves; None for never. `generation` is the
    room's when the request was carried out; 0 in rows from before there was one.
    """

    user: str
    client_id: str
    room: str
    digest: str
    seq: int = 0
    message: int | None = None
    expires_at: int | None = None
    generation: int = 0


@dataclass(frozen=True)
class Worker:
    """A worker as it shows itself to the others. `beats` counts up while it lives; `hears` says that the bus reaches
    it; `format` is what it reads (chat.services.storage.rows.FORMAT), 0 from before there was a word for it; `url` the
    address that it answers to, empty when it has not said."""

    id: str
    beats: int
    hears: bool
    at_ms: int
    format: int = 0
    url: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """What has become of a row that somebody put into the table: the last of its changes that was taken over.

    `number` is that change's place in the stream, digits of one length; `stream` says which stream, the later the
    greater. `seq` is the message that the row is now, 0 when it is none: deleted.
    """

    room: str
    id: str
    number: str
    stream: str
    seq: int = 0


@dataclass(frozen=True)
class CheckpointMove:
    """A checkpoint in the place of the one `before` it (None: of none), by which the change was judged: only while that
    one is still there."""

    checkpoint: Checkpoint
    before: Checkpoint | None


@dataclass(frozen=True)
class RejectedRow:
    """A row in the table that could not become a message, and why."""

    room: str
    id: str
    reason: str
    at_ms: int


@dataclass(frozen=True)
class Page:
    """A stretch of a room's log with the snapshots it speaks of, for one `reader`; `quotes` are those that its messages
    answer and that are not among them. See docs/protocol.md."""

    generation: int
    head: int
    floor: int
    start: int
    entries: list[Entry] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    quotes: list[Message] = field(default_factory=list)
    more: bool = False
    gap: bool = False
    oldest: int | None = None
    reader: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The wire shape of docs/protocol.md."""
        further: dict[str, Any] = {"gap": True} if self.gap else {}
        if self.oldest is not None:
            further["oldest"] = self.oldest
        if self.quotes:
            further["quotes"] = [quote.to_dict(self.generation, self.reader) for quote in self.quotes]
        return further | {
            "generation": self.generation,
            "head": self.head,
            "floor": self.floor,
            "from": self.start,
            "entries": [entry.to_dict() for entry in self.entries],
            "messages": [message.to_dict(self.generation, self.reader) for message in self.messages],
            "more": self.more,
        }
