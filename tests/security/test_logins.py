"""Logins that an attacker would like to learn from, or to stop the chat with."""

from __future__ import annotations

import json
import statistics
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis import Redis

from chat.app import create_app
from chat.services.accounts import passwords
from chat.services.storage.wire.endpoint import Endpoint
from tests.conftest import PASSWORD, Auth, browser, start_server

PAIRS = 9
LOGINS = 100
COSTLY = {"bcrypt_cost": 9, "login_failures_per_account": 10_000, "login_failures_per_address": 10_000}


@pytest.fixture
def costly_server(config, tmp_path):
    """A server whose hashes cost more than all the rest of a login."""
    server = start_server(config, tmp_path, **COSTLY)
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


@pytest.fixture
def work(monkeypatch):
    """What is done for whoever waits: each hash that is checked, by its cost, each request to DynamoDB and to Redis."""
    work = []
    check, ask = passwords.bcrypt.checkpw, Endpoint._request
    carry_out = Redis.execute_command

    def checked(password, hashed):
        work.append(f"a hash of cost {int(hashed.split(b'$')[2])}")
        return check(password, hashed)

    def asked(endpoint, operation, **request):
        work.append(operation)
        return ask(endpoint, operation, **request)

    def carried_out(redis, *command, **options):
        work.append(command[0])
        return carry_out(redis, *command, **options)

    monkeypatch.setattr(passwords.bcrypt, "checkpw", checked)
    monkeypatch.setattr(Endpoint, "_request", asked)
    monkeypatch.setattr(Redis, "execute_command", carried_out)
    return work


def test_an_unknown_name_takes_as_long_as_a_wrong_password(config, work):
    """The same requests and the same hash; and by this thread's own clock, which stands still while others compute."""
    auth = Auth(browser(create_app(replace(config, **COSTLY))))
    assert auth.register().status_code == 201

    def refused(username):
        work.clear()
        began = time.thread_time()
        assert auth.login(username, "not the password").status_code == 401
        return list(work), time.thread_time() - began

    refused("alice"), refused("nobody")  # the first of each copies what the next ones find
    pairs = [(refused("alice"), refused(f"nobody{turn}")) for turn in range(PAIRS)]
    for (for_alice, _), (for_nobody, _) in pairs:
        assert for_nobody == for_alice and for_alice.count(f"a hash of cost {COSTLY['bcrypt_cost']}") == 1
    known, unknown = (min(took[who][1] for took in pairs) for who in (0, 1))
    assert 0.75 < unknown / known < 1.33, pairs


def test_a_hundred_logins_at_once_do_not_stop_the_others(costly_server):
    """Whoever asks for something else waits for the hashes of a few of them, not for all."""
    assert post(costly_server, "/api/auth/register", {"username": "alice", "password": PASSWORD}) == 201
    done, let_in, waited_for = threading.Event(), [], []

    def look() -> None:
        while not done.is_set():
            before = len(let_in)
            urllib.request.urlopen(costly_server.url + "/healthz", timeout=60).read()
            waited_for.append(len(let_in) - before)

    def enter(_: int) -> int:
        status = login(costly_server, "alice", PASSWORD)
        if status == 200:
            let_in.append(status)
        return status

    watcher = threading.Thread(target=look)
    watcher.start()
    with ThreadPoolExecutor(LOGINS) as pool:
        statuses = list(pool.map(enter, range(LOGINS)))
    done.set()
    watcher.join(60)
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 10, statuses  # the others came too late
    assert len(waited_for) > len(let_in), "several are answered while a hash is computed"
    assert statistics.median(waited_for) <= 1 and max(waited_for) < len(let_in) / 3, waited_for
    assert login(costly_server, "alice", PASSWORD) == 200
