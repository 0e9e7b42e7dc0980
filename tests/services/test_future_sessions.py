"""A session that has not begun yet is none, however it came into Redis."""

from __future__ import annotations

import json
import time

from chat.models import User
from chat.services.sessions.sessions import CLOCKS_DIFFER_S, Sessions
from chat.services.storage import redis_client

NOW = int(time.time())
ALICE = User("alice", "Alice")


def test_a_session_of_the_future_is_over_at_every_look(config):
    redis = redis_client.connect(config.redis_url)
    sessions = Sessions(redis, 1800, 43_200, now=lambda: float(NOW), kept_ttl_s=86_400)
    redis.set("user_epoch:alice", "0 here")
    told = {}
    for ahead_s in (-10, 3_600, CLOCKS_DIFFER_S - 1, CLOCKS_DIFFER_S + 1, 43_200, 10**9, NOW * 1_000):
        for kept in (False, True):
            sid = Sessions.new_id()
            record = {"_permanent": True, "username": "alice", "name": "Alice", "iat": NOW + ahead_s, "epoch": 0}
            record |= {"ttl": 86_400, "ends_at": NOW + ahead_s + 86_400} if kept else {}
            redis.set(f"session:{sid}", json.dumps(record), ex=1800)
            redis.zadd("user_sessions:alice", {sid: NOW})
            stands = {
                sessions.read(sid) is not None,
                sid in sessions.alive({sid: "alice"}),
                sid in sessions.expiries({sid: "alice"}),
                any(each.sid == sid for each in sessions.of_user("alice")),
            }
            told.setdefault(ahead_s, set()).update(stands)
    assert told == {ahead_s: {ahead_s < CLOCKS_DIFFER_S} for ahead_s in told}


def test_a_host_whose_clock_is_an_hour_off_signs_people_in_for_all(config):
    """Fault F15: such clocks there are, and what they begin is alive elsewhere."""
    redis = redis_client.connect(config.redis_url)
    for off_s in (3_600, -3_600):
        off = Sessions(redis, 1800, 43_200, now=lambda: NOW + off_s)  # noqa: B023
        right = Sessions(redis, 1800, 43_200, now=lambda: float(NOW))
        assert right.read(off.create(ALICE).sid) is not None
        assert off.read(right.create(ALICE).sid) is not None
