"""Back after a day: 100,000 messages missed in 50 rooms. `python -m bench.away`.

The whole product as `make run` starts it, one worker. How soon the page of somebody who comes back is usable, how long
it takes to read everything that was missed, page after page, and what somebody else who talks meanwhile notices.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from playwright.sync_api import expect, sync_playwright

from chat.models import Entry, Message
from chat.services.storage.entries import log_row
from chat.services.storage.values import pack
from tests.e2e.browser import ARGS, CHROMIUM, Visitors
from tests.e2e.parley import Parley, Person, keys_of, new_id
from tests.e2e.peer import Peer

ROOMS, EACH = 50, 2_000
SIDE_BY_SIDE = 4
TURNS = 5


def main() -> int:
    """Prints the figures; 1 when something was missing or out of order."""
    with tempfile.TemporaryDirectory() as folder, Parley(Path(folder) / "data") as parley:
        ada, grace = parley.person("Ada"), parley.person("Grace")
        rooms = [grace.room(f"away {number}", ada) for number in range(ROOMS)]
        began = time.monotonic()
        for room in rooms:
            fill(parley, room, grace)
        print(f"{ROOMS * EACH:,} messages in {ROOMS} rooms were written in {time.monotonic() - began:.0f} s")
        print(f"usable after {statistics.median(usable(parley, ada, rooms)):.2f} s (median of {TURNS})")
        with Peer(grace) as talker:
            alone: list[float] = []
            beside: list[float] = []
            done = threading.Event()
            talk(talker, "general", lambda: len(alone) < 50, alone)
            talking = threading.Thread(target=talk, args=(talker, "general", lambda: not done.is_set(), beside))
            talking.start()
            began = time.monotonic()
            with ThreadPoolExecutor(SIDE_BY_SIDE) as readers:
                found = list(readers.map(lambda room: ada.everything(room), rooms))
            took = time.monotonic() - began
            done.set()
            talking.join()
        complete = all([seq for seq, *_ in each][:EACH] == list(range(3, EACH + 3)) for each in found)
        state = "complete and in order" if complete else "NOT COMPLETE"
        print(f"all of it, {SIDE_BY_SIDE} rooms at a time, after {took:.1f} s: {state}")
        print(f"a send meanwhile: {p(beside, 0.5)} ms (median), {p(beside, 0.99)} ms (p99); alone {p(alone, 0.5)} ms")
        return 0 if complete else 1


def fill(parley: Parley, room: str, author: Person, messages: int = EACH) -> None:
    """So many messages behind the two entries that made the room, as a worker would have written them."""
    client = boto3.Session().client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=parley.told["DYNAMODB_ENDPOINT"],
        **keys_of(parley.told["AWS_SHARED_CREDENTIALS_FILE"]),
    )
    at_ms = int(time.time() * 1000) - 24 * 3600 * 1000

    def put(first: int) -> None:
        puts = []
        for seq in range(first, min(first + 25, messages + 3)):
            text = f"Message {seq}, about as long as people's messages usually are."
            snapshot = Message(room, seq, seq, new_id(), author.user, author.name, text, at_ms + seq)
            puts.append({"PutRequest": {"Item": pack(log_row(Entry(room, seq, "message", at_ms + seq), snapshot))}})
        client.batch_write_item(RequestItems={"messages": puts})

    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        for _ in threads.map(put, range(3, messages + 3, 25)):
            pass


def usable(parley: Parley, person: Person, rooms: list[str]) -> list[float]:
    """Seconds from asking for the page to the newest message shown, in sync and ready to be typed into."""
    took = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for turn in range(TURNS):
            with Visitors(parley, browser) as visitors:
                visitor = visitors()
                visitor.sign_in(person.name)
                began = time.monotonic()
                visitor.page.goto(f"/r/{rooms[turn]}")
                expect(visitor.composer).to_be_editable()
                visitor.in_sync()
                expect(visitor.log.get_by_test_id("message-text").first).to_be_visible()
                took.append(time.monotonic() - began)
        browser.close()
    return took


def talk(peer: Peer, room: str, go_on: Callable[[], bool], took: list[float]) -> None:
    """Sends one message after the other; milliseconds to each ack."""
    while go_on():
        began = time.monotonic()
        assert peer.send(room, "hello")["ok"]
        took.append((time.monotonic() - began) * 1000)
        time.sleep(0.05)


def p(values: list[float], share: float) -> int:
    return round(sorted(values)[int(len(values) * share)])


if __name__ == "__main__":
    sys.exit(main())
