"""Storage that hangs is answered for at every door, also before anybody has signed in."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace

import gevent
import pytest

from chat.blueprints import guard
from chat.errors import ChatError
from chat.lambdas import http as edge
from chat.services.runtime import budget as budgets
from chat.services.runtime.budget import budget
from chat.services.runtime.deadline import deadline, unhurried
from chat.services.storage.storage import Storage
from tests.conftest import browser


def test_every_view_has_a_deadline(app, monkeypatch):
    entered = []

    @contextmanager
    def noted(seconds):
        entered.append(seconds)
        yield

    monkeypatch.setattr(guard, "deadline", noted)
    client, asked = browser(app), 0
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<path:{name}>", "x").replace(f"<{name}>", "x")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            client.open(path, method=method)
            asked += 1
    assert len(entered) == asked > 15 and all(0 < seconds <= 2.8 for seconds in entered)


def test_a_deadline_stands_still_for_a_wait_that_is_bounded_by_itself():
    went_on = []

    def work():
        with deadline(0.2):
            with unhurried():
                gevent.sleep(0.4)
            went_on.append("after the wait")
            gevent.sleep(60)

    with pytest.raises(ChatError) as late:
        work()
    assert went_on and late.value.code == "unavailable"


def test_a_deadline_that_stood_still_ends_what_it_is_around_only():
    with deadline(60), pytest.raises(ChatError), deadline(0.01), unhurried():
        raise ChatError("busy")
    gevent.sleep(0.05)


@pytest.fixture
def hanging():
    """The port of a server that takes connections and says nothing, and how many there have been."""
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take():
            while True:
                try:
                    taken.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield listening.getsockname()[1], taken
        listening.shutdown(socket.SHUT_RDWR)
    for each in taken:
        each.close()


@pytest.fixture
def storage(config, hanging):
    """Storage behind that server, of a process without greenlets."""
    port, _ = hanging
    storage = Storage.connect(replace(config, dynamodb_endpoint=f"http://127.0.0.1:{port}"))
    storage.client._client._read_s = 0.3
    return storage


def test_a_budget_that_is_spent_asks_no_further_time(storage, hanging):
    _, taken = hanging
    with budget(0.01), pytest.raises(ChatError) as late:
        storage.users.get("alice")
    assert late.value.code == "unavailable" and len(taken) == 1
    with pytest.raises(ChatError):
        storage.users.get("alice")
    assert len(taken) == 1 + 3, "who has no budget asks three times"


def test_every_function_that_people_call_has_a_budget(config, monkeypatch):
    monkeypatch.setattr(edge, "config", lambda: config)
    left = []

    def view(request):
        left.append(budgets.left_s())
        return edge.Answer(204)

    answer = edge.function(view, "POST")({"body": "{}"}, None)
    assert answer["statusCode"] == 204 and 0 < left[0] <= 2.8 and budgets.left_s() is None
