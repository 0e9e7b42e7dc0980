from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chat.config import Config
from tests.conftest import ROOT, free_port, wait_until
from tests.transport.peers import Peer, get_json

FANOUTS = [os.environ["FANOUT"]] if os.environ.get("FANOUT") else ["fast", "stock"]  # the transports that are tested
OURS = {name.upper() for name in Config.__dataclass_fields__}


@dataclass
class Tiny:
    """tests/transport/tiny.py under gunicorn, by the shipped gunicorn.conf.py."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    fanout: str

    def facts(self) -> dict[str, Any]:
        return get_json(self.port, "/facts")

    def peer(self, **options: Any) -> Peer:
        return Peer(self.port, **options)

    def entered(self, **options: Any) -> Peer:
        return Peer(self.port, **options).enter()

    def empty(self, within_s: float = 5.0) -> None:
        """Waits until nothing is left of any socket."""
        names = ("engine", "environs", "connected", "pending", "open", "addresses")
        wait_until(lambda: not any(self.facts()[name] for name in names), within_s, "nothing is left behind")


Start = Callable[..., Tiny]


@pytest.fixture(scope="module", params=FANOUTS)
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts further servers with other settings: `start(sockets_per_address=3)`. Ends them with the module. Every test
    that needs one runs on both transports."""
    started: list[Tiny] = []

    def start(**settings: object) -> Tiny:
        port = free_port()
        env = {name: value for name, value in os.environ.items() if name not in OURS}
        env["FANOUT"] = request.param
        env |= {"SECRET_KEY": "x" * 43, "PORT": str(port)} | {k.upper(): str(v) for k, v in settings.items()}
        log = tmp_path_factory.mktemp("tiny") / "log"
        argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "tests.transport.tiny:app"]
        process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log.open("wb"), stderr=subprocess.STDOUT)
        tiny = Tiny(port, process, log, request.param)
        started.append(tiny)

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return bool(tiny.facts())
            except (OSError, AssertionError):  # not listening yet, or not answering yet
                return False

        wait_until(ready, 60, "the server is ready")
        return tiny

    yield start
    for tiny in started:
        tiny.process.kill()
        tiny.process.wait(5)


@pytest.fixture(scope="module")
def shared(start: Start) -> Tiny:
    """One server for all tests of a module; what ends after ten seconds does so after two."""
    return start(hurry_s=2)


@pytest.fixture
def tiny(shared: Tiny) -> Iterator[Tiny]:
    """The module's server, empty before and after; afterwards its log has no traceback that no test expected."""
    shared.empty()
    before = shared.log.stat().st_size
    yield shared
    shared.empty()
    said = shared.log.read_text()[before:]
    assert "Traceback" not in said, said
