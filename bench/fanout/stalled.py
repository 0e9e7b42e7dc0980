"""G9: one member of a room reads nothing any more."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

from bench.fanout import peers
from bench.fanout.finding import Claim, Finding
from bench.fanout.load import Load, say
from bench.fanout.rounds import Effort

MEMBERS, OUTSTANDING, SIZE = 10, 8, 4_000
SECONDS = 5.0  # so much is sent meanwhile that the kernel's buffers are full long before


def stalled(folder: Path, effort: Effort) -> Finding:
    """Whether it is cut, what it takes until then, and what the others lose."""
    rows: dict[str, list[float]] = {}
    for start in (peers.node, *peers.parley_starts()):
        with ExitStack() as stack:
            server = start(stack, folder)
            load = stack.enter_context(Load(server, folder, ["r0"], MEMBERS, event=say(SIZE)))
            load.load(OUTSTANDING, SECONDS)
            with Peak(server) as usual:
                load.load(OUTSTANDING, SECONDS)
            load.stall()
            with Peak(server) as peak:
                found = load.load(OUTSTANDING, SECONDS)
            rows[server.name] = [(peak.bytes - usual.bytes) / 2**20, found.closed, found.lost]
    growth, cut, lost = rows[peers.PARLEY]
    claims = [
        Claim("MiB", growth, 2, at_most=True),
        Claim("cut", cut, 1),
        Claim("deliveries that others lost", lost, 0, at_most=True),
    ]
    columns = ["MiB more", "cut", "lost by others"]
    return Finding("G9", "stalled", "a reader that stalls", "of one stalled reader", columns, rows, claims)


class Peak:
    """The most memory that a server had meanwhile, looked at every five milliseconds."""

    def __init__(self, server: peers.Peer):
        self._server = server
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look)
        self.bytes = 0

    def __enter__(self) -> Peak:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._over.is_set():
            self.bytes = max(self.bytes, self._server.rss_bytes())
            time.sleep(0.005)
