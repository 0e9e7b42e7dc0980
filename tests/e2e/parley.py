"""The whole product as `make run` starts it, for tests that know it only from outside."""

from __future__ import annotations

import json
import os
import secrets
import signal
import urllib.error
import urllib.request
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import redis

from chat import names
from chat.config import Config
from chat.services.accounts.devices import device
from chat.services.accounts.passwords import Passwords
from chat.services.accounts.registration import Registration
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.client import Client
from chat.services.storage.storage import Storage
from tests.runtime.running import Running, until

PASSWORD = "correct horse battery"
# Caps per address and person are settings: a test sends faster and from fewer addresses than people do.
ROOMY = {
    "REGISTRATIONS_PER_ADDRESS": "1000",
    "SENDS_PER_USER": "2000",
    "READS_PER_USER": "4000",
    "ROOMS_PER_USER": "10000",
    "INVITATIONS_PER_USER": "10000",
    "LOGINS_PER_ACCOUNT": "10000",
    "SOCKETS_PER_ADDRESS": "300",
    "LOGIN_FAILURES_PER_ADDRESS": "1000",
}
_numbers = count(1)


class Parley(Running):
    """`with Parley(folder) as parley:`; leaving it kills whatever is left of it."""

    def __init__(self, data_dir: Path, **settings: str):
        super().__init__(data_dir, **{**ROOMY, **settings})

    def start(self) -> None:
        super().start()
        self.door = Door({**self.env, **self.told})

    def is_well(self) -> bool:
        """Whether it runs, and says that it is ready."""
        try:
            return self.process.poll() is None and self.request("/readyz")[0] == 200
        except OSError:
            return False

    @property
    def redis(self) -> redis.Redis:
        """A client of its own on the product's Redis."""
        return redis.Redis.from_url(self.told["REDIS_URL"], decode_responses=True)

    @property
    def workers(self) -> set[int]:
        """The gunicorn workers that run now: the children of gunicorn's arbiter."""
        return children(self.pid_of("chat.embedded.web")) & self.pids()

    @property
    def worker(self) -> int:
        """One of them, as soon as there is one."""
        return until(lambda: next(iter(self.workers), 0), 90, "gunicorn has a worker")

    def kill(self, pid: int) -> None:
        """`kill -9` to one process of the product."""
        assert pid in self.pids()
        os.kill(pid, signal.SIGKILL)

    def pause(self, pid: int) -> None:
        """Stops one process of the product as it stands (SIGSTOP)."""
        assert pid in self.pids()
        os.kill(pid, signal.SIGSTOP)

    def resume(self, pid: int) -> None:
        os.kill(pid, signal.SIGCONT)

    def with_sockets(self) -> set[int]:
        """The processes that hold an open connection to the product's port: the workers that somebody is on."""
        local, established = f":{self.port:04X}", "01"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(local) and row[3] == established}
        return {pid for pid in self.pids() if inodes & open_files(pid)}

    def new_name(self, name: str) -> str:
        """A name that nobody has yet."""
        return f"{name}{next(_numbers)}"

    def person(self, name: str) -> Person:
        """Somebody new with an account and a session, whose name begins with `name`."""
        person = Person(self, self.new_name(name))
        self.door.register(person.name)
        person.enter()
        return person


class Door:
    """Accounts and sessions as registering and signing in make them: by the product's own services, on its Redis and
    DynamoDB, without a request to it."""

    def __init__(self, env: dict[str, str]):
        config = Config.from_env(env, needs_secret=False)
        self._storage = Storage(Client(client_of(env)))
        self._registration = Registration(self._storage.users, Passwords(config.bcrypt_cost, config.bcrypt_queue), None)
        lives_s = config.session_ttl_s, config.session_max_age_s
        self._sessions = Sessions(redis_client.connect(config.redis_url), *lives_s, self._storage.users.epochs)
        self.cookie_name = config.cookie_name

    def register(self, name: str) -> None:
        """Makes an account with our password."""
        self._registration.register(name, PASSWORD, "tests")

    def enter(self, name: str, user_agent: str = "") -> str:
        """Opens a session for an account; returns the cookie's value."""
        user = self._storage.users.get(names.username(name) or name)
        assert user is not None, name
        return self._sessions.create(user, device(user_agent)).sid


def client_of(told: dict[str, str]) -> Any:
    """boto3's client of DynamoDB, with what `make run` tells: an address, and a file with keys."""
    return boto3.Session().client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=told["DYNAMODB_ENDPOINT"],
        **keys_of(told["AWS_SHARED_CREDENTIALS_FILE"]),
    )


def keys_of(path: str) -> dict[str, Any]:
    """The keys in a file of AWS credentials, by their names."""
    lines = [line.split("=", 1) for line in Path(path).read_text().splitlines() if "=" in line]
    return {name.strip(): value.strip() for name, value in lines}


class Person:
    """Somebody with a name, a password and (by HTTP) one session."""

    def __init__(self, parley: Parley, name: str):
        self.parley = parley
        self.name = name
        self.user = name.casefold()
        self.cookie = ""

    def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple:
        """`(status, the answer's JSON)`; keeps the cookie that it is given."""
        request = urllib.request.Request(self.parley.url + path, method=method, headers=headers or {})
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            if "Content-Type" not in (headers or {}):
                request.add_header("Content-Type", "application/json")
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # a worker may have to start first
                return self._read(answer, answer.status)
        except urllib.error.HTTPError as error:
            return self._read(error, error.code)

    def _read(self, answer: Any, status: int) -> tuple[int, dict[str, Any]]:
        self.cookie = (answer.headers["Set-Cookie"] or self.cookie).split(";")[0]
        text = answer.read()
        return status, json.loads(text) if text.startswith(b"{") else {}

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        return self.request("GET", path)

    def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        return self.request("POST", path, body)

    def enter(self) -> None:
        """A new session, as at another device, without a request."""
        self.cookie = f"{self.parley.door.cookie_name}={self.parley.door.enter(self.name)}"

    def sign_in(self) -> None:
        """The same by the request that people sign in with."""
        self.cookie = ""
        status, answer = self.post("/api/auth/login", username=self.name, password=PASSWORD)
        assert status == 200, answer

    @property
    def session_key(self) -> list[str]:
        """This person's session, as a key of Redis; none when it is over."""
        key = Sessions.key(self.cookie.partition("=")[2])
        return [key] if self.parley.redis.exists(key) else []

    def room(self, name: str, *members: Person, kind: str = "public") -> str:
        """A new room of mine with these members in it; returns its id."""
        status, answer = self.post("/api/rooms", client_id=new_id(), name=f"{name} {next(_numbers)}", kind=kind)
        assert status == 201, answer
        room = answer["room"]["room"]
        for member in members:
            status, answer = self.act(room, "invite", username=member.user)
            assert status == 204, answer
        return room

    def act(self, room: str, act: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """`join`, `leave`, `invite` or `remove`."""
        return self.post(f"/api/rooms/{room}/{act}", client_id=new_id(), **body)

    def say(self, room: str, text: str) -> dict[str, Any]:
        """A message by HTTP; returns it as it was stored."""
        status, answer = self.post(f"/api/rooms/{room}/messages", client_id=new_id(), text=text)
        assert status == 201, answer
        return answer["message"]

    def page(self, room: str, query: str = "") -> dict[str, Any]:
        status, answer = self.get(f"/api/rooms/{room}/messages?{query}")
        assert status == 200, answer
        return answer

    def everything(self, room: str) -> list[tuple[int, str, str]]:
        """The room's whole history by HTTP: `(seq, client_id, text)`."""
        after, found = 0, []
        for _ in range(1000):
            page = self.page(room, f"after={after}&limit=200")
            found += [(m["seq"], m["client_id"], m["text"]) for m in page["messages"]]
            if not page["more"]:
                return found
            after = page["entries"][-1]["seq"]
        raise AssertionError("the history has no end")


def new_id() -> str:
    return secrets.token_urlsafe(12)


def open_files(pid: int) -> set[str]:
    """What a process has open, as /proc says it: a path, or `socket:[inode]`."""
    found = set()
    for fd in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.add(os.readlink(fd))
        except OSError:
            continue  # it was closed while we looked
    return found


def children(pid: int) -> set[int]:
    """The processes that this one started and that still run."""
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(child) for child in task.read_text().split()}
    return found


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
