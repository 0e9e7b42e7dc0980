"""`flask doctor` tries what the chat does: what does not work is named, with what to do, and nothing stays behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chat import cli_doctor
from chat.app import create_app
from chat.config import Config
from chat.models import Worker
from chat.services.health import redis_examined, tables_examined
from chat.services.health.address_examined import examine_address
from chat.services.health.findings import Finding, side_by_side
from chat.services.storage import schema
from chat.services.storage.client import Client, away
from chat.services.storage.storage import Storage
from chat.services.storage.stream import Batch, Streams
from tests.conftest import free_port, wait_until
from tests.services.server import Server

Found = dict[str, dict[str, Any]]


def examined(config: Config, code: int) -> Found:
    """What the doctor finds, by check; a check that found two things keeps the worse."""
    done = create_app(config).test_cli_runner().invoke(args=["doctor", "--json"])
    findings = json.loads(done.output)
    assert done.exit_code == code, findings
    assert all(list(finding) == ["check", "ok", "cause", "do"] for finding in findings)
    assert all(bool(finding["cause"]) == bool(finding["do"]) for finding in findings)
    return {finding["check"]: finding for finding in sorted(findings, key=lambda each: not each["ok"])}


def wrong(found: Found) -> dict[str, str]:
    return {check: finding["cause"] for check, finding in found.items() if finding["cause"]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    redis = Server(tmp_path)
    redis.start()
    yield redis
    redis.kill()


def test_a_sound_installation_has_every_check_and_nothing_stays_behind(config: Config, server: Server) -> None:
    config = replace(config, redis_url=server.url)
    found = examined(config, 0)
    assert list(found) == [
        "settings", "redis answers", "redis takes writes", "redis runs scripts", "redis carries the bus",
        "redis tells of ended sessions", "redis is one server", "redis keeps what it has", "redis has room",
        "dynamodb answers", "the tables are there", "dynamodb takes writes", "the table's stream moves",
    ]  # fmt: skip
    assert server.client.keys() == []
    assert server.flags == "", "no setting of the server has changed"
    storage = Storage.connect(config)
    for table in schema.TABLES:
        items = storage.client.call("scan", TableName=storage.client.table(table))["Items"]
        assert [item for item in items if "doctor" in str(item)] == []


def test_what_it_writes_to_a_bus_that_is_there_is_gone_too(server: Server) -> None:
    kept = server.client.xadd("bus", {"from": "a worker", "e": ""})
    assert all(finding.ok and not finding.cause for finding in redis_examined.RedisExamined(server.url).run())
    assert [number for number, _ in server.client.xrange("bus")] == [kept]
    assert server.client.keys() == ["bus"]


# --- Redis -----------------------------------------------------------------------------------------------------------


def full(server: Server, _: Path) -> None:
    server.client.config_set("maxmemory", "100kb")


def cluster(server: Server, _: Path) -> None:
    server.kill()
    server.url = server.url.removesuffix("/3") + "/0"
    server.client = server.client.from_url(server.url, decode_responses=True)
    server.start("--cluster-enabled", "yes")
    server.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    wait_until(lambda: "cluster_state:ok" in str(server.client.execute_command("CLUSTER", "INFO", NEVER_DECODE=True)))


def replica(server: Server, _: Path) -> None:
    server.lose_touch()


def without(*commands: str) -> Callable[[Server, Path], None]:
    def deny(server: Server, _: Path) -> None:
        server.client.execute_command(
            "ACL", "SETUSER", "chat", "on", ">secret", "~*", "allchannels", "+@all", *(f"-{each}" for each in commands)
        )
        server.url = server.url.replace("redis://", "redis://chat:secret@")

    return deny


def wrong_password(server: Server, _: Path) -> None:
    server.url = server.url.replace("redis://", "redis://chat:hush@")


def gone(server: Server, _: Path) -> None:
    server.url = f"redis://127.0.0.1:{free_port()}/0"


@pytest.mark.parametrize(
    ("spoil", "check", "cause", "do", "code"),
    [
        (full, "redis takes writes", "OOM", "more memory", 2),
        (cluster, "redis runs scripts", "CROSSSLOT", "cluster mode off", 2),
        (cluster, "redis is one server", "cluster mode", "cluster mode off", 2),
        (replica, "redis answers", "READONLY", "the primary", 2),
        (without("eval"), "redis runs scripts", "NOPERM", "Redis user", 2),
        (without("evalsha"), "redis runs scripts", "NOPERM", "Redis user", 2),
        (without("xadd"), "redis carries the bus", "NOPERM", "Redis user", 2),
        (without("psubscribe"), "redis tells of ended sessions", "NOPERM", "PSUBSCRIBE", 1),
        (without("config"), "redis tells of ended sessions", "key events are off", "Kgxe", 1),
        (without("info"), "redis tells of itself", "failover", "INFO", 1),
        (wrong_password, "redis answers", "WRONGPASS", "the password", 2),
        (gone, "redis answers", "refused", "REDIS_URL", 2),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_redis_that_does_not_do_is_named(
    server: Server, tmp_path: Path, spoil: Callable[[Server, Path], None], check: str, cause: str, do: str, code: int
) -> None:
    spoil(server, tmp_path)
    found = {finding.check: finding for finding in redis_examined.RedisExamined(server.url).run()}
    assert cause in found[check].cause and do in found[check].do, found
    assert code == (2 if not all(finding.ok for finding in found.values()) else 1)
    assert "hush" not in str(found) and "secret" not in str(found)


def test_the_doctor_ends_with_what_was_found(config: Config, server: Server) -> None:
    full(server, Path())
    found = examined(replace(config, redis_url=server.url), 2)
    assert wrong(found).keys() >= {"redis takes writes", "redis has room"}
    server.client.config_set("maxmemory", "0")
    without("psubscribe")(server, Path())
    assert wrong(examined(replace(config, redis_url=server.url), 1)).keys() == {"redis tells of ended sessions"}


# --- DynamoDB --------------------------------------------------------------------------------------------------------


def test_no_tables_a_wrong_key_and_nobody_there_are_each_told_what_to_do(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = list(tables_examined.TablesExamined(replace(config, table_prefix="elsewhere-")).run())
    assert [finding.ok for finding in elsewhere] == [True, False, False, False]
    assert elsewhere[-1] == Finding(
        "the tables are there", False, "table elsewhere-chat does not exist", "run `flask create-tables`"
    )
    nobody = replace(config, dynamodb_endpoint=f"http://127.0.0.1:{free_port()}")
    (away,) = tables_examined.TablesExamined(nobody).run()
    assert not away.ok and "DYNAMODB_ENDPOINT" in away.do
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id=somebody\naws_secret_access_key=else\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (locked_out,) = tables_examined.TablesExamined(config).run()
    assert not locked_out.ok and "AWS_" in locked_out.do and "Exception" in locked_out.cause
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (without,) = tables_examined.TablesExamined(config).run()
    assert not without.ok and "AWS_PROFILE" in without.do


@pytest.mark.parametrize(
    ("operation", "check"),
    [
        ("describe_table", "the tables are there"),
        ("transact_write_items", "dynamodb takes writes"),
        ("batch_get_item", "dynamodb takes writes"),
        ("update_item", "dynamodb takes writes"),
        ("get_item", "dynamodb answers"),
    ],
)
def test_a_role_that_may_not_do_something_is_named(
    config: Config, monkeypatch: pytest.MonkeyPatch, operation: str, check: str
) -> None:
    call = Client.call

    def refused(self: Client, name: str, **request: Any) -> dict[str, Any]:
        if name == operation:
            told = {"Error": {"Code": "AccessDeniedException", "Message": f"not authorised: {name}"}}
            error = ClientError({**told, "ResponseMetadata": {"HTTPStatusCode": 400}}, name)
            raise away(error) from error
        return call(self, name, **request)

    monkeypatch.setattr(Client, "call", refused)
    found = {each.check: each for each in tables_examined.TablesExamined(config).run()}
    assert not found[check].ok and "the role" in found[check].do
    assert not found[check].cause.startswith("ChatError")


def test_a_stream_that_does_not_move_is_named(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streams, "read", lambda self, arn, iterator: Batch([], None, iterator))
    monkeypatch.setattr(tables_examined, "SEEN_WITHIN_S", 0.5)
    found = examined(config, 2)
    assert "did not come out of it" in wrong(found)["the table's stream moves"]
    storage = Storage.connect(config)
    items = storage.client.call("scan", TableName=storage.client.table("messages"))["Items"]
    assert items == [], "the row is taken away also then"


# --- where it is served ----------------------------------------------------------------------------------------------


@contextmanager
def working(config: Config, url: str) -> Iterator[None]:
    """A worker that says to live, and where it answers."""
    storage, over = Storage.connect(config), threading.Event()

    def beat() -> None:
        beats = 0
        while not over.is_set():
            beats += 1
            storage.workers.put(Worker("one", beats, True, 0, 1, url))
            over.wait(0.05)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Proxy(BaseHTTPRequestHandler):
    """In front of a chat; what it answers to a page that opens a socket is `upgraded`."""

    upgraded = (400, b'{"error": {"message": "Live events travel by websocket only."}}')

    def do_GET(self) -> None:
        status, body = (200, b'{"ok": true}') if self.path == "/healthz" else self.upgraded
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Proxy) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_another_address_than_the_one_served_is_named(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_examined, "BEAT_EVERY_S", 0.2)
    monkeypatch.setattr(redis_examined, "EVENT_WITHIN_S", 0.2)
    with working(config, "http://localhost:8201"):
        found = wrong(examined(config, 2))
    (cause,) = found.values()
    assert cause == "the chat that runs answers to http://localhost:8201, and these settings say http://localhost:8000"


def test_a_worker_that_was_killed_serves_nowhere(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_examined, "BEAT_EVERY_S", 0.2)
    Storage.connect(config).workers.put(Worker("one", 7, True, 0, 1, "http://localhost:8201"))
    assert wrong(examined(config, 0)) == {}


def test_a_proxy_that_keeps_the_upgrade_to_itself_is_named(config: Config, proxy: str) -> None:
    served, passed = examine_address(replace(config, public_url=proxy), {proxy})
    assert served.ok and not passed.ok
    assert "Live events travel by websocket only" in passed.cause and "deploy/nginx.conf" in passed.do


def test_nobody_at_the_address_is_worse_on_this_machine_than_behind_a_name(config: Config) -> None:
    here = f"http://localhost:{free_port()}"
    (found,) = examine_address(replace(config, public_url=here), {here})
    assert not found.ok and here in found.cause
    far = "https://chat.parley.invalid"
    (found,) = examine_address(replace(config, public_url=far), {far})
    assert found.ok and found.cause, "this machine may not see what others see"
    assert list(examine_address(config, set())) == []


# --- and in any case -------------------------------------------------------------------------------------------------


def test_what_breaks_down_or_hangs_is_a_finding(config: Config) -> None:
    def breaks() -> Iterator[Finding]:
        yield Finding("first", True)
        raise RuntimeError("a bug")

    def hangs() -> Iterator[Finding]:
        for_ever.wait()
        yield Finding("never", True)

    for_ever = threading.Event()
    found = side_by_side({"one": breaks, "other": hangs}, within_s=0.5)
    for_ever.set()
    assert [(each.check, each.ok) for each in found] == [("first", True), ("one", False), ("other", False)]
    assert "RuntimeError: a bug" in found[1].cause and "no answer within" in found[2].cause


def test_it_takes_fifteen_seconds_at_most() -> None:
    assert cli_doctor.WITHIN_S <= 13.0, "the rest is for Python to begin"
