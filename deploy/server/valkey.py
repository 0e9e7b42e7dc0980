"""`python -m deploy.server.valkey FILE`: the settings of the small box's Valkey, with the users that ElastiCache has
in the full size. Written where only its owner can read, before each start."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.server.settings import resolved

USERS = json.loads((Path(__file__).resolve().parents[1] / "redis-users.json").read_text()) | {
    "server": "on allkeys allchannels +@all -@admin -@dangerous +info"  # the chat server's: its workers own every key
}
PASSWORD = "_PASSWORD"
SERVER = "server"  # the chat server's own user, whose secret is REDIS_PASSWORD
SETTINGS = """
bind 0.0.0.0
protected-mode no
dir /var/lib/parley
appendonly yes
maxmemory 256mb
maxmemory-policy noeviction
notify-keyspace-events Kgxe
user default off
"""


def settings(env: Mapping[str, str]) -> str:
    """The file's text: a user for each password in the environment, LOGIN_PASSWORD and so on."""
    passwords = {name.removesuffix(PASSWORD).lower(): value for name, value in env.items() if name.endswith(PASSWORD)}
    passwords[SERVER] = passwords.pop("redis")
    lines = [f"user {name} >{password} {USERS[name]}" for name, password in sorted(passwords.items())]
    return SETTINGS + "\n".join(lines) + "\n"


def main(file: Path) -> None:
    text = settings(resolved({**os.environ, "PUBLIC_URL": "-"}))
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
