"""Durable sends per second of server CPU: `python -m bench.messages [ROUNDS]`.

The whole product as `make run` starts it, sends through real sockets, each acked only when stored and delivered to
all sixteen sockets of the bench. Beside it, in the same rounds, what no chat on this engine can beat: the bare
TransactWriteItems of a send through boto3 in a loop.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import socketio

from tests.e2e.parley import Parley, Person, cpu_s, new_id

SOCKETS = 16
SENDS = 320
TEXT = "As many words as people usually say at once in a chat, which is not very many."


class Bench:
    """One product, one room, sixteen sockets, and a boto3 client for the bare engine."""

    def __init__(self, parley: Parley):
        self._parley = parley
        self._person = parley.person("Bench")
        self._room = self._person.room("bench")
        self._sockets = [self._connect(self._person) for _ in range(SOCKETS)]
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = parley.told["AWS_SHARED_CREDENTIALS_FILE"]
        self._dynamodb = boto3.client(
            "dynamodb", endpoint_url=parley.told["DYNAMODB_ENDPOINT"], region_name="eu-west-1"
        )
        self._parts = {"worker": parley.worker, "engine": parley.pid_of("chat.embedded.dynamodb")}
        self._bare = 0

    def _connect(self, person: Person) -> socketio.Client:
        client = socketio.Client(reconnection=False)
        client.connect(person.parley.url, headers={"Cookie": person.cookie}, transports=["websocket"])
        return client

    def close(self) -> None:
        for client in self._sockets:
            client.disconnect()

    def one_at_a_time(self) -> None:
        for n in range(SENDS):
            self._send(self._sockets[n % SOCKETS])

    def sixteen_in_flight(self) -> None:
        with ThreadPoolExecutor(SOCKETS) as pool:
            for done in [pool.submit(self._send_many, client) for client in self._sockets]:
                done.result()

    def _send_many(self, client: socketio.Client) -> None:
        for _ in range(SENDS // SOCKETS):
            self._send(client)

    def _send(self, client: socketio.Client) -> None:
        request = {"room": self._room, "client_id": new_id(), "text": TEXT, "after": 0}
        answer = client.call("message:send", request, timeout=20)
        if not answer["ok"]:
            raise SystemExit(f"refused: {answer}")

    def bare_transactions(self) -> None:
        """The two rows of a send, each on the condition that it does not exist."""
        for _ in range(SENDS):
            self._bare += 1
            slot = {"room": "B#bench#0", "id": f"{self._bare:012}", "kind": "message", "author": "bench", "text": TEXT}
            claim = {"pk": "C#bench", "sk": new_id(), "room": "bench", "hash": "0" * 64}
            self._dynamodb.transact_write_items(
                TransactItems=[_put("messages", slot, "room"), _put("chat", claim, "pk")]
            )

    def measure(self, work: Callable[[], None]) -> dict[str, float]:
        """Milliseconds for each send: of the clock, of the worker, of the engine, of this process."""
        before = {part: cpu_s(pid) for part, pid in self._parts.items()}
        mine, began = time.process_time(), time.perf_counter()
        work()
        took = {"clock": time.perf_counter() - began, "client": time.process_time() - mine}
        took |= {part: cpu_s(pid) - before[part] for part, pid in self._parts.items()}
        return {part: 1000 * seconds / SENDS for part, seconds in took.items()}


def _put(table: str, row: dict[str, str], key: str) -> dict[str, Any]:
    item = {name: {"S": value} for name, value in row.items()}
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": f"attribute_not_exists({key})"}}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder, Parley(Path(folder) / "data") as parley:
        bench = Bench(parley)
        ways = {
            "one at a time": bench.one_at_a_time,
            "16 in flight": bench.sixteen_in_flight,
            "bare transactions": bench.bare_transactions,
        }
        for work in ways.values():
            work()  # warm
        found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, work in ways.items():
                found[way].append(bench.measure(work))
        bench.close()
    report(found, rounds)


def report(found: dict[str, list[dict[str, float]]], rounds: int) -> None:
    """A table of medians; the client's CPU counts only where the client does the server's work."""
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, gevent {version('gevent')}, "
        f"Flask-SocketIO {version('flask-socketio')}, boto3 {version('boto3')}; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"medians of {rounds} interleaved rounds of {SENDS} durable sends; ms of CPU a send")
    print(f"  {'':18}{'worker':>8}{'engine':>8}{'boto3':>8}{'sum':>8}{'sends/CPU s':>13}{'sends/s':>9}{'to bare':>9}")
    medians = {}
    for way, times in found.items():
        middle = {part: statistics.median(took[part] for took in times) for part in times[0]}
        bare = way == "bare transactions"
        own = middle["client"] if bare else 0.0
        worker = 0.0 if bare else middle["worker"]
        medians[way] = (worker, middle["engine"], own, worker + middle["engine"] + own, middle["clock"])
    for way, (worker, engine, own, total, clock) in medians.items():
        ratio = medians["bare transactions"][3] / total
        parts = "".join(f"{part:8.2f}" for part in (worker, engine, own, total))
        print(f"  {way:18}{parts}{1000 / total:13.0f}{1000 / clock:9.0f}{ratio:9.2f}")


if __name__ == "__main__":
    main()
