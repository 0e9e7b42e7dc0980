"""Where a planted bug, or the product as it is, is put to the test: two servers on one Redis and one DynamoDB, a dozen
people, steady traffic, and scenes that each bring about one awkward moment.

The scenes are the same with and without a bug; the checker judges what they leave. Servers, not hosts: what befalls the
network is the harness's part.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import redis

from chat.config import Config
from chat.services.storage import schema
from chat.services.storage.storage import Storage
from chat.services.storage.values import pack
from tests.conftest import ROOT, LiveServer, free_port, spawn_server, wait_until
from tests.e2e.parley import Person, children
from tests.faults.checker import Violation, judge
from tests.faults.fleet import Fleet
from tests.faults.people import People

MEMBERS = ("ann", "ben", "cat", "dov", "eli", "fay")
GUESTS = ("gus", "hal", "ida")  # one is removed in each removal
TALKERS = [f"{member}-{k}" for member in MEMBERS for k in (1, 2)]  # a device on each server
SERVERS = 2
PER_S = 12.0
SILENT_S = 4.0
ROOMY = {
    "sends_per_user": 10_000,
    "reads_per_user": 10_000,
    "rooms_per_user": 10_000,
    "invitations_per_user": 10_000,
    "logins_per_account": 10_000,
    "sockets_per_user": 100,
    "sockets_per_address": 1_000,
    "registrations_per_address": 10_000,
    "login_failures_per_address": 10_000,
}


class Backing(ExitStack):
    """A Redis that may be stopped and an embedded engine, for any number of runs one after the other."""

    def __init__(self, folder: Path):
        super().__init__()
        self._folder = folder
        self.redis_url = f"redis://127.0.0.1:{free_port()}/0"
        self.redis = redis.Redis.from_url(self.redis_url, decode_responses=True, socket_timeout=10)
        self.endpoint = ""

    def __enter__(self) -> Backing:
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        server = shutil.which("redis-server") or shutil.which("valkey-server")
        assert server, "the planted bugs need redis-server or valkey-server on the PATH"
        port = self.redis_url.rsplit(":", 1)[1].removesuffix("/0")
        argv = [server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._spawn([*argv, "--enable-debug-command", "local"], stdout=subprocess.DEVNULL)
        credentials = self._folder / "credentials"
        argv = [sys.executable, "-m", "chat.embedded.dynamodb", "--data", str(self._folder / "db")]
        engine = self._spawn([*argv, "--synchronous", "NORMAL", "--credentials", str(credentials)], subprocess.PIPE)
        assert engine.stdout is not None
        self.endpoint = engine.stdout.readline().strip().removeprefix("DYNAMODB_ENDPOINT=")
        self.callback(engine.stdout.close)
        before = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(credentials)
        self.callback(_restore, before)
        wait_until(self._answers, what="Redis answers")

    def _spawn(self, argv: list[str], stdout: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=stdout, text=True)
        self.callback(process.wait)
        self.callback(process.kill)
        return process

    def _answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False

    def config(self) -> Config:
        """Settings on an empty Redis and new tables."""
        config = Config(
            secret_key="0123456789abcdef" * 3,
            redis_url=self.redis_url,
            dynamodb_endpoint=self.endpoint,
            table_prefix=f"t{uuid.uuid4().hex[:8]}-",
            testing=True,
            bcrypt_cost=4,
        )
        self.redis.flushall()
        schema.create(Storage.connect(config))
        return config


def _restore(credentials: str | None) -> None:
    del os.environ["AWS_SHARED_CREDENTIALS_FILE"]
    if credentials is not None:
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = credentials


@dataclass
class Stage:
    """What a scene has to play with. `room` is everybody's whose name is in MEMBERS or GUESTS, `lobby` is public."""

    backing: Backing
    servers: list[LiveServer]
    fleet: Fleet
    people: People
    dice: random.Random
    room: str = ""
    lobby: str = ""
    numbers: int = 0

    def fresh(self, what: str) -> str:
        """A name or client_id that was not used before."""
        self.numbers += 1
        return f"{what}{self.numbers}"

    def worker(self, server: int) -> int:
        """The pid of a server's only worker."""
        found: set[int] = set()

        def there() -> bool:
            nonlocal found
            found = children(self.servers[server].process.pid)
            return len(found) == 1

        wait_until(there, 60, "there is one worker")
        return found.pop()

    def traffic(self, per_s: float = PER_S) -> None:
        """People write in both rooms, edit and delete."""
        self.fleet.load({self.room: TALKERS, self.lobby: TALKERS}, per_s, edits=0.15, deletes=0.03)

    def go_on(self, acks: int, within_s: float = 120) -> None:
        """Waits until so many more requests are acked."""
        until = self.fleet.acked() + acks
        wait_until(lambda: self.fleet.acked() >= until, within_s, f"{acks} more acks")

    def connected(self) -> None:
        def there() -> bool:
            return all(device["connected"] or device["away"] for device in self.fleet.state().values())

        wait_until(there, 60, "all are connected")

    def said(self, client: str, room: str, text: str) -> int:
        """A message of that device, once it is acked; returns its number."""
        client_id = self.fresh("said")
        self.fleet.say(client, room, client_id, text)
        return int(self.ended(client, client_id)["seq"])

    def ended(self, client: str, client_id: str) -> dict[str, Any]:
        """How a request ended."""
        wait_until(lambda: self.fleet.ended(client, client_id), 120, f"{client_id} ends")
        return self.fleet.ended(client, client_id) or {}


Scene = Callable[[Stage], None]
Spawn = Callable[..., LiveServer]
SCENES: dict[str, Scene] = {}


def scene(name: str) -> Callable[[Scene], Scene]:
    """Registers a scene."""

    def register(play: Scene) -> Scene:
        SCENES[name] = play
        return play

    return register


@scene("talk")
def talk(stage: Stage) -> None:
    stage.go_on(40)


@scene("away for a moment")
def away(stage: Stage) -> None:
    """Half of the devices miss something and come back, twice."""
    for _ in range(2):
        some = stage.dice.sample(TALKERS, len(MEMBERS))
        stage.fleet.disconnect(some)
        stage.go_on(12)
        stage.fleet.connect(some)
        stage.connected()
        stage.go_on(3)


@scene("reading")
def reading(stage: Stage) -> None:
    """Some read a part of what is there, on one device or another, and look at it again later."""
    for client in stage.dice.sample(TALKERS, 4):
        for room in (stage.room, stage.lobby):
            cursor = stage.fleet.state()[client]["cursors"][room]
            stage.fleet.read(client, room, stage.dice.randint(1, cursor))
        stage.go_on(6)
        stage.fleet.ask(client, "room:open", room=stage.room, after=0)


@scene("acks lost")
def acks_lost(stage: Stage) -> None:
    """Connections break while requests are under way; devices crash with a full outbox."""
    stage.fleet.lose_acks(0.3)
    stage.go_on(20)
    stage.people.crash(0.3)
    stage.go_on(10)
    stage.fleet.lose_acks(0)
    stage.connected()


@scene("one client id of two people")
def same_client_ids(stage: Stage) -> None:
    """Client ids are no secret: every message shows one."""
    for _ in range(5):
        client_id = stage.fresh("same")
        for client in ("ann-1", "ben-1"):
            stage.fleet.say(client, stage.room, client_id, "the same words")
            stage.ended(client, client_id)


@scene("bots that do not wait")
def bots(stage: Stage) -> None:
    for _ in range(3):
        for n in range(20):
            stage.fleet.say("bot-1", stage.room, stage.fresh("bot"), f"line {n}")
    wait_until(lambda: not stage.fleet.state()["bot-1"]["pending"], 30, "the bot is done")


@scene("a crowded room")
def crowded(stage: Stage) -> None:
    """So many devices of few people that a few hundred messages are more than 5,000 pushes of each server."""
    for n in range(30):
        user = MEMBERS[n % len(MEMBERS)]
        stage.people.device(stage.fresh(f"{user}-crowd"), user)
    stage.connected()
    for n in range(320):
        stage.fleet.say("bot-1", stage.room, stage.fresh("crowd"), f"line {n}")
    wait_until(lambda: not stage.fleet.state()["bot-1"]["pending"], 60, "the bot is done")
    stage.people.settle(patient=False)
    extra = [client for client in stage.people.devices if "-crowd" in client]
    stage.fleet.disconnect(extra)


@scene("a worker killed")
def worker_killed(stage: Stage) -> None:
    stage.traffic(30)
    for server in (1, 0):
        stage.go_on(10)
        os.kill(stage.worker(server), signal.SIGKILL)
        stage.go_on(10)
    stage.traffic()
    stage.connected()


@scene("two devices edit")
def two_devices_edit(stage: Stage) -> None:
    """One person, both servers, the same message, the same moment."""
    for _ in range(12):
        seq = stage.said("eli-1", stage.room, "as first written")
        edits = [(client, stage.fresh("edit")) for client in ("eli-1", "eli-2")]
        for client, client_id in edits:
            stage.fleet.edit(client, stage.room, client_id, seq, f"rewritten by {client_id}")
        for client, client_id in edits:
            stage.ended(client, client_id)


@scene("outsiders")
def outsiders(stage: Stage) -> None:
    """They connect like anybody, ask for what is not theirs, and listen."""
    stage.fleet.cut(["zed-1"])
    stage.connected()
    for client in ("zed-1", "yan-1"):
        stage.fleet.ask(client, "room:open", room=stage.room, after=0)
        stage.fleet.say(client, stage.room, stage.fresh("outside"), "let me in")
        stage.people.persons[stage.people.devices[client]].get(f"/api/rooms/{stage.room}/messages")
    stage.go_on(15)


@scene("a removal between edits")
def removal_between_edits(stage: Stage) -> None:
    """One server stands still and then learns from the table, all at once, what was said, that somebody was removed,
    and what was written over it then."""
    room, owner = stage.room, stage.people.persons[MEMBERS[0]]
    guest = next(name for name in GUESTS if name in stage.people.rooms[room])
    stage.fleet.load()
    stage.people.settle()
    pid = stage.worker(1)
    os.kill(pid, signal.SIGSTOP)
    try:
        owner.say(room, "what it was waiting for when it was stopped")
        message = owner.say(room, "for everybody here")
        stage.people.remove(room, guest)
        stage.fleet.edit("ann-a", room, client_id := stage.fresh("edit"), message["seq"], "not for who has left")
        stage.ended("ann-a", client_id)
        stage.backing.redis.delete("bus")
    finally:
        os.kill(pid, signal.SIGCONT)
    stage.traffic()
    stage.go_on(10)


@scene("a logout while a request is slow")
def logout_while_slow(stage: Stage) -> None:
    """The devices of that session stay, and try to come back."""
    user, client = _guest_session(stage)
    person = stage.people.persons[user]
    slow = threading.Thread(target=Person.get, args=(person, "/api/rooms"))
    cookie = person.cookie
    slow.start()
    time.sleep(0.05)  # the request is to be under way, and nothing tells that it is
    leaving = Person(person.parley, person.name)
    leaving.cookie = cookie
    assert leaving.post("/api/auth/logout")[0] == 204
    stage.fleet.revoked(client)
    slow.join()
    _listen_on(stage)
    stage.fleet.disconnect([client])


@scene("Redis silent after a revoke")
def silent_after_revoke(stage: Stage) -> None:
    """The session goes and in the same breath Redis stops answering, so that no server can have noticed."""
    user, client = _guest_session(stage)
    key = "session:" + stage.people.persons[user].cookie.split("=", 1)[1]
    stage.fleet.load()
    stage.people.settle()
    silence = stage.backing.redis.pipeline(transaction=False)
    silence.delete(key)
    silence.execute_command("DEBUG", "SLEEP", str(SILENT_S))
    hush = threading.Thread(target=silence.execute)
    hush.start()
    stage.fleet.revoked(client)
    began = time.monotonic()
    while time.monotonic() < began + SILENT_S - 0.5:
        stage.fleet.ask(client, "room:open", room=stage.lobby, after=0)
        time.sleep(0.2)
    hush.join()
    stage.traffic()
    _listen_on(stage)
    stage.fleet.disconnect([client])


@scene("rows that others put")
def rows_of_others(stage: Stage) -> None:
    """Put, put again with another text, deleted; while one server and then the other loses its worker, and with it the
    lease on the stream if it held that."""
    for server in (0, 1):
        for n in range(4):
            row = stage.fresh("row")
            _put_row(stage, row, f"first {row}")
            if n > 0:
                _await_text(stage, f"first {row}")
                _put_row(stage, row, f"second {row}")
            if n > 2:
                _await_text(stage, f"second {row}")
                stage.people.storage.client.call("delete_item", **_row(stage, {"room": stage.room, "id": row}, "Key"))
                stage.fleet.foreign(stage.room, row, None)
        os.kill(stage.worker(server), signal.SIGKILL)
        last = stage.fresh("row")
        _put_row(stage, last, f"first {last}")
        _await_text(stage, f"first {last}")
    stage.connected()


def _put_row(stage: Stage, row: str, text: str) -> None:
    item = {"room": stage.room, "id": row, "text": text, "username": "ci"}
    stage.people.storage.client.call("put_item", **_row(stage, item, "Item"))
    stage.fleet.foreign(stage.room, row, text)


def _row(stage: Stage, row: dict[str, str], what: str) -> dict[str, Any]:
    return {"TableName": stage.people.storage.client.table("messages"), what: pack(row)}


def _await_text(stage: Stage, text: str) -> None:
    def there() -> bool:
        storage = stage.people.storage
        newest = storage.entries.before(stage.room, storage.entries.head(stage.room) + 1, 50)
        snapshots = storage.entries.snapshots(stage.room, [entry.message or entry.seq for entry, _ in newest])
        return any(snapshot.text == text for snapshot in snapshots.values())

    wait_until(there, 20, f"{text!r} appears")


def _guest_session(stage: Stage) -> tuple[str, str]:
    """Somebody new in the lobby, with one device; returns user and device."""
    user = stage.fresh("kim")
    stage.people.enrol(user)
    assert stage.people.persons[user].act(stage.lobby, "join")[0] == 200
    client = stage.people.device(f"{user}-1", user)
    wait_until(lambda: stage.fleet.state()[client]["cursors"].get(stage.lobby), 60, "the guest reads")
    return user, client


def _listen_on(stage: Stage) -> None:
    """Goes on for longer than anything may come after a revoke."""
    until = time.monotonic() + 3.5
    while time.monotonic() < until:
        stage.go_on(5)


# --- a run ------------------------------------------------------------------------------------------------------------


def run(backing: Backing, folder: Path, seed: int, scenes: list[str], bug: str | None = None) -> list[Violation]:
    """Plays these scenes on new tables and returns what the checker finds. `bug` is planted in both servers."""
    wsgi = f"tests.faults.planted_app:app({bug!r})" if bug else "wsgi:app"
    with staged(backing, folder, seed, [partial(spawn_server, wsgi=wsgi)] * SERVERS) as stage:
        for name in scenes:
            SCENES[name](stage)
        stage.fleet.load()
        return judge(stage.people.evidence(patient=bug is None))


@contextmanager
def staged(backing: Backing, folder: Path, seed: int, spawns: Sequence[Spawn]) -> Iterator[Stage]:
    """Servers that these start (as spawn_server does), on new tables, and people who talk."""
    config = backing.config()
    with ExitStack() as stack:
        with ThreadPoolExecutor(len(spawns)) as starting:
            started = [starting.submit(spawn, config, folder, **ROOMY) for spawn in spawns]
        for future in started:
            if future.exception() is None:
                stack.callback(future.result().process.wait)
                stack.callback(_end, future.result())
        servers = [future.result() for future in started]
        for server in servers:
            wait_until(lambda server=server: server.says_yes("/readyz"), 30, "the server is ready")
        fleet = stack.enter_context(Fleet(folder / f"history-{config.table_prefix}.jsonl", seed))
        dice = random.Random(seed)
        people = People(fleet, Storage.connect(config), [server.url for server in servers], dice)
        stage = Stage(backing, servers, fleet, people, dice)
        _gather(stage)
        stage.traffic()
        stage.go_on(10)
        yield stage


def _end(server: LiveServer) -> None:
    """Also its workers: one that stands still would outlive it."""
    for pid in children(server.process.pid):
        os.kill(pid, signal.SIGKILL)
    server.process.kill()


def _gather(stage: Stage) -> None:
    people, (first, second) = stage.people, (server.url for server in stage.servers)
    people.enrol(*MEMBERS, *GUESTS, "zed", "yan", "bot")
    stage.room = people.room("Closed", *MEMBERS, *GUESTS, "bot")
    stage.lobby = people.room("Lobby", *MEMBERS, kind="public")
    for client in TALKERS:
        people.device(client, client[:-2], urls=[first if client.endswith("-1") else second])
    people.device("ann-a", "ann", urls=[first])
    for user in GUESTS:
        people.device(f"{user}-1", user, urls=[second])
    for user in ("zed", "yan"):
        people.device(f"{user}-1", user)
    people.device("bot-1", "bot", urls=[first], in_flight=8)
    stage.connected()
