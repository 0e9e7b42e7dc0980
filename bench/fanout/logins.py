"""G8: what people who talk notice of people who sign in."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

from bench.fanout.finding import Claim, Finding
from bench.fanout.load import Load, Round
from bench.fanout.product import Product, send_event
from bench.fanout.rounds import Effort, interleaved, middle
from tests.e2e.parley import PASSWORD, Person

MEMBERS, MESSAGES_PER_S, SECONDS = 10, 20, 5.0
LOGINS_PER_S, PEOPLE = 20, 200
UNDER_WAY = 200  # those that are let in wait for eight seconds behind a queue of 32


def logins(folder: Path, effort: Effort) -> Finding:
    """Twenty logins a second at cost 12, whether each is let in or told to come back (503)."""
    with ExitStack() as stack:
        product = Product(stack, folder, BCRYPT_COST="12")
        product.everywhere()
        people = [product.parley.person("Login") for _ in range(PEOPLE)]
        room = product.person.room("bench")
        load = stack.enter_context(Load(product, folder, [room], MEMBERS, send_event(), "", product.cookie))
        alone = partial(load.rate, MESSAGES_PER_S, SECONDS * effort.seconds)
        ways = {"nobody signs in": alone, f"{LOGINS_PER_S} logins/s": lambda: _beside(people, alone)}
        found = interleaved(ways, effort.beside_others)
    rows = {
        name: [middle(rounds, lambda each: each.p50_us / 1000), middle(rounds, lambda each: each.p99_us / 1000)]
        for name, rounds in found.items()
    }
    without, beside = rows.values()
    claims = [Claim("p99 to that without", beside[1] / without[1], 2, at_most=True)]
    return Finding("G8", "logins", "people who sign in", "ms from send to delivery", ["p50", "p99"], rows, claims)


def _beside(people: list[Person], measure: partial[Round]) -> Round:
    """What is measured while they sign in, one every twentieth of a second whatever became of those before.

    Raises: what became of a sign-in that was not answered."""
    over = threading.Event()
    with ThreadPoolExecutor(UNDER_WAY) as threads:
        offered = threads.submit(_offer, people, threads, over)
        try:
            measured = measure()
        finally:
            over.set()
        for each in offered.result():
            each.result()
    return measured


def _offer(people: list[Person], threads: ThreadPoolExecutor, over: threading.Event) -> list[Future[None]]:
    began, offered = time.monotonic(), []
    for person in cycle(people):
        if over.wait(max(0.0, began + len(offered) / LOGINS_PER_S - time.monotonic())):
            break
        offered.append(threads.submit(_sign_in, person))
    return offered


def _sign_in(person: Person) -> None:
    status, answer = person.post("/api/auth/login", username=person.name, password=PASSWORD)
    assert status in (200, 503), answer
