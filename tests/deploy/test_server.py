"""What runs on an instance: its settings out of the stack, Valkey on the small box, the units that keep both alive."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from chat.embedded.redis_server import find_server
from deploy.server.valkey import USERS, settings
from tests.conftest import wait_until
from tests.deploy.made import MadeCloud
from tests.deploy.tools import ROOT, Json, resources
from tests.ports import free_port

URL = "https://d111111abcdef8.cloudfront.net"
FUNCTIONS = ("login", "logout", "protected", "ingest")
WITHIN_S = 240  # far more than anything here takes, also on a machine that has much to do: what is broken never comes


@pytest.fixture(scope="module")
def instance(cloud: MadeCloud) -> dict[str, str]:
    """The environment that user data gives, on the local cloud."""
    stack = cloud.stack
    stack.client("ssm").put_parameter(Name="/parley/public-url", Type="String", Value=URL)
    ours = {name: value for name, value in os.environ.items() if name != "TMPDIR"}  # where the tests write, not a unit
    return {
        **ours,
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
        wait_until(lambda: _asks(port, "/readyz") == 200, WITHIN_S, "the server is ready")
        assert _asks(port, "/api/auth/protected", URL.partition("//")[2]) == 401
        assert _asks(port, "/api/auth/protected", "another.example") == 403, "it has the address of the parameter"
    finally:
        process.terminate()
        process.wait(WITHIN_S)


# What systemd makes of the unit's lines for files, in a mount namespace: /dev, /proc and /sys stay as they are.
SANDBOX = """
mount -t tmpfs none /mnt && mkdir /mnt/parley && mount --bind "$1" /mnt/parley || exit 99
for place in / /home /mnt /mnt/parley /opt /run /srv /tmp /var /var/tmp; do
    ! mountpoint -q "$place" || mount -o remount,bind,ro "$place" || exit 99
done
[ "$2" != yes ] || for place in /tmp /var/tmp; do mount -t tmpfs none "$place" || exit 99; done
cd /mnt/parley && shift 2 && exec "$@"
"""
UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
needs_namespaces = pytest.mark.skipif(
    subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0,
    reason="wants a mount namespace: root, or users who may make one",
)


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The unit `parley`, as it is installed beside ElastiCache."""
    folder = tmp_path_factory.mktemp("units")
    stub = folder / "bin"
    stub.mkdir()
    for name in ("dnf", "systemctl", "useradd", "id", "python3.12"):
        (stub / name).write_text("#!/bin/sh\n")
        (stub / name).chmod(0o755)
    env = {"PATH": f"{stub}:{os.environ['PATH']}", "UNITS": str(folder), "SETTINGS": str(folder / "parley.env")}
    subprocess.run([ROOT / "deploy" / "server" / "install"], env={**env, "REDIS_HOST": "cache.example"}, check=True)
    lines = (folder / "parley.service").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@needs_namespaces
def test_the_units_command_starts_where_it_may_write_nothing_but_its_own(
    instance: dict[str, str], unit: dict[str, str]
) -> None:
    assert unit["ProtectSystem"] == "strict"
    with _sandboxed(unit, instance) as (process, port):
        wait_until(lambda: process.poll() is not None or _asks(port, "/readyz") == 200, WITHIN_S, "the server is ready")
        assert process.poll() is None, process.communicate()[0]


@needs_namespaces
def test_without_a_tmp_of_its_own_it_would_not(instance: dict[str, str], unit: dict[str, str]) -> None:
    with _sandboxed({**unit, "PrivateTmp": "no"}, instance) as (process, _):
        said, _ = process.communicate(timeout=WITHIN_S)
        assert "No usable temporary directory" in said


@contextmanager
def _sandboxed(unit: dict[str, str], env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command of the unit, with the files that it has there; and the port that it is told to take."""
    port = free_port()
    command = unit["ExecStart"].replace(str(ROOT), "/mnt/parley").split()
    process = subprocess.Popen(
        [*UNSHARE, "sh", "-c", SANDBOX, "sh", str(ROOT), unit.get("PrivateTmp", "no"), *command],
        env={**env, "PORT": str(port), "BIND": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, port
    finally:
        process.terminate()
        process.communicate(timeout=WITHIN_S)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[int]:
    """The small box's Valkey with the users of redis-users.json; its port."""
    env = {f"{name.upper()}_PASSWORD": f"{name}-password" for name in FUNCTIONS} | {"REDIS_PASSWORD": "server-password"}
    port = free_port()
    text = settings(env).replace("/var/lib/parley", str(tmp_path)).replace("bind 0.0.0.0", "bind 127.0.0.1")
    (tmp_path / "valkey.conf").write_text(f"{text}port {port}\n")
    process = subprocess.Popen([find_server().binary, tmp_path / "valkey.conf"], stdout=subprocess.DEVNULL)
    wait_until(lambda: _may(port, "server", "PING"), WITHIN_S, "Valkey answers")
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
    assert said.endswith(f"systemctl enable {' '.join(names)}\nsystemctl restart {' '.join(names)}\n")
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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
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
