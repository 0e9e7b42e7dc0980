"""G12: pages and unread counts of rooms with a short and with a very long history."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.away import fill
from bench.fanout.finding import Claim, Finding
from bench.fanout.machine import wait_until_quiet
from bench.fanout.product import Product
from bench.fanout.rounds import Effort

SIZES = (1_000, 100_000, 1_000_000)
ASKED = 20  # times a round
AS_FAST = 1.25


def history(folder: Path, effort: Effort) -> Finding:
    """The newest page, one from the middle, and the list of rooms with its unread count, by HTTP."""
    asked: dict[int, dict[str, Callable[[], object]]] = {}
    with ExitStack() as stack:
        product = Product(stack, folder)
        author = product.person
        for size in (SIZES[0], *(size // effort.divisor for size in SIZES[1:])):
            reader = product.parley.person("Reader")
            room = reader.room("long")
            fill(product.parley, room, author, size)
            asked[size] = {
                "newest 50": lambda reader=reader, room=room: reader.page(room, "limit=50"),
                "50 from the middle": lambda reader=reader, room=room, at=size // 2: reader.page(
                    room, f"before={at}&limit=50"
                ),
                "rooms and unread": lambda reader=reader: reader.get("/api/rooms"),
            }
        wait_until_quiet(effort.busy_share)
        took = {size: {what: [] for what in ways} for size, ways in asked.items()}
        for _ in range(effort.rounds * ASKED):
            for size, ways in asked.items():
                for what, ask in ways.items():
                    began = time.perf_counter()
                    ask()
                    took[size][what].append((time.perf_counter() - began) * 1000)
    rows = {f"{size:,} messages": [statistics.median(each) for each in ways.values()] for size, ways in took.items()}
    first, *larger = rows.items()
    columns = list(asked[SIZES[0]])
    claims = [
        Claim(f"{what}, {name} to {first[0]}", row[at] / first[1][at], AS_FAST, at_most=True)
        for name, row in larger
        for at, what in enumerate(columns)
    ]
    return Finding("G12", "history", "long histories", "ms a request", columns, rows, claims)
