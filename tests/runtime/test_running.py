"""What a run offers while it runs. One run for all of them; each leaves it healthy."""

from __future__ import annotations

import os
import select
import signal
import stat
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
import redis

from chat.embedded.supervisor import Supervisor
from tests.ports import free_port
from tests.runtime.running import WITHIN_S, Running, command_line, environment, run_refused, until


def _redis(run: Running) -> redis.Redis:
    return redis.Redis.from_url(run.told["REDIS_URL"], decode_responses=True, socket_timeout=WITHIN_S)


def test_it_says_what_it_runs_on_one_a_line(run: Running) -> None:
    assert run.lines[0] == f"http://localhost:{run.port}"
    assert [line.partition("=")[0] for line in run.lines[1:]] == [
        "REDIS_URL_FILE",
        "DYNAMODB_ENDPOINT",
        "AWS_SHARED_CREDENTIALS_FILE",
    ]
    assert os.path.isabs(run.told["AWS_SHARED_CREDENTIALS_FILE"])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_login_page_is_there_under_both_names(run: Running, host: str) -> None:
    with urllib.request.urlopen(f"http://{host}:{run.port}/login", timeout=WITHIN_S) as answer:
        assert answer.status == 200
        assert b'<div id="root">' in answer.read()


def test_the_aws_command_line_can_be_pointed_at_the_tables(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", run.told["AWS_SHARED_CREDENTIALS_FILE"])
    session = boto3.session.Session(region_name="eu-west-1")
    client = session.client("dynamodb", endpoint_url=run.told["DYNAMODB_ENDPOINT"])
    assert set(client.list_tables()["TableNames"]) == {"users", "messages", "chat"}


def test_redis_cli_can_be_pointed_at_redis(run: Running) -> None:
    client = _redis(run)
    assert client.ping()
    settings = client.config_get("append*") | client.config_get("maxmemory-policy") | client.config_get("bind")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["bind"] == "127.0.0.1"


def test_the_address_with_its_password_is_shown_to_nobody_but_a_terminal(run: Running) -> None:
    """`default`'s, for the commands of the README; a journal is no terminal. The chat itself is another user."""
    file = run.data_dir / "redis-url"
    assert run.told["REDIS_URL_FILE"] == str(file) and stat.S_IMODE(file.stat().st_mode) == 0o600
    secrets = [(run.data_dir / name).read_text().strip() for name in ("redis-password", "redis-parley-password")]
    assert file.read_text() == f"redis://default:{secrets[0]}@127.0.0.1:{urlsplit(run.told['REDIS_URL']).port}/0\n"
    said = "\n".join(run.lines) + run.stderr()
    assert [secret for secret in secrets if secret in said] == []
    assert {client["user"] for client in _redis(run).client_list()} == {"parley", "default"}


def test_the_chat_may_neither_empty_its_redis_nor_set_it_up(run: Running) -> None:
    """And what it needs beside its own keys: events of keys, and for `flask doctor` one setting."""
    port, password = urlsplit(run.told["REDIS_URL"]).port, (run.data_dir / "redis-parley-password").read_text().strip()
    client = redis.Redis(port=port or 0, username="parley", password=password, decode_responses=True)
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert set("Kgxe") <= set(client.config_get("notify-keyspace-events")["notify-keyspace-events"])
    for command in (
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "CONFIG SET maxmemory 1",
        "ACL LIST",
        "SHUTDOWN NOSAVE",
        "MONITOR",
    ):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())


def test_a_terminal_is_shown_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, terminal = os.openpty()
    supervisor = Supervisor(environment(tmp_path, free_port()))
    supervisor._redis_url = "redis://default:password@127.0.0.1:1/0"
    with open(terminal, "w") as out:
        monkeypatch.setattr("sys.stdout", out)
        supervisor._tell(tmp_path / "redis-url")
        monkeypatch.undo()
        said = b""
        while said.count(b"\n") < 3:  # it comes in pieces; and a terminal that is closed forgets what nobody read
            assert select.select([ours], [], [], WITHIN_S)[0], said
            said += os.read(ours, 4096)
    os.close(ours)
    assert said.decode().split()[1:3] == [
        "REDIS_URL=redis://default:password@127.0.0.1:1/0",
        f"REDIS_URL_FILE={tmp_path}/redis-url",
    ]


def test_whoever_read_it_may_be_gone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(environment(tmp_path, free_port()))
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        supervisor._tell(tmp_path / "redis-url")
        print("and nothing that is said later is in anybody's way", flush=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", None)  # as Python has it where it was closed from the start
        supervisor._tell(tmp_path / "redis-url")
    assert capfd.readouterr().err == ""


def test_redis_refuses_who_does_not_know_the_password(run: Running) -> None:
    stranger = redis.Redis(port=urlsplit(run.told["REDIS_URL"]).port or 0, socket_timeout=WITHIN_S, retry=None)
    with pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_the_folder_is_for_its_owner_only(run: Running) -> None:
    files = [run.data_dir, *run.data_dir.rglob("*")]
    assert len(files) > 6
    assert [file for file in files if file.stat().st_mode & 0o077] == []


def test_no_secret_is_on_a_command_line(run: Running) -> None:
    lines = [command_line(pid) for pid in run.pids()]
    assert any("redis" in line or "valkey" in line for line in lines)
    secrets = [
        (run.data_dir / name).read_text().strip() for name in ("redis-password", "redis-parley-password", "secret-key")
    ]
    assert all(len(secret) >= 43 for secret in secrets)
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


def test_a_second_run_on_the_folder_is_refused(run: Running) -> None:
    assert "Another Parley runs on" in run_refused(run.data_dir)
    assert run.request("/readyz")[0] == 200


def test_redis_is_started_again_where_it_was_with_what_it_held(run: Running) -> None:
    _redis(run).set("kept", "yes")
    pid = _redis(run).info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)

    def kept() -> bool:
        try:
            return bool(_redis(run).get("kept") == "yes" and _redis(run).info("server")["process_id"] != pid)
        except redis.ConnectionError:
            return False

    until(kept, WITHIN_S, "Redis is back")
    assert "Redis ended (SIGKILL); it is started again in" in run.stderr()
    until(lambda: run.request("/readyz")[0] == 200, WITHIN_S, "the chat is ready again")


def test_the_dynamodb_engine_is_started_again_where_it_was(run: Running) -> None:
    os.kill(run.pid_of("chat.embedded.dynamodb"), signal.SIGKILL)
    until(lambda: "The DynamoDB engine ended (SIGKILL)" in run.stderr(), WITHIN_S, "the supervisor says so")
    until(lambda: run.request("/readyz")[0] == 200, WITHIN_S, "the chat is ready again")


def test_a_killed_worker_and_a_killed_web_server_come_back(run: Running) -> None:
    web = run.pid_of("chat.embedded.web")
    for victim in (max(pid for pid in run.pids() if "chat.embedded.web" in command_line(pid)), web):
        os.kill(victim, signal.SIGKILL)
        until(lambda gone=victim: not Path(f"/proc/{gone}").exists(), WITHIN_S, "it is gone")
        until(lambda: _ready(run), WITHIN_S, "the chat is ready again")
    assert run.pid_of("chat.embedded.web") != web


def test_ctrl_c_leaves_nothing_behind(run: Running) -> None:
    """The last one: it ends the run."""
    run.request("/readyz")
    run.signal(signal.SIGINT, group=True)
    assert run.process.wait(WITHIN_S) == 0
    assert run.pids() == set()
    left = [file for file in run.data_dir.rglob("*") if stat.S_ISSOCK(file.stat().st_mode) or file.suffix == ".pid"]
    assert left == []


def _ready(run: Running) -> bool:
    try:
        return run.request("/readyz")[0] == 200
    except OSError:
        return False
