"""The template deployed: sessions of functions count on the chat server, rows become messages, roles hold."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
import redis

from chat.sockets import session_watch
from tests.deploy.hybrid import Hybrid
from tests.deploy.made import MadeCloud
from tests.deploy.tools import Json, resources
from tests.e2e.parley import PASSWORD, children, new_id, open_files
from tests.e2e.peer import Peer
from tests.lambdas.doors import Browser
from tests.runtime.running import until

ENDED_WITHIN_S = 2.0

# Does what each event names, with the rights of the role that it runs under.
NOSY = """
import boto3
def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**event["request"])
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return "done"
"""
USERS = "parley-users"
KEY = {"username": {"S": "somebody"}}
DENIED = [
    ("Register", "dynamodb", "get_item", {"TableName": USERS, "Key": KEY}),
    ("Register", "dynamodb", "put_item", {"TableName": "parley-chat", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}),
    ("Login", "dynamodb", "put_item", {"TableName": USERS, "Item": KEY}),
    ("Login", "dynamodb", "scan", {"TableName": USERS}),
    ("Logout", "dynamodb", "get_item", {"TableName": USERS, "Key": KEY}),
    ("Protected", "dynamodb", "get_item", {"TableName": USERS, "Key": KEY}),
    ("Ingest", "dynamodb", "get_item", {"TableName": USERS, "Key": KEY}),
    ("Ingest", "dynamodb", "scan", {"TableName": "parley-messages"}),
]


def test_make_cloud_says_where_it_is(cloud: MadeCloud) -> None:
    with urllib.request.urlopen(f"{cloud.url}/login", timeout=30) as page:
        assert b'<div id="root">' in page.read()
    with urllib.request.urlopen(f"{cloud.url}/config.json", timeout=30) as said:
        assert json.load(said) == {"auth_base": cloud.api_url, "remember_days": 30}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{cloud.api_url}/protected", timeout=90)
    assert cloud.stack.endpoint.startswith("http://127.0.0.1:")
    assert len(cloud.pids) >= 5, "AWS, Redis, the edge, the chat: all that must be gone after Ctrl-C"


def test_a_session_opened_by_a_function_opens_a_socket(hybrid: Hybrid) -> None:
    ada = hybrid.person("Ada")
    text = new_id()
    with Peer(ada) as peer:
        assert peer.send("general", text)["ok"]
    status, answer = ada.get("/api/auth/protected")
    assert (status, answer["user"]["name"]) == (200, ada.name)


def test_signing_out_at_the_function_ends_the_session_everywhere(hybrid: Hybrid) -> None:
    ada = hybrid.person("Ada")
    with Peer(ada) as peer:
        assert hybrid.at_the_api(ada).ask("logout").status == 204
        assert ada.get("/api/rooms")[0] == 401, "at once"
        assert peer.hears("session:ended")["reason"] == "logout"


def test_who_misses_that_a_session_ended_looks_for_it_within_two_seconds() -> None:
    """Redis tells at once; a stopwatch would rather measure how busy the machine is."""
    assert session_watch.SWEEP_S <= ENDED_WITHIN_S


def test_signing_out_at_the_chat_server_ends_it_at_the_function_at_once(hybrid: Hybrid) -> None:
    ada = hybrid.person("Ada")
    browser = hybrid.at_the_api(ada)
    assert browser.ask("protected").status == 200
    assert ada.post("/api/auth/logout")[0] == 204
    assert browser.ask("protected").status == 401


def test_the_chat_servers_user_may_do_what_a_new_password_takes(hybrid: Hybrid) -> None:
    ada = hybrid.person("Ada")
    changed = ada.post("/api/auth/password", password=PASSWORD, new_password="another horse battery")
    assert changed[0] == 200, changed
    assert Browser(hybrid.door, hybrid.url).login(ada.name, "another horse battery").status == 200


def test_a_row_put_into_the_table_becomes_a_message_by_the_function(hybrid: Hybrid) -> None:
    ada = hybrid.person("Ada")
    assert ada.get("/api/rooms")[0] == 200
    text = f"Deploy {new_id()}"
    hybrid.put_row("general", new_id(), text)
    until(lambda: text in [said for _, _, said in ada.everything("general")], 60, "the row is a message")


@pytest.mark.parametrize(("function", "service", "operation", "request_"), DENIED)
def test_a_role_is_refused_what_it_is_not_given(
    hybrid: Hybrid, function: str, service: str, operation: str, request_: Json
) -> None:
    said = _as_role(hybrid, function, service, operation, request_)
    assert said.startswith("ClientError: An error occurred (AccessDenied"), said


def test_a_role_does_get_what_it_is_given(hybrid: Hybrid) -> None:
    item = {**KEY, "username": {"S": new_id()}}
    assert _as_role(hybrid, "Register", "dynamodb", "put_item", {"TableName": USERS, "Item": item}) == "done"
    assert _as_role(hybrid, "Login", "dynamodb", "get_item", {"TableName": USERS, "Key": KEY}) == "done"


def test_redis_has_the_users_of_the_template_and_each_is_refused_the_rest(hybrid: Hybrid, template: Json) -> None:
    users = {user["UserName"]: user for user in resources(template, "AWS::ElastiCache::User").values()}
    stack = hybrid.cloud.stack
    assert {name: user["AccessString"] for name, user in users.items()} == stack.redis_users()
    for function in ("login", "logout", "protected", "ingest"):
        client = hybrid.cloud.redis.client(function, stack.settings(function)["REDIS_PASSWORD"])
        for command in (("KEYS", "*"), ("SCAN", "0"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "secret")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_nobody_outside_this_machine_can_reach_any_of_it(hybrid: Hybrid) -> None:
    listening = "0A"
    loopback = {"0100007F", "00000000000000000000000001000000"}
    rows = [row.split() for kind in ("tcp", "tcp6") for row in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    addresses = {f"socket:[{row[9]}]": row[1].partition(":")[0] for row in rows if row[3] == listening}
    found = set()
    for pid in hybrid.cloud.pids:
        for process in {pid, *children(pid)}:
            found |= {addresses[file] for file in open_files(process) & addresses.keys()}
    assert found
    assert found <= loopback


def _as_role(hybrid: Hybrid, function: str, service: str, operation: str, request: Json) -> str:
    """What AWS says to code that runs under that function's role."""
    functions = hybrid.cloud.stack.client("lambda")
    name = f"nosy-{function.lower()}"
    try:
        functions.get_function(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("nosy.py", NOSY)
        role = functions.get_function(FunctionName=f"parley-{function.lower()}")["Configuration"]["Role"]
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="nosy.handler",
            Timeout=60,
            Code={"ZipFile": code.getvalue()},
        )
    event = {"service": service, "operation": operation, "request": request}
    return str(json.loads(functions.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()))
