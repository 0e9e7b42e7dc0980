"""Logins that an attacker would like to learn from, or to stop the chat with."""

from __future__ import annotations

import json
import statistics
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import PASSWORD, start_server

PAIRS = 15
LOGINS = 100
COST = 10
MAX_STALL_S = 0.5


@pytest.fixture
def costly_server(config, tmp_path):
    """A server whose hashes cost what they cost people, nearly."""
    server = start_server(
        config, tmp_path, bcrypt_cost=COST, login_failures_per_account=10_000, login_failures_per_address=10_000
    )
    yield server
    server.stop()


def post(server, path, body):
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.read()
        return error.code


def login(server, name, password="not the password"):
    return post(server, "/api/auth/login", {"username": name, "password": password})


def took_s(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_an_unknown_name_takes_as_long_as_a_wrong_password(costly_server):
    assert post(costly_server, "/api/auth/register", {"username": "alice", "password": PASSWORD}) == 201
    login(costly_server, "alice")
    known, unknown = [], []
    for turn in range(PAIRS):  # interleaved, so that what else the machine does weighs on both
        known.append(took_s(lambda: login(costly_server, "alice")))
        unknown.append(took_s(lambda turn=turn: login(costly_server, f"nobody{turn}")))
    ratio = statistics.median(unknown) / statistics.median(known)
    assert 0.75 < ratio < 1.33, (ratio, known, unknown)
    assert min(unknown) > 0.02, "a hash of this cost was checked"


def test_a_hundred_logins_at_once_do_not_stop_the_others(costly_server):
    assert post(costly_server, "/api/auth/register", {"username": "alice", "password": PASSWORD}) == 201
    done, waits = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            waits.append(took_s(lambda: urllib.request.urlopen(costly_server.url + "/healthz", timeout=10).read()))

    watcher = threading.Thread(target=look)
    watcher.start()
    with ThreadPoolExecutor(LOGINS) as pool:
        statuses = list(pool.map(lambda _: login(costly_server, "alice", PASSWORD), range(LOGINS)))
    done.set()
    watcher.join(10)
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 30, statuses
    assert statistics.median(waits) < 0.1 and max(waits) < MAX_STALL_S, (statistics.median(waits), max(waits))
    assert login(costly_server, "alice", PASSWORD) == 200
