"""G1 and G2: the server's CPU for a delivery, with one message under way, and with as many as keep it busy."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.fanout import peers
from bench.fanout.finding import Claim, Finding
from bench.fanout.load import Load
from bench.fanout.rounds import Effort, interleaved, middle

MEMBERS = (10, 100, 1000)
MOST_TO_C, LEAST_TO_NODE = 1.35, 1.4
MOST_TO_JOINED, LEAST_TO_NODE_BUSY = 2.2, {10: 5, 100: 8, 1000: 4}
OUTSTANDING = 8


def w1(folder: Path, effort: Effort) -> Finding:
    """One message under way: nothing can be joined, so this is what a delivery costs."""
    rows = _measured(folder, effort, outstanding=1, joined=False)
    claims = []
    for index, members in enumerate(MEMBERS):
        own, c, node = (rows[name][index] for name in (peers.PARLEY, peers.C, peers.NODE))
        claims.append(Claim(f"to C at N = {members}", own / c, MOST_TO_C, at_most=True))
        claims.append(Claim(f"Node to Parley at N = {members}", node / own, LEAST_TO_NODE))
    return Finding("G1", "w1", "a broadcast alone", "µs of CPU a delivery", _columns(), rows, claims)


def burst(folder: Path, effort: Effort) -> Finding:
    """Eight messages under way in the room: the server has always something to do."""
    rows = _measured(folder, effort, outstanding=OUTSTANDING, joined=True)
    claims = []
    for index, members in enumerate(MEMBERS):
        own, c, node = (rows[name][index] for name in (peers.PARLEY, peers.JOINED_C, peers.NODE))
        claims.append(Claim(f"Node to Parley at N = {members}", node / own, LEAST_TO_NODE_BUSY[members]))
        claims.append(Claim(f"to joined C at N = {members}", own / c, MOST_TO_JOINED, at_most=True))
    return Finding("G2", "burst", "broadcasts without a pause", "µs of CPU a delivery", _columns(), rows, claims)


def _columns() -> list[str]:
    return [f"N = {members:,}" for members in MEMBERS]


def _measured(folder: Path, effort: Effort, outstanding: int, joined: bool) -> dict[str, list[float]]:
    rows: dict[str, list[float]] = {}
    with ExitStack() as stack:
        servers = [peers.relay(stack, folder, "each"), *([peers.relay(stack, folder, "joined")] if joined else [])]
        servers += [peers.node(stack, folder), *peers.parleys(stack, folder)]
        for members in MEMBERS:
            with ExitStack() as loads:
                ways = {
                    peer.name: partial(
                        loads.enter_context(Load(peer, folder, ["r0"], members)).load, outstanding, effort.seconds
                    )
                    for peer in servers
                }
                for name, rounds in interleaved(ways, effort).items():
                    rows.setdefault(name, []).append(middle(rounds, lambda each: each.per_delivery_us))
    return rows
