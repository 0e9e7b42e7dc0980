"""What whoever runs code as a function's Redis user could do with it: not what only others may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from chat.config import Config
from chat.models import Person
from chat.services.sessions.record import Session, encode
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from tests.lambdas.conftest import USERS, Runtime

SID = Sessions.new_id()
KEY = Sessions.key(SID)
RECORD = encode(Session(SID, Person("alice", "Alice"), 2**31, 0, 0, 1800, 2**31, "forged"))
# Every way that Redis 7 has to put a string somewhere, and some that put other things there.
FORGERIES = {
    "SET": ("SET", KEY, RECORD),
    "SET, if there is one": ("SET", KEY, RECORD, "XX"),
    "SETEX": ("SETEX", KEY, "60", RECORD),
    "PSETEX": ("PSETEX", KEY, "60000", RECORD),
    "SETNX": ("SETNX", KEY, RECORD),
    "MSET": ("MSET", KEY, RECORD),
    "MSETNX": ("MSETNX", KEY, RECORD),
    "GETSET": ("GETSET", KEY, RECORD),
    "APPEND": ("APPEND", KEY, RECORD),
    "SETRANGE": ("SETRANGE", KEY, "0", RECORD),
    "SETBIT": ("SETBIT", KEY, "1", "1"),
    "BITFIELD": ("BITFIELD", KEY, "SET", "u8", "0", "1"),
    "INCR": ("INCR", KEY),
    "RESTORE": ("RESTORE", KEY, "0", "x"),
    "RENAME": ("RENAME", "session_ended:x", KEY),
    "COPY": ("COPY", "session_ended:x", KEY),
    "EVAL": ("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", KEY, RECORD),
    "HSETNX": ("HSETNX", KEY, "why", RECORD),
    "XADD": ("XADD", KEY, "*", "a", RECORD),
}


@pytest.fixture
def owner(config: Config) -> redis.Redis:
    """The chat's own connection, which may do everything."""
    return redis_client.connect(config.redis_url)


@pytest.fixture
def sessions(owner: redis.Redis) -> Sessions:
    return Sessions(owner, 1800, 2**31)


@pytest.fixture
def as_user(runtime: Runtime, config: Config) -> Callable[[str], redis.Redis]:
    """Connections as the user of a function."""
    return lambda name: redis.Redis.from_url(config.redis_url, username=name, password=f"{name}-password")


@pytest.mark.parametrize("user", sorted(USERS.keys() - {"login"}))
def test_only_who_signs_people_in_can_make_a_session(
    as_user: Callable[[str], redis.Redis], owner: redis.Redis, sessions: Sessions, user: str
) -> None:
    client = as_user(user)
    for name, command in FORGERIES.items():
        for there in (False, True):  # somebody's, or nobody's
            owner.delete(KEY)
            owner.set("session_ended:x", RECORD)
            if there:
                owner.set(KEY, "somebody's")
            try:
                client.execute_command(*command)
            except redis.ResponseError:
                pass
            held = owner.get(KEY) if owner.type(KEY) == "string" else None
            assert held == ("somebody's" if there else None), (user, name)
            assert sessions.read(SID) is None


def test_who_signs_people_in_can(as_user: Callable[[str], redis.Redis], owner: redis.Redis) -> None:
    """So the test above could fail: a function has to be able to."""
    as_user("login").execute_command("SET", KEY, RECORD, "EX", "60")
    assert owner.get(KEY) == RECORD


@pytest.mark.parametrize(
    "command",
    ["SET bus x", "GETSET bus x", "DEL bus", "XTRIM bus MAXLEN 0", "RENAME bus number:x", "GET bus", "XRANGE bus - +"],
)
def test_who_takes_rows_over_can_say_something_on_the_bus_and_neither_read_nor_end_it(
    as_user: Callable[[str], redis.Redis], owner: redis.Redis, command: str
) -> None:
    client = as_user("ingest")
    said = client.xadd("bus", {"event": "{}"}).decode()
    with pytest.raises(redis.ResponseError):
        client.execute_command(*command.split())
    assert owner.type("bus") == "stream"
    assert len(owner.xrange("bus", said, said)) == 1, "a worker that another test left may speak there too"


def test_a_reason_is_read_in_whichever_way_it_was_written(owner: redis.Redis, sessions: Sessions) -> None:
    """A string by the version before, a hash by this one: they run side by side."""
    old, new, none = Sessions.new_id(), Sessions.new_id(), Sessions.new_id()
    owner.set(f"session_ended:{old}", "logout", ex=60)
    sessions.end(new, "logout")
    assert sessions.reasons([old, new, none]) == {old: "logout", new: "logout", none: "expired"}
