"""A Redis of one test's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import redis as redis_client

from chat.services import redis as redis_service
from tests.conftest import free_port, wait_until


class Server:
    """A Redis that the test may stop, kill and start again."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/3"
        self.client = redis_service.connect(self.url)

    def start(self, *options: str) -> None:
        argv = [shutil.which("redis-server") or "valkey-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        argv += ["--save", "", "--dir", str(self._folder), *options]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        wait_until(self.answers, what="Redis answers")

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

    def promote(self) -> None:
        """It was a replica, and is the primary now."""
        self.client.replicaof("NO", "ONE")

    @property
    def flags(self) -> str:
        return self.client.config_get("notify-keyspace-events")["notify-keyspace-events"]

    @property
    def listeners(self) -> int:
        return int(self.client.pubsub_numpat())
