"""`/healthz` and `/readyz`: what a load balancer hears, also while a dependency is away or hangs."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from chat.app import create_app
from tests.conftest import browser, free_port, spawn_server


def ask(url):
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer), time.monotonic() - began
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), time.monotonic() - began


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


def test_a_storage_that_hangs_delays_neither_answer(live_server, hanging, tmp_path):
    url = f"redis://127.0.0.1:{hanging}/0"
    stuck = spawn_server(live_server.config, tmp_path, redis_url=url, dynamodb_endpoint=f"http://127.0.0.1:{hanging}")
    try:
        status, body, took = ask(stuck.url + "/readyz")
        assert (status, body) == (503, {"redis": False, "dynamodb": False, "sockets": True}) and took < 2.5
        status, body, took = ask(stuck.url + "/healthz")
        assert (status, body) == (200, {"ok": True}) and took < 1
    finally:
        stuck.process.kill()
        stuck.process.wait(5)
