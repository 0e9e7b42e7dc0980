"""One person who does all there is, as fast as it goes, beside one who talks: `python -m bench.one_person [SECONDS]`.

One worker, its Redis and its engine, with the caps of a shipped server. Alice sends a message every 125 ms over one
connection and waits for its ack, alone and then beside Mallory, who sends, asks for large pages and lists, makes rooms
and invites, each over several connections; two rounds of both. Alice's p99 beside him is to be at most twice that of
alone, in one run.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.conftest import start_server
from tests.e2e.parley import PASSWORD, Person, new_id
from tests.faults.people import Door
from tests.faults.stage import Backing

ROUNDS, SECONDS, EVERY_S = 2, 45.0, 0.125  # eight a second: fewer than she may
TIMES = 2.0
PAUSE_S = 0.02  # of Mallory's, after a refusal: who is refused at once could do nothing else but ask
WAYS = {"send": 6, "page": 6, "list": 3, "create": 2, "invite": 2}  # over so many connections each


class Caller:
    """Asks over one kept connection, with a cookie."""

    def __init__(self, port: int, cookie: str):
        self._connection = http.client.HTTPConnection("localhost", port, timeout=30)
        self._headers = {"Cookie": cookie, "Content-Type": "application/json"}

    def ask(self, method: str, path: str, **body: str) -> int:
        self._connection.request(method, path, json.dumps(body) if body else None, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def acks_ms(port: int, cookie: str, seconds: float) -> list[float]:
    """How long each of Alice's messages took."""
    caller, took = Caller(port, cookie), []
    until = time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        status = caller.ask("POST", "/api/rooms/general/messages", client_id=new_id(), text="hello")
        took.append((time.monotonic() - began) * 1000 if status == 201 else 30_000)
        time.sleep(max(0.0, began + EVERY_S - time.monotonic()))
    return took


def ask(caller: Caller, way: str) -> int:
    if way == "send":
        return caller.ask("POST", "/api/rooms/general/messages", client_id=new_id(), text="x" * 3_900)
    if way == "page":
        return caller.ask("GET", "/api/rooms/general/messages?limit=200")
    if way == "list":
        return caller.ask("GET", "/api/rooms")
    if way == "create":
        return caller.ask("POST", "/api/rooms", client_id=new_id(), name=f"Room {new_id()[:8]}", kind="private")
    return caller.ask("POST", "/api/rooms/general/invite", client_id=new_id(), username="alice")


def mallory(port: int, cookie: str) -> None:
    """Does all of it until a line on stdin; prints what he was answered."""
    told: Counter[str] = Counter()
    over = threading.Event()

    def go(way: str) -> None:
        caller = Caller(port, cookie)
        while not over.is_set():
            try:
                status = ask(caller, way)
            except (OSError, http.client.HTTPException):
                caller, status = Caller(port, cookie), 0
            told[f"{way} {status}"] += 1
            if status >= 400:
                time.sleep(PAUSE_S)

    threads = [threading.Thread(target=go, args=(way,)) for way, many in WAYS.items() for _ in range(many)]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    sys.stdin.readline()
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(told), flush=True)


def main(seconds: float) -> int:
    with tempfile.TemporaryDirectory() as name, Backing(Path(name)) as backing:
        live = start_server(backing.config(), Path(name), workers=1)
        try:
            people = [Person(Door(live.url), each) for each in ("alice", "mallory")]  # type: ignore[arg-type]
            for person in people:
                assert person.post("/api/auth/register", username=person.name, password=PASSWORD)[0] == 201
                person.sign_in()
            alice, his = (person.cookie for person in people)
            acks_ms(live.port, alice, 2.0)
            alone, beside, did = [], [], Counter[str]()
            for _ in range(ROUNDS):
                alone += acks_ms(live.port, alice, seconds)
                argv = [sys.executable, "-m", "bench.one_person", "mallory", str(live.port), his]
                other = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                assert other.stdout is not None
                other.stdout.readline()
                beside += acks_ms(live.port, alice, seconds)
                did.update(json.loads(other.communicate("\n", timeout=60)[0]))
        finally:
            live.stop()
    p50, p99 = ([sorted(each)[int(len(each) * at)] for each in (alone, beside)] for at in (0.5, 0.99))
    ratio = p99[1] / p99[0]
    print(f"p50 {p50[0]:.1f} ms alone, {p50[1]:.1f} beside")
    print(f"p99 {p99[0]:.1f} ms alone, {p99[1]:.1f} beside: {ratio:.2f} times")
    print(f"Mallory was answered {dict(did)}; load of the machine {os.getloadavg()[0]:.1f}")
    return 0 if ratio <= TIMES else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["mallory"]:
        mallory(int(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
