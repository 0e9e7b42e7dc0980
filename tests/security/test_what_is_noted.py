"""The audit log names who did what, and never what somebody typed where a name belongs: it may be their password."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import bcrypt
import pytest

from chat.app import create_app
from chat.models import User
from tests.conftest import PASSWORD, Auth, browser

SECRETS = ("my-secret-passphrase", "hunter2", "p4ss word!", "x" * 100)


@pytest.fixture
def app(config):
    return create_app(replace(config, login_failures_per_account=2, login_failures_per_address=40))


@pytest.fixture
def noted(caplog):
    """What the audit log has said, line by line."""
    caplog.set_level(logging.INFO, "parley.audit")
    return lambda: [json.loads(each.message) for each in caplog.records if each.name == "parley.audit"]


def test_what_is_nobodys_name_is_not_noted_at_a_login(app, noted, caplog):
    with caplog.at_level(logging.DEBUG):
        outcomes = [Auth(browser(app)).login(typed).status_code for typed in SECRETS for _ in range(4)]
    assert outcomes == [401, 401, 429, 429] * len(SECRETS)
    assert [line["outcome"] for line in noted()] == (["bad_credentials"] * 2 + ["rate_limited"] * 2) * len(SECRETS)
    assert all(line["address"] for line in noted()), "from where is known all the same"
    assert not [said for said in caplog.messages for typed in SECRETS if typed in said]


def test_whose_account_is_tried_is_noted(app, noted):
    assert Auth(browser(app)).register("alice").status_code == 201
    answers = [Auth(browser(app)).login("alice", "not the password").status_code for _ in range(3)]
    assert answers == [401, 401, 429]
    assert [(line["event"], line.get("user"), line["outcome"]) for line in noted()] == [
        ("register", "alice", "ok"),
        ("login", "alice", "bad_credentials"),
        ("login", "alice", "bad_credentials"),
        ("login", None, "rate_limited"),  # refused before anybody looked whether there is such an account
    ]


def test_a_name_that_is_not_registered_after_all_is_not_noted(app, noted, monkeypatch):
    assert Auth(browser(app)).register("alice").status_code == 201
    assert Auth(browser(app)).register("alice").status_code == 409
    monkeypatch.setattr(app.extensions["parley"].registration._users, "put", _unavailable)
    assert Auth(browser(app)).register("hunter2").status_code == 503
    assert [(line.get("user"), line["outcome"]) for line in noted()] == [
        ("alice", "ok"), ("alice", "username_taken"), (None, "unavailable"),
    ]  # fmt: skip


def _unavailable(user: User) -> None:
    from chat.errors import ChatError

    raise ChatError("unavailable")


GOOD = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
ODD = [
    {"hash": {"N": "1"}},
    {"hash": {"B": GOOD.encode()}},
    {"hash": {"BOOL": True}},
    {"hash": {"NULL": True}},
    {"hash": {"L": [{"S": GOOD}]}},
    {"hash": {"SS": [GOOD]}},
    {"hash": {"M": {"S": {"S": GOOD}}}},
    {"hash": {"S": "\0"}},
    {"hash": {"S": "é"}},
    {"hash": {"S": GOOD}, "epoch": {"S": "1"}},
    {"hash": {"S": GOOD}, "epoch": {"M": {}}},
]


@pytest.mark.parametrize("row", ODD, ids=str)
def test_an_account_of_another_shape_lets_nobody_in_and_is_said_in_the_log(app, caplog, row):
    storage = app.extensions["parley"].storage
    item = {"username": {"S": "odd"}, "name": {"N": "7"}, **row}
    storage.client.call("put_item", TableName=storage.client.table("users"), Item=item)
    refused = Auth(browser(app)).login("odd")
    assert (refused.status_code, refused.json["error"]["code"]) == (401, "bad_credentials")
    assert [each for each in caplog.records if each.levelname == "ERROR" and "cannot be read" in each.message]
    assert not [each for each in caplog.records if each.exc_info]
    assert storage.users.names(["odd"]) == {"odd": "odd"}
    assert storage.users.epochs(["odd"]) == ({} if "epoch" in row else {"odd": 0})


def test_a_name_of_another_type_is_shown_as_the_account_is_called(app):
    storage = app.extensions["parley"].storage
    item = {"username": {"S": "odd"}, "name": {"N": "7"}, "hash": {"S": GOOD}, "note": {"N": "1" + "0" * 38}}
    storage.client.call("put_item", TableName=storage.client.table("users"), Item=item)
    assert Auth(browser(app)).login("odd").json["user"] == {"username": "odd", "name": "odd"}
