"""`python -m bench.embedded`: the embedded engine by itself.

Prints medians and fails when the newest 50 of 100,000 items take more than 1.5 times those of 1,000; never on a time.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.embedded.engine import start_engine

SIZES = (1_000, 100_000)
ROUNDS = 40
MAX_RATIO = 1.5


def timed_ms(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def make_table(client: Any, name: str) -> None:
    keys = (("room", "HASH"), ("id", "RANGE"))
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        KeySchema=[{"AttributeName": key, "KeyType": role} for key, role in keys],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )


def item(room: str, number: int) -> dict[str, Any]:
    return {"room": {"S": room}, "id": {"S": f"{number:012d}"}, "text": {"S": "x" * 120}, "n": {"N": str(number)}}


def fill(client: Any, room: str, count: int) -> None:
    def write(first: int) -> None:
        puts = [{"PutRequest": {"Item": item(room, n)}} for n in range(first, min(first + 25, count))]
        client.batch_write_item(RequestItems={"bench": puts})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(0, count, 25)))


def query(client: Any, room: str, comparison: str, number: int, forward: bool) -> None:
    found = client.query(
        TableName="bench",
        KeyConditionExpression=f"room = :room AND id {comparison} :id",
        ExpressionAttributeValues={":room": {"S": room}, ":id": {"S": f"{number:012d}"}},
        ScanIndexForward=forward,
        Limit=50,
        ConsistentRead=True,
    )
    assert found["Count"] == 50


def rate(work: Callable[[int], Any], count: int, writers: int) -> float:
    """How often `work` is done in a second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(work, range(count)))
    return count / (time.perf_counter() - began)


def main() -> int:
    """Exit code 1 when a large partition is slower than a small one."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        engine = start_engine(Path(folder))
        print(f"start: {(time.perf_counter() - began) * 1000:.0f} ms")
        client = engine.client()
        make_table(client, "bench")
        for size in SIZES:
            fill(client, f"room-{size}", size)
        ratios = [measure_reads(client, *case) for case in (("newest 50", "<", False), ("50 after X", ">", True))]
        measure_writes(client)
        status = Path(f"/proc/{engine.process.pid}/status")
        if status.exists():
            print(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")))
        engine.stop()
    return int(max(ratios) > MAX_RATIO)


def measure_reads(client: Any, name: str, comparison: str, forward: bool) -> float:
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            number = size // 2 if forward else size
            times[size].append(timed_ms(lambda s=size, n=number: query(client, f"room-{s}", comparison, n, forward)))
    medians = {size: statistics.median(values) for size, values in times.items()}
    ratio = medians[SIZES[1]] / medians[SIZES[0]]
    print(
        f"{name}: " + ", ".join(f"{m:.2f} ms of {size:,} items" for size, m in medians.items()) + f"; ratio {ratio:.2f}"
    )
    return ratio


def measure_writes(client: Any) -> None:
    def put(n: int) -> None:
        client.put_item(TableName="bench", Item=item("puts", n))

    def transact(n: int) -> None:
        puts = [{"Put": {"TableName": "bench", "Item": item(room, n)}} for room in ("slots", "claims")]
        client.transact_write_items(TransactItems=puts)

    for name, work in (("puts", put), ("transactions of two puts", transact)):
        alone = statistics.median(rate(work, 150, 1) for _ in range(3))
        together = statistics.median(rate(work, 600, 16) for _ in range(3))
        print(f"{name}: {alone:.0f}/s alone, {together:.0f}/s with 16 writers")


if __name__ == "__main__":
    sys.exit(main())
