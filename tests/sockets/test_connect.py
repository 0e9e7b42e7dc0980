"""Who may connect: each by their own session, however many come at once."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import pytest
from flask_socketio import ConnectionRefusedError

from chat.models import Membership, Person, Room, User
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.storage import Storage
from chat.sockets.client_sockets import ClientSocket, ClientSockets, clock
from chat.sockets.dispatch import Sockets
from chat.sockets.subscriptions import Subscriptions

ALICE, BOB, CAROL = User("alice", "Alice"), User("bob", "Bob"), User("carol", "Carol")
ROOM = Room("den", "Den", "private")


@pytest.fixture
def storage(config):
    storage = Storage.connect(config)
    for user in (ALICE, BOB, CAROL):
        storage.users.put(user)
    return storage


@pytest.fixture
def sessions(config, storage):
    return Sessions(redis_client.connect(config.redis_url), 1800, 43_200, storage.users.epochs)


@pytest.fixture
def registry():
    return ClientSockets(20)


@pytest.fixture
def subscriptions():
    """In the place of the rooms: nobody is in one."""
    return SimpleNamespace(start=bool, subscribe=bool, unsubscribe=bool, heads=bool)


@pytest.fixture
def sockets(registry, subscriptions, sessions):
    return sockets_of(registry, subscriptions, sessions)


def sockets_of(registry, subscriptions, sessions):
    listener, isolation = SimpleNamespace(start=bool), SimpleNamespace(start=bool)
    watch = SimpleNamespace(start=bool, watch=bool)
    config = SimpleNamespace(cookie_name="parley", trusted_proxy_hops=0)
    checks = SimpleNamespace(start=bool)
    services = SimpleNamespace(sessions=sessions, config=config, background=None, checks=checks)
    return Sockets(registry, subscriptions, listener, watch, isolation, services)


def together(sockets, *handshakes):
    """What becomes of sockets that connect in one turn: None, or the code of why they are refused."""

    def outcome(sid, cookie, auth):
        try:
            sockets.on_connect(sid, {"HTTP_COOKIE": cookie} if cookie else {}, auth)
        except ConnectionRefusedError as refusal:
            return refusal.error_args["data"]["code"]
        return None

    coming = [gevent.spawn(outcome, f"s{number}", *handshake) for number, handshake in enumerate(handshakes)]
    return [each.get(timeout=10) for each in coming]


def cookie(session):
    return f"other=1; parley={session.sid}"


def test_of_those_who_come_together_each_is_judged_by_their_own_session(sockets, sessions, storage, registry):
    live, ended, everywhere = sessions.create(ALICE), sessions.create(ALICE), sessions.create(BOB)
    doors = [
        (cookie(live), None),
        (cookie(ended), None),
        (cookie(everywhere), None),
        (f"parley={'x' * 43}", None),
        ("parley=short", None),
        ("", None),
        (cookie(live), {"user": "alice"}),
        (cookie(live), {"user": "bob"}),
    ]
    assert together(sockets, *doors) == [None, None, None, *["unauthenticated"] * 3, None, "user_mismatch"]
    for sid in ("s0", "s1", "s2", "s6"):
        registry.remove(sid)
    sessions.end(ended.sid, "logout")
    sessions.raise_epoch("bob", storage.users.raise_epoch("bob"), "everywhere")
    assert together(sockets, *doors) == [None, *["unauthenticated"] * 5, None, "user_mismatch"]
    assert {connection.person.username for connection in registry} == {"alice"}


def test_those_who_come_together_are_looked_up_together(sockets, sessions, monkeypatch):
    looks = []
    look = sessions.read_all
    monkeypatch.setattr(sessions, "read_all", lambda sids: looks.append(sids) or look(sids))
    mine, theirs = sessions.create(ALICE), sessions.create(BOB)
    assert together(sockets, (cookie(mine), None), (cookie(theirs), None), (cookie(mine), None)) == [None] * 3
    assert looks == [[mine.sid, theirs.sid]]


def test_a_socket_counts_as_checked_no_later_than_its_look_began(sockets, sessions, registry, monkeypatch):
    began = []
    look = sessions.read_all
    monkeypatch.setattr(sessions, "read_all", lambda sids: began.append(clock()) or look(sids))
    session = sessions.create(ALICE)
    assert together(sockets, (cookie(session), None), (cookie(session), None)) == [None, None]
    assert all(connection.checked_at <= began[0] for connection in registry)


def test_a_session_that_ends_while_its_socket_reads_its_rooms_is_refused(sockets, subscriptions, sessions, registry):
    def end_meanwhile(connection):
        connection.ended = ends

    subscriptions.subscribe = end_meanwhile
    session = sessions.create(ALICE)
    ends = False
    assert together(sockets, (cookie(session), None)) == [None]
    ends = True
    registry.remove("s0")
    assert together(sockets, (cookie(session), None)) == ["unauthenticated"]
    assert len(registry) == 0


def test_redis_that_does_not_answer_lets_nobody_in_and_the_reason_is_told(registry, subscriptions, storage):
    silent = Sessions(redis_client.connect("redis://127.0.0.1:1/0"), 1800, 43_200, storage.users.epochs)
    sockets = sockets_of(registry, subscriptions, silent)
    assert together(sockets, *[(f"parley={'x' * 43}", None)] * 3) == ["unavailable"] * 3
    assert len(registry) == 0


# --- rooms --------------------------------------------------------------------------------------------------------


class Memberships:
    """In the place of Rooms: every reading waits for its `answer`."""

    def __init__(self):
        self.readings = []

    def memberships(self, person):
        answer = gevent.event.AsyncResult()
        self.readings.append((person.username, answer))
        return answer.get(timeout=30)


class Den:
    """In the place of Followers: they attend one room."""

    def __init__(self):
        self.subscribed = []
        self.changed_at = float("-inf")

    def attended_since(self, room):
        return float("-inf")

    def has(self, sid, room):
        return sid in self.subscribed

    def subscribe(self, sid, room, membership, asked_at):
        if asked_at <= self.changed_at:
            return False
        self.subscribed.append(sid)
        return True


@pytest.fixture
def den():
    return Den()


@pytest.fixture
def rooms():
    return Memberships()


@pytest.fixture
def real(registry, rooms, den):
    return Subscriptions(SimpleNamespace(), registry, SimpleNamespace(), den, rooms)


@pytest.fixture
def subscribe(registry, real):
    def subscribe(sid, username):
        person = Person(username, username)
        connection = ClientSocket(sid, SimpleNamespace(sid=f"{username}'s", person=person), clock())
        registry.add(connection)
        return gevent.spawn(real.subscribe, connection)

    return subscribe


def turns(number=5):
    for _ in range(number):
        gevent.sleep(0)


def test_the_rooms_of_one_person_are_read_once_for_all_sockets_of_a_turn(subscribe, rooms, den):
    coming = [subscribe("a1", "alice"), subscribe("a2", "alice"), subscribe("b1", "bob")]
    turns()
    assert [username for username, _ in rooms.readings] == ["alice", "bob"]
    rooms.readings[0][1].set([(ROOM, Membership("den", "alice", "alice", True))])
    rooms.readings[1][1].set([])
    gevent.joinall(coming, timeout=30, raise_error=True)
    assert den.subscribed == ["a1", "a2"]


def test_who_was_removed_while_another_socket_was_reading_is_not_let_in_by_that_reading(subscribe, rooms, den):
    early = subscribe("a1", "alice")
    turns()
    late = subscribe("a2", "alice")
    turns()
    assert len(rooms.readings) == 2
    rooms.readings[0][1].set([(ROOM, Membership("den", "alice", "alice", True))])  # as it was
    rooms.readings[1][1].set([])  # as it is
    gevent.joinall([early, late], timeout=30, raise_error=True)
    assert den.subscribed == ["a1"]


def test_rooms_that_changed_while_they_were_read_are_read_again_soon(subscribe, real, rooms, den, monkeypatch):
    monkeypatch.setattr("chat.sockets.subscriptions.AGAIN_AFTER_S", -1.0)  # which is over at once
    early = subscribe("a1", "alice")
    turns()
    den.changed_at = clock()  # out, and in again: what is read was true before
    rooms.readings[0][1].set([(ROOM, Membership("den", "alice", "alice", True))])
    gevent.joinall([early], timeout=30, raise_error=True)
    assert den.subscribed == []
    real._tell_rooms = lambda connection: None
    again = gevent.spawn(real._read_rooms)
    turns()
    rooms.readings[1][1].set([(ROOM, Membership("den", "alice", "alice", True))])
    gevent.joinall([again], timeout=30, raise_error=True)
    assert den.subscribed == ["a1"]
