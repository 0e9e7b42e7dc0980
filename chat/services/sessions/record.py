"""A session, its id, and its record in Redis: known also where nothing knows Redis."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from chat.models import Person

KEY_PREFIX = "session:"
ID_BYTES = 32
ID = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_RECORD_BYTES = 4_096
SLIDE_EVERY_S = (60, 3_600)
RECORD = frozenset({"_permanent", "username", "name", "iat", "epoch", "device", "ttl", "ends_at"})


@dataclass(frozen=True)
class Session:
    """A live session. `iat` is when it began, `expires_at` when it ends unless its person acts, `ends_at` when it does
    whatever happens; seconds since 1970. After an act it lives on for `ttl_s`. `device` is a plain label such as
    "Firefox on Linux"; `kept` says that its person asked to be kept signed in there. `more` is what another version has
    written into its record, and stays there."""

    sid: str
    person: Person
    iat: int
    epoch: int
    expires_at: int
    ttl_s: int
    ends_at: int
    device: str = ""
    kept: bool = False
    more: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def public_id(self) -> str:
        """What others may call it: never usable as a cookie."""
        return hashlib.sha256(self.sid.encode()).hexdigest()[:32]

    def lives_s(self, now: float) -> int:
        """Seconds that it can live on at most: what its cookie is given, which no act over a socket can prolong."""
        return max(0, self.ends_at - int(now))


def slide_every_s(ttl_s: int) -> int:
    """How old the last slide of a session is when an act slides it again: a thirtieth of its time, between a minute and
    an hour. The page reckons the same (frontend/src/features/auth/staying.ts)."""
    least, most = SLIDE_EVERY_S
    return min(max(least, min(ttl_s // 30, most)), ttl_s // 4)  # of minutes, as tests have them, a quarter


def encode(session: Session) -> str:
    """The record of a session."""
    person = session.person
    record = {"_permanent": True, "username": person.username, "name": person.name, "iat": session.iat}
    own = {"ttl": session.ttl_s, "ends_at": session.ends_at} if session.kept else {}
    record |= {"epoch": session.epoch, "device": session.device} | own
    return json.dumps({**session.more, **record}, ensure_ascii=False)


def decode(raw: object) -> dict[str, Any] | None:
    """The record of a session, or None when it is not one. JSON only: nothing stored there can run."""
    return _parsed(raw) if isinstance(raw, str) and len(raw) <= MAX_RECORD_BYTES else None


@lru_cache(maxsize=2_048)  # a sweep reads the same records every second
def _parsed(raw: str) -> dict[str, Any] | None:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    types = {"username": str, "name": str, "iat": int, "epoch": int}
    if any(type(record.get(field)) is not kind for field, kind in types.items()):
        return None
    if type(record.get("device", "")) is not str:
        return None
    own = [record[field] for field in ("ttl", "ends_at") if field in record]
    if own and (len(own) != 2 or any(type(value) is not int or value <= 0 for value in own)):
        return None
    return record
