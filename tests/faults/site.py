"""The whole product on hosts of its own: two web hosts behind one address, Redis, and DynamoDB behind the proxy.

People reach it at http://localhost:8000 from the host `clients`, which hands each new connection to the next web host:
no sticky sessions, and real TCP from end to end. The clients' addresses 127.0.0.11, 12, … appear on the wire as the
further addresses of that host, so that a fault can strike some of them.
"""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.config import Config
from chat.services.storage import schema
from chat.services.storage.storage import Storage
from tests.conftest import ROOT, wait_until
from tests.e2e.parley import children
from tests.faults.clock import Clock
from tests.faults.hosts import Host, Network
from tests.faults.proxy import Proxy
from tests.faults.wire import Wire
from tests.logs import WATCHED

PORT = 8000
URL = f"http://localhost:{PORT}"
REDIS_PORT, DYNAMODB_PORT = 6379, 8001
WEB_HOSTS = ("web-1", "web-2")
SOURCES = 20  # addresses of clients
REDIS_DISK_MIB = 64
# A load comes from few addresses, faster than people are.
ROOMY = {
    "REGISTRATIONS_PER_ADDRESS": "100000",
    "LOGIN_FAILURES_PER_ADDRESS": "100000",
    "SENDS_PER_USER": "10000",
    "READS_PER_USER": "10000",
    "ROOMS_PER_USER": "10000",
    "INVITATIONS_PER_USER": "10000",
    "LOGINS_PER_ACCOUNT": "10000",
    "SOCKETS_PER_USER": "100",
    "SOCKETS_PER_ADDRESS": "5000",
    "BCRYPT_QUEUE": "1000",
    "BCRYPT_COST": "4",
    "TESTING": "1",
}


class Program:
    """One program on one host, which can be stopped and started again."""

    def __init__(self, host: Host, name: str, folder: Path, argv: list[str], env: Mapping[str, str]):
        self.host = host
        self.log = folder / f"{name}.log"
        WATCHED.file(self.log)
        self._argv = argv
        self._env = dict(env)
        self.process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None and self.process.poll() is None, f"it ended: {self.log}"
        return self.process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = self.host.spawn(self._argv, self._env, ROOT, stdout=log, stderr=subprocess.STDOUT)

    def end(self, number: int = signal.SIGTERM, within_s: float = 15) -> int:
        """Sends a signal and waits for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(within_s)


class Web(Program):
    """gunicorn on one host, with a clock of its own."""

    def __init__(self, host: Host, folder: Path, workers: int, env: Mapping[str, str]):
        self.clock = Clock(folder / f"{host.name}.clock")
        self.workers = workers
        argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
        super().__init__(host, host.name, folder, argv, {**env, **self.clock.env, "WORKERS": str(workers)})

    def worker_pids(self) -> list[int]:
        """gunicorn's workers, oldest first."""
        return sorted(children(self.pid))

    def says(self, path: str) -> int:
        """The status that this host answers there, 0 when it does not answer within two seconds."""
        with self.host.inside():
            connection = http.client.HTTPConnection(self.host.address, PORT, timeout=2)
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0
            finally:
                connection.close()

    def await_ready(self, within_s: float = 120) -> None:
        """Waits until all workers are there and one says it is ready."""

        def ready() -> bool:
            return len(self.worker_pids()) == self.workers and self.says("/readyz") == 200

        wait_until(ready, within_s, f"{self.host.name} is ready")


class RedisServer(Program):
    """Redis on a disk of its own, which can be full. `client` talks to it past the network.

    No clock of its own: libfaketime and Redis's allocator (jemalloc) do not bear each other.
    """

    def __init__(self, host: Host, folder: Path, env: Mapping[str, str]):
        self._disk = folder / "redis-disk"
        self._disk.mkdir()
        path = folder / "redis.sock"
        settings = {
            "port": str(REDIS_PORT),
            "bind": host.address,
            "unixsocket": str(path),
            "dir": str(self._disk),
            "protected-mode": "no",
            "save": "",
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "enable-debug-command": "yes",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        # The mount is this process's own, and ends with it: who is started again is empty.
        mount = f'mount -t tmpfs -o size={REDIS_DISK_MIB}m tmpfs "$0" && exec redis-server "$@"'
        super().__init__(host, "redis", folder, ["sh", "-c", mount, str(self._disk), *options], env)
        once = Retry(NoBackoff(), 0)
        self.client = redis.Redis(unix_socket_path=str(path), decode_responses=True, socket_timeout=2, retry=once)

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        super().start()
        wait_until(self.answers, what="Redis answers")

    def fill_disk(self) -> None:
        """Leaves no byte on its disk, until `free_disk`."""
        with self._ballast().open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(1 << 20))
            except OSError:
                return

    def free_disk(self) -> None:
        self._ballast().unlink()

    def _ballast(self) -> Path:
        return Path(f"/proc/{self.pid}/root{self._disk}/ballast")


class Site(ExitStack):
    """`with Site(folder) as site:` starts it all and returns when it is ready; leaving it ends it all."""

    def __init__(self, folder: Path, workers: tuple[int, int] = (2, 1), seed: int = 0, **settings: str):
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.network = Network("clients", *WEB_HOSTS, "redis", "dynamo", addresses={"clients": SOURCES})
        self.wire = Wire(self.network)
        self.clients = self.network["clients"]
        self.sources = {f"127.0.0.{k}": a for k, a in enumerate(self.network.further("clients"), 11)}
        self._seed = seed
        own = {"PATH", "HOME", "LANG", "TMPDIR", "FANOUT", "FLASK_SKIP_DOTENV"}
        base = {name: value for name, value in os.environ.items() if name in own}
        self._env = base | ROOMY | settings | {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "PUBLIC_URL": URL,
            "BIND": "0.0.0.0",
            "PORT": str(PORT),
            "REDIS_URL": f"redis://{self.network['redis'].address}:{REDIS_PORT}/0",
            "DYNAMODB_ENDPOINT": f"http://{self.network['dynamo'].address}:{DYNAMODB_PORT}",
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        }  # fmt: skip
        self.redis = RedisServer(self.network["redis"], folder, base)
        self.dynamodb = self._engine(base)
        self.web = [
            Web(self.network[name], folder, count, self._env) for name, count in zip(WEB_HOSTS, workers, strict=True)
        ]
        self.config = Config.from_env(self._env)

    def _engine(self, env: Mapping[str, str]) -> Program:
        argv = [sys.executable, "-m", "chat.embedded.dynamodb", "--data", str(self.folder / "dynamodb.sqlite")]
        argv += ["--port", str(DYNAMODB_PORT), "--synchronous", "NORMAL"]
        argv += ["--credentials", str(self.folder / "credentials")]
        return Program(self.network["dynamo"], "dynamodb", self.folder, argv, env)

    def __enter__(self) -> Site:
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        self.enter_context(self.network)
        self._balance()
        self.redis.start()
        self.dynamodb.start()
        wait_until(lambda: "DYNAMODB_ENDPOINT=" in self.dynamodb.log.read_text(), what="DynamoDB listens")
        listen = f"{self.dynamodb.host.address}:{DYNAMODB_PORT}"
        proxy = Proxy(
            listen, f"127.0.0.1:{DYNAMODB_PORT}", self.folder / "proxy.sock", self.dynamodb.host, True, self._seed
        )
        self.dynamodb_proxy = self.enter_context(proxy)
        with self.clients.inside():
            schema.create(self.storage())
        for web in self.web:
            web.start()
        for web in self.web:
            web.await_ready()

    def storage(self) -> Storage:
        """The tables, for whoever asks `with site.clients.inside():`."""
        return self._connect(self.config)

    def storage_behind_proxy(self) -> Storage:
        """The tables where no fault strikes, for whoever asks `with site.dynamodb.host.inside():`."""
        return self._connect(replace(self.config, dynamodb_endpoint=f"http://127.0.0.1:{DYNAMODB_PORT}"))

    def _connect(self, config: Config) -> Storage:
        with patch.dict(os.environ, AWS_SHARED_CREDENTIALS_FILE=str(self.folder / "credentials")):
            return Storage.connect(config)

    def _balance(self) -> None:
        targets = ", ".join(f"{k} : {web.host.address}" for k, web in enumerate(self.web))
        sources = {"127.0.0.1": self.clients.address, **self.sources}
        appear = ", ".join(f"{here} : {there}" for here, there in sources.items())
        self.clients.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")
        self.clients.run("nft", "-f", "-", input=f"""
            table ip balancer {{
                chain there {{
                    type nat hook output priority -100;
                    ip daddr 127.0.0.0/8 tcp dport {PORT} dnat to numgen inc mod {len(self.web)} map {{ {targets} }}
                }}
                chain appear {{
                    type nat hook postrouting priority 100;
                    oif "eth0" ip saddr 127.0.0.0/8 snat to ip saddr map {{ {appear} }}
                }}
            }}
        """)  # fmt: skip
