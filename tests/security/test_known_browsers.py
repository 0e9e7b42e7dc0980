"""What a browser's mark is worth: as much as its account's other browsers, until the password is another one."""

from __future__ import annotations

import hmac
import secrets

import pytest

from chat.services.accounts import browsers
from chat.services.accounts.browsers import KNOWN_S, Browsers
from tests.conftest import PASSWORD, Auth, browser

NEW_PASSWORD = "another horse entirely"
TRIES = 10


def visitor(app, mark=""):
    """A browser that shows that mark."""
    client = browser(app)
    if mark:
        client.set_cookie("parley-browser", mark, domain="localhost")
    return client


def mark_of(client):
    return client.get_cookie("parley-browser", domain="localhost").value


@pytest.fixture
def known(app):
    """A browser that is signed in, and known."""
    client = browser(app)
    Auth(client).enter()
    return client


def guess(app, times, mark="", name="alice"):
    return [Auth(visitor(app, mark)).login(name, "not the password").status_code for _ in range(times)]


def is_served(app, mark, password=PASSWORD):
    return Auth(visitor(app, mark)).login(password=password).status_code == 200


def test_strangers_who_guess_do_not_keep_a_known_browser_out(app, known):
    guess(app, TRIES)
    assert not is_served(app, "") and is_served(app, mark_of(known))


def test_a_mark_is_a_strangers_once_the_password_is_another_one(app, known):
    stolen = mark_of(known)
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    assert known.post("/api/auth/password", json=body).status_code == 200
    assert guess(app, TRIES) == [401] * TRIES
    assert not is_served(app, stolen, NEW_PASSWORD)
    assert is_served(app, mark_of(known), NEW_PASSWORD), "whoever changed it was given a new one"


def test_logging_out_everywhere_makes_strangers_of_all_browsers(app, known):
    stolen = mark_of(known)
    assert known.delete("/api/auth/sessions").status_code == 204
    guess(app, TRIES)
    assert not is_served(app, stolen)


def test_what_an_old_mark_guesses_counts_as_a_strangers(app, known):
    stolen = mark_of(known)
    known.delete("/api/auth/sessions")
    assert guess(app, TRIES, stolen) == [401] * TRIES
    assert not is_served(app, "")


def test_all_browsers_of_an_account_have_ten_tries_together(app, known):
    marks = [mark_of(known)]
    for _ in range(2):
        other = visitor(app)
        assert Auth(other).login().status_code == 200
        marks.append(mark_of(other))
    assert len(set(marks)) == 3
    assert [guess(app, 1, marks[turn % 3])[0] for turn in range(TRIES)] == [401] * TRIES
    assert [guess(app, 1, mark) for mark in marks] == [[429]] * 3
    assert is_served(app, ""), "strangers have theirs"


def test_the_address_of_known_browsers_counts_too(app, monkeypatch):
    limits = app.extensions["parley"].accounts._limits
    address = limits.browsers_address
    monkeypatch.setattr(address, "_item", type(address._item)(3, 900, namespace="browsers-from"))
    marks = {}
    for name in ("ada", "bob"):
        client = browser(app)
        Auth(client).enter(name)
        marks[name] = mark_of(client)
    tried = [guess(app, 1, marks[name], name)[0] for name in ("ada", "bob", "ada", "bob", "ada")]
    assert tried == [401, 401, 401, 429, 429]


def test_a_mark_is_good_for_ninety_days():
    clock = [1_000_000_000.0]
    made = Browsers("x" * 32, now=lambda: clock[0])
    mark = made.mark("alice", 3)
    assert made.epoch(mark, "alice") == 3 and made.epoch(mark, "bob") is None
    clock[0] += KNOWN_S - 1
    assert made.epoch(mark, "alice") == 3
    clock[0] += 1
    assert made.epoch(mark, "alice") is None


@pytest.mark.parametrize("part", range(4))
def test_a_mark_of_which_a_part_is_another_is_none(part):
    made = Browsers("x" * 32)
    parts = made.mark("alice", 3).split(".")
    other = made.mark("alice", 4).split(".")
    parts[part] = other[part] if part != 1 else str(int(parts[1]) + 60)
    assert made.epoch(".".join(parts), "alice") is None


def test_what_was_given_before_marks_were_dated_is_a_strangers_and_is_replaced(app, known):
    nonce = secrets.token_urlsafe(12)
    secret = app.extensions["parley"].config.secret_key.encode()
    said = f"known browser\0{nonce}\0alice".encode()
    old = f"{nonce}.{hmac.new(secret, said, 'sha256').hexdigest()}"
    client = visitor(app, old)
    assert Auth(client).login().status_code == 200
    assert mark_of(client) != old and browsers.MARK.fullmatch(mark_of(client))
    assert guess(app, TRIES, old) == [401] * TRIES
    assert not is_served(app, ""), "its tries were a stranger's"
