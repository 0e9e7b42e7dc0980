"""What people said does not stay in the bus."""

from __future__ import annotations

import time

import pytest
import redis

from chat.services.bus import bus as module
from chat.services.bus.bus import KEPT_S, LEFT_ALONE_S, Bus
from chat.services.bus.events import Logged
from chat.services.bus.publisher import STREAM, Publisher
from chat.services.storage import redis_client

SECRET = "what was said and is deleted"


@pytest.fixture
def server(config) -> redis.Redis:
    return redis_client.connect(config.redis_url)


def said(n: int) -> Logged:
    return Logged("general", 1, {"seq": n, "kind": "message"}, {"seq": n, "text": f"{SECRET} {n}"})


def texts(server: redis.Redis) -> int:
    return str(server.xrange(STREAM)).count(SECRET)


def a_worker(server: redis.Redis) -> Bus:
    """Its end of the bus, of which nothing runs by itself."""
    return Bus(server, "redis://nowhere")


def write(bus: Bus, n: int) -> None:
    bus._post(said(n), volatile=False)
    bus._write_some()


def at(server: redis.Redis, ago_s: float, n: int) -> None:
    """As somebody published it so long ago."""
    now, _ = server.time()
    entry = {"from": "another", "e": Publisher(server)._encode(said(n))}
    server.xadd(STREAM, entry, id=f"{int((now - ago_s) * 1_000)}-{n}")


def test_what_is_older_than_a_minute_leaves_the_stream(server):
    for n, ago_s in enumerate((3_600, KEPT_S + 5, KEPT_S - 20, 1)):
        at(server, ago_s, n)
    assert texts(server) == 4
    write(a_worker(server), 4)
    assert texts(server) == 3
    assert f"{SECRET} 2" in str(server.xrange(STREAM)), "what is younger stays, for who is late"
    assert 0 < server.ttl(STREAM) <= LEFT_ALONE_S, "and all goes where no worker is left"


def test_a_worker_whose_clock_is_wrong_takes_nothing_from_the_others(server, monkeypatch):
    at(server, 1, 1)
    monkeypatch.setattr(time, "time", lambda: 9e9)
    write(a_worker(server), 2)
    assert texts(server) == 2


def test_it_is_looked_at_now_and_then_not_with_every_event(server, monkeypatch):
    asked = []
    monkeypatch.setattr(server, "xtrim", lambda *args, **options: asked.append(options))
    bus = a_worker(server)
    for n in range(50):
        write(bus, n)
    assert len(asked) == 1
    monkeypatch.setattr(module, "TRIM_EVERY_S", 0.0)
    bus._trim_at = 0.0
    write(bus, 50)
    write(bus, 51)
    assert len(asked) == 3


def test_a_server_that_knows_no_such_way_is_asked_once_and_the_bus_goes_on(server, monkeypatch, caplog):
    def refuse(*args, **options):
        raise redis.ResponseError("syntax error")

    monkeypatch.setattr(server, "xtrim", refuse)
    bus = a_worker(server)
    for n in range(3):
        bus._trim_at = min(bus._trim_at, 1e12)  # an hour later
        write(bus, n)
    assert texts(server) == 3 and not bus._outbox
    assert [each.message for each in caplog.records] == ["the bus keeps what is old: syntax error"]
