"""Sessions in Redis. This package alone knows the keys, the fields (record.py) and the times to live.

Flask (through chat/blueprints/session.py), the sockets and the Lambda functions read and write the same records:

- `session:<id>` → JSON `{_permanent, username, name, iat, epoch, device}`, gone 30 minutes after a person's last act. A
  session that is kept carries its own `ttl` and `ends_at` too;
- `user_sessions:<username>` → the ids of a person's sessions by the time they began, in seconds; a kept one stands
  there as if it had begun so much later as it may live longer, so that one cut drops what can live no more;
- `user_epoch:<username>` → `<epoch> <server>`: the epoch of the person's row in the table `users`, and the Redis server
  that it was copied to. A session of another epoch is over. The copy of another server may be old (a failover to a
  replica, a restart from disk): then the row is read again, so that no failover undoes "log out everywhere";
- `session_ended:<id>` → a hash with why, for a minute, for whoever finds the session gone. A hash, because who may only
  end sessions must be able to say why, and by a command that could never make one: `logout` in deploy/redis-users.json.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from redis import Redis

from chat.models import Person, User
from chat.services.sessions.epochs import Epochs
from chat.services.sessions.record import ID, ID_BYTES, KEY_PREFIX, RECORD, Session, decode, encode, slide_every_s
from chat.services.storage.redis_client import answering

LIST_PREFIX = "user_sessions:"
ENDED_PREFIX = "session_ended:"
MAX_DEVICE_CHARS = 64
KEPT_END_S = 180 * 24 * 3_600
CLOCKS_DIFFER_S = 2 * 3_600  # of hosts: one an hour off must end nobody's session
REASON_KEPT_S = 60
AT_ONCE = 250  # sessions in one request to Redis: its answer keeps this process from all else for about 3 ms
WHY = "why"
EXPIRED, EVERYWHERE = "expired", "everywhere"
T = TypeVar("T")


class Sessions:
    """All sessions. Every method raises ChatError `unavailable` when Redis does not answer: that ends no session.

    `epochs` reads people's epochs from the table; who has no account is left out. Without it (a runtime that may not
    read the table) a copy in Redis counts as it is. A session that is kept lives on for `kept_ttl_s` after an act; with
    0 none is made, and one that was is over.
    """

    def __init__(
        self,
        redis: Redis,
        ttl_s: int,
        max_age_s: int,
        epochs: Callable[[Iterable[str]], dict[str, int]] | None = None,
        now: Callable[[], float] = time.time,
        kept_ttl_s: int = 0,
    ):
        self._redis = redis
        self._ttl_s = ttl_s
        self._max_age_s = max_age_s
        self._kept_ttl_s = kept_ttl_s
        self._longest_s = max(max_age_s, KEPT_END_S) if kept_ttl_s else max_age_s
        self._epochs = Epochs(redis, epochs, self._longest_s)
        self._now = now

    @staticmethod
    def new_id() -> str:
        """A fresh id of 256 random bits."""
        return secrets.token_urlsafe(ID_BYTES)

    @staticmethod
    def key(sid: str) -> str:
        """Where the session lies in Redis."""
        return KEY_PREFIX + sid

    # --- one session ----------------------------------------------------------------------------------------------

    def create(self, user: User, device: str = "", kept: bool = False) -> Session:
        """Opens a session for that user, under an id that nobody else can know; `kept` where that is offered."""
        sid = self.new_id()
        began_at = self._now()
        iat = int(began_at)
        person = Person(user.username, user.name)
        kept = kept and self._kept_ttl_s > 0
        ttl_s, lasts_s = (self._kept_ttl_s, KEPT_END_S) if kept else (self._ttl_s, self._max_age_s)
        label = device[:MAX_DEVICE_CHARS]
        session = Session(sid, person, iat, user.epoch, iat + ttl_s, ttl_s, iat + lasts_s, label, kept)
        with answering():
            pipeline = self._redis.pipeline(transaction=False)
            self._epochs.mirror(pipeline, user.username, user.epoch)
            pipeline.set(self.key(sid), encode(session), ex=ttl_s)
            pipeline.zremrangebyscore(LIST_PREFIX + user.username, 0, iat - self._max_age_s)
            pipeline.zadd(LIST_PREFIX + user.username, {sid: began_at + lasts_s - self._max_age_s})
            pipeline.expire(LIST_PREFIX + user.username, self._longest_s)
            pipeline.execute()
        return session

    def read(self, sid: str) -> Session | None:
        """The session with that id, or None: there is none, it is over, or what is stored there is not a session."""
        return self.read_all([sid]).get(sid)

    def slide(self, session: Session) -> int:
        """A person acted: the session lives on for its full time, but never past its end.

        Never brings an ended session back. Returns when it ends now, in seconds since 1970.
        """
        now = int(self._now())
        ttl_s = min(session.ttl_s, session.ends_at - now)
        if ttl_s > 0:
            with answering():
                pipeline = self._redis.pipeline(transaction=False)
                pipeline.expire(self.key(session.sid), ttl_s)
                if session.kept:  # a release that knows none, in an upgrade, lets both go after twelve hours
                    place = session.ends_at - self._max_age_s
                    pipeline.zadd(LIST_PREFIX + session.person.username, {session.sid: place}, nx=True)
                    pipeline.expire(LIST_PREFIX + session.person.username, self._longest_s)
                    pipeline.expire(Epochs.key(session.person.username), self._longest_s)
                done, *_ = pipeline.execute(raise_on_error=False)  # a Redis that is full takes no place in a list
                if isinstance(done, Exception):
                    raise done
        return now + max(ttl_s, 0)

    def slide_if_due(self, session: Session) -> Session:
        """Slides a session that has not been slid for a minute (a kept one for an hour), unless it lives for as long as
        it may already.

        Returns it as it is then.
        """
        due = session.expires_at - self._now() < session.ttl_s - slide_every_s(session.ttl_s)
        if not due or session.expires_at >= session.ends_at:
            return session
        return replace(session, expires_at=self.slide(session))

    def write_back(self, session: Session) -> None:
        """Replaces what a session says, if it still exists: an ended one is never written again."""
        with answering():
            self._redis.set(self.key(session.sid), encode(session), xx=True, keepttl=True)

    def end(self, sid: str, reason: str) -> None:
        """Ends a session; ending it again, or one that never was, is fine."""
        if ID.fullmatch(sid):
            with answering():
                self._end([sid], reason)

    # --- a person's sessions ---------------------------------------------------------------------------------------

    def of_user(self, username: str) -> list[Session]:
        """That person's live sessions, the newest first."""
        with answering():
            sids = self._listed(username)
        live = self._live(dict.fromkeys(sids, username), expiring=True)
        live.sort(key=lambda session: session.iat, reverse=True)  # of one second each kind stays in its order
        gone = set(sids) - {session.sid for session in live}
        if gone:
            with answering():
                self._redis.zrem(LIST_PREFIX + username, *gone)
        return live

    def raise_epoch(self, username: str, epoch: int, reason: str, keep: Session | None = None) -> list[str]:
        """Ends every session of an epoch before this one, which the table has already; `keep` lives on in the new one.

        Returns the ids of those that were listed. One that is not is over all the same.
        """
        with answering():
            sids = [sid for sid in self._listed(username) if keep is None or sid != keep.sid]
            self._explain(sids, reason)  # before the epoch is raised: from then on a sweep finds them over
            pipeline = self._redis.pipeline()
            self._epochs.mirror(pipeline, username, epoch)
            if keep is not None:
                pipeline.set(self.key(keep.sid), encode(replace(keep, epoch=epoch)), xx=True, keepttl=True)
            pipeline.execute()
            if sids:
                self._redis.delete(*(self.key(sid) for sid in sids))
                self._redis.zrem(LIST_PREFIX + username, *sids)
        return sids

    def end_oldest(self, username: str, keep: int, reason: str) -> list[str]:
        """Ends that person's oldest sessions until `keep` are left; returns the ids of the ended."""
        with answering():
            if self._redis.zcard(LIST_PREFIX + username) <= keep:
                return []
        sids = [session.sid for session in self.of_user(username)[keep:]]
        with answering():
            if sids:
                self._end(sids, reason)
        return sids

    # --- many sessions ---------------------------------------------------------------------------------------------

    def alive(self, owners: Mapping[str, str]) -> set[str]:
        """Those of these sessions, id → username, that are not over."""
        return {session.sid for session in self._live(owners)}

    def read_all(self, sids: Iterable[str]) -> dict[str, Session]:
        """Those of the sessions with these ids that `read` would find, by id."""
        owners: dict[str, str] = {}
        for chunk in _chunks((sid for sid in sids if ID.fullmatch(sid)), AT_ONCE):
            with answering():
                raws = self._redis.mget([self.key(sid) for sid in chunk])  # GET would fail on what is no string
            records = ((sid, decode(raw)) for sid, raw in zip(chunk, raws, strict=True))
            owners |= {sid: record["username"] for sid, record in records if record is not None}
        return {session.sid: session for session in self._live(owners, expiring=True)}

    def expiries(self, owners: Mapping[str, str]) -> dict[str, int]:
        """When each of these sessions, id → username, ends unless its person acts, in seconds since 1970; one that is
        over is left out."""
        return {session.sid: session.expires_at for session in self._live(owners, expiring=True)}

    def reasons(self, sids: Iterable[str]) -> dict[str, str]:
        """Why each of these sessions is over: `expired` unless somebody ended it within the last minute."""
        ids = list(sids)
        if not ids:
            return {}
        with answering():
            pipeline = self._redis.pipeline(transaction=False)
            for sid in ids:
                pipeline.hget(ENDED_PREFIX + sid, WHY)
            pipeline.mget([ENDED_PREFIX + sid for sid in ids])  # an older version, side by side, writes strings
            *said, strings = pipeline.execute(raise_on_error=False)
        pairs = zip(said, strings, strict=True)
        reasons = [next((each for each in pair if isinstance(each, str)), EXPIRED) for pair in pairs]
        return dict(zip(ids, reasons, strict=True))

    def _end(self, sids: list[str], reason: str) -> None:
        """Says why, then deletes: whoever finds a session gone can ask."""
        self._explain(sids, reason)
        self._redis.delete(*(self.key(sid) for sid in sids))

    def _explain(self, sids: list[str], reason: str) -> None:
        """Says why, for a minute. A Redis that is full does not take it, and must still let people sign out."""
        pipeline = self._redis.pipeline(transaction=False)
        for sid in sids:
            pipeline.hsetnx(ENDED_PREFIX + sid, WHY, reason)
            pipeline.expire(ENDED_PREFIX + sid, REASON_KEPT_S)
        pipeline.execute(raise_on_error=False)

    def _listed(self, username: str) -> list[str]:
        return [str(sid) for sid in self._redis.zrevrange(LIST_PREFIX + username, 0, -1)]

    def _live(self, owners: Mapping[str, str], expiring: bool = False) -> list[Session]:
        """The live ones, in the order asked for; `expires_at` is only right with `expiring`."""
        live: list[Session] = []
        for chunk in _chunks(owners.items(), AT_ONCE):
            users = list({username: None for _, username in chunk})
            with answering():
                pipeline = self._redis.pipeline(transaction=False)
                # One MGET, so that a record and its person's epoch are of the same moment.
                pipeline.mget([self.key(sid) for sid, _ in chunk] + [Epochs.key(username) for username in users])
                for sid, _ in chunk if expiring else ():
                    pipeline.ttl(self.key(sid))
                raws, *ttls = pipeline.execute()
            epochs = self._epochs.in_force(dict(zip(users, raws[len(chunk) :], strict=True)))
            ttls = ttls or [self._ttl_s] * len(chunk)
            for (sid, username), raw, ttl in zip(chunk, raws, ttls, strict=False):
                session = self._session(sid, raw, int(ttl))
                if session and session.person.username == username and session.epoch == epochs.get(username):
                    live.append(session)
        return live

    def _session(self, sid: str, raw: object, ttl: int) -> Session | None:
        record = decode(raw)
        now = int(self._now())
        if record is None or ttl <= 0:
            return None
        iat, kept = record["iat"], "ttl" in record
        ttl_s, ends_at = self._ttl_s, iat + self._max_age_s
        if kept:
            ttl_s, ends_at = record["ttl"], min(record["ends_at"], iat + KEPT_END_S)
        if ends_at <= now or iat > now + CLOCKS_DIFFER_S or (kept and not self._kept_ttl_s):
            return None
        person, device = Person(record["username"], record["name"]), record.get("device", "")
        more = {name: value for name, value in record.items() if name not in RECORD}
        return Session(sid, person, iat, record["epoch"], min(now + ttl, ends_at), ttl_s, ends_at, device, kept, more)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
