"""Judges a look: what pages show against what the service tells the same people by HTTP, everybody being at rest.

`judge(look)` is a pure function. Of a stretch that a page shows it says where it differs from the log, of two pages
where they differ from each other, of a sidebar where it counts otherwise than the log and the read mark, and of what a
page showed as sent whether it is in the log once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

MISSING = "missing"
STRANGE = "not in the log"
DIFFERENT = "different"
DISORDERED = "disordered"
DOUBLED = "doubled"
WAITING = "still waiting"
LOST = "lost"
DISAGREE = "pages disagree"
UNREAD = "unread miscounted"
KINDS = (MISSING, STRANGE, DIFFERENT, DISORDERED, DOUBLED, WAITING, LOST, DISAGREE, UNREAD)

UNREAD_ENTRIES = 500  # over which unread messages are counted
SHOWN_AT_MOST = 99


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: at whose page, what should be there, and what is."""

    kind: str
    who: str
    expected: str
    there: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.who}: expected {self.expected}; there is {self.there}"


@dataclass(frozen=True)
class Row:
    """A message as somebody has it. `mine` are the reader's own reactions."""

    seq: int
    name: str
    text: str
    deleted: bool = False
    edited: bool = False
    replies: bool = False
    reactions: tuple[tuple[str, int], ...] = ()
    mine: frozenset[str] = frozenset()

    @property
    def of_all(self) -> tuple[Any, ...]:
        """What everybody sees alike."""
        return self.name, self.text, self.deleted, self.edited, self.replies, dict(self.reactions)


@dataclass(frozen=True)
class Shown:
    """A room on a page: its rows from above. `to_end`, `from_start`: nothing follows, nothing comes before, as the page
    has it; `waiting`: what has no receipt."""

    page: str
    user: str
    room: str
    rows: tuple[Row, ...]
    to_end: bool = False
    from_start: bool = False
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True)
class Log:
    """A room as the service tells it to one person, from the first entry that they may see."""

    user: str
    room: str
    rows: dict[int, Row]
    authors: dict[int, tuple[str, str]]  # seq → username, client_id
    entries: tuple[int, ...]
    read: int
    unread: int
    unread_more: bool


@dataclass
class Sent:
    """A message that somebody wrote at a page: what it may say now, `None` where it may be deleted. Of what was changed
    while the server was away it is not known whether it became so."""

    user: str
    room: str
    client_id: str
    texts: set[str | None]


@dataclass
class Look:
    """All that was seen at one moment of rest. `badges` (page, user) → room → what its link counts; `wishes` (user,
    room, client_id, emoji) → whether that person wants it there."""

    shown: list[Shown]
    logs: dict[tuple[str, str], Log]
    sent: list[Sent] = field(default_factory=list)
    badges: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    wishes: dict[tuple[str, str, str, str], bool] = field(default_factory=dict)


def judge(look: Look) -> list[Finding]:
    """Everything that does not hold, without repeats."""
    return list(dict.fromkeys(finding for check in CHECKS for finding in check(look)))


def check_shown(look: Look) -> Iterator[Finding]:
    """A page shows a stretch of the log without a hole, each message once, in order, as it is now."""
    for shown in look.shown:
        who = f"{shown.page} in {shown.room}"
        for text in shown.waiting:
            yield Finding(WAITING, who, "everything sent", text)
        log = look.logs.get((shown.user, shown.room))
        if log is None:
            if shown.rows:
                yield Finding(STRANGE, who, "nothing of a room that they are not in", f"{len(shown.rows)} messages")
            continue
        numbers = [row.seq for row in shown.rows]
        if numbers != sorted(numbers):
            yield Finding(DISORDERED, who, "the order of the log", str(numbers))
        for seq, times in Counter(numbers).items():
            if times > 1:
                yield Finding(DOUBLED, who, f"{seq} once", f"it {times} times")
        yield from _stretch(who, shown, log)


def _stretch(who: str, shown: Shown, log: Log) -> Iterator[Finding]:
    held = {row.seq: row for row in shown.rows}
    first = 0 if shown.from_start else min(held, default=0)
    last = max(log.rows, default=0) if shown.to_end else max(held, default=0)
    missing: list[int] = []
    for seq in sorted({seq for seq in log.rows if first <= seq <= last} | set(held)):
        stored, row = log.rows.get(seq), held.get(seq)
        if row is None:
            missing.append(seq)
        elif stored is None:
            yield Finding(STRANGE, who, f"no message {seq}", str(row))
        elif row.of_all != stored.of_all or row.mine != stored.mine:
            yield Finding(DIFFERENT, who, str(stored), str(row))
    if missing:
        there = f"{len(missing)} less, of {min(held, default=0)} to {max(held, default=0)}: {missing[:20]}"
        yield Finding(MISSING, who, f"{missing[0]} and what follows: {log.rows[missing[0]]}", there)


def check_agreement(look: Look) -> Iterator[Finding]:
    """Of what two pages show both, they show the same."""
    by_room: dict[str, list[Shown]] = defaultdict(list)
    for shown in look.shown:
        by_room[shown.room].append(shown)
    for room, pages in by_room.items():
        for one, other in combinations(pages, 2):
            held = {row.seq: row for row in other.rows}
            for row in one.rows:
                beside = held.get(row.seq, row)
                if beside.of_all != row.of_all:
                    yield Finding(DISAGREE, f"{one.page} and {other.page} in {room}", str(row), str(beside))


def check_sent(look: Look) -> Iterator[Finding]:
    """What somebody wrote is in the log of its room once, and says what they made of it last. Nothing is said of rooms
    in which nobody is any more."""
    places: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    rows: dict[tuple[str, int], Row] = {}
    first: dict[str, int] = {}
    for (_, room), log in look.logs.items():
        first[room] = min(first.get(room, 10**9), *log.entries[:1], 10**9)
        for seq, key in log.authors.items():
            if (room, seq) not in rows:
                places[room][key].append(seq)
            rows[room, seq] = log.rows[seq]
    for sent in look.sent:
        if first.get(sent.room) != 1:
            continue  # nobody who is still there sees it from its beginning
        who, seqs = f"{sent.user} in {sent.room}", places[sent.room][sent.user, sent.client_id]
        if len(seqs) != 1:
            kind = LOST if not seqs else DOUBLED
            yield Finding(kind, who, f"{sent.client_id} {sent.texts} once in the log", f"it at {seqs}")
            continue
        row = rows[sent.room, seqs[0]]
        if (None if row.deleted else row.text) not in sent.texts:
            yield Finding(LOST, who, f"{sent.client_id} to say {sent.texts}", str(row))


def check_wishes(look: Look) -> Iterator[Finding]:
    """A reaction that somebody put is there, and one that they took back is not."""
    for (user, room, client_id, emoji), wanted in look.wishes.items():
        log = look.logs.get((user, room))
        if log is None:
            continue
        for seq, (_, id_) in log.authors.items():
            if id_ == client_id and not log.rows[seq].deleted and (emoji in log.rows[seq].mine) != wanted:
                there = "there" if wanted else "gone"
                yield Finding(LOST, f"{user} in {room}", f"their {emoji} on {seq} {there}", str(log.rows[seq]))


def check_unread(look: Look) -> Iterator[Finding]:
    """Unread are the messages of others behind the read mark: so the service counts, and so does every sidebar."""
    counted: dict[tuple[str, str], str] = {}
    for (user, room), log in look.logs.items():
        behind = [seq for seq in log.entries if seq > log.read][:UNREAD_ENTRIES]
        others = [seq for seq in behind if seq in log.rows and log.authors[seq][0] != user]
        unread = sum(not log.rows[seq].deleted for seq in others)
        if (unread, len(behind) >= UNREAD_ENTRIES) != (log.unread, log.unread_more):
            told = f"{log.unread}{' or more' if log.unread_more else ''}"
            yield Finding(UNREAD, f"the list of {user}", f"{unread} in {room} behind {log.read}", told)
        many = unread > SHOWN_AT_MOST or len(behind) >= UNREAD_ENTRIES
        counted[user, room] = f"{min(unread, SHOWN_AT_MOST)}+" if many else str(unread or "")
    for (page, user), badges in look.badges.items():
        for room in {room for owner, room in counted if owner == user} | set(badges):
            expected, there = counted.get((user, room)), badges.get(room)
            if expected != there:
                expected_ = "no such room" if expected is None else f"{expected or 'nothing'} unread"
                there_ = "no such room" if there is None else f"{there or 'nothing'} unread"
                behind_ = f" behind {look.logs[user, room].read}" if (user, room) in look.logs else ""
                yield Finding(UNREAD, f"{page}, the link of {room}", expected_ + behind_, there_)


CHECKS = (check_shown, check_agreement, check_sent, check_wishes, check_unread)
