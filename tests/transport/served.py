"""An app of tests/transport under gunicorn, by the shipped gunicorn.conf.py: for tests and for commands run by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from chat.config import Config
from tests.conftest import ROOT, free_port, wait_until
from tests.logs import WATCHED
from tests.transport.peers import PATIENCE_S, Peer, get_json

OURS = {name.upper() for name in Config.__dataclass_fields__}


@dataclass
class Served:
    """A running server, whose app answers /healthz."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    fanout: str

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(get_json(self.port, "/healthz"))
        except (OSError, AssertionError):  # not listening yet, or not answering yet
            return False

    def end(self) -> None:
        """The workers end too before this returns: the port is free."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)


class Tiny(Served):
    """tests/transport/tiny.py."""

    def facts(self) -> dict[str, Any]:
        return get_json(self.port, "/facts")

    def peer(self, **options: Any) -> Peer:
        return Peer(self.port, **options)

    def entered(self, **options: Any) -> Peer:
        return Peer(self.port, **options).enter()

    def empty(self) -> None:
        """Waits until nothing is left of any socket."""
        names = ("engine", "environs", "connected", "pending", "open", "addresses")
        wait_until(lambda: not any(self.facts()[name] for name in names), PATIENCE_S, "nothing is left behind")


ServedT = TypeVar("ServedT", bound=Served)


def serve_tiny(log: Path, fanout: str, **settings: object) -> Tiny:
    """A tiny app that is ready; `settings` by their names in the environment, in small letters."""
    port = free_port()
    return _ready(Tiny(port, _spawn("tests.transport.tiny:app", port, log, fanout, settings), log, fanout))


def serve(app: str, port: int, log: Path, fanout: str, **settings: object) -> Served:
    """Any other app, likewise."""
    return _ready(Served(port, _spawn(app, port, log, fanout, settings), log, fanout))


def _spawn(app: str, port: int, log: Path, fanout: str, settings: dict[str, object]) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env |= {"FANOUT": fanout, "SECRET_KEY": "0123456789abcdef" * 3, "PORT": str(port)}
    env |= {name.upper(): str(value) for name, value in settings.items()}
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", app]
    WATCHED.file(log)
    return subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log.open("wb"), stderr=subprocess.STDOUT)


def _ready(server: ServedT) -> ServedT:
    try:
        wait_until(server.ready, 120, "the server is ready")
    except BaseException:
        server.end()
        raise
    return server
