"""G3 and G11: how long a delivery takes at a steady rate, and with thousands of sockets that do nothing."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.fanout import peers
from bench.fanout.finding import Claim, Finding
from bench.fanout.load import Load
from bench.fanout.machine import sockets_allowed
from bench.fanout.rounds import Effort, interleaved, middle

ROOMS = [f"r{number}" for number in range(10)]
MEMBERS = 10
DELIVERIES_PER_S = 10_000
SECONDS = 2.0
IDLE = 8_000
COLUMNS = ["p50", "p99"]


def rate(folder: Path, effort: Effort) -> Finding:
    """Ten thousand deliveries a second, in ten rooms of ten."""
    with ExitStack() as stack:
        servers = [peers.relay(stack, folder, "each"), peers.node(stack, folder), *peers.parleys(stack, folder)]
        rows = _latencies([_load(stack, folder, server) for server in servers], effort)
    own, c, node = (rows[name] for name in (peers.PARLEY, peers.C, peers.NODE))
    claims = [
        Claim("p50 to C", own[0] / c[0], 1.5, at_most=True),
        Claim("p99 to C", own[1] / c[1], 2.0, at_most=True),
        Claim("p99 to Node", own[1] / node[1], 0.65, at_most=True),
    ]
    title = f"{DELIVERIES_PER_S:,} deliveries a second, N = {MEMBERS}"
    return Finding("G3", "rate", title, "µs from send to delivery", COLUMNS, rows, claims)


def idlep99(folder: Path, effort: Effort) -> Finding:
    """The same rate, in a worker that has thousands of idle sockets besides, and in one that has none."""
    idle = sockets_allowed(IDLE) // effort.divisor
    with ExitStack() as stack:
        loads = []
        for name, sockets in (("none", 0), (f"{idle:,} idle", idle)):
            server = peers.parley(stack, folder)
            if sockets:
                stack.enter_context(Load(server, folder, ["idle"], sockets, join=""))
            server.name = name
            loads.append(_load(stack, folder, server))
        rows = _latencies(loads, effort)
    none, many = rows.values()
    claims = [Claim("p99 to that without", many[1] / none[1], 1.2, at_most=True)]
    return Finding("G11", "idlep99", "with idle connections", "µs from send to delivery", COLUMNS, rows, claims)


def _load(stack: ExitStack, folder: Path, server: peers.Peer) -> Load:
    return stack.enter_context(Load(server, folder, ROOMS, MEMBERS))


def _latencies(loads: list[Load], effort: Effort) -> dict[str, list[float]]:
    ways = {load.peer.name: partial(load.rate, DELIVERIES_PER_S / MEMBERS, SECONDS * effort.seconds) for load in loads}
    return {
        name: [middle(rounds, lambda each: each.p50_us), middle(rounds, lambda each: each.p99_us)]
        for name, rounds in interleaved(ways, effort).items()
    }
