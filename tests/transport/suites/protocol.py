"""The suites of the Engine.IO and Socket.IO protocols: mocha runs them, in Node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.transport.served import serve
from tests.transport.suites.result import Result

PORT = 3000  # stands in the suites
SUITES = ("engine.io-protocol", "socket.io-protocol")
POLLING = "sockets are websocket only"
TEXT_ONLY = "the chat speaks text only: binary frames are refused with 1003"
ONE_NAMESPACE = "the chat has one namespace"
LEFT = "who leaves the one namespace does not keep the connection"
NOT_APPLICABLE = {
    "HTTP long-polling": POLLING,
    "upgrade": POLLING,
    "binary": TEXT_ONLY,
    "custom namespace": ONE_NAMESPACE,
    "disconnect from the main namespace": LEFT,
}


def run(folder: Path, fanout: str, log: Path) -> Iterator[Result]:
    """All tests of both suites, which lie in the folder with their dependencies installed."""
    server = serve("tests.transport.suites.protocol_app:app", PORT, log, fanout)
    try:
        for suite in SUITES:
            yield from _run(folder / suite / "test-suite")
    finally:
        server.end()


def _run(suite: Path) -> Iterator[Result]:
    argv = ["node_modules/.bin/mocha", "--exit", "--reporter", "json", "test-suite.js"]
    done = subprocess.run(argv, cwd=suite, capture_output=True, text=True, timeout=600)
    if not done.stdout.startswith("{"):
        raise RuntimeError(done.stderr)
    for test in json.loads(done.stdout)["tests"]:
        title = f"{suite.parent.name}: {test['fullTitle']}"
        reason = next((reason for part, reason in NOT_APPLICABLE.items() if part in title), None)
        yield Result(title, not test["err"], test["err"].get("message", ""), reason)
