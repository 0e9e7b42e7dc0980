"""Who asks for all they may, and more, over many connections: what others are to notice of it."""

from __future__ import annotations

import gevent
import gevent.event
import pytest

from chat.app import create_app
from chat.services.assembly import REQUESTS_AT_ONCE
from chat.services.limits.tarpit import Tarpit
from tests.conftest import Auth, browser


@pytest.fixture
def app(config):
    return create_app(config)


def signed_in(app, username):
    client = browser(app)
    assert Auth(client).register(username).status_code in (201, 409)
    assert Auth(client).login(username).status_code == 200
    return client


def test_of_one_person_so_many_requests_are_under_way_and_others_pass_by(app, monkeypatch):
    asking, done = [], gevent.event.Event()

    def page(person, room, **_):
        asking.append(person.username)
        if person.username == "mallory":
            done.wait(30)
        raise AssertionError("nobody reads it")

    mallory, alice = [signed_in(app, "mallory") for _ in range(REQUESTS_AT_ONCE + 3)], signed_in(app, "alice")
    monkeypatch.setattr(app.extensions["parley"].history, "page", page)

    def ask(client):
        return client.get("/api/rooms/general/messages")

    his = [gevent.spawn(ask, client) for client in mallory]
    until_nothing_moves(asking)
    assert asking == ["mallory"] * REQUESTS_AT_ONCE
    gevent.spawn(ask, alice).join(30)
    assert asking[REQUESTS_AT_ONCE:] == ["alice"]
    done.set()
    gevent.joinall(his, timeout=30)
    assert asking.count("mallory") == len(mallory)


def until_nothing_moves(seen):
    before = -1
    while len(seen) != before:
        before = len(seen)
        for _ in range(50):
            gevent.sleep(0)


def test_who_asks_too_fast_hears_of_it_late(app, monkeypatch):
    services, held = app.extensions["parley"], []
    monkeypatch.setattr(services.tarpit, "_pause", held.append)
    client = signed_in(app, "mallory")
    services.requests._acts = 3
    answers = [client.get("/api/rooms").status_code for _ in range(6)]
    assert answers == [200] * 3 + [429] * 3 and len(held) == 3 and all(0 < each < 1 for each in held)


def test_who_is_refused_holds_nobodys_place(app, monkeypatch):
    """Of their own neither: what they may still do does not wait for refusals."""
    services, inside = app.extensions["parley"], []

    def hold(_):
        inside.append(len(services.side_by_side._locks))

    monkeypatch.setattr(services.tarpit, "_pause", hold)
    client = signed_in(app, "mallory")
    monkeypatch.setattr(services.history, "page", lambda *_, **__: services.messages._allowance.write("mallory", 0))
    monkeypatch.setattr(services.messages._allowance, "writes", 0.0001)
    services.messages._allowance.write("mallory", 1)
    assert client.get("/api/rooms/general/messages").status_code == 429
    assert inside == [0]


def test_only_so_many_are_held_and_all_others_refused_at_once():
    slept, let = [], gevent.event.Event()

    def pause(seconds):
        slept.append(seconds)
        let.wait(30)

    tarpit = Tarpit(pause, 1.0, most=2)
    held = [gevent.spawn(tarpit.hold) for _ in range(2)]
    gevent.sleep(0)
    tarpit.hold()
    assert len(slept) == 2
    let.set()
    gevent.joinall(held, timeout=30)
    tarpit.hold()
    assert len(slept) == 3 and len(set(slept)) == 3, "and who was refused together does not come again together"
