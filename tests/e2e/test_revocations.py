"""Sessions that end, and the sockets they opened: at every worker, for every reason, whatever else is broken."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import pytest

from tests.e2e.parley import PASSWORD, Person, new_id
from tests.runtime.running import until

NEW_PASSWORD = "another horse entirely"
PAUSED_S = 2.5  # a session that was found alive counts as alive for two
CONTENT = {"message:sent", "message:changed", "room:heads", "typing", "member:joined", "room:read", "reaction:mine"}


@contextmanager
def stopped(*pids):
    """These processes stand still meanwhile (SIGSTOP)."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def devices_of(parley, person, device, number):
    """So many sockets of one session."""
    return [device(person) for _ in range(number)]


def second_session(parley, person):
    """The same person at another device."""
    other = Person(parley, person.name)
    other.enter()
    return other


def ended(peer, reason):
    """Waits for the end: told why, then closed, and nothing of a room behind it.

    Within two seconds, it is promised; tests/sockets/test_sessions.py has the clock for that. Here a busy machine may
    be late, and without the sweep nothing would ever come.
    """
    assert peer.hears("session:ended") == {"reason": reason}
    peer.hears("disconnect")
    heard = [event for event, _ in peer.heard]
    assert not CONTENT & set(heard[heard.index("session:ended") :])


def log_out(parley, person, other):
    assert person.post("/api/auth/logout")[0] == 204


def end_from_another_device(parley, person, other):
    [mine] = [each["id"] for each in person.get("/api/auth/sessions")[1]["sessions"] if each["current"]]
    assert other.request("DELETE", f"/api/auth/sessions/{mine}")[0] == 204


def log_out_everywhere(parley, person, other):
    assert other.request("DELETE", "/api/auth/sessions")[0] == 204


def change_the_password(parley, person, other):
    assert other.post("/api/auth/password", password=PASSWORD, new_password=NEW_PASSWORD)[0] == 200


def sign_in_again(parley, person, other):
    assert person.post("/api/auth/login", username=person.name, password=PASSWORD)[0] == 200


def delete_the_key(parley, person, other):
    [key] = person.session_key
    parley.redis.delete(key)


def let_it_expire(parley, person, other):
    [key] = person.session_key
    parley.redis.pexpire(key, 10)


@pytest.mark.parametrize(
    ("revoke", "reason"),
    [
        (log_out, "logout"),
        (end_from_another_device, "elsewhere"),
        (log_out_everywhere, "everywhere"),
        (change_the_password, "password"),
        (sign_in_again, "replaced"),
        (delete_the_key, "expired"),
        (let_it_expire, "expired"),
    ],
)
def test_every_socket_of_an_ended_session_is_told_why_and_closed_and_no_other(two_workers, device, revoke, reason):
    ada, grace = two_workers.person("Ada"), two_workers.person("Grace")
    room = ada.room("ends", grace)
    other = second_session(two_workers, ada)
    mine = devices_of(two_workers, ada, device, 6)
    hers = device(grace)
    revoke(two_workers, ada, other)
    for peer in mine:
        ended(peer, reason)
    said = hers.send(room, "still here")
    assert said["ok"]
    assert hers.hears("message:sent")["text"] == "still here"
    assert not hers.all_of("session:ended")
    for peer in mine:
        assert not peer.all_of("message:sent")


def test_the_device_that_changes_the_password_stays_connected(two_workers, device):
    ada = two_workers.person("Ada")
    phone = second_session(two_workers, ada)
    here, there = device(ada), device(phone)
    assert ada.post("/api/auth/password", password=PASSWORD, new_password=NEW_PASSWORD)[0] == 200
    ended(there, "password")
    said = here.send("general", "only me")
    assert said["ok"] and not here.all_of("session:ended")
    here.hears("message:sent", lambda message: message["text"] == "only me")


def test_a_socket_without_a_word_from_redis_gets_nothing_and_asks_in_vain_but_is_not_signed_out(two_workers, device):
    ada, grace = two_workers.person("Ada"), two_workers.person("Grace")
    room = ada.room("silent", grace)
    peers = device(ada), device(grace)
    first = peers[0].send(room, "before")["message"]["seq"]
    peers[1].reaches(room, first)
    with stopped(two_workers.pid_of("redis-server")):
        opening = {"room": room, "after": 0}
        until(lambda: not peers[0].emit("room:open", opening)["ok"], 10, "what a sweep found is good no longer")
        since = [len(peer.heard) for peer in peers]
        for request, payload in (
            ("message:send", {"room": room, "client_id": "silent", "text": "into the silence", "after": first}),
            ("room:open", opening),
        ):
            answer = peers[0].emit(request, payload)
            assert (answer["ok"], answer["error"]["code"], answer["error"]["retry"]) == (False, "unavailable", True)
        assert ada.get("/api/auth/protected")[0] == 503
        assert not CONTENT & {event for peer, n in zip(peers, since, strict=True) for event, _ in peer.heard[n:]}
    for peer in peers:
        peer.hears("room:heads", since=since[0])
    until(lambda: ada.get("/api/auth/protected")[0] == 200, 90, "Redis is heard again")
    last = peers[0].send(room, "into the silence", "silent")["message"]["seq"]
    for peer in peers:
        peer.reaches(room, last)
        assert [text for _, _, text in peer.messages(room)] == ["before", "into the silence"]
        assert not peer.all_of("session:ended") and len(peer.all_of("connect")) == 1


def test_what_was_said_during_a_pause_is_caught_up_after_it(two_workers, device):
    """One worker stands still and misses the bus; its sockets get it all once their sessions are known to be alive."""
    ada, grace = two_workers.person("Ada"), two_workers.person("Grace")
    room = ada.room("pause", grace)
    readers = devices_of(two_workers, grace, device, 4)
    with stopped(next(iter(two_workers.workers & two_workers.with_sockets()))):
        for turn in range(5):
            ada.say(room, f"missed {turn}")
        readers[0].hears_no("disconnect", "session:ended", for_s=PAUSED_S)
    last = ada.say(room, "after")["seq"]
    for peer in readers:
        peer.reaches(room, last)
        assert [text for _, _, text in peer.messages(room)] == [f"missed {turn}" for turn in range(5)] + ["after"]


@pytest.mark.parametrize("revoke", [log_out, delete_the_key])
def test_a_worker_that_was_stopped_delivers_nothing_to_who_signed_out_meanwhile(two_workers, device, revoke):
    ada, grace = two_workers.person("Ada"), two_workers.person("Grace")
    room = ada.room("stopped", grace)
    peers = devices_of(two_workers, grace, device, 6)
    with stopped(next(iter(two_workers.workers & two_workers.with_sockets()))):
        revoke(two_workers, grace, grace)
        for turn in range(10):
            ada.say(room, f"not for you {turn}")
        peers[0].hears_no("message:sent", for_s=PAUSED_S)
    for peer in peers:
        peer.hears("disconnect")
        assert not peer.all_of("message:sent")


def test_emptying_redis_ends_every_session(two_workers, device):
    people = [two_workers.person("Ada") for _ in range(4)]
    peers = [device(person) for person in people]
    two_workers.redis.flushall()
    for peer in peers:
        ended(peer, "expired")


def test_writing_keeps_a_session_and_watching_alone_does_not(two_workers, device):
    ada = two_workers.person("Ada")
    [key] = ada.session_key
    two_workers.redis.expire(key, 200)
    peer = device(ada)
    seq = peer.send("general", "an act")["message"]["seq"]
    assert two_workers.redis.ttl(key) > 1700, "also within the first minute of a socket"
    for request, payload in (
        ("room:open", {"room": "general", "after": 0}),
        ("room:read", {"room": "general", "seq": seq}),
        ("typing:start", {"room": "general"}),
        ("reaction:list", {"room": "general", "seq": seq}),
    ):
        two_workers.redis.expire(key, 200)
        assert peer.emit(request, payload)["ok"]
        assert two_workers.redis.ttl(key) <= 200
    acts = (
        ("message:edit", {"text": "another"}),
        ("reaction:add", {"emoji": "👍"}),
        ("reaction:remove", {"emoji": "👍"}),
        ("message:delete", {}),
    )
    for request, extra in acts:
        two_workers.redis.expire(key, 200)
        fresh = device(ada)  # which knows how little is left
        assert fresh.emit(request, {"room": "general", "seq": seq, "client_id": new_id(), **extra})["ok"]
        assert two_workers.redis.ttl(key) > 1700


def test_a_session_is_slid_once_a_minute_at_most(two_workers, device):
    ada = two_workers.person("Ada")
    [key] = ada.session_key
    peer = device(ada)
    two_workers.redis.expire(key, 1000)
    fresh = device(ada)
    assert fresh.send("general", "an act")["ok"]
    assert two_workers.redis.ttl(key) > 1700
    two_workers.redis.expire(key, 1000)  # which nobody has told the worker
    for turn in range(20):
        assert fresh.send("general", f"{turn}")["ok"]
    assert two_workers.redis.ttl(key) <= 1000
    assert peer.send("general", "from the other")["ok"]


def test_who_is_about_to_be_signed_out_is_told_when(two_workers, device):
    ada = two_workers.person("Ada")
    [key] = ada.session_key
    peer = device(ada)
    before = time.time()
    two_workers.redis.expire(key, 100)
    after = time.time()
    told = peer.hears("session:expiring", within_s=90)  # whether it is time is looked at every fifteen seconds
    assert before + 98 <= told["expires_at"] <= after + 101, "in whole seconds"


def test_key_events_end_a_session_at_once_and_without_them_the_sweep_does(own_parley, device):
    """As where nobody may turn them on: they are turned off again as soon as the worker listens.

    A sweep comes every second, half a second late on average. Both ways are measured, so the machine is as busy for one
    as for the other.
    """
    redis = own_parley.redis
    device(own_parley.person("Grace"))  # with the first socket the worker begins to listen
    flags = until(lambda: redis.config_get("notify-keyspace-events")["notify-keyspace-events"], 90, "it listens")

    def lasts_s() -> float:
        ada = own_parley.person("Ada")
        peer = device(ada)
        began = time.monotonic()
        delete_the_key(own_parley, ada, ada)
        ended(peer, "expired")
        return time.monotonic() - began

    with_events = sum(lasts_s() for _ in range(5))
    redis.config_set("notify-keyspace-events", "")
    try:
        without = sum(lasts_s() for _ in range(5))
    finally:
        redis.config_set("notify-keyspace-events", flags)
    assert with_events < without
