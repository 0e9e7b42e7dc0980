"""Judges a run: what its devices saw against what the tables hold, after quiet.

`judge(evidence)` is a pure function. It knows the promise and nothing of the code: every acked message is in every
member's transcript exactly once, in one order; everybody ends with the same snapshots; nothing of a room reaches who is
not in it, nor who has had no session for `AFTER_REVOKE_S`; every send ends. Times are those of the devices' own clocks:
a device behind a link that holds things back may hear late what was sent in time, so revoke none of those.

Who was in a room and when is read from the log itself (its `joined`, `left` and `removed` entries), so an entry that
the service forgot to write is found as a delivery to an outsider.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chat.services.storage.storage import Storage

LOST = "lost"
DOUBLED = "doubled"
DISORDERED = "disordered"
LEAKED = "leaked"
REFUSED_STORED = "refused but stored"
IN_SOME = "in some but not all"
SNAPSHOTS = "snapshots differ"
HOLE = "numbers not contiguous"
ENDLESS = "send never ended"
STALE = "stale snapshot"
UNREAD = "unread miscounted"
DAYS = "days miscounted"
KINDS = (LOST, DOUBLED, DISORDERED, LEAKED, REFUSED_STORED, IN_SOME, SNAPSHOTS, HOLE, ENDLESS, STALE, UNREAD, DAYS)

AFTER_REVOKE_S = 2.0
SEND_WITHIN_S = 30.0
TIMER_LATE_S = 2.0  # a device's own timer on a busy machine
EVERYBODYS = "general"  # the one room whose members the log does not name
PAGE = 200
UNREAD_ENTRIES = 500  # over which unread messages are counted
REACTIONS = ("reaction:add", "reaction:remove")

Record = Mapping[str, Any]
Key = tuple[str, str]  # (author, client_id): the same message wherever it turns up


@dataclass(frozen=True)
class Violation:
    """One broken promise."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass(frozen=True)
class Snapshot:
    """A message as somebody has it."""

    seq: int
    rev: int
    author: str
    client_id: str
    text: str
    deleted: bool = False
    reactions: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, record: Record) -> Snapshot:
        deleted = bool(record.get("deleted"))
        facts = {name: record[name] for name in ("seq", "rev", "author", "client_id")}
        reactions = tuple(sorted((record.get("reactions") or {}).items()))
        return cls(**facts, text="" if deleted else record["text"], deleted=deleted, reactions=reactions)

    @property
    def key(self) -> Key:
        return self.author, self.client_id


@dataclass(frozen=True)
class Entry:
    """One place in a log: `message` has the number that a change speaks of, `user` whom a membership is about."""

    seq: int
    kind: str
    message: int | None = None
    user: str | None = None


@dataclass
class RoomLog:
    """A room as the table has it; `public` rooms show members all that was, private ones what came since they came."""

    public: bool = False
    entries: list[Entry] = field(default_factory=list)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    reacted: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)  # message → emoji → who

    def seats(self, user: str) -> list[tuple[int, float]]:
        """The stretches of the log that this person was there for, both ends included."""
        found: list[tuple[int, float]] = []
        for entry in self.entries:
            if entry.user == user and entry.kind == "joined":
                found.append((1 if self.public else entry.seq, float("inf")))
            elif entry.user == user and found:
                found[-1] = (found[-1][0], entry.seq)
        return found

    def came(self, user: str) -> int:
        """The entry with which this person is in the room now, 0 when they are not."""
        last = 0
        for entry in self.entries:
            if entry.user == user:
                last = entry.seq if entry.kind == "joined" else 0
        return last


@dataclass
class Evidence:
    """All that is known of a run. `history` is that of fleet.py; `fresh` room → what `GET …/messages` told somebody who
    had never been there, all pages joined; `shown` (device, room) → `(seq, text)` as a page shows them; `listed`
    (user, room) → that room in what `GET /api/rooms` told this person at the end; `miscounts` see days.py."""

    history: list[Record]
    logs: dict[str, RoomLog]
    fresh: dict[str, Record] = field(default_factory=dict)
    shown: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    listed: dict[tuple[str, str], Record] = field(default_factory=dict)
    miscounts: list[str] = field(default_factory=list)


def scan(storage: Storage, rooms: Iterable[str]) -> dict[str, RoomLog]:
    """Those rooms' logs, read strongly from the table."""
    return {room: _scan(storage, room) for room in rooms}


def _scan(storage: Storage, room: str) -> RoomLog:
    meta = storage.rooms.get(room)
    log, after, head = RoomLog(public=meta is not None and meta.kind == "public"), 0, storage.entries.head(room)
    while after < head:
        pairs = storage.entries.after(room, after, PAGE)
        for entry, snapshot in pairs:
            log.entries.append(Entry(entry.seq, entry.kind, entry.message, entry.user))
            if snapshot is not None:
                log.snapshots[entry.seq] = Snapshot.of(snapshot.to_dict(1))
                log.reacted[entry.seq] = snapshot.reactions
        after = pairs[-1][0].seq if pairs else after + 1
    return log


def judge(evidence: Evidence) -> list[Violation]:
    """Every broken promise, without repeats."""
    found = [violation for check in CHECKS for violation in check(evidence)]
    return list(dict.fromkeys(found))


def kinds(violations: Iterable[Violation]) -> dict[str, int]:
    """Kind → how many."""
    return dict(Counter(violation.kind for violation in violations))


# --- the table by itself ----------------------------------------------------------------------------------------------


def check_table(evidence: Evidence) -> Iterator[Violation]:
    """Numbers without a hole, and no message twice."""
    for room, log in evidence.logs.items():
        numbers = [entry.seq for entry in log.entries]
        if numbers != list(range(1, len(numbers) + 1)):
            missing = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
            yield Violation(HOLE, f"{room}: {missing[:5]} of {max(numbers)} are undecided")
        yield from _doubles(f"the table, {room}", ((snapshot.seq, snapshot.key) for snapshot in log.snapshots.values()))


def _doubles(where: str, messages: Iterable[tuple[int, Key]]) -> Iterator[Violation]:
    places: dict[Key, set[int]] = defaultdict(set)
    for seq, key in messages:
        places[key].add(seq)
    for key, seqs in places.items():
        if len(seqs) > 1:
            yield Violation(DOUBLED, f"{where}: {key} is at {sorted(seqs)}")


# --- sends ------------------------------------------------------------------------------------------------------------


@dataclass
class Send:
    """One request and how it ended."""

    record: Record
    user: str
    tries: list[int] = field(default_factory=list)  # the connection of each
    end: Record | None = None

    @property
    def name(self) -> str:
        return f"{self.record['room']}: {self.record['client_id']} of {self.record['c']}"

    @property
    def key(self) -> Key:
        return self.user, self.record["client_id"]

    @property
    def outcome(self) -> str:
        """A refusal after another try says nothing of that one: it may be stored."""
        if self.end is None:
            return ""
        retried = self.end["e"] == "refused" and len(self.tries) > 1
        return "unknown" if retried else self.end["e"]


def users(history: list[Record]) -> dict[str, str]:
    """Device → its user."""
    return {record["c"]: record["user"] for record in history if record["e"] == "device"}


def sends(history: list[Record]) -> list[Send]:
    """Every request of every outbox, in the order in which they were queued."""
    owners = users(history)
    found: dict[tuple[str, str], Send] = {}
    for record in history:
        if record["e"] == "send":
            found[record["c"], record["client_id"]] = Send(record, owners[record["c"]])
        elif record["e"] == "try":
            found[record["c"], record["client_id"]].tries.append(record["n"])
        elif record["e"] in ("ack", "refused", "unknown"):
            found[record["c"], record["client_id"]].end = record
    return list(found.values())


def check_sends(evidence: Evidence) -> Iterator[Violation]:
    """Every send ended; what was acked stands where the ack said, what was refused nowhere."""
    places = {
        room: {snapshot.key: snapshot.seq for snapshot in log.snapshots.values()} for room, log in evidence.logs.items()
    }
    seen = _seen_keys(evidence.history)
    for send in sends(evidence.history):
        yield from _ended(send)
        if send.record["event"] != "message:send" or send.end is None:
            continue
        place = places.get(send.record["room"], {}).get(send.key)
        if send.outcome == "ack" and place is None:
            yield Violation(LOST, f"{send.name} was acked as {send.end['seq']} and is not in the table")
        elif send.outcome == "ack" and place != send.end["seq"]:
            yield Violation(DISORDERED, f"{send.name} was acked as {send.end['seq']} and stands at {place}")
        elif send.outcome == "refused" and (place is not None or send.key in seen[send.record["room"]]):
            yield Violation(REFUSED_STORED, f"{send.name} was refused ({send.end['code']}) and is at {place}")


def _ended(send: Send) -> Iterator[Violation]:
    if send.end is None:
        yield Violation(ENDLESS, f"{send.name} never ended")
        return
    took_s = (send.end["t"] - send.record["t"]) / 1000
    if took_s > SEND_WITHIN_S + TIMER_LATE_S:
        yield Violation(ENDLESS, f"{send.name} ended after {took_s:.0f} s")


def _seen_keys(history: Iterable[Record]) -> dict[str, set[Key]]:
    seen: dict[str, set[Key]] = defaultdict(set)
    for delivery in deliveries(history):
        seen[delivery["room"]] |= {(snapshot["author"], snapshot["client_id"]) for snapshot in _snapshots(delivery)}
    return seen


def check_order(evidence: Evidence) -> Iterator[Violation]:
    """What one device said in a room stands in the order in which it was typed. A device that does not wait for acks
    is promised that only for what it sent once, over one connection."""
    last: dict[tuple[str, str], Send] = {}
    for send in sends(evidence.history):
        if send.record["event"] != "message:send" or send.outcome != "ack":
            continue
        device = send.record["c"], send.record["room"]
        before, last[device] = last.get(device), send
        if before is None or before.end is None or send.end is None or send.end["seq"] > before.end["seq"]:
            continue
        alike = len(send.tries) == len(before.tries) == 1 and send.tries == before.tries
        if send.record["in_flight"] == 1 or alike:
            yield Violation(
                DISORDERED, f"{send.name} is {send.end['seq']}, {before.record['client_id']} is {before.end['seq']}"
            )


def check_reactions(evidence: Evidence) -> Iterator[Violation]:
    """What was acked last to a person, of an emoji of theirs on a message, is so in the table. Nothing is said where
    that is not certain: something was tried again, refused, or has no end."""
    wishes: dict[tuple[str, int, str, str], list[Send]] = defaultdict(list)
    for send in sends(evidence.history):
        if send.record["event"] in REACTIONS:
            wishes[send.record["room"], send.record["seq"], send.user, send.record["emoji"]].append(send)
    for (room, seq, user, emoji), asked in wishes.items():
        log = evidence.logs[room]
        certain = all(send.outcome == "ack" and len(send.tries) == 1 for send in asked)
        if not certain or seq not in log.snapshots or log.snapshots[seq].deleted:
            continue
        newest = max(send.end["rev"] for send in asked if send.end is not None)
        last = {send.record["event"] for send in asked if send.end is not None and send.end["rev"] == newest}
        there = user in log.reacted[seq].get(emoji, ())
        if len(last) == 1 and there != (last == {"reaction:add"}):
            yield Violation(LOST, f"{room}: {emoji} of {user} on {seq} after {last}, and the table says {there}")


def check_foreign(evidence: Evidence) -> Iterator[Violation]:
    """A row that somebody put is one message that says what the row says last, or nothing when it was deleted. No two
    rows, and no two puts of one, may have the same text."""
    rows: dict[tuple[str, str], list[str | None]] = defaultdict(list)
    for record in evidence.history:
        if record["e"] == "foreign":
            rows[record["room"], record["id"]].append(record["text"])
    for (room, row_id), texts in rows.items():
        found = [
            snapshot
            for snapshot in evidence.logs[room].snapshots.values()
            if snapshot.text in texts and not snapshot.deleted
        ]
        if len(found) > 1:
            yield Violation(DOUBLED, f"{room}: the row {row_id} is {[snapshot.seq for snapshot in found]}")
        elif not found and texts[-1] is not None:
            yield Violation(LOST, f"{room}: the row {row_id} is no message")
        elif found and found[0].text != texts[-1]:
            yield Violation(SNAPSHOTS, f"{room}: the row {row_id} says {texts[-1]!r}, {found[0].seq} {found[0].text!r}")


# --- transcripts ------------------------------------------------------------------------------------------------------


def check_transcripts(evidence: Evidence) -> Iterator[Violation]:
    """Every member's transcript is the log, to its end, and a newcomer's is too."""
    held = {(record["c"], record["room"]): record for record in evidence.history if record["e"] == "transcript"}
    excused = _excused(evidence.history)
    for client, user in users(evidence.history).items():
        for room, log in evidence.logs.items():
            seats = log.seats(user)
            member = room == EVERYBODYS or (bool(seats) and seats[-1][1] == float("inf"))
            record = held.get((client, room), {"entries": [], "snapshots": []})
            yield from _transcript(f"{client} in {room}", record, log, complete=member and client not in excused)
    for room, page in evidence.fresh.items():
        yield from _transcript(f"a newcomer in {room}", _as_transcript(page), evidence.logs[room], complete=True)


def _excused(history: Iterable[Record]) -> set[str]:
    """The devices that had no session at the end, or were told to stay away."""
    excused: set[str] = set()
    for record in history:
        if record["e"] in ("revoked", "away"):
            excused.add(record["c"])
        elif record["e"] in ("signed_in", "back"):
            excused.discard(record["c"])
    return excused


def _as_transcript(page: Record) -> Record:
    snapshots = {snapshot["seq"]: snapshot for snapshot in page["messages"]}
    entries = [snapshots.get(entry["seq"], {"seq": entry["seq"], "kind": entry["kind"]}) for entry in page["entries"]]
    return {"entries": entries, "snapshots": page["messages"]}


def _transcript(where: str, record: Record, log: RoomLog, complete: bool) -> Iterator[Violation]:
    entries = record["entries"]
    if not entries:
        if complete and log.entries:
            yield Violation(LOST, f"{where} has nothing")
        return
    numbers = [entry["seq"] for entry in entries]
    if numbers != sorted(numbers):
        yield Violation(DISORDERED, f"{where}: {numbers[:20]}…")
    yield from _doubles(where, ((e["seq"], (e["author"], e["client_id"])) for e in entries if "client_id" in e))
    for number, times in Counter(numbers).items():
        if times > 1:
            yield Violation(DOUBLED, f"{where}: entry {number} {times} times")
    end = log.entries[-1].seq if complete and log.entries else numbers[-1]
    held = {entry["seq"]: entry for entry in entries}
    snapshots = {snapshot["seq"]: Snapshot.of(snapshot) for snapshot in record["snapshots"]}
    yield from _against_table(where, held, snapshots, log, range(numbers[0], max(end, numbers[-1]) + 1))
    if complete:
        yield from _final_snapshots(where, snapshots, log, numbers[0])


def _against_table(
    where: str, held: Mapping[int, Record], snapshots: Mapping[int, Snapshot], log: RoomLog, numbers: range
) -> Iterator[Violation]:
    """A follower that read an entry late tells of a message that was changed since by that change alone: then the
    snapshot is held and the entry says nothing, and before that change nothing is held at all."""
    for seq in numbers:
        stored, entry, snapshot = log.snapshots.get(seq), held.get(seq), snapshots.get(seq)
        said = (entry["author"], entry["client_id"]) if entry is not None and "client_id" in entry else None
        if said is None and entry is not None and snapshot is not None:
            said = snapshot.key
        if entry is None:
            yield Violation(LOST, f"{where} has no entry {seq}")
        elif stored is not None and said is None and stored.rev <= numbers[-1]:
            yield Violation(LOST, f"{where} has no message {seq} ({stored.key})")
        elif stored is None and said is not None:
            yield Violation(IN_SOME, f"{where} has {said} as {seq}, the table has not")
        elif stored is not None and said is not None and said != stored.key:
            yield Violation(LOST, f"{where} has {said} as {seq}, the table has {stored.key}")


def _final_snapshots(where: str, held: Mapping[int, Snapshot], log: RoomLog, first: int) -> Iterator[Violation]:
    """Whoever began with the newest page is not told what older messages became that its changes speak of."""
    changed = {entry.message for entry in log.entries if entry.kind == "change" and entry.seq >= first}
    for seq, stored in log.snapshots.items():
        mine = held.get(seq)
        if mine is None and seq in changed and seq >= first:
            yield Violation(SNAPSHOTS, f"{where} never got {seq}, changed by {stored.rev}")
        elif mine is not None and mine.rev > stored.rev:
            yield Violation(STALE, f"{where} has {seq} as of {mine.rev}, the table as of {stored.rev}")
        elif mine is not None and mine != stored:
            yield Violation(SNAPSHOTS, f"{where} has {mine}, the table {stored}")


def check_snapshots(evidence: Evidence) -> Iterator[Violation]:
    """A snapshot with a number in its `rev` says the same wherever it turns up, and none was replaced by an older
    one."""
    known: dict[tuple[str, int, int], Snapshot] = {}
    newest: dict[tuple[str, int], int] = {}
    for room, snapshot in _all_snapshots(evidence):
        first = known.setdefault((room, snapshot.seq, snapshot.rev), snapshot)
        if first != snapshot:
            yield Violation(SNAPSHOTS, f"{room}: {first} and {snapshot}")
        newest[room, snapshot.seq] = max(newest.get((room, snapshot.seq), 0), snapshot.rev)
    for (room, seq), rev in newest.items():
        stored = evidence.logs[room].snapshots.get(seq)
        if stored is not None and stored.rev < rev:
            yield Violation(STALE, f"{room}: {seq} was handed out as of {rev} and is stored as of {stored.rev}")


def _all_snapshots(evidence: Evidence) -> Iterator[tuple[str, Snapshot]]:
    for room, log in evidence.logs.items():
        for snapshot in log.snapshots.values():
            yield room, snapshot
    for delivery in deliveries(evidence.history):
        if delivery["room"] in evidence.logs:
            for snapshot in _snapshots(delivery):
                yield delivery["room"], Snapshot.of(snapshot)


# --- deliveries -------------------------------------------------------------------------------------------------------


def deliveries(history: Iterable[Record]) -> Iterator[Record]:
    """Every push and page."""
    return (record for record in history if record["e"] in ("push", "page"))


def _snapshots(delivery: Record) -> list[Record]:
    return (
        delivery["snapshots"] if delivery["e"] == "page" else [delivery["snapshot"]] if "snapshot" in delivery else []
    )


def check_pushes(evidence: Evidence) -> Iterator[Violation]:
    """Over one connection, a room's pushes come in the order of the log, each once."""
    last: dict[tuple[str, int, str], int] = {}
    for push in evidence.history:
        if push["e"] != "push":
            continue
        where = push["c"], push["n"], push["room"]
        before, last[where] = last.get(where, 0), push["entry"]
        if push["entry"] <= before:
            yield Violation(DISORDERED, f"{push['c']} was pushed {push['entry']} of {push['room']} after {before}")


def check_leaks(evidence: Evidence) -> Iterator[Violation]:
    """Nothing of a room reaches who is not in it: not at all, not behind their removal, not by a page asked for later;
    and nothing reaches who has no session any more."""
    owners = users(evidence.history)
    seats = {(room, user): log.seats(user) for room, log in evidence.logs.items() for user in set(owners.values())}
    removed: dict[tuple[str, str], list[int]] = defaultdict(list)
    revoked: dict[str, int] = {}
    for record in evidence.history:
        if record["e"] == "removed":
            removed[record["room"], record["user"]].append(record["t"])
        elif record["e"] == "revoked":
            revoked[record["c"]] = record["t"]
        elif record["e"] == "signed_in":
            revoked.pop(record["c"], None)
        elif record["e"] in ("push", "page"):
            where = record["room"], owners[record["c"]]
            if record["room"] != EVERYBODYS and record["room"] in evidence.logs:
                yield from _beyond_seats(record, seats[where])
                yield from _asked_after(record, removed[where], seats[where])
            ended = revoked.get(record["c"])
            if ended is not None and record["t"] - ended > AFTER_REVOKE_S * 1000:
                late_s = (record["t"] - ended) / 1000
                yield Violation(LEAKED, f"{record['c']} heard of {record['room']} {late_s:.1f} s after its session")


def _beyond_seats(delivery: Record, seats: list[tuple[int, float]]) -> Iterator[Violation]:
    """A snapshot of what was before their time tells them just as much when a later entry changed it."""
    numbers = delivery["entries"] if delivery["e"] == "page" else [delivery["entry"]]
    told = [(number, number) for number in numbers] + [
        (snapshot["seq"], snapshot["rev"]) for snapshot in _snapshots(delivery)
    ]
    beyond = [(seq, rev) for seq, rev in told if not any(first <= seq and rev <= last for first, last in seats)]
    if beyond:
        yield Violation(LEAKED, f"{delivery['c']} got {beyond[:5]} of {delivery['room']} and was there for {seats}")


def _asked_after(delivery: Record, removed_at: list[int], seats: list[tuple[int, float]]) -> Iterator[Violation]:
    """Each removal ended one stay; a page asked for behind one needs a further stay."""
    if delivery["e"] == "page" and 0 < len(seats) <= sum(delivery["asked"] > at for at in removed_at):
        yield Violation(LEAKED, f"{delivery['c']} got a page of {delivery['room']} after it was out")


# --- pages in a browser -----------------------------------------------------------------------------------------------


def check_shown(evidence: Evidence) -> Iterator[Violation]:
    """What a page shows is the log from its first message on, without what was deleted."""
    for (client, room), lines in evidence.shown.items():
        where, snapshots = f"the page of {client} in {room}", evidence.logs[room].snapshots
        numbers = [seq for seq, _ in lines]
        if numbers != sorted(numbers):
            yield Violation(DISORDERED, f"{where}: {numbers[:20]}…")
        for seq, times in Counter(numbers).items():
            if times > 1:
                yield Violation(DOUBLED, f"{where}: {seq} {times} times")
        shown = dict(lines)
        for seq, snapshot in snapshots.items():
            if seq >= min(numbers, default=0) and not snapshot.deleted and shown.get(seq) != snapshot.text:
                kind = LOST if seq not in shown else SNAPSHOTS
                yield Violation(kind, f"{where}: {seq} is {shown.get(seq)!r}, the table has {snapshot.text!r}")
        for seq, text in lines:
            if seq not in snapshots or (snapshots[seq].deleted and text):
                yield Violation(IN_SOME, f"{where}: {seq} is {text!r}, the table has no such message")


# --- what is unread ---------------------------------------------------------------------------------------------------


def check_unread(evidence: Evidence) -> Iterator[Violation]:
    """A person's read position stands where one of their devices has read to, or where they came in; and what is unread
    are the messages of others behind it. Where the log went on since, nothing is said of the number."""
    asked, done = _read(evidence.history, "reads"), _read(evidence.history, "has_read")
    for (user, room), told in evidence.listed.items():
        log = evidence.logs.get(room)
        came = log.came(user) if log is not None else 0
        if log is None or not came:
            continue
        least, most = (max(came, reached.get((user, room), 0)) for reached in (done, asked))
        if not least <= told["read"] <= most:
            yield Violation(UNREAD, f"{user} has read {room} up to {told['read']}, and read from {least} to {most}")
        if told["head"] == log.entries[-1].seq:
            yield from _recounted(user, room, told, log)


def _read(history: Iterable[Record], what: str) -> dict[tuple[str, str], int]:
    """(user, room) → the furthest that a device of theirs asked to have read, or was answered that it has."""
    owners = users([record for record in history if record["e"] == "device"])
    furthest: dict[tuple[str, str], int] = {}
    for record in history:
        if record["e"] == what:
            where = owners[record["c"]], record["room"]
            furthest[where] = max(furthest.get(where, 0), record["seq"])
    return furthest


def _recounted(user: str, room: str, told: Record, log: RoomLog) -> Iterator[Violation]:
    first = log.seats(user)[-1][0]
    behind = [entry.seq for entry in log.entries if entry.seq > max(told["read"], first - 1)]
    snapshots = [log.snapshots[seq] for seq in behind[:UNREAD_ENTRIES] if seq in log.snapshots]
    unread = sum(snapshot.author != user and not snapshot.deleted for snapshot in snapshots)
    if (told["unread"], told["unread_more"]) != (unread, len(behind) >= UNREAD_ENTRIES):
        more = " or more" if told["unread_more"] else ""
        read = told["read"]
        yield Violation(UNREAD, f"{user} has {told['unread']}{more} unread in {room} behind {read}, the log {unread}")


def check_days(evidence: Evidence) -> Iterator[Violation]:
    """What was counted of each room's days is what its log says."""
    yield from (Violation(DAYS, words) for words in evidence.miscounts)


CHECKS = (
    check_table,
    check_sends,
    check_order,
    check_reactions,
    check_foreign,
    check_transcripts,
    check_snapshots,
    check_pushes,
    check_leaks,
    check_shown,
    check_unread,
    check_days,
)
