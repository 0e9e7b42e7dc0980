"""Redis and DynamoDB that hang, vanish or are full: who sends is told in time, nobody is signed out, and soon after all
is well again nothing is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.e2e.outages import WELL_WITHIN_S, Device, endures, ready
from tests.e2e.parley import Parley
from tests.runtime.running import until

STOPPED_S = 7.0  # a worker that has heard nothing for five seconds asks whether it is the only one, every two


def answers(parley: Parley) -> bool:
    try:
        return bool(parley.redis.ping())
    except redis.RedisError:
        return False


@contextmanager
def hanging(parley: Parley, program: str) -> Iterator[None]:
    pid = parley.pid_of(program)
    parley.pause(pid)
    try:
        yield
    finally:
        parley.resume(pid)


@contextmanager
def full(parley: Parley, program: str) -> Iterator[None]:
    """Redis at its limit of memory: it reads, and writes nothing."""
    client = parley.redis
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


FAILURES = [(hanging, "redis-server"), (full, "redis-server"), (hanging, "chat.embedded.dynamodb")]


@pytest.mark.parametrize(("failure", "program"), FAILURES, ids=["redis hangs", "redis is full", "dynamodb hangs"])
def test_a_send_is_answered_in_time_and_all_is_well_soon_after(own_parley, device: Device, failure, program):
    endures(own_parley, device, failure(own_parley, program))


def test_a_redis_that_dies_and_comes_back_empty_costs_the_sessions_and_no_message(own_parley, device: Device):
    ada = own_parley.person("Ada")
    room = ada.room("emptied")
    a = device(ada)
    for number in range(5):
        assert a.send(room, f"before {number}")["ok"]
    own_parley.redis.flushall()
    killed = own_parley.pid_of("redis-server")
    own_parley.kill(killed)
    until(lambda: killed not in own_parley.pids(), 90, "it is gone")
    until(lambda: answers(own_parley), 90, "the supervisor has started it again")
    until(lambda: ready(own_parley)[0], WELL_WITHIN_S, "the chat has noticed")
    ada.sign_in()
    a.connect()
    answer = a.send(room, "after", client_id="after")
    assert answer["ok"] and answer["message"]["seq"] == 7
    assert [text for _, _, text in ada.everything(room)] == [*(f"before {number}" for number in range(5)), "after"]


def test_many_who_wait_for_a_storage_that_hangs_hold_up_nobody_else(own_parley, device: Device):
    """A hundred and fifty requests hang at DynamoDB; what needs only Redis or nothing is answered before them."""
    ada = own_parley.person("Ada")
    room = ada.room("crowd")
    peers = [device(ada) for _ in range(10)]
    with hanging(own_parley, "chat.embedded.dynamodb"):
        for peer in peers:
            peer.command("ask", event="room:open", args=[{"room": room, "after": 1}], times=15)
        for _ in range(3):
            assert own_parley.request("/healthz")[0] == 200
            assert ada.get("/api/auth/protected")[0] == 200
        assert sum(len(peer.all_of("answered")) for peer in peers) < 150, "some wait still"
        peers[-1].hears("answered", lambda answer: not answer["ok"] and answer["error"]["retry"])
    until(lambda: peers[0].emit("room:open", {"room": room, "after": 0}).get("ok"), WELL_WITHIN_S, "it is well")


def test_a_worker_that_was_stopped_catches_up_without_sending_anybody_away(own_parley, device: Device):
    ada, grace = own_parley.person("Ada"), own_parley.person("Grace")
    room = ada.room("stopped", grace)
    a, g = device(ada), device(grace)
    g.reaches(room, a.send(room, "before")["message"]["seq"])
    worker = own_parley.worker
    own_parley.pause(worker)
    a.say(room, "meanwhile")
    g.hears_no("disconnect", for_s=STOPPED_S)
    own_parley.resume(worker)
    (message,) = a.acked(1)
    g.reaches(room, message["seq"], within_s=WELL_WITHIN_S)
    assert [text for _, _, text in g.messages(room)] == ["before", "meanwhile"]
    for peer in (a, g):
        assert not peer.all_of("server:restarting") and not peer.all_of("session:ended")
