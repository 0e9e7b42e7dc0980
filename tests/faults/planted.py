"""The planted bugs: product code with one promise taken out, to see that the checker misses it.

Product code has no switches for this. A planted server is started as `tests.faults.planted_app:app('name')`, which
patches the classes of the worker before it makes the app. Each bug names the scene of tests.faults.stage that provokes
it, and the kinds of violation of which that must show at least one.
"""

from __future__ import annotations

import inspect
import random
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gevent

from chat import app as assembly
from chat.blueprints.session import StoredSessionInterface
from chat.errors import ChatError
from chat.models import Claim, Entry, Membership, Message, Page
from chat.services.limits.allowance import Allowance
from chat.services.log import follower, idempotency
from chat.services.log.append import Log
from chat.services.log.group_commit import GroupCommit
from chat.services.log.sequence import Sequences
from chat.services.messages.history import History
from chat.services.messages.writing import Messages
from chat.services.presence.read_position import ReadPositions
from chat.services.sessions.record import encode
from chat.services.storage import claims, entries, external
from chat.services.storage.facts import Write
from chat.services.storage.values import pack
from chat.sockets.broadcaster import SocketBroadcaster
from chat.sockets.client_sockets import ClientSocket
from chat.sockets.handlers import messages as handlers
from chat.sockets.protocol import REQUESTS
from chat.sockets.session_watch import SessionWatch
from chat.sockets.subscriptions import Subscriptions
from tests.faults import checker

UNWRITTEN_S = 0.1
PUSHES = 5_000
MIXED_S = 0.03
SLOW_REQUEST_S = 0.5


@dataclass(frozen=True)
class Bug:
    """`plant` patches this process."""

    name: str
    plant: Callable[[], None]
    scene: str
    kinds: frozenset[str]


BUGS: dict[str, Bug] = {}


def bug(name: str, scene: str, *kinds: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers what plants it."""

    def register(plant: Callable[[], None]) -> Callable[[], None]:
        BUGS[name] = Bug(name, plant, scene, frozenset(kinds))
        return plant

    return register


def put(owner: Any, name: str, instead: Any) -> None:
    """In this process, that is in the place of what was there, which must exist and be called alike: a bug that
    raises where it is called is another one than was meant."""
    assert hasattr(owner, name), f"{owner} has no {name} any more"
    there = getattr(owner, name)
    assert not callable(there) or takes(instead, there), f"{owner.__name__}.{name} is called otherwise now"
    setattr(owner, name, instead)


def takes(function: Callable[..., Any], like: Callable[..., Any]) -> bool:
    """Whether a call of `like` is a call of `function` too, with all that it may be given and with what it must. One
    that takes anything does not say how it is called."""
    given = list(inspect.signature(like).parameters.values())
    if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in given):
        return True
    for chosen in (given, [one for one in given if one.default is one.empty]):
        by_name = {one.name: one for one in chosen if one.kind is one.KEYWORD_ONLY}
        try:
            inspect.signature(function).bind(*[one for one in chosen if one.name not in by_name], **by_name)
        except TypeError:
            return False
    return True


# --- writing ----------------------------------------------------------------------------------------------------------


@bug("ack before write", "a worker killed", checker.LOST)
def ack_before_write() -> None:
    def send(self: Messages, person: Any, room_id: str, client_id: str, text: str, seen: int = 0, reply_to: Any = None):
        room, _ = self._rooms.require(person, room_id)
        seq, at_ms = self._log._sequences.propose(room, seen), self._log.now_ms()
        snapshot = Message(room.id, seq, seq, client_id, person.username, person.name, text, at_ms, reply_to=reply_to)
        claim = Claim(person.username, client_id, room.id, "", seq, seq)
        gevent.spawn_later(
            UNWRITTEN_S, self._storage.transaction.append, Entry(room.id, seq, "message", at_ms), claim, snapshot
        )
        return snapshot.to_dict(room.generation)

    put(Messages, "send", send)


@bug("push before commit", "a worker killed", checker.IN_SOME, checker.DOUBLED)
def push_before_commit() -> None:
    append = Log.append

    def eager(self: Log, room: Any, user: str, client_id: str, request: Any, judge: Any, *args: Any, **options: Any):
        def pushed(draft_under: Any, number: int) -> Any:
            draft = draft_under(number)
            self._publish(room, draft.entry, draft.snapshot)
            gevent.sleep(UNWRITTEN_S)
            return draft

        def judged() -> Any:
            draft_under = judge()
            return draft_under and partial(pushed, draft_under)

        return append(self, room, user, client_id, request, judged, *args, **options)

    put(Log, "append", eager)


@bug("no dedup on retry", "acks lost", checker.DOUBLED)
def no_dedup_on_retry() -> None:
    append = GroupCommit.append

    def forgetful(self: GroupCommit, entry: Any, proof: Any, *args: Any, **options: Any) -> None:
        if isinstance(proof, Claim):
            proof = replace(proof, client_id=secrets.token_hex(8))
        append(self, entry, proof, *args, **options)

    put(GroupCommit, "append", forgetful)


@bug("dedup key without the user", "one client id of two people", checker.LOST)
def dedup_key_without_the_user() -> None:
    put(claims, "claim_key", lambda user, client_id: {"pk": "C#", "sk": client_id})
    put(idempotency, "_proves", lambda claim, snapshot: True)  # which would see that the message is another's


@bug("seq from a worker-local counter", "talk", checker.LOST)
def seq_from_a_local_counter() -> None:
    last: dict[str, int] = {}
    put_new = entries.put_new

    def propose(self: Sequences, room: Any, seen: int = 0, charge: Any = None) -> int:
        last[room.id] = last.get(room.id, self.read_head(room) if room.id not in last else 0) + 1
        return last[room.id]

    def overwrite(table: str, row: Any) -> Write:
        return (
            put_new(table, row)
            if row["kind"] == entries.LETTERS["tombstone"]
            else Write(table, "Put", {"Item": pack(row)})
        )

    put(Sequences, "propose", propose)
    put(entries, "put_new", overwrite)


@bug("an older snapshot overwrites a newer one", "two devices edit", checker.STALE, checker.SNAPSHOTS)
def older_snapshot_over_newer() -> None:
    append = GroupCommit.append

    def unconditional(snapshot: Any, replaces_rev: Any) -> Write:
        return Write("messages", "Put", {"Item": pack(entries.snapshot_row(snapshot))})

    def at_leisure(self: GroupCommit, entry: Entry, *args: Any, **options: Any) -> None:
        if entry.kind == "change" and entry.seq % 2:
            gevent.sleep(UNWRITTEN_S)
        append(self, entry, *args, **options)

    put(entries, "snapshot_write", unconditional)
    put(GroupCommit, "append", at_leisure)


@bug("handlers reorder", "bots that do not wait", checker.DISORDERED)
def handlers_reorder() -> None:
    check = assembly.check

    def then_side_by_side(socketio: Any, config: Any) -> None:
        check(socketio, config)
        socketio.server.async_handlers = True

    def send(*args: Any) -> dict[str, Any]:
        gevent.sleep(random.random() * MIXED_S)
        return handlers.send(*args)

    put(assembly, "check", then_side_by_side)
    REQUESTS["message:send"] = replace(REQUESTS["message:send"], handler=send)


@bug("a foreign row adopted twice", "rows that others put", checker.DOUBLED)
def foreign_row_adopted_twice() -> None:
    """Without the checkpoint that says what became of a row, whatever is told of it is news."""
    checkpoint_write = external.checkpoint_write

    def unconditional(move: Any) -> Write:
        request = checkpoint_write(move).request
        return Write("chat", "Update", {name: request[name] for name in request if name != "ConditionExpression"})

    put(external, "checkpoint_write", unconditional)
    put(external.ExternalRows, "get_checkpoint", lambda self, room, row_id: None)


# --- delivering -------------------------------------------------------------------------------------------------------


@bug("drop 1 in 5,000 pushes", "a crowded room", checker.LOST)
def drop_pushes() -> None:
    """What is dropped leaves no gap: with one, the follower of docs/protocol.md would repair it."""
    pushed = 0

    def emit(
        self: SocketBroadcaster, room: str, event: str, payload: dict[str, Any], skip: Collection[str] = ()
    ) -> None:
        nonlocal pushed
        server = self._socketio.server
        for sid in {sid for sid, _ in server.manager.get_participants("/", f"room:{room}")} - set(skip):
            pushed += 1
            if event == "message:sent" and pushed >= PUSHES:
                pushed = 0
                server.emit(
                    "entry:skipped",
                    {"room": room, "generation": payload["generation"], "entry": payload["seq"]},
                    to=sid,
                )
            else:
                server.emit(event, payload, to=sid)

    put(SocketBroadcaster, "emit", emit)


@bug("no resync on reconnect", "away for a moment", checker.LOST)
def no_resync() -> None:
    def nothing(page: Page, after: int) -> Page:
        return replace(page, entries=[], messages=[], more=False)

    _open_differently(nothing)


@bug("resync by time", "away for a moment", checker.LOST)
def resync_by_time() -> None:
    put(History, "_after", _by_time(History._after))


def _by_time(after_number: Callable[..., Page]) -> Callable[..., Page]:
    def after_time(
        self: History, person: Any, room: Any, membership: Any, after: int, limit: int, beside: Any = ()
    ) -> Page:
        page = after_number(self, person, room, membership, after, limit, beside)
        last = self._storage.entries.get(room.id, after)
        since_s = last[0].at_ms // 1000 if last else 0
        return replace(page, entries=[entry for entry in page.entries if entry.at_ms // 1000 > since_s])

    return after_time


@bug("off by one in `after`", "away for a moment", checker.LOST)
def off_by_one() -> None:
    def without_the_first(page: Page, after: int) -> Page:
        return replace(page, entries=[entry for entry in page.entries if entry.seq > after + 1])

    _open_differently(without_the_first)


def _open_differently(spoil: Callable[[Page, int], Page]) -> None:
    open_ = History.open

    def spoilt(self: History, person: Any, room_id: str, after: int) -> Page:
        page = open_(self, person, room_id, after)
        return spoil(page, after) if after and not page.gap else page

    put(History, "open", spoilt)


# --- reading ----------------------------------------------------------------------------------------------------------


@bug("opening marks all as read", "reading", checker.UNREAD)
def opening_marks_all_as_read() -> None:
    open_ = History.open

    def and_read(self: History, person: Any, room_id: str, after: int) -> Page:
        page = open_(self, person, room_id, after)
        ReadPositions(self._storage, self._rooms, self._followers, self._log._bus).move(person, room_id, page.head)
        return page

    put(History, "open", and_read)


# --- who may hear -----------------------------------------------------------------------------------------------------


@bug("non-member joins", "outsiders", checker.LEAKED)
def non_member_joins() -> None:
    subscribe = Subscriptions.subscribe

    def everywhere(self: Subscriptions, client: ClientSocket) -> bool:
        added = subscribe(self, client)
        attended = [*self._followers.all().values(), *self._followers.dormant]
        for room in (each.room for each in attended):
            if self._clients.get(client.sid) is client and not self._followers.has(client.sid, room.id):
                membership = Membership(room.id, client.person.username, "", True)
                self._followers.subscribe(client.sid, room, membership, time.monotonic())
        return added

    put(Subscriptions, "subscribe", everywhere)


@bug("a snapshot handed to someone removed before its `rev`", "a removal between edits", checker.LEAKED)
def snapshot_after_removal() -> None:
    def read_on(self: follower.Follower) -> None:
        read = self._storage.entries.after(self.room.id, self.cursor, follower.PAGE)
        snapshots = follower.snapshots_of_changes(self._storage, self.room.id, [entry for entry, _ in read])
        for entry, snapshot in read:
            current = snapshots.get(entry.message or 0) if entry.kind == "change" else snapshot
            if entry.seq > self.cursor:
                self._stash.setdefault(entry.seq, follower._wire(entry, current, self.room.generation))
        self._settle_holes()

    put(follower.Follower, "_read_on", read_on)


@bug("session written back after logout", "a logout while a request is slow", checker.LEAKED)
def session_written_back() -> None:
    save = StoredSessionInterface.save_session

    def write_back(self: StoredSessionInterface, app: Any, session: Any, response: Any) -> None:
        save(self, app, session, response)
        if session.stored is not None:
            gevent.sleep(SLOW_REQUEST_S)
            store, key = self._sessions._redis, self._sessions.key(session.stored.sid)
            store.set(key, encode(session.stored), ex=self._sessions._ttl_s)

    put(StoredSessionInterface, "save_session", write_back)


@bug("delivery goes on while Redis is silent", "Redis silent after a revoke", checker.LEAKED)
def delivery_while_silent() -> None:
    """And what is asked is not paid for: who cannot pay reads nothing either."""
    check, take = SessionWatch.check, Allowance._take

    def lenient(self: SessionWatch, client: ClientSocket) -> None:
        try:
            check(self, client)
        except ChatError as error:
            if error.code != "unavailable":
                raise

    def generous(self: Allowance, key: str, most: int, cost: float) -> None:
        try:
            take(self, key, most, cost)
        except ChatError as error:
            if error.code != "unavailable":
                raise

    put(SessionWatch, "check", lenient)
    put(Allowance, "_take", generous)
    put(ClientSocket, "deliverable", property(lambda self: not self.ended))
