"""Least privilege: each function works with what it is allowed, and would not without any of it."""

from __future__ import annotations

import pytest

from chat.config import Config
from tests.lambdas.conftest import FUNCTIONS, ORIGIN, USERS, Runtime
from tests.lambdas.doors import Browser, FunctionDoor
from tests.lambdas.rows import Rows

DYNAMODB = {
    "register": {("PutItem", "users")},
    "login": {("GetItem", "users")},
    "logout": set(),
    "protected": set(),
    "ingest": {(action, "messages") for action in ("GetItem", "PutItem", "Query")}
    | {(action, "chat") for action in ("DeleteItem", "GetItem", "PutItem", "UpdateItem")},
}
RARE = ("UpdateItem", "chat")  # of the ingest: a room begins a new bucket after 10,000 entries


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
    runtime.record()
    everything(Browser(functions, ORIGIN), Rows(config, runtime.handler("ingest")))
    asked = {name: set() for name in FUNCTIONS}
    for name, action, table in runtime.asked:
        asked[name].add((action, table.removeprefix(config.table_prefix)))
    asked["ingest"].add(RARE)
    assert asked == DYNAMODB
    # INFO tells an app which server it talks to; a function may not know, and goes on.
    assert {refusal["object"] for refusal in runtime.refusals()} <= {"info"}


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


def test_a_function_that_reads_more_is_found(runtime: Runtime, functions: FunctionDoor, monkeypatch) -> None:
    """What the two tests above would say of a function that grew."""
    from chat.services.dynamodb import Storage

    put = Storage.put_user

    def nosy(storage: Storage, user: object) -> None:
        storage.get_user("alice")
        put(storage, user)  # type: ignore[arg-type]

    monkeypatch.setattr(Storage, "put_user", nosy)
    runtime.record()
    Browser(functions, ORIGIN).register()
    assert {action for _, action, _ in runtime.asked} == {"GetItem", "PutItem"} != {a for a, _ in DYNAMODB["register"]}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "command", ["GET session:x", "KEYS *", "SCAN 0", "SET other x", "XADD other * a b", "FLUSHALL"]
)
def test_what_nobody_needs_is_refused(runtime: Runtime, user: str, command: str) -> None:
    said = runtime._redis.execute_command("ACL", "DRYRUN", user, *command.split())
    assert "no permissions" in str(said)
