"""What runs on an instance: its settings out of the stack, Valkey on the small box, the units that keep both alive."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from chat.embedded.redis_server import find_server
from deploy.local.cloud import Cloud
from deploy.server.valkey import USERS, settings
from tests.conftest import free_port, wait_until
from tests.deploy.tools import ROOT, Json, resources

URL = "https://d111111abcdef8.cloudfront.net"
FUNCTIONS = ("login", "logout", "protected", "ingest")


@pytest.fixture(scope="module")
def instance(cloud: Cloud) -> dict[str, str]:
    """The environment that user data gives, on the local cloud."""
    stack = cloud.stack
    stack.client("ssm").put_parameter(Name="/parley/public-url", Type="String", Value=URL)
    return {
        **os.environ,
        **stack.credentials,
        "AWS_ENDPOINT_URL": stack.endpoint,
        "DYNAMODB_ENDPOINT": stack.endpoint,
        "STACK": "parley",
        "TABLE_PREFIX": stack.settings("register")["TABLE_PREFIX"],
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(cloud.redis.port),
        "REDIS_USERNAME": "server",
        "SECRET_KEY_FROM": stack.outputs["SecretKeySecret"],
        "REDIS_PASSWORD_FROM": stack.outputs["RedisPasswordSecret"],
        "INGEST_MODE": "lambda",
    }


def test_a_server_finds_its_secrets_and_its_address_and_is_ready(instance: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    env = {**instance, "PORT": str(port), "BIND": "127.0.0.1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "deploy.server"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        wait_until(lambda: _asks(port, "/readyz") == 200, 60, "the server is ready")
        assert _asks(port, "/api/auth/protected", URL.partition("//")[2]) == 401
        assert _asks(port, "/api/auth/protected", "another.example") == 403, "it has the address of the parameter"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[int]:
    """The small box's Valkey with the users of redis-users.json; its port."""
    env = {f"{name.upper()}_PASSWORD": f"{name}-password" for name in FUNCTIONS} | {"REDIS_PASSWORD": "server-password"}
    port = free_port()
    text = settings(env).replace("/var/lib/parley", str(tmp_path)).replace("bind 0.0.0.0", "bind 127.0.0.1")
    (tmp_path / "valkey.conf").write_text(f"{text}port {port}\n")
    process = subprocess.Popen([find_server().binary, tmp_path / "valkey.conf"], stdout=subprocess.DEVNULL)
    wait_until(lambda: _may(port, "server", "PING"), 20, "Valkey answers")
    yield port
    process.kill()
    process.wait()


def test_the_small_box_has_the_users_that_elasticache_has(valkey: int, template: Json) -> None:
    assert _may(valkey, "server", "SET", "session:x", "y")
    assert _may(valkey, "logout", "DEL", "session:x")
    assert not _may(valkey, "logout", "GET", "session:x")
    assert not _may(valkey, "protected", "DEL", "session:x")
    assert not _may(valkey, "login", "KEYS", "*")
    described = resources(template, "AWS::ElastiCache::User").values()
    assert {user["UserName"]: user["AccessString"] for user in described if user["UserName"] != "default"} == USERS


@pytest.mark.parametrize("host", ["master.cache.example", ""])
def test_installing_makes_units_with_the_settings_in_a_file_of_roots_own(host: str, tmp_path: Path) -> None:
    home, units, stub = tmp_path / "parley", tmp_path / "units", tmp_path / "bin"
    for folder in (units, stub, home / "bin"):
        folder.mkdir(parents=True)
    shutil.copytree(ROOT / "deploy" / "server", home / "deploy" / "server")
    for name in ("dnf", "systemctl", "useradd", "id", "python3.12", "valkey-server"):
        (stub / name).write_text(f'#!/bin/sh\necho {name} "$@" >>"{tmp_path}/said"\n')
        (stub / name).chmod(0o755)
    (home / "bin" / "venv").write_text((stub / "dnf").read_text().replace("dnf", "venv"))
    (home / "bin" / "venv").chmod(0o755)
    env = {"PATH": f"{stub}:/usr/bin:/bin", "UNITS": str(units), "SETTINGS": str(tmp_path / "parley.env")}
    env |= {"STACK": "parley", "AWS_REGION": "eu-west-1", "REDIS_HOST": host, "SECRET_KEY_FROM": "arn", "SECRET": "no"}
    subprocess.run([home / "deploy" / "server" / "install"], env=env, check=True)
    said = (tmp_path / "said").read_text()
    assert "venv run" in said
    names = ["parley"] if host else ["valkey-parley", "parley"]
    assert said.endswith(f"systemctl daemon-reload\nsystemctl enable --now {' '.join(names)}\n")
    assert {unit.stem for unit in units.iterdir()} == set(names)
    assert (tmp_path / "parley.env").stat().st_mode & 0o777 == 0o600
    told = dict(line.split("=", 1) for line in (tmp_path / "parley.env").read_text().splitlines())
    assert told["REDIS_HOST"] == (host or "127.0.0.1")
    assert told["REDIS_TLS"] == ("1" if host else "0")
    assert "SECRET" not in told
    unit = (units / "parley.service").read_text()
    assert f"ExecStart={home}/.venv/bin/python -m deploy.server\n" in unit
    assert f"EnvironmentFile={tmp_path}/parley.env\n" in unit


def _asks(port: int, path: str, host: str = "localhost") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _may(port: int, user: str, *command: str) -> bool:
    client = redis.Redis("127.0.0.1", port, username=user, password=f"{user}-password")
    try:
        client.execute_command(*command)
        return True
    except redis.RedisError:
        return False
