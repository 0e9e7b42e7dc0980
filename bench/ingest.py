"""From a row that is put to the page that shows it: `python -m bench.ingest [ROWS]`.

The whole product as `make run` starts it, one socket, a row every quarter of a second or so, and in the same run
messages sent by HTTP, whose way is the same but for the stream.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.parley import Parley, new_id
from tests.e2e.peer import Peer
from tests.e2e.test_table_rows import Script

ROWS = 100


def main(rows: int) -> None:
    """Prints the median and the p99 of both, in milliseconds."""
    dice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder, Parley(Path(folder) / "data") as parley:
        ada = parley.person("Ada")
        room, script = ada.room("bench"), Script(parley)
        with Peer(ada) as peer:
            took: dict[str, list[float]] = {"a row put into the table": [], "a message sent by HTTP": []}
            for _ in range(rows):
                for name, act in (
                    ("a row put into the table", lambda text: script.put(room, new_id(), text)),
                    ("a message sent by HTTP", lambda text: ada.say(room, text)),
                ):
                    text = new_id()
                    began = time.monotonic()
                    act(text)
                    peer.hears("message:sent", lambda m, text=text: m["text"] == text)
                    took[name].append((time.monotonic() - began) * 1000)
                    time.sleep(dice.uniform(0, 0.3))
    for name, each in took.items():
        p99 = sorted(each)[int(len(each) * 0.99)]
        print(f"{name} is heard after {statistics.median(each):.0f} ms (median), {p99:.0f} ms (p99)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
