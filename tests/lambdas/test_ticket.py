"""Functions of one site, the chat server of another: a ticket that a function gives opens a session at Flask."""

from __future__ import annotations

from dataclasses import replace

from chat.app import create_app
from chat.config import Config
from tests.conftest import browser as flask_browser
from tests.lambdas.conftest import ORIGIN, Runtime
from tests.lambdas.doors import Browser, FunctionDoor


def test_a_functions_ticket_is_taken_once_at_the_chat_server(
    runtime: Runtime, functions: FunctionDoor, config: Config
) -> None:
    runtime.settings = {"COOKIE_MODE": "cross_site", "SECRET_KEY": config.secret_key}
    door = Browser(functions, ORIGIN)
    assert door.register().status == 201
    assert door.login().cookies["__Host-parley"]["partitioned"] == "yes"
    ticket = door.ask("protected").json["ticket"]
    page = flask_browser(create_app(replace(config, public_url=ORIGIN, auth_base="https://api.example")))
    taken = page.post("/api/auth/ticket", json={"ticket": ticket}, headers={"Origin": ORIGIN})
    assert (taken.status_code, taken.json["user"]["username"]) == (200, "alice")
    assert page.get("/api/rooms").status_code == 200
    again = page.post("/api/auth/ticket", json={"ticket": ticket}, headers={"Origin": ORIGIN})
    assert (again.status_code, again.json["error"]["code"]) == (403, "ticket_invalid")
    assert door.ask("logout").status == 204
    assert page.get("/api/rooms").status_code == 401, "it is one session"


def test_a_ticket_of_another_stacks_key_opens_nothing(
    runtime: Runtime, functions: FunctionDoor, config: Config
) -> None:
    runtime.settings = {"COOKIE_MODE": "cross_site", "SECRET_KEY": "y" * 43}
    door = Browser(functions, ORIGIN)
    door.register()
    door.login()
    page = flask_browser(create_app(replace(config, public_url=ORIGIN)))
    ticket = door.ask("protected").json["ticket"]
    taken = page.post("/api/auth/ticket", json={"ticket": ticket}, headers={"Origin": ORIGIN})
    assert (taken.status_code, taken.json["error"]["code"]) == (403, "ticket_invalid")
