"""`/healthz` and `/readyz`: what a load balancer hears, also while a dependency is away or hangs."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from chat.app import create_app
from tests.conftest import browser, free_port, spawn_server

ASKED_FOR_S = 30  # half as long as tests/blueprints/patient_app.py waits for its storages


def ask(url):
    """What is answered, long before the server would lose its patience with a storage."""
    try:
        with urllib.request.urlopen(url, timeout=ASKED_FOR_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def hanging():
    """A port that takes connections and never answers."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        yield listener.getsockname()[1]


def test_a_sound_chat_is_healthy_and_ready(client):
    assert client.get("/healthz").json == {"ok": True}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"redis": True, "dynamodb": True, "sockets": True})


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"redis_url": "redis://127.0.0.1:1/0"}, {"redis": False, "dynamodb": True, "sockets": True}),
        ({"dynamodb_endpoint": "http://127.0.0.1:1"}, {"redis": True, "dynamodb": False, "sockets": True}),
        ({"table_prefix": "no-such-"}, {"redis": True, "dynamodb": False, "sockets": True}),
    ],
)
def test_a_chat_without_its_storage_lives_and_is_not_ready(config, change, answer):
    client = browser(create_app(replace(config, **change)))
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, answer)


def test_both_answer_under_any_name_because_a_balancer_asks_by_address(client):
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"Host": f"10.1.2.3:{free_port()}"}).status_code == 200


def test_a_storage_that_hangs_delays_neither_answer(config, hanging, tmp_path):
    away = {"redis_url": f"redis://127.0.0.1:{hanging}/0", "dynamodb_endpoint": f"http://127.0.0.1:{hanging}"}
    stuck = spawn_server(config, tmp_path, "tests.blueprints.patient_app:app", **away)
    try:
        assert ask(stuck.url + "/readyz") == (503, {"redis": False, "dynamodb": False, "sockets": True})
        assert ask(stuck.url + "/healthz") == (200, {"ok": True})
    finally:
        stuck.process.kill()
        stuck.process.wait(30)
