"""G6: messages that are stored before anybody sees them; the application's CPU, not the store's.

Both write to the same store, the embedded engine, on the client's core. Parley does all that it does for a message:
session, limits, membership, number, slot and claim in one transaction, delivery in order. Node puts one item.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.fanout import peers
from bench.fanout.finding import Claim, Finding
from bench.fanout.load import JOIN, Load, Round
from bench.fanout.machine import wait_until_quiet
from bench.fanout.product import Product, send_event
from bench.fanout.rounds import Effort, interleaved, middle

MEMBERS = {"one at a time": (10, 1), "N = 10": (10, 10), "N = 100": (100, 100)}  # sockets, messages under way
GOALS = {"one at a time": 1, "N = 10": 4, "N = 100": 4}
SECONDS = 3.0


def durable(folder: Path, effort: Effort) -> Finding:
    """A room whose members each have a message under way."""
    rows: dict[str, list[float]] = {}
    with ExitStack() as stack:
        product = Product(stack, folder)
        told = product.parley.told
        node = peers.node(
            stack,
            folder,
            script="durable.js",
            DYNAMODB_ENDPOINT=told["DYNAMODB_ENDPOINT"],
            AWS_SHARED_CREDENTIALS_FILE=told["AWS_SHARED_CREDENTIALS_FILE"],
            AWS_REGION="eu-west-1",
        )
        for members, outstanding in MEMBERS.values():
            room = product.person.room("bench")
            with ExitStack() as loads:
                store = product.beside_us
                ours = Load(product, folder, [room], members, send_event(), "", product.cookie, store)
                theirs = Load(node, folder, [room], members, send_event(), JOIN, beside=store)
                ways = {
                    load.peer.name: partial(loads.enter_context(load).load, outstanding, SECONDS * effort.seconds)
                    for load in (theirs, ours)
                }
                wait_until_quiet(effort.busy_share)
                for name, rounds in interleaved(ways, effort.beside_others).items():
                    rows.setdefault(name, []).append(middle(rounds, _message_us))
    claims = [
        Claim(f"Node to Parley, {way}", rows[node.name][index] / rows[product.name][index], GOALS[way])
        for index, way in enumerate(MEMBERS)
    ]
    return Finding(
        "G6", "durable", "durable messages", "µs of the application's CPU a message", list(MEMBERS), rows, claims
    )


def _message_us(found: Round) -> float:
    return found.per_message_us
