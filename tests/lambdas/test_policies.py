"""Least privilege: each function works with what it is allowed, and would not without any of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chat.config import Config
from chat.services.sessions.sessions import Sessions
from chat.services.storage.storage import Storage
from chat.services.storage.users import UserRows
from tests.lambdas.conftest import FUNCTIONS, ORIGIN, USERS, Runtime
from tests.lambdas.doors import Browser, FunctionDoor
from tests.lambdas.rights import of_tables
from tests.lambdas.rows import Rows


def everything(browser: Browser, rows: Rows) -> None:
    """Each function's ways, also the rare ones."""
    take_over(rows)
    browser.enter()
    browser.login()
    browser.register()
    for password in ["not this one"] * 11:
        browser.login(password=password)
    browser.ask("protected")
    browser.ask("logout")
    browser.ask("protected")


def test_each_function_asks_only_for_what_it_may(runtime: Runtime, functions: FunctionDoor, config: Config) -> None:
    runtime.forget_refusals()
    runtime.record()
    everything(Browser(functions, ORIGIN), Rows(config, runtime.handler("ingest")))
    assert beyond(runtime, config) == set()
    asked = {(name, action, table.removeprefix(config.table_prefix)) for name, action, table in runtime.asked}
    assert asked == {(name, *right) for name in FUNCTIONS for right in of_tables(name)}, "and nothing is spare"


def beyond(runtime: Runtime, config: Config) -> set[tuple[str, str, str]]:
    """What functions asked for and may not: (function, action, table), or (function, `command` or `key`, which).

    INFO tells an app which server it talks to; a function may not know, and goes on.
    """
    asked = {(name, action, table.removeprefix(config.table_prefix)) for name, action, table in runtime.asked}
    refused = {(each["username"], each["reason"], each["object"]) for each in runtime.refusals()}
    return {each for each in asked if each[1:] not in of_tables(each[0])} | {
        each for each in refused if each[2] != "info"
    }


@pytest.mark.parametrize(
    ("name", "right"), [(name, right) for name, rules in USERS.items() for right in rules.split() if right[0] in "+%~"]
)
def test_no_right_is_spare(runtime: Runtime, functions: FunctionDoor, config: Config, name: str, right: str) -> None:
    runtime.allow(name, " ".join(rule for rule in USERS[name].split() if rule != right))
    if right == "+time":  # for tickets, which are given to pages of another site
        runtime.settings = {"COOKIE_MODE": "cross_site", "SECRET_KEY": "x" * 43}
    runtime.forget_refusals()
    if name == "ingest":
        take_over(Rows(config, runtime.handler("ingest")))
    else:
        everything_goes_on(Browser(functions, ORIGIN))
    assert {entry["username"] for entry in runtime.refusals() if entry["object"] != "info"} == {name}


def take_over(rows: Rows) -> None:
    """A row, another text for it, its end; one that is no message, and is put right."""
    for text in ("one", "two"):
        rows.put("1", text=text, username="ci")
        rows.tell()
    rows.put("2", note="no text")
    rows.tell()
    rows.put("2", text="a text", username="ci")
    rows.delete("1")
    rows.tell()


def everything_goes_on(browser: Browser) -> None:
    """As `everything`, whatever is answered."""
    browser.register()
    for password in ["not this one"] * 2 + ["correct horse"] * 2:
        browser.login(password=password)
    browser.jar.setdefault("parley", "x" * 43)
    browser.ask("protected")
    browser.ask("logout")


# What a function that grew would do → what the tests above would say of it.
NOSY: dict[str, tuple[Callable[[Storage], object], tuple[str, str, str]]] = {
    "an action": (lambda storage: storage.users.get("alice"), ("register", "GetItem", "users")),
    "an action by boto3": (
        lambda storage: storage.client.call("scan", TableName=storage.client.table("users")),
        ("register", "Scan", "users"),
    ),
    "an action of the table": (
        lambda storage: storage.client.call("describe_table", TableName=storage.client.table("users")),
        ("register", "DescribeTable", "users"),
    ),
    "another table": (
        lambda storage: storage.client.call(
            "put_item", TableName=storage.client.table("chat"), Item={"pk": {"S": "a"}, "sk": {"S": "b"}}
        ),
        ("register", "PutItem", "chat"),
    ),
}


@pytest.mark.parametrize("what", NOSY)
def test_a_function_that_asks_more_of_dynamodb_is_found(
    runtime: Runtime, functions: FunctionDoor, config: Config, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    put = UserRows.put
    more, named = NOSY[what]

    def nosy(users: UserRows, user: Any) -> None:
        client = users._client
        more(Storage(client))
        put(users, user)

    monkeypatch.setattr(UserRows, "put", nosy)
    runtime.forget_refusals()
    runtime.record()
    assert Browser(functions, ORIGIN).register().status == 201
    assert beyond(runtime, config) == {named}


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("GET", "session:x"), ("logout", "command", "get")),
        (("SCAN", "0"), ("logout", "command", "scan")),
        (("SET", "session:x", "x"), ("logout", "command", "set")),
        (("HSETNX", "other", "why", "x"), ("logout", "key", "other")),
        (("DEL", "user_epoch:alice"), ("logout", "key", "user_epoch:alice")),
    ],
)
def test_a_function_that_asks_more_of_redis_is_found(
    runtime: Runtime,
    functions: FunctionDoor,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    named: tuple[str, str, str],
) -> None:
    def nosy(sessions: Sessions, sid: str, why: str) -> None:
        sessions._redis.execute_command(*command)

    runtime.forget_refusals()
    monkeypatch.setattr(Sessions, "end", nosy)
    assert Browser(functions, ORIGIN, {"parley": "x" * 43}).ask("logout").status >= 500
    assert beyond(runtime, config) == {named}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "command", ["GET session:x", "KEYS *", "SCAN 0", "SET other x", "XADD other * a b", "FLUSHALL"]
)
def test_what_nobody_needs_is_refused(runtime: Runtime, user: str, command: str) -> None:
    said = runtime._redis.execute_command("ACL", "DRYRUN", user, *command.split())
    assert "no permissions" in str(said)
