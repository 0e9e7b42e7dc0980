"""G4, G5 and G10: what a connection costs while it does nothing, when it comes, and when thousands go at once."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.fanout import peers
from bench.fanout.finding import Claim, Finding
from bench.fanout.load import Load, Round, Server
from bench.fanout.machine import sockets_allowed, wait_until_quiet
from bench.fanout.product import Product
from bench.fanout.rounds import Effort

IDLE, COMING, GOING = 10_000, 2_000, 9_000
PEOPLE = 200  # of whom each has a socket: after a restart it is not one person who comes back
ROOM = 100  # members of each room of those who go
MESSAGES_PER_S = 100  # to see stalls of more than 10 ms
WATCH_S = 3.0
Start = Callable[[ExitStack, Path], peers.Peer]
STARTS: tuple[Start, ...] = (lambda stack, folder: peers.relay(stack, folder, "each"), peers.node)


def idle(folder: Path, effort: Effort) -> Finding:
    """Resident memory for each of ten thousand connections."""
    sockets = sockets_allowed(IDLE) // effort.divisor
    kilobytes: dict[str, list[float]] = {}
    for _ in range(min(3, effort.rounds)):
        for start in (*STARTS, *peers.parley_starts()):
            with ExitStack() as stack:
                server = start(stack, folder)
                with Load(server, folder, ["first"], 100, join=""):
                    pass  # what the first connections bring is not theirs
                before = server.rss_bytes()
                stack.enter_context(Load(server, folder, ["idle"], sockets, join=""))
                time.sleep(1)
                kilobytes.setdefault(server.name, []).append((server.rss_bytes() - before) / sockets / 1000)
    rows = {name: [statistics.median(each)] for name, each in kilobytes.items()}
    claims = [Claim("kB", rows[peers.PARLEY][0], 4, at_most=True)]
    return Finding("G4", "idle", "an idle connection", "kB resident", [f"of {sockets:,}"], rows, claims)


def connect(folder: Path, effort: Effort) -> Finding:
    """CPU of the server until a connection is open: with the transport alone, and with all that Parley does for it."""
    sockets = COMING // effort.divisor
    took: dict[str, list[float]] = {}
    with ExitStack() as stack:
        servers = [start(stack, folder) for start in (*STARTS, *peers.parley_starts())]
        whole = Product(stack, folder)
        people = [whole.parley.person("Many").cookie for _ in range(PEOPLE)]
        coming: list[tuple[str, Server, int, list[str]]] = [
            *((server.name, server, sockets, [""]) for server in servers),
            (whole.name, whole, sockets, [whole.cookie]),
            (f"{whole.name}, {PEOPLE} people", whole, PEOPLE, people),
        ]
        for turn in range(effort.rounds + 1):
            wait_until_quiet(effort.busy_share)
            for name, server, number, cookies in coming:
                with Load(server, folder, ["come"], number, join="", cookie="\n".join(cookies)) as load:
                    if turn:  # the first warms
                        took.setdefault(name, []).append(1e6 / load.connect_us)
                time.sleep(0.5)
    rows = {name: [statistics.median(each)] for name, each in took.items()}
    claims = [Claim("the whole of Parley to Node", rows[whole.name][0] / rows[peers.NODE][0], 2)]
    return Finding("G5", "connect", "connecting", "connects for a second of CPU", ["higher is better"], rows, claims)


def mass(folder: Path, effort: Effort) -> Finding:
    """Thousands of sockets close at once, while others talk."""
    sockets = sockets_allowed(GOING) // effort.divisor
    leave_ms: dict[str, list[float]] = {}
    stall_ms: dict[str, list[float]] = {}
    for _ in range(min(3, effort.rounds)):
        for start in (*STARTS, *peers.parley_starts()):
            with ExitStack() as stack:
                server = start(stack, folder)
                wait_until_quiet(effort.busy_share)
                quiet, going = _drop(server, folder, sockets)
            leave_ms.setdefault(server.name, []).append((going.server_us - quiet.server_us) / sockets / 1000)
            stall_ms.setdefault(server.name, []).append(going.max_us / 1000)
    rows = {name: [statistics.median(leave_ms[name]), statistics.median(stall_ms[name])] for name in leave_ms}
    own = rows[peers.PARLEY]
    claims = [
        Claim("ms of CPU a leave", own[0], 0.05, at_most=True),
        Claim("ms of the longest stall", own[1], 50, at_most=True),
    ]
    title = f"{sockets:,} dropped at once"
    return Finding("G10", "mass", title, "ms", ["CPU a leave", "longest stall"], rows, claims)


def _drop(server: peers.Peer, folder: Path, sockets: int) -> tuple[Round, Round]:
    """The same talk twice, without and with the drop in it."""
    rooms = [f"going{number}" for number in range(sockets // ROOM)]
    with Load(server, folder, rooms, ROOM) as going, Load(server, folder, ["talk"], 10) as talk:
        talk.rate(MESSAGES_PER_S, 0.5)
        quiet = talk.rate(MESSAGES_PER_S, WATCH_S)
        drop = threading.Timer(WATCH_S / 6, going.drop)
        drop.start()
        dropped = talk.rate(MESSAGES_PER_S, WATCH_S)
        drop.join()
        return quiet, dropped
