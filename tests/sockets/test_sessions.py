"""What a socket gets is decided by the clock at each delivery, and by what Redis says of its session."""

from __future__ import annotations

import gevent
import pytest
from msgspec import to_builtins

from chat.errors import ChatError
from chat.models import User
from chat.services.sessions.key_events import KeyEvents
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.storage import Storage
from chat.sockets import client_sockets as clocked
from chat.sockets import session_watch as swept
from chat.sockets.client_sockets import ClientSocket, ClientSockets, clock
from chat.sockets.session_watch import SessionWatch
from tests.conftest import free_port

ALICE, BOB = User("alice", "Alice"), User("bob", "Bob")


class Recorder:
    """In the place of the Socket.IO server: what each socket is told, and which are closed."""

    def __init__(self):
        self.server = self
        self.told = []
        self.closed = []
        self.guarded = {}

    def emit(self, event, payload, to):
        self.told.append((to, event, to_builtins(payload)))

    def expel(self, sid):
        self.closed.append(sid)

    def guard(self, sid, may_deliver):
        self.guarded[sid] = may_deliver


class Clock:
    """Stands where it is told to."""

    def __init__(self):
        self.at = clock()

    def __call__(self):
        return self.at


@pytest.fixture
def now(monkeypatch):
    now = Clock()
    for module in (clocked, swept):
        monkeypatch.setattr(module, "clock", now)
    return now


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def sessions(config):
    storage = Storage.connect(config)
    for user in (ALICE, BOB):
        storage.users.put(user)
    return Sessions(redis_client.connect(config.redis_url), 1800, 43_200, storage.users.epochs)


@pytest.fixture
def registry():
    return ClientSockets(20)


def watcher(config, recorder, registry, sessions):
    return SessionWatch(recorder, registry, sessions, KeyEvents(config.redis_url))


@pytest.fixture
def worker(config, recorder, registry, sessions, now):
    worker = watcher(config, recorder, registry, sessions)
    worker.resumed = []
    worker.on_resume = lambda connection: worker.resumed.append(connection.sid)
    return worker


def connect(worker, registry, session, sid, now):
    connection = ClientSocket(sid, session, now())
    worker.watch(connection)
    registry.add(connection)
    return connection


@pytest.fixture
def silent():
    """The address of a Redis that is not there."""
    return f"redis://127.0.0.1:{free_port()}/0"


def test_a_session_found_alive_is_good_for_two_seconds_and_no_longer(worker, registry, sessions, recorder, now):
    connect(worker, registry, sessions.create(ALICE), "one", now)
    may_deliver = recorder.guarded["one"]
    now.at += 1.999
    assert may_deliver()
    now.at += 0.002
    assert not may_deliver()
    worker.sweep()
    assert may_deliver()


def test_a_sweep_counts_from_its_start_however_long_redis_took(worker, registry, sessions, recorder, now, monkeypatch):
    connect(worker, registry, sessions.create(ALICE), "one", now)
    look = sessions.alive

    def slow(owners):
        found = look(owners)
        now.at += 1.5
        return found

    monkeypatch.setattr(sessions, "alive", slow)
    worker.sweep()
    now.at += 0.6
    assert not recorder.guarded["one"]()


def test_a_slow_redis_that_answers_keeps_everybody_fresh(worker, registry, sessions, recorder, now, monkeypatch):
    """Three parts of 0.8 s each: none is as old as the whole sweep when its answer comes."""
    monkeypatch.setattr(swept, "AT_ONCE", 1)
    for sid in ("one", "two", "three"):
        connect(worker, registry, sessions.create(ALICE), sid, now)
    look = sessions.alive
    monkeypatch.setattr(sessions, "alive", lambda owners: (look(owners), setattr(now, "at", now.at + 0.8))[0])
    worker.sweep()
    assert [recorder.guarded[sid]() for sid in ("two", "three")] == [True, True]


def test_a_sweep_looks_at_every_session_however_many_there_are(worker, registry, sessions, recorder, now, monkeypatch):
    monkeypatch.setattr(swept, "AT_ONCE", 1)
    mine = [sessions.create(ALICE) for _ in range(3)]
    for sid, session in zip(("one", "two", "three"), mine, strict=True):
        connect(worker, registry, session, sid, now)
    sessions.end(mine[1].sid, "elsewhere")
    sessions.end(mine[2].sid, "elsewhere")
    worker.sweep()
    assert [sid for sid, event, _ in recorder.told if event == "session:ended"] == ["two", "three"]


def test_whoever_missed_something_is_told_the_heads_once_after_the_pause(worker, registry, sessions, now):
    connect(worker, registry, sessions.create(ALICE), "one", now)
    now.at += 1
    worker.sweep()
    assert worker.resumed == []
    now.at += 2.1
    worker.sweep()
    worker.sweep()
    assert worker.resumed == ["one"]


def test_the_dead_are_told_why_once_and_get_nothing_more(worker, registry, sessions, recorder, now):
    mine, hers = sessions.create(ALICE), sessions.create(BOB)
    for sid, session in (("one", mine), ("two", mine), ("three", hers)):
        connect(worker, registry, session, sid, now)
    sessions.end(mine.sid, "elsewhere")
    worker.sweep()
    worker.sweep()
    gevent.sleep(0)
    ends = [(sid, "session:ended", {"reason": "elsewhere"}) for sid in ("one", "two")]
    assert sorted(recorder.told) == sorted(ends) and sorted(recorder.closed) == ["one", "two"]
    assert [recorder.guarded[sid]() for sid in ("one", "two", "three")] == [False, False, True]
    with pytest.raises(ChatError) as refused:
        worker.check(registry.get("one"))
    assert refused.value.code == "unauthenticated"


def test_an_epoch_raised_ends_the_sockets_of_every_session_before_it(worker, registry, sessions, recorder, now, config):
    connect(worker, registry, sessions.create(ALICE), "one", now)
    sessions.raise_epoch("alice", Storage.connect(config).users.raise_epoch("alice"), "everywhere")
    worker.sweep()
    assert recorder.told == [("one", "session:ended", {"reason": "everywhere"})]


def test_a_redis_that_is_away_pauses_and_ends_nothing(config, registry, sessions, recorder, now, silent):
    session = sessions.create(ALICE)
    worker = watcher(config, recorder, registry, Sessions(redis_client.connect(silent), 1800, 43_200))
    connection = connect(worker, registry, session, "one", now)
    now.at += 2.1
    for _ in range(2):
        with pytest.raises(ChatError) as refused:
            worker.check(connection)
        assert (refused.value.code, refused.value.retry) == ("unavailable", True)
    with pytest.raises(ChatError):
        worker.sweep()
    assert recorder.told == [] and not recorder.guarded["one"]() and not connection.ended


def test_an_act_that_redis_does_not_note_is_done_all_the_same(config, registry, sessions, recorder, now, silent):
    worker = watcher(config, recorder, registry, Sessions(redis_client.connect(silent), 3600, 43_200))
    worker.act(connect(worker, registry, sessions.create(ALICE), "one", now))
    assert recorder.told == []


def test_a_request_asks_redis_only_when_the_last_look_is_a_second_ago(worker, registry, sessions, now, monkeypatch):
    asked = []
    look = sessions.alive
    monkeypatch.setattr(sessions, "alive", lambda owners: asked.append(dict(owners)) or look(owners))
    session = sessions.create(ALICE)
    connection = connect(worker, registry, session, "one", now)
    worker.check(connection)
    assert asked == []
    now.at += 1.1
    worker.check(connection)
    worker.check(connection)
    assert asked == [{session.sid: "alice"}]


def test_only_sessions_with_a_socket_here_are_suspects(worker, registry, sessions, now):
    session, elsewhere = sessions.create(ALICE), sessions.create(BOB)
    connect(worker, registry, session, "one", now)
    for sid in (session.sid, elsewhere.sid, "garbage"):
        worker.suspect(sid)
    assert worker._suspects == {session.sid: "alice"}


def test_a_warning_is_given_once_and_again_after_an_act(worker, registry, sessions, recorder, now, config):
    session = sessions.create(ALICE)
    connection = connect(worker, registry, sessions.read(session.sid), "one", now)
    redis = redis_client.connect(config.redis_url)
    redis.expire(f"session:{session.sid}", 100)
    worker.warn()
    worker.warn()
    assert [event for _, event, _ in recorder.told] == ["session:expiring"]
    connection.session = sessions.read(session.sid)
    worker.act(connection)
    assert redis.ttl(f"session:{session.sid}") > 1700
    redis.expire(f"session:{session.sid}", 100)
    worker.warn()
    assert len(recorder.told) == 2
