"""Key events: told of what goes, by whatever way, and again after Redis was away. In a process with greenlets, as a
worker is."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, wait_until
from tests.services.server import Server

LISTEN = """
from gevent import monkey
monkey.patch_all()
import sys
from chat.services.sessions.key_events import KeyEvents
KeyEvents(sys.argv[1], wait_s=0.5).run(lambda sid: print(sid, flush=True))
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def told(server: Server, tmp_path: Path) -> Iterator[Path]:
    """What the listener has said, a line an event."""
    said = tmp_path / "said"
    process = subprocess.Popen([sys.executable, "-c", LISTEN, server.url], stdout=said.open("wb"), cwd=ROOT)
    wait_until(lambda: server.listeners, what="it listens")
    yield said
    process.kill()
    process.wait(30)


def test_every_way_for_a_session_to_go_is_told_and_nothing_else(server: Server, told: Path) -> None:
    redis = server.client
    for name in ("deleted", "unlinked", "expiring", "renamed", "kept"):
        redis.set(f"session:{name}", "x", ex=100)
    redis.set("other:key", "x")
    redis.expire("session:kept", 50)
    redis.set("session:kept", "y", keepttl=True)
    redis.delete("other:key", "session:deleted")
    redis.unlink("session:unlinked")
    redis.rename("session:renamed", "other:key")
    redis.pexpire("session:expiring", 20)
    wait_until(lambda: len(told.read_text().split()) >= 4, what="four are told")
    assert sorted(told.read_text().split()) == ["deleted", "expiring", "renamed", "unlinked"]


def test_what_the_server_notifies_of_already_stays(server: Server, tmp_path: Path) -> None:
    server.client.config_set("notify-keyspace-events", "El")
    process = subprocess.Popen([sys.executable, "-c", LISTEN, server.url], cwd=ROOT)
    wait_until(lambda: server.listeners, what="it listens")
    assert set(server.flags) == set("ElKgxe")
    process.kill()
    process.wait(30)


def test_a_server_that_was_restarted_is_asked_again(server: Server, told: Path) -> None:
    server.kill()
    server.start()
    assert server.flags == ""
    wait_until(lambda: server.listeners, 60, "it listens again")
    server.client.set("session:after", "x")
    server.client.delete("session:after")
    wait_until(lambda: told.read_text().split() == ["after"], what="it is told")


def test_a_connection_over_which_nothing_comes_is_left_for_another(server: Server, told: Path) -> None:
    before, open_before = _subscribed(server), _connections(server.port)
    server.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: _connections(server.port) - open_before, 60, "it has tried another connection")
    finally:
        server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: server.listeners and before.isdisjoint(_subscribed(server)), 60, "it listens over another")

    def told_of_one_more() -> bool:
        # The woken server may first serve a connection that was given up meanwhile: what goes then is told to nobody.
        server.client.set("session:after", "x")
        server.client.delete("session:after")
        return "after" in told.read_text().split()

    wait_until(told_of_one_more, what="it is told")


def test_a_server_that_forbids_it_is_listened_to_all_the_same(server: Server, tmp_path: Path) -> None:
    server.client.acl_setuser(
        "chat", enabled=True, passwords=["+secret"], keys=["*"], channels=["*"], commands=["+@all", "-config"]
    )
    url = f"redis://chat:secret@127.0.0.1:{server.port}/3"
    process = subprocess.Popen([sys.executable, "-c", LISTEN, url], cwd=ROOT)
    wait_until(lambda: server.listeners, what="it listens")
    assert server.flags == ""
    process.kill()
    process.wait(30)


def _subscribed(server: Server) -> set[str]:
    return {each["id"] for each in server.client.client_list(_type="pubsub")}


def _connections(port: int) -> set[tuple[str, str]]:
    """The open connections to that port of this machine, by their two addresses."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {(row[1], row[2]) for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "01"}
