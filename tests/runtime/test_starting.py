"""`make run` with what is given: a Redis by its parts, and an address by gunicorn's own setting."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chat.config import Config
from chat.errors import ConfigError
from chat.services.storage import redis_client
from tests.ports import free_port
from tests.runtime.running import Running, command_line

SECRET = {"SECRET_KEY": "0123456789abcdef" * 3}
PASSWORD = "p@ss/w:rd #1"  # which breaks an address


@pytest.fixture
def given(redis_url: str) -> dict[str, str]:
    """Somebody's Redis, as REDIS_HOST and what belongs to it."""
    admin = redis_client.connect(redis_url)
    admin.execute_command("ACL", "SETUSER", "chat", "on", f">{PASSWORD}", "~*", "allchannels", "+@all")
    parts = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(urlsplit(redis_url).port)}
    return parts | {"REDIS_USERNAME": "chat", "REDIS_PASSWORD": PASSWORD}


def test_a_redis_given_by_its_parts_is_used_and_shown(tmp_path: Path, given: dict[str, str]) -> None:
    port = free_port()
    bind = {"PORT": "8000", "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --log-level warning"}
    with Running(tmp_path / "data", **given, **bind) as run:
        assert run.lines[0] == f"http://localhost:{port}", "where gunicorn is told to listen"
        with urllib.request.urlopen(f"{run.lines[0]}/readyz") as answer:
            assert answer.status == 200
        shown = run.told["REDIS_URL"]
        assert urlsplit(shown).port == int(given["REDIS_PORT"])
        with redis_client.connect(shown) as client:
            assert client.get("ready") == "1", "the chat writes there"
        assert not [pid for pid in run.pids() if "redis-server" in command_line(pid)], "and there is no other"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--bind 0.0.0.0:9000", ("0.0.0.0", 9000)),
        ("--workers 3 -b=[::1]:9000", ("::1", 9000)),
        ("-b:9000", ("0.0.0.0", 9000)),
        ("--bind=unix:/run/parley.sock", ("unix:/run/parley.sock", 8000)),
        ("--workers 3 --backlog 64", ("127.0.0.1", 8000)),
    ],
)
def test_the_address_that_gunicorn_is_given_is_what_everybody_goes_by(
    arguments: str, expected: tuple[str, int]
) -> None:
    config = Config.from_env(SECRET | {"GUNICORN_CMD_ARGS": arguments})
    assert (config.bind, config.port) == expected
    assert config.public_url == f"http://localhost:{expected[1]}"


@pytest.mark.parametrize("arguments", ["-b 1.2.3.4:1 -b 1.2.3.4:2", "--bind nowhere", "--bind fd://3", "--bind '"])
def test_one_that_cannot_be_told_from_it_is_refused(arguments: str) -> None:
    with pytest.raises(ConfigError, match="GUNICORN_CMD_ARGS"):
        Config.from_env(SECRET | {"GUNICORN_CMD_ARGS": arguments})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://:hush@/0"),
        ("REDIS_URL", "redis://:hush@host:port/0"),
        ("DYNAMODB_ENDPOINT", "127.0.0.1:8000"),
        ("DYNAMODB_ENDPOINT", "https://[::1"),
        ("AWS_REGION", "Ireland, please"),
        ("PUBLIC_URL", "https://chat.example.org:99999"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "https://me@chat.example.org"),
        ("ALLOWED_ORIGINS", "https://[::1"),
        ("AUTH_BASE", "https://[::1"),
        ("PORT", "0"),
    ],
)
def test_an_address_that_is_none_is_named_without_its_password(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        Config.from_env(SECRET | {name: value})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://Chat.Example.org", "https://chat.example.org"), ("https://chat.example.org:443/", "https://chat.example.org"),
     ("http://LOCALHOST:80", "http://localhost"), ("https://10.0.0.5:8443", "https://10.0.0.5:8443")],
)  # fmt: skip
def test_the_address_people_type_is_compared_as_browsers_send_it(url: str, origin: str) -> None:
    config = Config.from_env(SECRET | {"PUBLIC_URL": url})
    assert origin in config.own_origins
    assert urlsplit(origin).netloc in config.hosts
