"""Sessions in Redis: the one module that knows the key, the fields and the time to live.

Flask (through chat/blueprints/session.py), the sockets and the Lambda functions read and write the same record:
`session:<id>` → JSON `{_permanent, username, name, iat, epoch}`, gone 30 minutes after a person's last act.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from redis import Redis

from chat.models import Person, User
from chat.services.redis import answering

KEY_PREFIX = "session:"
LIST_PREFIX = "user_sessions:"
ID_BYTES = 32
ID = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_RECORD_BYTES = 4_096
SLIDE_EVERY_S = 60


@dataclass(frozen=True)
class Session:
    """A live session. `iat` is when it began, `expires_at` when it ends unless its person acts; seconds since 1970."""

    sid: str
    person: Person
    iat: int
    epoch: int
    expires_at: int


class Sessions:
    """All sessions. Every method raises ChatError `unavailable` when Redis does not answer: that ends no session."""

    def __init__(self, redis: Redis, ttl_s: int, max_age_s: int, now: Callable[[], float] = time.time):
        self._redis = redis
        self._ttl_s = ttl_s
        self._max_age_s = max_age_s
        self._now = now

    @staticmethod
    def new_id() -> str:
        """A fresh id of 256 random bits."""
        return secrets.token_urlsafe(ID_BYTES)

    @staticmethod
    def key(sid: str) -> str:
        """Where the session lies in Redis."""
        return KEY_PREFIX + sid

    def create(self, user: User) -> Session:
        """Opens a session for that user, under an id that nobody else can know."""
        sid = self.new_id()
        iat = int(self._now())
        session = Session(sid, Person(user.username, user.name), iat, user.epoch, iat + self._ttl_s)
        with answering():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.set(self.key(sid), encode(session), ex=self._ttl_s)
            pipeline.zremrangebyscore(LIST_PREFIX + user.username, 0, iat - self._max_age_s)
            pipeline.zadd(LIST_PREFIX + user.username, {sid: iat})
            pipeline.expire(LIST_PREFIX + user.username, self._max_age_s)
            pipeline.execute()
        return session

    def read(self, sid: str) -> Session | None:
        """The session with that id, or None: there is none, it is too old, or what is stored there is not a session."""
        if not ID.fullmatch(sid):
            return None
        with answering():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.mget([self.key(sid)])  # GET would fail on what is no string
            pipeline.ttl(self.key(sid))
            (raw,), ttl = pipeline.execute()
        record = decode(raw)
        if record is None or ttl <= 0:
            return None
        now = int(self._now())
        if record["iat"] + self._max_age_s <= now:
            return None
        expires_at = min(now + int(ttl), record["iat"] + self._max_age_s)
        return Session(sid, Person(record["username"], record["name"]), record["iat"], record["epoch"], expires_at)

    def slide(self, sid: str, iat: int) -> int:
        """A person acted: the session lives on for its full time, but never past its greatest age.

        Never brings an ended session back. Returns when it ends now, in seconds since 1970.
        """
        now = int(self._now())
        ttl_s = min(self._ttl_s, iat + self._max_age_s - now)
        if ttl_s > 0:
            with answering():
                self._redis.expire(self.key(sid), ttl_s)
        return now + max(ttl_s, 0)

    def slide_if_due(self, session: Session) -> Session:
        """Slides a session that has not been slid for a minute; returns it as it is then."""
        due = session.expires_at - self._now() < self._ttl_s - SLIDE_EVERY_S
        if not due:
            return session
        return replace(session, expires_at=self.slide(session.sid, session.iat))

    def write_back(self, session: Session) -> None:
        """Replaces what a session says, if it still exists: an ended one is never written again."""
        with answering():
            self._redis.set(self.key(session.sid), encode(session), xx=True, keepttl=True)

    def end(self, sid: str) -> None:
        """Ends a session; ending it again, or one that never was, is fine."""
        if ID.fullmatch(sid):
            with answering():
                self._redis.delete(self.key(sid))

    def alive(self, sids: Iterable[str]) -> set[str]:
        """Those of these sessions that exist, and are not too old."""
        ids = list(sids)
        if not ids:
            return set()
        with answering():
            raws = self._redis.mget([self.key(sid) for sid in ids])
        oldest = self._now() - self._max_age_s
        records = ((sid, decode(raw)) for sid, raw in zip(ids, raws, strict=True))
        return {sid for sid, record in records if record is not None and record["iat"] > oldest}

    def expires_at(self, sid: str) -> int | None:
        """When the session ends unless its person acts, in seconds since 1970; None when it is over."""
        with answering():
            ttl = int(self._redis.ttl(self.key(sid)))
        return int(self._now()) + ttl if ttl > 0 else None


def encode(session: Session) -> str:
    """The record of a session."""
    person = session.person
    record = {"_permanent": True, "username": person.username, "name": person.name}
    return json.dumps(record | {"iat": session.iat, "epoch": session.epoch}, ensure_ascii=False)


def decode(raw: object) -> dict[str, Any] | None:
    """The record of a session, or None when it is not one. JSON only: nothing stored there can run."""
    if not isinstance(raw, str) or len(raw) > MAX_RECORD_BYTES:
        return None
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    types = {"username": str, "name": str, "iat": int, "epoch": int}
    if any(type(record.get(field)) is not kind for field, kind in types.items()):
        return None
    return record
