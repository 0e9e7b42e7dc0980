"""Sessions as they lie in Redis: what two runtimes agree on, and what ends one."""

from __future__ import annotations

import json
import re
import threading

import pytest

from chat.errors import ChatError
from chat.models import Person, User
from chat.services.sessions.sessions import AT_ONCE, Sessions
from chat.services.storage import redis_client
from chat.services.storage.storage import Storage
from tests.conftest import wait_until
from tests.services.server import Server

ALICE, BOB = User("alice", "Alice"), User("bob", "Bob")


class Clock:
    def __init__(self):
        self.at = 1_790_000_000.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def storage(config):
    storage = Storage.connect(config)
    for user in (ALICE, BOB):
        storage.users.put(user)
    return storage


@pytest.fixture
def redis(config):
    return redis_client.connect(config.redis_url)


@pytest.fixture
def sessions(redis, storage, clock):
    return Sessions(redis, 1800, 43_200, storage.users.epochs, clock)


def another(config, storage, clock):
    """The sessions as another process sees them, over connections of its own."""
    return Sessions(redis_client.connect(config.redis_url), 1800, 43_200, storage.users.epochs, clock)


def log_out_everywhere(storage, sessions, username="alice", **options):
    return sessions.raise_epoch(username, storage.users.raise_epoch(username), "everywhere", **options)


def test_the_keys_the_records_and_their_times_to_live_are_what_the_other_runtime_reads(sessions, redis):
    session = sessions.create(ALICE, "Firefox on Linux")
    assert re.fullmatch("[A-Za-z0-9_-]{43}", session.sid)
    assert json.loads(redis.get(f"session:{session.sid}")) == {
        "_permanent": True, "username": "alice", "name": "Alice", "iat": 1_790_000_000, "epoch": 0,
        "device": "Firefox on Linux",
    }  # fmt: skip
    assert redis.ttl(f"session:{session.sid}") == 1800
    assert redis.zrange("user_sessions:alice", 0, -1, withscores=True) == [(session.sid, 1_790_000_000)]
    assert redis.get("user_epoch:alice").split()[0] == "0"
    assert 43_190 < redis.ttl("user_epoch:alice") <= 43_200


def test_a_session_that_the_other_runtime_wrote_is_one_of_ours(sessions, redis):
    sid = "L" * 43
    record = {"_permanent": True, "username": "alice", "name": "Alice", "iat": 1_790_000_000, "epoch": 0}
    redis.set(f"session:{sid}", json.dumps(record), ex=1800)
    session = sessions.read(sid)
    assert session and (session.person, session.device) == (Person("alice", "Alice"), "")
    assert sessions.alive({sid: "alice"}) == {sid}
    sessions.end(sid, "logout")
    assert redis.exists(f"session:{sid}") == 0


def test_a_session_of_another_epoch_is_over_at_every_door(sessions, storage):
    session, other = sessions.create(ALICE), sessions.create(BOB)
    assert storage.users.raise_epoch("alice") == 1
    assert sessions.raise_epoch("alice", 1, "everywhere") == [session.sid]
    assert sessions.read(session.sid) is None
    assert sessions.alive({session.sid: "alice", other.sid: "bob"}) == {other.sid}
    assert sessions.reasons([session.sid]) == {session.sid: "everywhere"}
    assert sessions.create(storage.users.get("alice")).epoch == 1


def test_many_are_read_as_each_would_be(sessions, storage, redis):
    live, other, ended, broken, old = [sessions.create(user) for user in (ALICE, BOB, ALICE, ALICE, User("carol", "C"))]
    storage.users.put(User("carol", "C"))
    sids = [live.sid, other.sid, ended.sid, broken.sid, old.sid, "x" * 43, "no id"]
    assert sessions.read_all(sids).keys() == {live.sid, other.sid, ended.sid, broken.sid, old.sid}
    sessions.end(ended.sid, "logout")
    redis.delete(f"session:{broken.sid}")
    redis.lpush(f"session:{broken.sid}", "no record")
    sessions.raise_epoch("carol", storage.users.raise_epoch("carol"), "everywhere")
    found = sessions.read_all(sids)
    assert found == {sid: session for sid in sids if (session := sessions.read(sid)) is not None}
    assert found == {live.sid: live, other.sid: other}
    assert sessions.read_all([]) == {}


def test_more_than_redis_is_asked_for_at_once_are_read(sessions, redis):
    record = redis.get(sessions.key(sessions.create(ALICE).sid))
    sids = [f"{number:043}" for number in range(AT_ONCE + 1)]
    redis.mset({sessions.key(sid): record for sid in sids})
    for sid in sids:
        redis.expire(sessions.key(sid), 1800)
    assert list(sessions.read_all(sids)) == sids


def test_a_session_missing_from_the_list_is_over_all_the_same(sessions, storage, redis):
    session = sessions.create(ALICE)
    redis.delete("user_sessions:alice")
    assert log_out_everywhere(storage, sessions) == []
    assert redis.exists(f"session:{session.sid}") == 1
    assert sessions.read(session.sid) is None and sessions.alive({session.sid: "alice"}) == set()


def test_the_one_that_raised_the_epoch_lives_on_and_the_others_do_not(sessions, storage):
    mine, phone = sessions.create(ALICE), sessions.create(ALICE)
    assert log_out_everywhere(storage, sessions, keep=mine) == [phone.sid]
    assert sessions.read(mine.sid).epoch == 1
    assert sessions.alive({mine.sid: "alice", phone.sid: "alice"}) == {mine.sid}


def test_who_raised_the_epoch_after_signing_out_is_not_brought_back(sessions, storage, redis):
    mine = sessions.create(ALICE)
    sessions.end(mine.sid, "logout")
    log_out_everywhere(storage, sessions, keep=mine)
    assert redis.exists(f"session:{mine.sid}") == 0


def test_a_sign_in_that_a_raise_overtook_is_over_from_the_start(sessions, storage):
    read_before = storage.users.get("alice")
    log_out_everywhere(storage, sessions)
    assert sessions.read(sessions.create(read_before).sid) is None


def test_emptying_redis_does_not_undo_a_log_out_everywhere(sessions, storage, redis, config, clock):
    session = sessions.create(ALICE)
    record = redis.get(f"session:{session.sid}")
    log_out_everywhere(storage, sessions)
    redis.flushall()
    redis.set(f"session:{session.sid}", record, ex=1800)
    assert another(config, storage, clock).read(session.sid) is None
    assert sessions.alive({session.sid: "alice"}) == set()
    assert redis.get("user_epoch:alice").split()[0] == "1"


@pytest.fixture
def primary_and_replica(tmp_path):
    primary, replica = servers = [Server(tmp_path), Server(tmp_path)]
    primary.start()
    replica.start("--replicaof", "127.0.0.1", str(primary.port))
    wait_until(lambda: replica.client.info("replication")["master_link_status"] == "up", what="it replicates")
    yield primary, replica
    for server in servers:
        server.kill()


def test_a_real_failover_to_a_replica_that_lagged_brings_no_session_back(primary_and_replica, storage, clock):
    primary, replica = primary_and_replica
    before = Sessions(primary.client, 1800, 43_200, storage.users.epochs, clock)
    primary.client.ping()
    ended, kept = before.create(ALICE), before.create(BOB)
    primary.client.wait(1, 2_000)
    replica.lose_touch()
    log_out_everywhere(storage, before)
    assert before.alive({ended.sid: "alice", kept.sid: "bob"}) == {kept.sid}
    primary.kill()
    replica.promote()
    assert replica.client.exists(f"session:{ended.sid}") == 1, "the replica has not heard of the end"
    after = Sessions(redis_client.connect(replica.url), 1800, 43_200, storage.users.epochs, clock)
    assert after.read(ended.sid) is None
    assert after.alive({ended.sid: "alice", kept.sid: "bob"}) == {kept.sid}


def test_a_failover_does_not_undo_a_log_out_everywhere(sessions, storage, redis, config, clock):
    """A replica that lagged has the record and the old epoch, both as its late primary wrote them."""
    session = sessions.create(ALICE)
    replicated = {f"session:{session.sid}": redis.get(f"session:{session.sid}"), "user_epoch:alice": f"0 {'f' * 40}"}
    log_out_everywhere(storage, sessions)
    redis.flushall()
    redis.mset(replicated)
    redis.expire(f"session:{session.sid}", 1800)
    assert sessions.read(session.sid) is None
    assert another(config, storage, clock).alive({session.sid: "alice"}) == set()
    assert redis.get("user_epoch:alice").split()[0] == "1"


def test_a_copy_that_this_server_was_given_is_believed_without_asking_the_table(redis, config, storage, clock):
    asked = []

    def epochs(usernames):
        asked.extend(usernames)
        return storage.users.epochs(usernames)

    process = Sessions(redis, 1800, 43_200, epochs, clock)
    redis.ping()
    session = process.create(ALICE)
    assert process.read(session.sid) and another(config, storage, clock).read(session.sid)
    assert asked == []
    redis.delete("user_epoch:alice")
    assert process.read(session.sid) and process.read(session.sid)
    assert asked == ["alice"]


def test_the_table_away_is_unavailable_and_ends_nothing(redis, clock):
    def away(usernames):
        raise ChatError("unavailable")

    process = Sessions(redis, 1800, 43_200, away, clock)
    session = process.create(ALICE)
    redis.delete("user_epoch:alice")
    for asking in (lambda: process.read(session.sid), lambda: process.alive({session.sid: "alice"})):
        with pytest.raises(ChatError, match="storage"):
            asking()
    assert redis.exists(f"session:{session.sid}") == 1


def test_an_account_that_is_gone_has_no_sessions(sessions, storage, redis):
    session = sessions.create(ALICE)
    redis.delete("user_epoch:alice")
    storage.client.call("delete_item", TableName=storage.client.table("users"), Key={"username": {"S": "alice"}})
    assert sessions.read(session.sid) is None


def test_devices_are_listed_the_newest_first_and_the_ended_ones_are_forgotten(sessions, redis, clock):
    first = sessions.create(ALICE, "Firefox on Linux")
    clock.at += 10
    second = sessions.create(ALICE, "Safari on iPhone")
    sessions.create(BOB, "curl")
    assert [(s.sid, s.device) for s in sessions.of_user("alice")] == [
        (second.sid, "Safari on iPhone"), (first.sid, "Firefox on Linux"),
    ]  # fmt: skip
    redis.delete(f"session:{first.sid}")
    assert [s.sid for s in sessions.of_user("alice")] == [second.sid]
    assert redis.zrange("user_sessions:alice", 0, -1) == [second.sid]


def test_whoever_finds_a_session_over_can_always_ask_why(sessions, storage, redis, config, clock):
    """Looked at all the time while it ends, from another process: never found over without its reason."""
    looker, found, done = another(config, storage, clock), [], threading.Event()
    current = {"session": None}

    def look():
        while not done.is_set():
            session = current["session"]
            if session and not looker.alive({session.sid: "alice"}):
                found.append(looker.reasons([session.sid])[session.sid])
                current["session"] = None

    watcher = threading.Thread(target=look)
    watcher.start()
    for turn in range(150):
        session = sessions.create(storage.users.get("alice"))
        current["session"] = session
        if turn % 2:
            log_out_everywhere(storage, sessions)
        else:
            sessions.end(session.sid, "everywhere")
        wait_until(lambda: current["session"] is None, what="it is found over")
    done.set()
    watcher.join(30)
    assert found == ["everywhere"] * 150


def test_what_others_may_call_a_session_is_no_cookie(sessions):
    session = sessions.create(ALICE)
    assert session.public_id not in session.sid and sessions.read(session.public_id) is None


def test_an_end_says_why_once_and_only_for_a_minute(sessions, redis):
    session = sessions.create(ALICE)
    sessions.end(session.sid, "elsewhere")
    sessions.end(session.sid, "logout")
    assert sessions.reasons([session.sid, "x" * 43]) == {session.sid: "elsewhere", "x" * 43: "expired"}
    assert 0 < redis.ttl(f"session_ended:{session.sid}") <= 60


def test_many_sessions_are_asked_in_few_requests_and_each_gets_its_own_answer(sessions, redis):
    owners = {sessions.create(user).sid: user.username for user in [ALICE, BOB] * (AT_ONCE + 7)}
    dead = set(list(owners)[::3])
    redis.delete(*(f"session:{sid}" for sid in dead))
    before = redis.info("commandstats")["cmdstat_mget"]["calls"]
    assert sessions.alive(owners) == owners.keys() - dead
    assert redis.info("commandstats")["cmdstat_mget"]["calls"] - before == 3
    assert sessions.expiries(owners).keys() == owners.keys() - dead


def test_a_session_of_somebody_else_is_not_taken_for_mine(sessions):
    assert sessions.alive({sessions.create(ALICE).sid: "bob"}) == set()


@pytest.mark.parametrize("held", ["", "garbage", "-1 x", "1", "٣ x"])
def test_a_copy_that_cannot_be_read_is_copied_again(sessions, redis, held):
    session = sessions.create(ALICE)
    redis.set("user_epoch:alice", held)
    assert sessions.read(session.sid)
    assert redis.get("user_epoch:alice").split()[0] == "0"


@pytest.fixture
def full(redis):
    """Redis takes no more while this holds."""
    redis.config_set("maxmemory", 1)
    redis.config_set("maxmemory-policy", "noeviction")
    yield
    redis.config_set("maxmemory", 0)


def test_a_redis_that_is_full_still_lets_people_sign_out(sessions, redis, request):
    session = sessions.create(ALICE)
    request.getfixturevalue("full")
    with pytest.raises(ChatError):
        sessions.create(ALICE)
    sessions.end(session.sid, "logout")
    assert sessions.alive({session.sid: "alice"}) == set() and sessions.read(session.sid) is None
    assert sessions.reasons([session.sid]) == {session.sid: "expired"}


def test_a_redis_that_is_full_ends_nobodys_session(sessions, storage, redis, request):
    mine, hers = sessions.create(ALICE), sessions.create(BOB)
    redis.delete("user_epoch:alice", "user_epoch:bob")
    storage.users.raise_epoch("bob")
    request.getfixturevalue("full")
    assert sessions.alive({mine.sid: "alice", hers.sid: "bob"}) == {mine.sid}


def test_one_session_too_many_ends_the_oldest_that_lives(sessions, redis, clock):
    made = []
    for _ in range(5):
        made.append(sessions.create(ALICE).sid)
        clock.at += 1
    redis.delete(f"session:{made[4]}")
    assert sessions.end_oldest("alice", 4, "elsewhere") == []
    made.append(sessions.create(ALICE).sid)
    assert sessions.end_oldest("alice", 4, "elsewhere") == [made[0]]
    assert [session.sid for session in sessions.of_user("alice")] == [made[5], made[3], made[2], made[1]]
    assert sessions.reasons([made[0]]) == {made[0]: "elsewhere"}
