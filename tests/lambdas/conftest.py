"""Functions that run as their own Redis users, on the same tables and the same Redis as the app."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.client import BaseClient

from chat.app import create_app
from chat.config import Config
from chat.lambdas import http, ingest, login, logout, protected, register
from chat.services.storage import redis_client
from chat.services.storage.wire.endpoint import Endpoint
from tests.conftest import ROOT
from tests.conftest import Browser as AtHome
from tests.lambdas.doors import Browser, FlaskDoor, FunctionDoor

FUNCTIONS: dict[str, ModuleType] = {
    "register": register,
    "login": login,
    "logout": logout,
    "protected": protected,
    "ingest": ingest,
}
USERS: dict[str, str] = json.loads((ROOT / "deploy" / "redis-users.json").read_text())
ORIGIN = "http://localhost:5173"
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class Runtime:
    """Runs each function as Lambda would: with its own settings, its own Redis user, its own connections."""

    def __init__(self, config: Config, monkeypatch: pytest.MonkeyPatch):
        self._config = config
        self._monkeypatch = monkeypatch
        self._users = dict(USERS)
        self.asked: list[tuple[str, str, str]] = []  # (function, DynamoDB action, table)
        self._running = ""
        self.settings: dict[str, str] = {}  # of every function, over its own
        self._redis = redis_client.connect(config.redis_url)
        for name, rules in self._users.items():
            self.allow(name, rules)

    def allow(self, name: str, rules: str) -> None:
        """Gives that function's Redis user these rights instead, and new connections."""
        self._redis.execute_command("ACL", "SETUSER", name, "reset", f">{name}-password", *rules.split())

    def environment(self, name: str) -> dict[str, str]:
        """The environment variables of that function."""
        config = self._config
        env = {
            "PUBLIC_URL": config.public_url,
            "ALLOWED_ORIGINS": ORIGIN,
            "DYNAMODB_ENDPOINT": config.dynamodb_endpoint,
            "TABLE_PREFIX": config.table_prefix,
            "AWS_REGION": config.aws_region,
            "BCRYPT_COST": "4",
            "TESTING": "1",
        }
        if name in self._users:
            url = urlsplit(config.redis_url)
            env |= {"REDIS_HOST": url.hostname or "", "REDIS_PORT": str(url.port)}
            env |= {"REDIS_USERNAME": name, "REDIS_PASSWORD": f"{name}-password"}
        else:
            env["REDIS_URL"] = "redis://127.0.0.1:1/0"  # nobody listens there
        if name == "login":
            env["SECRET_KEY"] = config.secret_key
        return env | self.settings

    def handler(self, name: str) -> Handler:
        """The function as API Gateway calls it: each call finds only its own settings, and starts cold."""

        def call(event: dict[str, Any], context: object) -> dict[str, Any]:
            settings = Config.from_env(self.environment(name), needs_secret=False)
            self._monkeypatch.setattr(http, "config", lambda: settings)
            self._monkeypatch.setattr(FUNCTIONS[name], "config", lambda: settings)
            for made in ("registration", "accounts", "sessions", "redis", "tickets", "ingest"):
                if hasattr(FUNCTIONS[name], made):
                    getattr(FUNCTIONS[name], made).cache_clear()
            self._running = name
            try:
                return FUNCTIONS[name].handler(event, context)  # type: ignore[no-any-return]
            finally:
                self._running = ""

        return call

    def record(self) -> None:
        """Notes each request to AWS from now on, under the function that makes it; also what goes by boto3."""
        exchange, by_boto = Endpoint._exchange, BaseClient._make_api_call
        runtime = self

        def noted(endpoint: Endpoint, operation: str, body: bytes) -> Any:
            if runtime._running:
                runtime.asked += [(runtime._running, *each) for each in actions(operation, json.loads(body))]
            return exchange(endpoint, operation, body)

        def noted_too(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
            if runtime._running:
                service = client.meta.service_model.service_name
                said = actions(operation, request) if service == "dynamodb" else [(f"{service}:{operation}", "*")]
                runtime.asked += [(runtime._running, *each) for each in said]
            return by_boto(client, operation, request)

        self._monkeypatch.setattr(Endpoint, "_exchange", noted)
        self._monkeypatch.setattr(BaseClient, "_make_api_call", noted_too)

    def refusals(self) -> list[dict[str, Any]]:
        """What Redis has refused the functions' users."""
        return [entry for entry in self._redis.acl_log() if entry["username"] in self._users]

    def forget_refusals(self) -> None:
        """And the scripts that were loaded before, which nobody would have to load again."""
        self._redis.execute_command("ACL", "LOG", "RESET")
        self._redis.script_flush()

    def close(self) -> None:
        for name in self._users:
            self._redis.execute_command("ACL", "DELUSER", name)


def actions(operation: str, request: dict[str, Any]) -> list[tuple[str, str]]:
    """The (action, table) that IAM checks for a request."""
    if operation == "TransactWriteItems":
        parts = [part for item in request["TransactItems"] for part in item.items()]
        return [
            ("ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item", said["TableName"])
            for kind, said in parts
        ]
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [(operation, table) for table in request["RequestItems"]]
    return [(operation, request.get("TableName", "*"))]


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, allowed_origins=(ORIGIN,))


@pytest.fixture
def runtime(config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    runtime = Runtime(config, monkeypatch)
    yield runtime
    runtime.close()


@pytest.fixture
def functions(runtime: Runtime) -> FunctionDoor:
    return FunctionDoor({name: runtime.handler(name) for name in FUNCTIONS})


@pytest.fixture(params=["flask", "functions"])
def door(request: pytest.FixtureRequest) -> FlaskDoor | FunctionDoor:
    """Each door in turn."""
    if request.param == "flask":
        app = request.getfixturevalue("app")
        app.test_client_class = AtHome
        return FlaskDoor(app.test_client(use_cookies=False))
    return request.getfixturevalue("functions")  # type: ignore[no-any-return]


@pytest.fixture
def browser(door: FlaskDoor | FunctionDoor) -> Browser:
    return Browser(door, ORIGIN)


@pytest.fixture
def without(request: pytest.FixtureRequest, door: FlaskDoor | FunctionDoor) -> Callable[[str], Browser]:
    """A browser at the door, behind which `redis` or `dynamodb` is away: nobody answers there."""

    def without(storage: str) -> Browser:
        if isinstance(door, FunctionDoor):
            away = {"redis": {"REDIS_PORT": "1"}, "dynamodb": {"DYNAMODB_ENDPOINT": "http://127.0.0.1:1"}}
            request.getfixturevalue("runtime").settings = away[storage]
            return Browser(door, ORIGIN)
        changed = {
            "redis": {"redis_url": "redis://127.0.0.1:1/0"},
            "dynamodb": {"dynamodb_endpoint": "http://127.0.0.1:1"},
        }
        app = create_app(replace(request.getfixturevalue("config"), **changed[storage]))
        app.test_client_class = AtHome
        return Browser(FlaskDoor(app.test_client(use_cookies=False)), ORIGIN)

    return without


def events() -> dict[str, Any]:
    """The test events of `deploy/events`, by name."""
    return {path.stem: json.loads(path.read_text()) for path in Path(ROOT / "deploy" / "events").glob("*.json")}
