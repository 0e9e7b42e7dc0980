"""Faults planted in the product, one line each, to show that the schedules find them."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from chat.services.ingest.ingest import Ingest
from chat.services.jobs.retention import Retention
from chat.services.log.append import Log
from chat.services.log.checks import Checks
from chat.services.log.follower import Follower
from chat.services.log.followers import Followers
from chat.services.log.group_commit import GroupCommit
from chat.services.log.subscribers import Subscribers
from chat.services.messages.history import History
from chat.services.messages.writing import Messages
from chat.services.storage import claims, entries, external, rooms
from chat.services.storage.entries import EntryRows
from chat.services.storage.transaction import Transaction
from tests.model.scenes import (
    ASKED_AGAIN,
    BACK,
    DOORS,
    IN_AND_OUT,
    NIGHT,
    REACTIONS,
    REMOVAL_BETWEEN_CHANGES,
    ROWS,
    Scene,
)
from tests.model.schedule import run


@dataclass(frozen=True)
class Mutation:
    """In that method, or function of a module, each text is replaced by another. `meets` is a schedule that is known to
    find it; another one does when the code that is on the way has changed."""

    name: str
    owner: type | ModuleType
    method: str
    changes: tuple[tuple[str, str], ...]
    scene: Scene | None = None  # where it is looked for; None for all
    meets: int = 0

    @property
    def _module(self) -> ModuleType:
        return self.owner if isinstance(self.owner, ModuleType) else sys.modules[self.owner.__module__]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The product with this fault in it."""
        original = self.owner.__dict__[self.method]
        source = textwrap.dedent(inspect.getsource(getattr(self.owner, self.method)))
        for old, new in self.changes:
            assert source.count(old) == 1, f"{self.name}: {old!r} is not in the code once"
            source = source.replace(old, new)
        made: dict[str, Any] = {}
        exec(compile(source, self.name, "exec"), vars(self._module), made)
        setattr(self.owner, self.method, made[self.method])
        try:
            yield
        finally:
            setattr(self.owner, self.method, original)

    def found(self, seeds: Iterable[int]) -> tuple[int, str] | None:
        """The first of these schedules that meets it, and what it says; None when none does."""
        with self.planted():
            for seed in seeds:
                try:
                    run(seed, self.scene)
                except AssertionError as error:
                    return seed, str(error)
        return None


MUTATIONS = [
    Mutation(
        "a claim is written whether it stands or not",
        claims,
        "claim_fact",
        (
            (
                'put_new("chat", claim_row(claim))',
                'type(new := put_new("chat", claim_row(claim)))("chat", "Put", {"Item": new.request["Item"]})',
            ),
        ),
        meets=5,
    ),
    Mutation(
        "a slot is written whether it is taken or not",
        entries,
        "slot_fact",
        (
            (
                'put_new("messages", log_row(entry, snapshot))',
                'Write("messages", "Put", {"Item": pack(log_row(entry, snapshot))})',
            ),
        ),
        meets=103,
    ),
    Mutation(
        "a tombstone overwrites what is there",
        EntryRows,
        "tombstone",
        (('put_new("messages", row)', 'Write("messages", "Put", {"Item": pack(row)})'),),
        meets=9,
    ),
    Mutation(
        "an older membership replaces a newer one",
        rooms,
        "membership_write",
        (("#seq < :seq", "attribute_exists(#seq)"),),
        IN_AND_OUT,
        meets=213,
    ),
    Mutation(
        "who shares a transaction with somebody refused counts as stored",
        Transaction,
        "append_each",
        (("self.append_each([appends[index] for index in left])", "[None] * len(left)"),),
        meets=110,
    ),
    Mutation(
        "who is refused in a transaction of many counts as stored",
        GroupCommit,
        "_commit_batch",
        (("pending.end(end)", "pending.end(end if len(batch) == 1 else None)"),),
        meets=25,
    ),
    Mutation(
        "a reaction overwrites what others did meanwhile",
        entries,
        "snapshot_write",
        (("#rev = :replaced", "(#rev < :replaced OR #rev >= :replaced)"),),
        REACTIONS,
        meets=63,
    ),
    Mutation(
        "an entry is told before it is stored",
        Log,
        "_place",
        (
            (
                "stored = proof(number, draft)",
                "stored = proof(number, draft); self._publish(room, draft.entry, draft.snapshot)",
            ),
        ),
        meets=3,
    ),
    Mutation(
        "entries are delivered as they come",
        Follower,
        "_deliver",
        (
            ("while self.cursor + 1 in self._stash and", "while self._stash and"),
            ("self._stash.pop(self.cursor + 1)", "self._stash.pop(min(self._stash))"),
            ("self.cursor += 1", 'self.cursor = entry["seq"]'),
        ),
        meets=3,
    ),
    Mutation(
        "a dormant room wakes where the log is now",
        Followers,
        "_start",
        (("cursor = min(cursor, dormant.head, max(dormant.begin, first - 1))", "pass"),),
        meets=6,
    ),
    Mutation(
        "who left before a room wakes is still in it",
        Followers,
        "_start",
        (("if entry.seq <= cursor:", "if False:"),),
        IN_AND_OUT,
        meets=518,
    ),
    Mutation(
        "what wakes a dormant room is asked of the bus alone",
        Checks,
        "check_proposed",
        (("if before > each.head:", "if False:"),),
        meets=98,
    ),
    Mutation(
        "who is removed stays subscribed",
        Subscribers,
        "note",
        (("self.remove(sid)", "pass"),),
        meets=3,
    ),
    Mutation(
        "a socket gets what was before its time",
        Subscribers,
        "_admit",
        (("subscriber.start <= upcoming", "True"),),
        meets=337,
    ),
    Mutation(
        "a change tells of what was before their time",
        Subscribers,
        "came_after",
        (("s.start > number", "False"),),
        REMOVAL_BETWEEN_CHANGES,
        meets=95,
    ),
    Mutation(
        "nobody settles holes",
        Follower,
        "_settle_holes",
        (("now - seen_at > self._log.grace_s", "False"),),
        meets=20,
    ),
    Mutation(
        "a snapshot rides on any entry that speaks of it",
        Follower,
        "_read_on",
        (("snapshot.rev != entry.seq", "snapshot.rev < entry.seq"),),
        REMOVAL_BETWEEN_CHANGES,
        meets=5,
    ),
    Mutation(
        "a page goes past its reader's own removal",
        History,
        "_checked",
        (("e.seq > now.seq", "False"),),
        DOORS,
        meets=144,
    ),
    Mutation(
        "an older page ends before what is undecided",
        History,
        "_before",
        (("last_run(pairs)", "run(pairs, pairs[0][0].seq - 1 if pairs else 0)"),),
        BACK,
        meets=27,
    ),
    Mutation(
        "what was carried out is refused to who was put out since",
        Messages,
        "_done",
        (('if refusal.code == "room_not_found" else', "if False else"),),
        ASKED_AGAIN,
        meets=8,
    ),
    Mutation(
        "a change of a row counts though another one was taken over meanwhile",
        external,
        "checkpoint_write",
        (("not_exists(pk)", "not_exists(pk) OR attribute_exists(pk)"), ("= :of", "= :of OR attribute_exists(pk)")),
        ROWS,
        meets=33,
    ),
    Mutation(
        "each change of a row is a message of its own",
        Ingest,
        "_take_after",
        (("if checkpoint is None or not checkpoint.seq:", "if True:"),),
        ROWS,
    ),
    Mutation(
        "a row that goes leaves its message",
        Ingest,
        "_delete",
        (("checkpoint is not None and checkpoint.seq", "False"),),
        ROWS,
    ),
    Mutation(
        "what is too old goes before the floor moves",
        Retention,
        "_raise_floor",
        (("self._storage.rooms.raise_floor(room.id, floor)", "pass"),),
        NIGHT,
    ),
    Mutation(
        "who is behind the floor is sent what is left",
        History,
        "open",
        (("after and after >= room.floor - 1 and", "after and"),),
        NIGHT,
        meets=46,
    ),
]
