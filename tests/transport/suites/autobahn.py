"""The Autobahn suite's client, `wstest`, against the websocket alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import free_port
from tests.transport.served import serve
from tests.transport.suites.protocol import TEXT_ONLY
from tests.transport.suites.result import Result

PATH = "/socket.io/?EIO=4&transport=websocket"
WITHIN_LIMITS, BEYOND = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*", "12.*", "13.*"], ["9.*"]
FINE = {"OK", "NON-STRICT", "INFORMATIONAL"}  # the second: allowed, if late (6.4: text is judged when it is whole)
NOT_APPLICABLE = dict.fromkeys(("1.2.", "9.2.", "9.4.", "9.6.", "9.8."), TEXT_ONLY)
NOT_APPLICABLE |= dict.fromkeys(("12.", "13."), "no extension is agreed on: nothing is compressed")


def run(wstest: Path, fanout: str, folder: Path) -> Iterator[Result]:
    """All cases; those of group 9, of up to 16 MiB, with the chat's limits lifted. Reports are left in the folder."""
    for cases, lifted in ((WITHIN_LIMITS, False), (BEYOND, True)):
        port = free_port()
        app = "tests.transport.suites.echo_app:app"
        server = serve(app, port, folder / f"log-{fanout}-{lifted}", fanout, lifted=int(lifted))
        try:
            yield from _run(wstest, f"{fanout}{'-lifted' if lifted else ''}", port, cases, folder)
        finally:
            server.end()


def _run(wstest: Path, agent: str, port: int, cases: list[str], folder: Path) -> Iterator[Result]:
    reports, spec = folder / agent, folder / f"{agent}.json"
    server = {"agent": agent, "url": f"ws://localhost:{port}{PATH}"}
    spec.write_text(json.dumps({"outdir": str(reports), "servers": [server], "cases": cases, "exclude-cases": []}))
    subprocess.run([wstest, "-m", "fuzzingclient", "-s", spec], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for case, found in json.loads((reports / "index.json").read_text())[agent].items():
        behaviour = {found["behavior"], found["behaviorClose"]}
        reason = next((reason for part, reason in NOT_APPLICABLE.items() if case.startswith(part)), None)
        yield Result(f"autobahn: {case}", behaviour <= FINE, ", ".join(sorted(behaviour)), reason)
