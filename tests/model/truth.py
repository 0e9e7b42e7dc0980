"""What really happened in a schedule, and what must be true of it: while it runs, and after quiet."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from chat.models import Entry, Message, Page
from chat.services.jobs.retention import YOUNGEST_S
from chat.services.storage.entries import read_entry, read_snapshot, slot_key
from chat.services.storage.rooms import member_key, read_membership, user_room_key
from chat.services.storage.values import unpack
from tests.model.scheduler import Scheduler
from tests.model.tables import Item, Place, Tables

OUT = ("left", "removed")
PAGE = "page"
REACTS = ("react", "unreact")
CHANGES = ("edit", "delete", *REACTS)


class Broken(AssertionError):
    """What must never happen has happened; the text says what."""


@dataclass
class Request:
    """Something that a person asked for; `outcome` is `ok`, the code it was refused with, or `unknown`."""

    user: str
    client_id: str
    kind: str
    room: str
    text: str = ""
    about: int = 0  # a message, for a change; a number, for a page
    place: str = "after"  # on which side of that number the page is
    whom: str = ""
    outcome: str = "unknown"
    seq: int = 0  # what a send was acked with
    uncertain: bool = False  # an attempt was not answered: a part of it may still be under way


@dataclass(frozen=True)
class Shown:
    """An entry or a snapshot that reached somebody's socket; a page is of the moment of its last reading."""

    at: float
    user: str
    room: str
    entry: int
    rev: int
    how: str


@dataclass
class Truth:
    """Watches the tables and what workers hand out. Everything is kept by room."""

    scheduler: Scheduler
    tables: Tables
    public: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    decided_at: dict[tuple[str, int], float] = field(default_factory=dict)
    revs: dict[tuple[str, int], dict[int, Message]] = field(default_factory=lambda: defaultdict(dict))
    revs_at: dict[tuple[str, int, int], float] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    last_pushed: dict[tuple[str, str], int] = field(default_factory=dict)
    out_at: dict[tuple[str, str, int], float] = field(default_factory=dict)  # when a person's own row said so
    left_at: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    entries: dict[tuple[str, int], Entry] = field(default_factory=dict)
    rows_put: Counter[str] = field(default_factory=Counter)  # room → how often somebody put a row that was not there
    rows_removed: Counter[str] = field(default_factory=Counter)
    row_texts: dict[Place, str | None] = field(default_factory=dict)
    claimed_at: dict[tuple[str, str], float] = field(default_factory=dict)  # (user, client_id)
    joins: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.tables.watchers.append(self._written)

    # --- while it runs --------------------------------------------------------------------------------------------

    def _written(self, place: Place, old: Item | None, new: Item | None) -> None:
        if place[0] == "messages" and "#" in place[1]:
            self._log_written(place, old, new)
        elif place[0] == "messages":
            self._row_written(place, old, new)
        elif place[0] == "chat" and place[2] == "META":
            self._meta_written(place[1].removeprefix("ROOM#"), unpack(new or {}))
        elif place[0] == "chat" and place[1].startswith("C#"):
            self.claimed_at.setdefault((place[1].removeprefix("C#"), place[2]), self.scheduler.now)
        elif place[0] == "chat" and place[1].startswith("USER#") and place[2].startswith("ROOM#"):
            before, after = unpack(old or {}), unpack(new or {})
            if after.get("state") == "in":
                self.joins[after["username"], after["room"]].append(after["seq"])
            if after.get("state") == "out":
                self.out_at[place[1].removeprefix("USER#"), place[2].removeprefix("ROOM#"), after["seq"]] = (
                    self.scheduler.now
                )
            if "username" not in after or after.get("read", 0) < before.get("read", 0):
                raise Broken(f"the read position of {place[1:]} went from {before} to {after}")

    def _row_written(self, place: Place, old: Item | None, new: Item | None) -> None:
        if old is None or new is None:
            (self.rows_put if old is None else self.rows_removed)[place[1]] += 1
        self.row_texts[place] = unpack(new)["text"] if new is not None else None

    def _meta_written(self, room: str, row: dict[str, Any]) -> None:
        if row["floor"] < self.floors.get(room, 1):
            raise Broken(f"the floor of {room} went from {self.floors[room]} to {row['floor']}")
        self.floors[room] = row["floor"]

    def _log_written(self, place: Place, old: Item | None, new: Item | None) -> None:
        room = place[1].split("#")[1]
        seq = int(place[2])
        if new is None:
            if seq >= self.floors.get(room, 1):
                raise Broken(f"{room}/{seq} was deleted above the floor")
            if self.scheduler.now - self.decided_at[room, seq] < YOUNGEST_S:
                raise Broken(f"{room}/{seq} was deleted before its time")
            return
        row = unpack(new)
        entry, snapshot = read_entry(room, row), read_snapshot(room, row)
        if old is None and (room, seq) in self.decided_at:
            raise Broken(f"{room}/{seq} was deleted, and has become {entry}")
        if old is None:
            self.entries[room, seq] = entry
            self.decided_at[room, seq] = self.scheduler.now
            self.heads[room] = max(seq, self.heads.get(room, 0))
            if entry.kind in OUT:
                self.left_at[entry.user or "", room].append(seq)
            if entry.kind == "joined":
                self.joins[entry.user or "", room].append(seq)
        else:
            before = read_snapshot(room, unpack(old))
            if before is None or snapshot is None or snapshot.rev <= before.rev or before.deleted:
                raise Broken(f"{room}/{seq} was {unpack(old)} and became {row}")
            if (before.author, before.client_id) != (snapshot.author, snapshot.client_id):
                raise Broken(f"{room}/{seq} changed hands")
        if snapshot is not None:
            self.revs[room, seq][snapshot.rev] = snapshot
            self.revs_at[room, seq, snapshot.rev] = self.scheduler.now

    def pushed(self, sid: str, user: str, event: str, payload: Any) -> None:
        """An event that a worker sends to a socket."""
        snapshot = payload if event == "message:sent" else payload.get("message")
        if event == "message:sent":
            entry = payload["seq"]
        elif "entry" in payload:
            entry = payload["entry"]
        else:
            return
        room = payload["room"]
        last = self.last_pushed.get((sid, room))
        if last is not None and entry != last + 1 and not (entry > last and self._may_skip(user, room, last)):
            raise Broken(f"{user} was sent {room}/{entry} after {room}/{last}")
        self.last_pushed[sid, room] = entry
        if (room, entry) not in self.decided_at:
            raise Broken(f"{user} was sent {room}/{entry}, which is not in the table")
        self._show(user, room, entry, snapshot["rev"] if snapshot else 0, event)
        if snapshot is not None and snapshot["seq"] != entry:
            self._show(user, room, snapshot["seq"], snapshot["rev"], event)

    def _may_skip(self, user: str, room: str, last: int) -> bool:
        """Whether somebody's socket need not get what follows that entry: they were out, or it is no longer kept."""
        return last in self.left_at[user, room] or last + 1 < self.floors.get(room, 1)

    def paged(self, user: str, page: Page, room: str, before: int | None = None) -> None:
        """A page that a worker answers, to who asks for what is `before` an entry they know."""
        numbers = [entry.seq for entry in page.entries]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers)) if numbers else []):
            raise Broken(f"{user} got a page of {room} with holes: {numbers}")
        if before is not None and (numbers[-1] != before - 1 if numbers else page.more):
            raise Broken(f"{user} got a page of {room} before {before} with {numbers}")
        for entry in page.entries:
            self._show(user, room, entry.seq, 0, PAGE)
            if entry.kind in OUT and entry.user == user and entry.seq >= max(self.joins[user, room], default=0):
                raise Broken(f"{user} got a page of {room} with their own end, {entry.seq}, in it")
        for snapshot in page.messages:
            self._show(user, room, snapshot.seq, snapshot.rev, PAGE)

    def _show(self, user: str, room: str, entry: int, rev: int, how: str) -> None:
        at = self.scheduler.task.heard_at if how == PAGE else self.scheduler.now
        self.shown.append(Shown(at, user, room, entry, rev, how))

    def acked(self, request: Request, answer: Any) -> None:
        """A request was answered well: what it says must be in the table now."""
        request.outcome = "ok"
        if request.kind == "edit":
            made = self._made(request)
            if made and answer.get("rev", answer["seq"]) < made[0][1]:  # its entry alone, to who was put out since
                raise Broken(f"{request} became {made}, and was answered with {answer}")
        if request.kind != "send":
            return
        request.seq = answer["seq"]
        snapshot = self.snapshot(request.room, request.seq)
        if snapshot is None and request.seq < self.floors.get(request.room, 1):  # it has been, and is no longer kept
            snapshot = next(iter(self.revs[request.room, request.seq].values()), None)
        if snapshot is None or (snapshot.author, snapshot.client_id) != (request.user, request.client_id):
            raise Broken(f"{request} was acked, and {request.room}/{request.seq} is {snapshot}")

    def refused(self, request: Request, code: str, began_at: float) -> None:
        """A request was refused for good: it must not have been carried out when the worker began to look."""
        request.outcome = code
        claimed_at = self.claimed_at.get((request.user, request.client_id), began_at)
        if code == "expired" or (request.about < self.floors.get(request.room, 1) and request.kind in CHANGES):
            return  # what is no longer kept cannot be answered
        if request.kind in (*CHANGES, "send") and claimed_at < began_at:
            raise Broken(f"{request} was refused with {code}, and was carried out: {self._made(request)}")

    def _made(self, request: Request) -> list[tuple[str, int, int]]:
        """(room, entry, message) of every entry that a send or an edit made; a reaction leaves the text as it is."""
        return [
            (room, rev, seq)
            for (room, seq), revs in self.revs.items()
            for before, (rev, snapshot) in pairwise([(0, None), *sorted(revs.items())])
            if snapshot.text == request.text
            and snapshot.author == request.user
            and (request.kind == "edit" or rev == seq)
            if before[1] is None or before[1].text != snapshot.text
        ]

    # --- what the tables say --------------------------------------------------------------------------------------

    def snapshot(self, room: str, seq: int) -> Message | None:
        """The message with that number, None when there is none."""
        key = slot_key(room, seq)
        row = self.tables.get(("messages", key["room"], key["id"]))
        return read_snapshot(room, unpack(row)) if row else None

    def said_by(self, user: str) -> list[tuple[str, int]]:
        """(room, number) of a person's messages that were acked."""
        return [(r.room, r.seq) for r in self.requests if r.user == user and r.kind == "send" and r.outcome == "ok"]

    def said(self) -> list[tuple[str, int]]:
        """(room, number) of everybody's messages that were acked."""
        return [(r.room, r.seq) for r in self.requests if r.kind == "send" and r.outcome == "ok"]

    def log(self, room: str) -> list[Entry]:
        """All entries of a room that there ever were, in order."""
        return [entry for (where, _), entry in sorted(self.entries.items()) if where == room]

    def kept(self, room: str) -> list[int]:
        """The numbers that are in the table, in order."""
        found = [place for place, _ in self.tables.all("messages") if place[1].split("#")[1:2] == [room]]
        return sorted(int(place[2]) for place in found)

    def head(self, room: str) -> int:
        """The highest decided number."""
        return self.heads.get(room, 0)

    # --- after quiet ----------------------------------------------------------------------------------------------

    def check(self, rooms: list[str], followed: Container[str]) -> None:
        """Raises: Broken when the promise was not kept. Where nobody follows, nobody settles holes."""
        for room in rooms:
            log = self.log(room)
            if room in followed:
                self._check_dense(room)
            self._check_memberships(room, log)
            self._check_changes(room, log)
            self._check_shown(room, log)
            self._check_rows(room)
        self._check_requests()
        self._check_reactions()
        self._check_deleted()

    def _check_dense(self, room: str) -> None:
        floor = self.floors.get(room, 1)
        numbers = [seq for seq in self.kept(room) if seq >= floor]
        if numbers != list(range(floor, self.head(room) + 1)):
            raise Broken(f"the log of {room} is not dense: {numbers}")

    def _check_memberships(self, room: str, log: list[Entry]) -> None:
        last = {entry.user: entry for entry in log if entry.kind in (*OUT, "joined")}
        for user, entry in last.items():
            for key in (member_key(room, user or ""), user_room_key(user or "", room)):
                row = self.tables.get(("chat", key["pk"], key["sk"]))
                found = read_membership(unpack(row)) if row else None
                if found is None or (found.seq, found.inside) != (entry.seq, entry.kind == "joined"):
                    raise Broken(f"the log of {room} says {entry}, the row {key} {found}")

    def _check_changes(self, room: str, log: list[Entry]) -> None:
        for entry in log:
            if entry.kind == "change" and entry.seq not in self.revs[room, entry.message or 0]:
                raise Broken(f"{room}/{entry.seq} changed nothing")
        kinds = {entry.seq: entry.kind for entry in log}
        for (where, seq), revs in self.revs.items():
            for rev in revs:
                if where == room and kinds.get(rev, "change") != ("message" if rev == seq else "change"):
                    raise Broken(f"{room}/{seq} has rev {rev}, which is a {kinds[rev]}")

    def rows_of(self, room: str) -> tuple[list[str], list[str]]:
        """What the rows that somebody put into a room say, and what the messages say that they have become."""
        said = [text for place, text in self.row_texts.items() if place[1] == room and text is not None]
        became = [
            snapshot.text
            for where, seq in self.revs
            if where == room
            and (snapshot := self.snapshot(room, seq)) is not None
            and snapshot.via
            and not snapshot.deleted
        ]
        return sorted(said), sorted(became)

    def _check_rows(self, room: str) -> None:
        said, became = self.rows_of(room)
        made = sum(revs[min(revs)].via is not None for (where, _), revs in self.revs.items() if where == room)
        # What is deleted while the tables are compared may come and go once more when the stream tells of it.
        doubled = made > self.rows_put[room] and not self.rows_removed[room]
        if said != became or made < self.rows_put[room] or doubled:
            raise Broken(f"the rows of {room} say {said}, became {became}; {self.rows_put[room]} put, {made} messages")

    def _check_requests(self) -> None:
        for request in self.requests:
            if request.kind not in ("send", "edit"):
                continue
            made = self._made(request)
            wanted = {"ok": (1,), "unknown": (0, 1)}.get(request.outcome, (0, 1) if request.uncertain else (0,))
            if len(made) not in wanted:
                raise Broken(f"{request} became {made}")
        typed: dict[tuple[str, str], int] = {}
        for request in self.requests:
            if request.kind == "send" and request.outcome == "ok":
                tab = request.client_id.rsplit("-", 1)[0]
                if request.seq <= typed.get((tab, request.room), 0):
                    raise Broken(f"{request} overtook what was sent before from the same tab")
                typed[tab, request.room] = request.seq

    def _check_reactions(self) -> None:
        """A person's emoji comes and goes on a message at most as often as they asked for it; and what is there in the
        end is what was acked last to who asked from one page alone."""
        asked: dict[tuple[str, int, str, str], list[Request]] = defaultdict(list)
        for request in self.requests:
            if request.kind in REACTS:
                asked[request.room, request.about, request.user, request.text].append(request)
        for (room, seq, user, emoji), requests in asked.items():
            there = [user in snapshot.reactions.get(emoji, ()) for _, snapshot in sorted(self.revs[room, seq].items())]
            steps = Counter(now for before, now in pairwise(there) if before != now)
            wanted = Counter(request.kind == "react" for request in requests if request.outcome in ("ok", "unknown"))
            deleted = any(snapshot.deleted for snapshot in self.revs[room, seq].values())
            if steps[True] > wanted[True] or (steps[False] > wanted[False] and not deleted):
                raise Broken(f"{emoji} of {user} came and went {steps} on {room}/{seq}, by {requests}")
            pages = {request.client_id.rsplit("-", 1)[0] for request in requests}
            last = [request.kind == "react" for request in requests if request.outcome == "ok"][-1:]
            sure = len(pages) == 1 and all(request.outcome == "ok" for request in requests)
            if sure and not deleted and last != there[-1:]:
                raise Broken(f"{emoji} of {user} is {there} on {room}/{seq} after {requests}")
        for (room, seq), revs in self.revs.items():
            for snapshot in revs.values():
                for emoji, who in snapshot.reactions.items():
                    if len(set(who)) != len(who) or any((room, seq, user, emoji) not in asked for user in who):
                        raise Broken(f"{room}/{seq} has {emoji} of {who}")

    def _check_deleted(self) -> None:
        everything = json.dumps([item for table in ("messages", "chat") for _, item in self.tables.all(table)])
        for request in self.requests:
            snapshot = self.snapshot(request.room, request.about) if request.kind == "delete" else None
            if request.about < self.floors.get(request.room, 1):
                continue
            if request.kind == "delete" and request.outcome == "ok" and not (snapshot and snapshot.deleted):
                raise Broken(f"{request} was acked, and it is {snapshot}")
            if snapshot is not None and snapshot.deleted:
                for old in self.revs[request.room, request.about].values():
                    if old.text and json.dumps(old.text) in everything:
                        raise Broken(f"{old.text!r} was deleted and still lies in a table")

    def _check_shown(self, room: str, log: list[Entry]) -> None:
        """Nobody was shown what lies outside of their time in the room."""
        if room == "general":
            return
        times: dict[str, list[list[float]]] = defaultdict(list)  # user → [first entry they may see, their last one]
        for entry in log:
            if entry.kind == "joined":
                times[entry.user or ""].append([1 if room in self.public else entry.seq, float("inf")])
            elif entry.kind in OUT and times[entry.user or ""]:
                times[entry.user or ""][-1][1] = entry.seq
        for shown in self.shown:
            if shown.room == room and not any(self._may_see(shown, *time) for time in times[shown.user]):
                raise Broken(f"{shown} lies outside of {times[shown.user]}")

    def _may_see(self, shown: Shown, first: float, last: float) -> bool:
        newest = max(shown.entry, shown.rev)
        if shown.entry < first:
            return False
        # A page may show what was there before the end was decided: the reader was a member then.
        return newest <= last or (shown.how == PAGE and shown.at < self.out_at[shown.user, shown.room, int(last)])
