"""A Redis of one test's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import redis as redis_client
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import free_port, wait_until


class Server:
    """A Redis that the test may stop, kill and start again; `client` speaks to it also while it is a replica."""

    def __init__(self, folder: Path, binary: str | None = None):
        self._folder = folder
        self._binary = binary or shutil.which("redis-server") or "valkey-server"
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/3"
        once = Retry(NoBackoff(), 1, supported_errors=(redis_client.ConnectionError,))
        self.client = redis_client.Redis.from_url(self.url, decode_responses=True, retry=once, socket_timeout=5)

    def start(self, *options: str) -> None:
        """Returns when it answers."""
        self.spawn(*options)
        wait_until(self.answers, what="Redis answers")

    def spawn(self, *options: str) -> None:
        argv = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1"]
        argv += ["--save", "", "--dir", str(self._folder), *options]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis_client.RedisError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def lose_touch(self) -> None:
        """It hears nothing more from its primary, and keeps what it has."""
        self.client.replicaof("127.0.0.1", str(free_port()))

    def follow(self, primary: Server) -> None:
        """It is a replica of that one, and up to date."""
        self.client.replicaof("127.0.0.1", str(primary.port))
        wait_until(lambda: self.client.info("replication")["master_link_status"] == "up", what="it replicates")

    def hand_over(self) -> None:
        """Its replica has all that it was told so far. What is waited for is a write of the very client that asks."""
        self.client.set("handed over", "x")
        assert self.client.wait(1, 30_000) == 1

    def promote(self) -> None:
        """It was a replica, and is the primary now."""
        self.client.replicaof("NO", "ONE")

    @property
    def flags(self) -> str:
        return self.client.config_get("notify-keyspace-events")["notify-keyspace-events"]

    @property
    def listeners(self) -> int:
        return int(self.client.pubsub_numpat())
