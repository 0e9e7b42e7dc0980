"""Signing in beside somebody who wants to be the only one: their guesses, and their logins with the right password."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import bcrypt
import gevent.event
import gevent.monkey
import pytest

from chat.app import create_app
from chat.errors import ChatError
from chat.services.accounts.passwords import Passwords
from chat.services.runtime.turns import Turns
from tests.conftest import PASSWORD, Auth, browser, start_server, wait_until

GUESSES = 60
MALLORY, OFFICE, ALICE = ("203.0.113.9", "mallory"), "198.51.100.1", ("192.0.2.1", "alice")


def test_sixty_guesses_at_once_are_ten(config, monkeypatch):
    """All of them look before any of them has failed."""
    app = create_app(config)
    Auth(browser(app)).register()
    asked, answered, every = [], [], threading.Event()

    def is_none_to_come():
        if len(asked) + len(answered) >= GUESSES:
            every.set()

    def compare(*_):
        asked.append(None)
        is_none_to_come()
        assert every.wait(60)
        return False

    def guess(_):
        answered.append(Auth(browser(app)).login(password="wrong words").status_code)
        is_none_to_come()

    monkeypatch.setattr(bcrypt, "checkpw", compare)
    with ThreadPoolExecutor(GUESSES) as pool:
        list(pool.map(guess, range(GUESSES)))
    assert len(asked) == config.login_failures_per_account, "no more are compared"
    assert sorted(answered) == [401] * 10 + [429] * (GUESSES - 10)


def test_who_waits_for_their_turn_has_not_tried_yet(monkeypatch):
    """Or a crowd that signs in from one address, or a person in several tabs, would be refused for a quarter of an
    hour. In turns of a process with greenlets, as the workers are."""
    monkeypatch.setattr(gevent.monkey, "is_module_patched", lambda name: True)
    passwords, tried, let = Passwords(4, 32), [], gevent.event.Event()
    hashed = passwords.hash(PASSWORD.encode(), ALICE)
    passwords._pool.size, passwords._turns = 1, Turns(1)

    def sign_in(name):
        def first():
            tried.append(name)
            let.wait()

        return passwords.matches(PASSWORD, hashed, (OFFICE, name), first)

    crowd = [gevent.spawn(sign_in, f"ada{number}") for number in range(20)]
    gevent.sleep(0)
    gevent.sleep(0)
    assert len(tried) == 1
    let.set()
    assert [each.get(timeout=30) for each in crowd] == [True] * 20 and len(tried) == 20


def test_a_try_that_is_refused_in_its_turn_leaves_the_turn_to_others(monkeypatch):
    monkeypatch.setattr(gevent.monkey, "is_module_patched", lambda name: True)
    passwords = Passwords(4, 32)
    hashed = passwords.hash(PASSWORD.encode(), ALICE)
    for _ in range(3):
        with pytest.raises(ChatError, match="cannot reach"):
            passwords.matches(PASSWORD, hashed, MALLORY, lambda: unavailable("redis"))
    assert gevent.spawn(passwords.matches, PASSWORD, hashed, ALICE).get(timeout=30)


def test_a_right_password_is_no_wrong_one(config):
    app = create_app(replace(config, login_failures_per_account=2, login_failures_per_address=2))
    Auth(browser(app)).register()
    assert [Auth(browser(app)).login().status_code for _ in range(5)] == [200] * 5


def test_what_could_not_be_looked_up_is_no_wrong_password(app, monkeypatch):
    Auth(browser(app)).register()
    with monkeypatch.context() as away:
        away.setattr(app.extensions["parley"].storage.users, "get", unavailable)
        assert [Auth(browser(app)).login().status_code for _ in range(12)] == [503] * 12
    assert Auth(browser(app)).login().status_code == 200


def unavailable(username):
    raise ChatError("unavailable")


def test_right_passwords_have_an_allowance_of_their_own_and_wrong_ones_do_not_use_it_up(config):
    app = create_app(replace(config, logins_per_account=3))
    for name in ("alice", "bob"):
        Auth(browser(app)).register(name)
    wrong = [Auth(browser(app)).login(password="wrong words").status_code for _ in range(4)]
    right = [Auth(browser(app)).login().status_code for _ in range(4)]
    assert (wrong, right) == ([401] * 4, [200] * 3 + [429])
    assert Auth(browser(app)).login("bob").status_code == 200


# --- turns -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def turns():
    return Turns(1)


def come(turns, who, order, full=False):
    """Somebody comes, and says in `order` that it is their turn, or that they were sent away."""

    def wait():
        try:
            turns.take(who, full)
        except ChatError as error:
            order.append((who, error.code))
        else:
            order.append(who)

    waiting = gevent.spawn(wait)
    gevent.sleep(0)
    return waiting


def serve(turns, times):
    for _ in range(times):
        turns.end()
        gevent.sleep(0)


def test_a_newcomer_is_next_whoever_else_waits_in_whatever_number(turns):
    order = []
    for _ in range(20):
        come(turns, MALLORY, order)
    come(turns, ALICE, order)
    serve(turns, 20)
    assert order.index(ALICE) == 1 and len(order) == 21


def test_accounts_of_one_address_have_turns_too(turns):
    """Everybody behind one proxy, one of them forty times."""
    order = []
    for _ in range(20):
        come(turns, (OFFICE, "mallory"), order)
    for name in ("ada", "bob"):
        come(turns, (OFFICE, name), order)
    serve(turns, 21)
    assert {who[1] for who in order[:3]} == {"mallory", "ada", "bob"}


def test_an_address_with_many_accounts_has_one_turn_among_addresses(turns):
    order = []
    for number in range(20):
        come(turns, ("203.0.113.9", f"mallory{number}"), order)
    for number in range(3):
        come(turns, ("192.0.2.1", f"ada{number}"), order)
    serve(turns, 22)
    assert [who[0] for who in order[:6]] == ["203.0.113.9", "192.0.2.1"] * 3


def test_a_full_queue_takes_a_newcomer_in_the_place_of_who_has_most_in_it(turns):
    order = []
    for _ in range(5):
        come(turns, MALLORY, order)
    assert turns.would_displace(ALICE) and not turns.would_displace(MALLORY)
    come(turns, ALICE, order, full=True)
    gevent.sleep(0)  # whoever gives way hears of it
    assert order == [MALLORY, (MALLORY, "busy")]
    serve(turns, 5)
    assert order[2] == ALICE and order.count(MALLORY) == 4


def test_a_full_queue_of_people_with_one_place_each_takes_nobody_more(turns):
    order = []
    for number in range(5):
        come(turns, (f"192.0.2.{number}", "ada"), order)
    come(turns, ALICE, order, full=True)
    assert order[1:] == [(ALICE, "busy")]


def test_who_is_interrupted_leaves_their_place_and_their_turn(turns):
    order = []
    first, second, _ = (come(turns, ALICE, order) for _ in range(3))
    second.kill()
    first.kill()
    serve(turns, 1)
    assert order == [ALICE, ALICE]
    turns.end()
    come(turns, MALLORY, order)
    assert order[-1] == MALLORY


def test_one_account_with_its_right_password_keeps_nobody_out(config, tmp_path):
    """Forty-eight logins of one account at once: somebody else comes in after a few of them, not after all."""
    server = start_server(config, tmp_path, bcrypt_cost=10)

    def post(path, name):
        body = json.dumps({"username": name, "password": PASSWORD}).encode()
        request = urllib.request.Request(server.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.read()
            return error.code

    for name in ("mallory", "alice"):
        assert post("/api/auth/register", name) == 201
    theirs = []
    with ThreadPoolExecutor(48) as pool:
        logins = [pool.submit(lambda: theirs.append(post("/api/auth/login", "mallory"))) for _ in range(48)]
        wait_until(lambda: 200 in theirs, what="the first of them is in")
        before = theirs.count(200)
        mine = post("/api/auth/login", "alice")
        meanwhile = theirs.count(200) - before
        [login.result() for login in logins]
    server.stop()
    assert mine == 200 and meanwhile < 12 and theirs.count(200) > 25, (mine, meanwhile, theirs)
