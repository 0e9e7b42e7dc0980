"""Redis and DynamoDB that hang, vanish, are full, slow, throttled or broken: who sends is told within three seconds,
nobody is signed out, and a few seconds after all is well again nothing is missing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import redis

from tests.conftest import ROOT, free_port
from tests.e2e.parley import Parley
from tests.e2e.peer import Peer
from tests.faults.proxy import Proxy
from tests.runtime.running import until

ANSWERED_WITHIN_S = 3.0
UNREADY_WITHIN_S = 2.0
WELL_WITHIN_S = 5.0

Device = Callable[..., Peer]


def ready(parley: Parley) -> tuple[bool, float]:
    """Whether it says so, and after how many seconds."""
    began = time.monotonic()
    return parley.request("/readyz")[0] == 200, time.monotonic() - began


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


@contextmanager
def weather(proxy: Proxy, **what: Any) -> Iterator[None]:
    """What befalls each request to DynamoDB; it did, or the test would show nothing."""
    before = proxy.heal()
    heal = proxy.befall(**what)
    try:
        yield
    finally:
        heal()
    assert proxy.heal() - before, what


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parley, Proxy]]:
    """A product whose DynamoDB is reached through a proxy."""
    folder = tmp_path_factory.mktemp("behind-proxy")
    keys = folder / "credentials"
    argv = [sys.executable, "-m", "chat.embedded.dynamodb", "--data", str(folder / "db"), "--credentials", str(keys)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as engine:
        try:
            assert engine.stdout is not None
            address = engine.stdout.readline().strip().removeprefix("DYNAMODB_ENDPOINT=http://")
            here = f"127.0.0.1:{free_port()}"
            given = {"DYNAMODB_ENDPOINT": f"http://{here}", "AWS_SHARED_CREDENTIALS_FILE": str(keys)}
            with (
                Proxy(here, address, folder / "proxy.sock", http=True) as proxy,
                Parley(folder / "data", **given) as parley,
            ):
                yield parley, proxy
        finally:
            engine.kill()


FAILURES = [(hanging, "redis-server"), (full, "redis-server"), (hanging, "chat.embedded.dynamodb")]


@pytest.mark.parametrize(("failure", "program"), FAILURES, ids=["redis hangs", "redis is full", "dynamodb hangs"])
def test_a_send_is_answered_in_time_and_all_is_well_soon_after(own_parley, device: Device, failure, program):
    endures(own_parley, device, failure(own_parley, program))


WEATHERS = {
    "dynamodb is down": {"refuse": True, "reset_share": 1.0},  # the connections that it had break too
    "dynamodb takes five seconds": {"delay_s": 5.0},
    "dynamodb throttles all": {"refuse_requests": 1.0},
    "dynamodb resets all": {"reset_share": 1.0},
    "dynamodb commits and says nothing": {"lose_answers": 1.0},
}


@pytest.mark.parametrize("what", WEATHERS.values(), ids=WEATHERS.keys())
def test_in_every_weather_a_send_is_answered_in_time_and_all_is_well_soon_after(behind_proxy, device: Device, what):
    parley, proxy = behind_proxy
    endures(parley, device, weather(proxy, **what))


@pytest.mark.parametrize("what", [{"refuse_requests": 0.3}, {"reset_share": 0.3}], ids=["throttles", "resets"])
def test_when_three_requests_in_ten_fail_sends_succeed_or_say_try_again(behind_proxy, device: Device, what):
    """A worker that gets through at the second try has no reason to say that it is not ready."""
    parley, proxy = behind_proxy
    endures(parley, device, weather(proxy, **what), unready=False)


def endures(parley: Parley, device: Device, failure: AbstractContextManager[None], unready: bool = True) -> None:
    """The promise, with `failure` in the middle of it."""
    ada, grace = parley.person("Ada"), parley.person("Grace")
    room = ada.room("dependency", grace)
    a, g = device(ada), device(grace)
    before = a.send(room, "before")["message"]["seq"]
    g.reaches(room, before)
    with failure:
        time.sleep(0.2)
        is_ready, took = ready(parley)
        assert took < UNREADY_WITHIN_S and not (is_ready and unready)
        began = time.monotonic()
        answer = a.send(room, "meanwhile", client_id="meanwhile")
        assert time.monotonic() - began < ANSWERED_WITHIN_S
        assert answer.get("ok") or (answer["error"]["code"] in ("unavailable", "busy") and answer["error"]["retry"])
        began = time.monotonic()
        status, answer = ada.post(f"/api/rooms/{room}/messages", client_id="by-http", text="by http")
        assert time.monotonic() - began < ANSWERED_WITHIN_S + 0.3
        assert status == 201 or (status == 503 and answer["error"]["retry"]), answer
        assert parley.request("/healthz")[0] == 200
        time.sleep(4)
    healed = time.monotonic()
    until(lambda: ready(parley)[0], WELL_WITHIN_S, "it is ready again")
    until(lambda: a.send(room, "meanwhile", client_id="meanwhile").get("ok"), WELL_WITHIN_S, "a send is taken again")
    last = a.send(room, "after")["message"]["seq"]
    g.reaches(room, last, within_s=WELL_WITHIN_S)
    assert time.monotonic() - healed < WELL_WITHIN_S
    texts = [text for _, _, text in g.messages(room)]
    assert (texts[0], texts[-1]) == ("before", "after")
    assert texts.count("meanwhile") == 1 and texts.count("by http") <= 1
    for peer in (a, g):
        assert not peer.all_of("session:ended")
        assert peer.person.get("/api/auth/protected")[0] == 200, "nobody is signed out for it"


def test_a_redis_that_dies_and_comes_back_empty_costs_the_sessions_and_no_message(own_parley, device: Device):
    ada = own_parley.person("Ada")
    room = ada.room("emptied")
    a = device(ada)
    for number in range(5):
        assert a.send(room, f"before {number}")["ok"]
    own_parley.redis.flushall()
    killed = own_parley.pid_of("redis-server")
    own_parley.kill(killed)
    until(lambda: killed not in own_parley.pids(), 5, "it is gone")
    until(lambda: answers(own_parley), 10, "the supervisor has started it again")
    until(lambda: ready(own_parley)[0], 5, "the chat has noticed")
    ada.sign_in()
    a.connect()
    answer = a.send(room, "after", client_id="after")
    assert answer["ok"] and answer["message"]["seq"] == 7
    assert [text for _, _, text in ada.everything(room)] == [*(f"before {number}" for number in range(5)), "after"]


def test_many_who_wait_for_a_storage_that_hangs_hold_up_nobody_else(own_parley, device: Device):
    """A hundred requests hang at DynamoDB; what needs only Redis or nothing is answered at once."""
    ada = own_parley.person("Ada")
    room = ada.room("crowd")
    peers = [device(ada) for _ in range(10)]
    with hanging(own_parley, "chat.embedded.dynamodb"):
        for peer in peers:
            for _ in range(15):
                peer.command("emit_deaf", event="room:open", args=[{"room": room, "after": 1}])
        for _ in range(10):
            began = time.monotonic()
            assert own_parley.request("/healthz")[0] == 200
            assert ada.get("/api/auth/protected")[0] == 200
            assert time.monotonic() - began < 1
    until(lambda: peers[0].emit("room:open", {"room": room, "after": 0}).get("ok"), WELL_WITHIN_S, "it is well")


def test_a_worker_that_was_stopped_catches_up_without_sending_anybody_away(own_parley, device: Device):
    ada, grace = own_parley.person("Ada"), own_parley.person("Grace")
    room = ada.room("stopped", grace)
    a, g = device(ada), device(grace)
    g.reaches(room, a.send(room, "before")["message"]["seq"])
    worker = own_parley.worker
    own_parley.pause(worker)
    a.say(room, "meanwhile")
    time.sleep(7)
    own_parley.resume(worker)
    (message,) = a.acked(1)
    g.reaches(room, message["seq"], within_s=WELL_WITHIN_S)
    assert [text for _, _, text in g.messages(room)] == ["before", "meanwhile"]
    for peer in (a, g):
        assert not peer.all_of("server:restarting") and not peer.all_of("session:ended")
