"""A real Redis or Valkey in ElastiCache's place, with the users of the deployed template and nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import redis

from chat.embedded.folder import free_port
from chat.embedded.redis_server import find_server
from deploy.local.processes import Processes

# As the template's parameter group has it. The admin of this box is who sets the users up.
SETTINGS_FILE = "redis.conf"
SETTINGS = """
bind 127.0.0.1
port {port}
dir "{folder}"
save ""
maxmemory-policy noeviction
notify-keyspace-events Kgxe
user default off
user admin on >{password} ~* &* +@all
"""


class Valkey:
    """A server on a port of its own that keeps nothing."""

    def __init__(self, port: int, password: str):
        self.port = port
        self._password = password
        self.admin: redis.Redis = self.client("admin", password)

    @classmethod
    def start(cls, folder: Path, processes: Processes) -> Self:
        """A new one, whose settings are in the folder. Raises: CloudError."""
        port, password = free_port(), secrets.token_urlsafe(32)
        file = folder / SETTINGS_FILE
        file.touch(mode=0o600)
        file.write_text(SETTINGS.format(port=port, folder=folder, password=password))
        server = cls(port, password)
        child = processes.start("redis", [find_server().binary, file], {})
        processes.wait(child, server._answers)
        return server

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The one that runs with the settings in that folder."""
        text = (folder / SETTINGS_FILE).read_text()
        words = dict(line.split(" ", 1) for line in text.splitlines() if line)
        return cls(int(words["port"]), words["user"].partition(">")[2].split()[0])

    @property
    def url(self) -> str:
        """The address, for whoever may do everything."""
        return f"redis://admin:{self._password}@127.0.0.1:{self.port}/0"

    def client(self, user: str, password: str) -> redis.Redis:
        """A client as that user."""
        return redis.Redis("127.0.0.1", self.port, username=user, password=password, decode_responses=True)

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except redis.RedisError:
            return False

    def set_up(self, users: Mapping[str, str], passwords: Mapping[str, str]) -> None:
        """Makes the users: name → access string, as ElastiCache has it; who has no password is left out."""
        for name, password in passwords.items():
            self.admin.execute_command("ACL", "SETUSER", name, "reset", f">{password}", *users[name].split())
