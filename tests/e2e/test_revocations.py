"""Sessions that end, and the sockets they opened: at every worker, for every reason, whatever else is broken."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import pytest

from tests.conftest import wait_until
from tests.e2e.parley import PASSWORD, Parley, children, new_id

NEW_PASSWORD = "another horse entirely"
CONTENT = {"message:sent", "message:changed", "room:heads", "typing", "member:joined", "room:read", "reaction:mine"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The product with two workers."""
    with Parley(tmp_path_factory.mktemp("pair") / "data", WORKERS="2") as running:
        yield running


def workers(parley):
    """The processes that serve."""
    arbiter = parley.pid_of("chat.embedded.web")
    return children(arbiter) & parley.pids()


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
    other = type(person)(parley, person.name)
    other.sign_in()
    return other


def ended(peer, reason, within_s=2.5):
    """Waits for the end: told why, then closed, and nothing of a room behind it."""
    assert peer.hears("session:ended", within_s=within_s) == {"reason": reason}
    peer.hears("disconnect", within_s=2)
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
def test_every_socket_of_an_ended_session_is_told_why_and_closed_and_no_other(pair, device, revoke, reason):
    ada, grace = pair.person("Ada"), pair.person("Grace")
    room = ada.room("ends", grace)
    other = second_session(pair, ada)
    mine = devices_of(pair, ada, device, 6)
    hers = device(grace)
    revoke(pair, ada, other)
    for peer in mine:
        ended(peer, reason)
    said = hers.send(room, "still here")
    assert said["ok"]
    assert hers.hears("message:sent")["text"] == "still here"
    assert not hers.all_of("session:ended")
    for peer in mine:
        assert not peer.all_of("message:sent")


def test_the_device_that_changes_the_password_stays_connected(pair, device):
    ada = pair.person("Ada")
    phone = second_session(pair, ada)
    here, there = device(ada), device(phone)
    assert ada.post("/api/auth/password", password=PASSWORD, new_password=NEW_PASSWORD)[0] == 200
    ended(there, "password")
    said = here.send("general", "only me")
    assert said["ok"] and not here.all_of("session:ended")
    here.hears("message:sent", lambda message: message["text"] == "only me")


def test_a_socket_without_a_word_from_redis_gets_nothing_and_asks_in_vain_but_is_not_signed_out(pair, device):
    ada, grace = pair.person("Ada"), pair.person("Grace")
    room = ada.room("silent", grace)
    peers = device(ada), device(grace)
    first = peers[0].send(room, "before")["message"]["seq"]
    peers[1].reaches(room, first)
    with stopped(pair.pid_of("redis-server")):
        time.sleep(3)  # two seconds are what a sweep is good for; the third is ours to judge
        since = [len(peer.heard) for peer in peers]
        for request, payload in (
            ("message:send", {"room": room, "client_id": "silent", "text": "into the silence", "after": first}),
            ("room:open", {"room": room, "after": 0}),
        ):
            began = time.monotonic()
            answer = peers[0].emit(request, payload)
            assert time.monotonic() - began < 3
            assert (answer["ok"], answer["error"]["code"], answer["error"]["retry"]) == (False, "unavailable", True)
        assert ada.get("/api/auth/protected")[0] == 503
        assert not CONTENT & {event for peer, n in zip(peers, since, strict=True) for event, _ in peer.heard[n:]}
    began = time.monotonic()
    for peer in peers:
        peer.hears("room:heads", since=since[0], within_s=5)
    assert time.monotonic() - began < 5
    wait_until(lambda: ada.get("/api/auth/protected")[0] == 200, 5)
    last = peers[0].send(room, "into the silence", "silent")["message"]["seq"]
    for peer in peers:
        peer.reaches(room, last, within_s=5)
        assert [text for _, _, text in peer.messages(room)] == ["before", "into the silence"]
        assert not peer.all_of("session:ended") and len(peer.all_of("connect")) == 1


def test_what_was_said_during_a_pause_is_caught_up_after_it(pair, device):
    """One worker stands still and misses the bus; its sockets get it all once their sessions are known to be alive."""
    ada, grace = pair.person("Ada"), pair.person("Grace")
    room = ada.room("pause", grace)
    readers = devices_of(pair, grace, device, 4)
    with stopped(next(iter(workers(pair) & pair.with_sockets()))):
        for turn in range(5):
            ada.say(room, f"missed {turn}")
        time.sleep(2.5)
    last = ada.say(room, "after")["seq"]
    for peer in readers:
        peer.reaches(room, last, within_s=10)
        assert [text for _, _, text in peer.messages(room)] == [f"missed {turn}" for turn in range(5)] + ["after"]


@pytest.mark.parametrize("revoke", [log_out, delete_the_key])
def test_a_worker_that_was_stopped_delivers_nothing_to_who_signed_out_meanwhile(pair, device, revoke):
    ada, grace = pair.person("Ada"), pair.person("Grace")
    room = ada.room("stopped", grace)
    peers = devices_of(pair, grace, device, 6)
    with stopped(next(iter(workers(pair) & pair.with_sockets()))):
        revoke(pair, grace, grace)
        for turn in range(10):
            ada.say(room, f"not for you {turn}")
        time.sleep(2.5)
    for peer in peers:
        wait_until(lambda peer=peer: "disconnect" in [event for event, _ in peer.heard], 10)
        assert not peer.all_of("message:sent")


def test_emptying_redis_ends_every_session_within_two_seconds(pair, device):
    people = [pair.person("Ada") for _ in range(4)]
    peers = [device(person) for person in people]
    pair.redis.flushall()
    began = time.monotonic()
    for peer in peers:
        ended(peer, "expired")
    assert time.monotonic() - began < 2.5


def test_writing_keeps_a_session_and_watching_alone_does_not(pair, device):
    ada = pair.person("Ada")
    [key] = ada.session_key
    pair.redis.expire(key, 200)
    peer = device(ada)
    seq = peer.send("general", "an act")["message"]["seq"]
    assert pair.redis.ttl(key) > 1700, "also within the first minute of a socket"
    for request, payload in (
        ("room:open", {"room": "general", "after": 0}),
        ("room:read", {"room": "general", "seq": seq}),
        ("typing:start", {"room": "general"}),
        ("reaction:list", {"room": "general", "seq": seq}),
    ):
        pair.redis.expire(key, 200)
        assert peer.emit(request, payload)["ok"]
        assert pair.redis.ttl(key) <= 200
    acts = (
        ("message:edit", {"text": "another"}),
        ("reaction:add", {"emoji": "👍"}),
        ("reaction:remove", {"emoji": "👍"}),
        ("message:delete", {}),
    )
    for request, extra in acts:
        pair.redis.expire(key, 200)
        fresh = device(ada)  # which knows how little is left
        assert fresh.emit(request, {"room": "general", "seq": seq, "client_id": new_id(), **extra})["ok"]
        assert pair.redis.ttl(key) > 1700


def test_a_session_is_slid_once_a_minute_at_most(pair, device):
    ada = pair.person("Ada")
    [key] = ada.session_key
    peer = device(ada)
    pair.redis.expire(key, 1000)
    fresh = device(ada)
    before = pair.redis.info("commandstats")["cmdstat_expire"]["calls"]
    for turn in range(20):
        assert fresh.send("general", f"{turn}")["ok"]
    assert pair.redis.info("commandstats")["cmdstat_expire"]["calls"] - before == 1
    assert pair.redis.ttl(key) > 1700
    assert peer.send("general", "from the other")["ok"]


def test_who_is_about_to_be_signed_out_is_told_when(pair, device):
    ada = pair.person("Ada")
    [key] = ada.session_key
    peer = device(ada)
    pair.redis.expire(key, 100)
    ends_at = time.time() + 100
    told = peer.hears("session:expiring", within_s=20)
    assert abs(told["expires_at"] - ends_at) < 2


def test_without_key_events_the_sweep_alone_ends_sessions_in_time(tmp_path, device):
    """As where nobody may turn them on: they are off again as soon as the workers listen."""
    with Parley(tmp_path / "data") as parley:
        ada = parley.person("Ada")
        [key] = ada.session_key
        peer = device(ada)
        wait_until(lambda: parley.redis.config_get("notify-keyspace-events")["notify-keyspace-events"] != "", 5)
        parley.redis.config_set("notify-keyspace-events", "")
        parley.redis.delete(key)
        began = time.monotonic()
        ended(peer, "expired")
        assert time.monotonic() - began < 2


def test_with_key_events_a_session_ends_at_once(pair, device):
    times = []
    for _ in range(5):
        ada = pair.person("Ada")
        peer = device(ada)
        delete_the_key(pair, ada, ada)
        began = time.monotonic()
        ended(peer, "expired")
        times.append(time.monotonic() - began)
    assert sorted(times)[2] < 0.3, "the sweep alone takes half a second on average"
