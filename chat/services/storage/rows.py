"""How rooms, logs, memberships and claims lie in the tables: keys, and rows to models and back. No I/O.

`messages`: `room = R#<room>#<n // 10000>`, `id = <12-digit n>`: one row per entry of a room's log. A message's row is
its current image; a change's row says only which message changed.
`chat`: `ROOM#r`/`META`, `ROOM#r`/`MEM#u`, `USER#u`/`ROOM#r`, `DIR#public`/`r`, `C#u`/client_id, `WORKERS`/id;
of rows that others put: `FOREIGN#r`/id, `INGEST#bad`/room#id, `INGEST#<stream>`/shard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat.models import Entry, EntryKind, Mark, Membership, Message, Room, SetAside, Worker

BUCKET_SIZE = 10_000
PUBLIC = "DIR#public"
WORKERS = "WORKERS"
FOREIGN_PREFIX = "FOREIGN#"
SET_ASIDE = "INGEST#bad"
SAID = ("text", "message", "username", "user")  # what is read of a row that others put; whatever else it has is theirs
# What a log row's `kind` attribute says, in one letter to keep rows small.
LETTERS: dict[EntryKind, str] = {
    "message": "m",
    "change": "c",
    "joined": "j",
    "left": "l",
    "removed": "x",
    "room": "r",
    "tombstone": "t",
}
KINDS: dict[str, EntryKind] = {letter: kind for kind, letter in LETTERS.items()}

# What this version reads, in the tables and on the bus: all that is written by versions of the same number or a lower
# one. Who adds a kind of entry, or an attribute that others must know, counts on, adds a line here, and writes it only
# while Workers.all_read(that number).
#   1  what is not known is passed by: further attributes stay in their rows, entries of other kinds are skipped
FORMAT = 1

Row = dict[str, Any]


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


def bucket_of(seq: int) -> int:
    """The bucket that holds the entry with that number."""
    return seq // BUCKET_SIZE


def slot_key(room: str, seq: int) -> Row:
    """Where a log entry lies."""
    return {"room": f"R#{room}#{bucket_of(seq)}", "id": f"{seq:012d}"}


def meta_key(room: str) -> Row:
    """Where a room's description lies."""
    return {"pk": f"ROOM#{room}", "sk": "META"}


def member_key(room: str, username: str) -> Row:
    """Where a room lists one of its members."""
    return {"pk": f"ROOM#{room}", "sk": f"MEM#{username}"}


def made_key(username: str) -> Row:
    """Where it stands how many rooms a person has made."""
    return {"pk": f"USER#{username}", "sk": "MADE"}


def user_room_key(username: str, room: str) -> Row:
    """Where a person's list has one of their rooms."""
    return {"pk": f"USER#{username}", "sk": f"ROOM#{room}"}


def claim_key(user: str, client_id: str) -> Row:
    """Where a claim lies."""
    return {"pk": f"C#{user}", "sk": client_id}


def log_row(entry: Entry, image: Message | None) -> Row:
    """The row of a new entry; a message's row is its image."""
    row = slot_key(entry.room, entry.seq) | {"kind": LETTERS[entry.kind], "at_ms": entry.at_ms}
    if entry.kind == "message":
        assert image is not None
        return row | image_attributes(image)
    return row | {"message": entry.message, "user": entry.user, "name": entry.name, "by": entry.by}


def image_attributes(image: Message) -> Row:
    """What of a message's row its image says."""
    return {
        "rev": image.rev,
        "client_id": image.client_id,
        "author": image.author,
        "name": image.name,
        "text": image.text,
        "edited_at_ms": image.edited_at_ms,
        "reply_to": image.reply_to,
        "deleted": image.deleted or None,
        "via": image.via,
        # A list, because a map has no order: [[emoji, username, …], …]
        "reactions": [[emoji, *who] for emoji, who in image.reactions.items()] or None,
    }


# All that is read of a message's row; `kind` and `at_ms` are in every log row, of whatever kind and version.
IMAGE_ROW = frozenset({"room", "id", "kind", "at_ms", *image_attributes(Message("", 0, 0, "", "", "", "", 0))})


def image_row(image: Message) -> Row:
    """The whole row of a message with its present image."""
    entry = Entry(image.room, image.seq, "message", image.created_at_ms)
    return log_row(entry, image)


def read_entry(room: str, row: Row) -> Entry:
    """The entry that a log row records; of a kind that only later versions know, its number and time."""
    kind = KINDS.get(row["kind"], "unknown")
    seq = int(row["id"])
    if kind in ("message", "unknown"):
        return Entry(room, seq, kind, row["at_ms"])
    return Entry(room, seq, kind, row["at_ms"], row.get("message"), row.get("user"), row.get("name"), row.get("by"))


def read_image(room: str, row: Row) -> Message | None:
    """The message that a log row holds, or None when the entry is not a message."""
    if row["kind"] != LETTERS["message"]:
        return None
    return Message(
        room=room,
        seq=int(row["id"]),
        rev=row["rev"],
        client_id=row["client_id"],
        author=row["author"],
        name=row["name"],
        text=row["text"],
        created_at_ms=row["at_ms"],
        edited_at_ms=row.get("edited_at_ms"),
        reply_to=row.get("reply_to"),
        deleted=row.get("deleted", False),
        via=row.get("via"),
        reactions={emoji: tuple(who) for emoji, *who in row.get("reactions", ())},
        more=not row.keys() <= IMAGE_ROW,
    )


def meta_row(room: Room) -> Row:
    """A room's description as a row."""
    return meta_key(room.room) | {
        "name": room.name,
        "kind": room.kind,
        "owner": room.owner,
        "generation": room.generation,
        "bucket": room.bucket,
        "floor": room.floor,
    }


def read_meta(row: Row) -> Room:
    """The room that a META row describes."""
    return Room(
        room=row["pk"].removeprefix("ROOM#"),
        name=row["name"],
        kind=row["kind"],
        owner=row.get("owner", ""),
        generation=row["generation"],
        bucket=row["bucket"],
        floor=row["floor"],
        swept=row.get("swept", 1),
    )


def membership_attributes(membership: Membership) -> Row:
    """What both rows of a membership say."""
    return {
        "username": membership.username,
        "room": membership.room,
        "name": membership.name,
        "state": "in" if membership.inside else "out",
        "seq": membership.seq,
        "start": membership.start,
    }


def read_membership(row: Row) -> Membership:
    """The membership that either of its rows records; only the person's own row has the read position."""
    return Membership(
        room=row["room"],
        username=row["username"],
        name=row["name"],
        inside=row["state"] == "in",
        seq=row["seq"],
        start=row["start"],
        read=row.get("read", 0),
    )


def claim_row(claim: Claim) -> Row:
    """A claim as a row."""
    return claim_key(claim.user, claim.client_id) | {
        "room": claim.room,
        "digest": claim.digest,
        "seq": claim.seq,
        "message": claim.message,
        "expires_at": claim.expires_at,
        "generation": claim.generation or None,
    }


def read_claim(row: Row) -> Claim:
    """The claim that a row records."""
    return Claim(
        row["pk"].removeprefix("C#"),
        row["sk"],
        row["room"],
        row["digest"],
        row["seq"],
        row.get("message"),
        generation=row.get("generation", 0),
    )


def worker_key(worker: str) -> Row:
    """Where a worker shows itself."""
    return {"pk": WORKERS, "sk": worker}


def worker_row(worker: Worker) -> Row:
    """A worker as a row."""
    said = {"beats": worker.beats, "hears": worker.hears, "at_ms": worker.at_ms, "format": worker.format}
    return worker_key(worker.id) | said


def read_worker(row: Row) -> Worker:
    """The worker that a row describes."""
    return Worker(row["sk"], row["beats"], row["hears"], row["at_ms"], row.get("format", 0))


def is_own(room_key: str) -> bool:
    """Whether a row of `messages` under that key is the app's own; what others put has no `#` there."""
    return "#" in room_key


def slot_of(room_key: str, row_id: str) -> tuple[str, int] | None:
    """(room, number) of a log entry by its key, None when it is no entry's."""
    parts = room_key.split("#")
    return (parts[1], int(row_id)) if len(parts) == 3 and parts[0] == "R" and row_id.isdecimal() else None


def mark_key(room: str, row_id: str) -> Row:
    """Where the mark of a row lies that somebody put."""
    return {"pk": FOREIGN_PREFIX + room, "sk": row_id}


def mark_attributes(mark: Mark) -> Row:
    """What the mark of a row says."""
    return {"number": mark.number, "stream": mark.stream, "seq": mark.seq}


def read_mark(row: Row) -> Mark:
    """The mark that a row records."""
    return Mark(row["pk"].removeprefix(FOREIGN_PREFIX), row["sk"], row["number"], row["stream"], row["seq"])


def set_aside_key(room: str, row_id: str) -> Row:
    """Where a row is listed that could not become a message: one place for each, however often it is put."""
    return {"pk": SET_ASIDE, "sk": f"{room}#{row_id}"[:250]}


def set_aside_row(bad: SetAside) -> Row:
    """A row that could not become a message, as a row."""
    return set_aside_key(bad.room, bad.id) | {
        "room": bad.room[:250],
        "id": bad.id[:250],
        "reason": bad.reason,
        "at_ms": bad.at_ms,
    }


def read_set_aside(row: Row) -> SetAside:
    """The row that was set aside, from its row."""
    return SetAside(row["room"], row["id"], row["reason"], row["at_ms"])


def position_key(stream: str, shard: str) -> Row:
    """Where it is noted how far a shard of a stream has been read."""
    return {"pk": f"INGEST#{stream}", "sk": shard}
