"""G7: two workers with Redis between them, Parley's bus beside Node's adapter."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.fanout import peers
from bench.fanout.finding import Claim, Finding
from bench.fanout.load import Load
from bench.fanout.machine import wait_until_quiet
from bench.fanout.rounds import Effort, interleaved, middle

ROOMS = {10: 10, 100: 4, 1000: 1}  # of each size, so that both workers have members
OUTSTANDING, CONCURRENT = 2, 500


def workers(folder: Path, effort: Effort) -> Finding:
    """CPU of both workers for a delivery; and whether hundreds of emits at once lose any."""
    rows: dict[str, list[float]] = {}
    with ExitStack() as stack:
        url = f"redis://127.0.0.1:{peers.redis(stack, folder)}"
        servers = [
            peers.node(stack, folder, REDIS_URL=url),
            *(start(stack, folder, WORKERS="2", REDIS_URL=url) for start in peers.parley_starts()),
        ]
        for members, number in ROOMS.items():
            with ExitStack() as loads:
                ways = {}
                for server in servers:
                    rooms = [f"{server.port}-{members}-{each}" for each in range(number)]
                    load = loads.enter_context(Load(server, folder, rooms, members))
                    ways[server.name] = partial(load.load, OUTSTANDING, effort.seconds)
                wait_until_quiet(effort.busy_share)
                for name, rounds in interleaved(ways, effort.beside_others).items():
                    rows.setdefault(name, []).append(middle(rounds, lambda each: each.per_delivery_us))
        for server in servers:
            with Load(server, folder, ["concurrent"], 10) as load:
                rows[server.name].append(load.load(CONCURRENT, effort.seconds).lost)
    own, node = rows[peers.PARLEY], rows[peers.NODE]
    claims = [Claim(f"Node to Parley at N = {n}", node[at] / own[at], 3) for at, n in enumerate(ROOMS)]
    claims.append(Claim(f"lost with {CONCURRENT} at once", own[-1], 0, at_most=True))
    columns = [*(f"N = {members:,}" for members in ROOMS), f"lost of {CONCURRENT}"]
    return Finding("G7", "workers", "two workers and Redis", "µs of CPU a delivery", columns, rows, claims)
