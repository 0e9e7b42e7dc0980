"""DATA_DIR: the one folder with all that must outlive a run. Held by one run at a time, readable by its owner only."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import time
from pathlib import Path

from chat.embedded.errors import StartError

LOCK_WAIT_S = 1.0  # the children of a run that was just killed let go within milliseconds


class Folder:
    """An open and locked DATA_DIR. Raises: StartError when it cannot be written or another run holds it.

    The lock is on the folder itself: no file is left behind, and the kernel lets go when the last process that
    inherited `lock_fd` ends, however it ends. Every child inherits it, so two runs can never write the same data.
    """

    def __init__(self, path: Path):
        self.path = path.resolve()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
            self.lock_fd = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise StartError(f"DATA_DIR {self.path} cannot be written: {error.strerror}.") from None
        self._lock()
        self._ports_file = self.path / "ports.json"

    def _lock(self) -> None:
        until = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                return fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > until:
                    os.close(self.lock_fd)
                    raise StartError(f"Another Parley runs on DATA_DIR {self.path}: stop it, or set another.") from None
                time.sleep(0.02)

    def secret(self, name: str) -> str:
        """The random secret kept under that name, made at the first call: 43 characters, 256 bits, mode 0600."""
        file = self.path / name
        if not file.exists():
            self.write(name, secrets.token_urlsafe(32) + "\n")
        return file.read_text().strip()

    def write(self, name: str, text: str) -> Path:
        """Writes a file that only its owner can read, whole or not at all."""
        file = self.path / name
        draft = file.with_name(file.name + ".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
        return file

    def port(self, name: str) -> int:
        """The port that `name` had in the last run, or 0 when there was none or somebody else has it now."""
        port = self._ports().get(name, 0)
        return port if port and why_not(port) is None else 0

    def remember_port(self, name: str, port: int) -> None:
        ports = self._ports()
        if ports.get(name) != port:
            self.write(self._ports_file.name, json.dumps({**ports, name: port}) + "\n")

    def _ports(self) -> dict[str, int]:
        try:
            ports = json.loads(self._ports_file.read_text())
            return {str(name): int(port) for name, port in ports.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def why_not(port: int, address: str = "127.0.0.1") -> OSError | None:
    """Why a server could not listen there now, None when it could."""
    try:
        _bound(port, address).close()
    except OSError as error:
        return error
    return None


def free_port() -> int:
    """A port on 127.0.0.1 where nobody listens."""
    probe = _bound(0, "127.0.0.1")
    try:
        return int(probe.getsockname()[1])
    finally:
        probe.close()


def _bound(port: int, address: str) -> socket.socket:
    family, kind, proto, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    probe = socket.socket(family, kind, proto)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(where)
    except OSError:
        probe.close()
        raise
    return probe
