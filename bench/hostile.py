"""A hundred who mean harm, beside five hundred who talk: `python -m bench.hostile`.

The caps of a shipped server hold (how much a person may write, how many sockets, wrong passwords); what is raised is
only what the crowd needs to come in. The hundred come from one address. See bench/crowd.py and bench/abusers.py.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from bench.abusers import WAYS
from bench.crowd import gathered, judged, measured, parser, told_load
from tests.conftest import ROOT
from tests.faults.run import Run
from tests.faults.site import PORT, URL

P99_MS, MORE_MIB = 250, 256
SHIPPED = {
    "SENDS_PER_USER": "100",
    "READS_PER_USER": "200",
    "ROOMS_PER_USER": "200",
    "INVITATIONS_PER_USER": "200",
    "LOGINS_PER_ACCOUNT": "200",
    "SOCKETS_PER_USER": "20",
    "SOCKETS_PER_ADDRESS": "400",
    "LOGIN_FAILURES_PER_ADDRESS": "50",
}
SETTLE_S = 3.0


def resident_mib(run: Run) -> float:
    """Of all workers."""
    pages = [
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for web in run.site.web for pid in web.worker_pids()
    ]
    return sum(pages) * 4096 / 2**20


class Watch:
    """`with Watch(run) as watch:`; `most_mib` is the most that the workers had meanwhile."""

    def __init__(self, run: Run):
        self._run = run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most_mib = resident_mib(run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.25):
            self.most_mib = max(self.most_mib, resident_mib(self._run))


def main() -> int:
    known = parser(__doc__, people=500, rooms=25, rate=50, seconds=30)
    known.add_argument("--abusers", type=int, default=100)
    known.add_argument("--ways", nargs="*", choices=[*WAYS], default=[], help="of theirs, these alone")
    options = known.parse_args()
    with gathered(options, **SHIPPED) as run:
        alone = measured(run, options.rate, options.seconds)
        print(f"alone: {json.dumps(alone)}", flush=True)
        run.crowd.forget_latencies()
        before_mib = resident_mib(run)
        argv = [sys.executable, "-m", "bench.abusers", str(PORT), URL, str(options.abusers), *options.ways]
        abusers = run.site.clients.spawn(argv, cwd=ROOT, stdin=-1, stdout=-1)
        assert abusers.stdin is not None and abusers.stdout is not None
        abusers.stdout.readline()  # all have begun
        with Watch(run) as watch:
            beside = measured(run, options.rate, options.seconds)
        did, _ = abusers.communicate("\n", timeout=30)
        time.sleep(SETTLE_S)
        print(
            f"beside {options.abusers}: {json.dumps(beside)}\nwhat they did: {did.strip()}\nload {told_load()}",
            flush=True,
        )
        print(f"the workers had {before_mib:.0f} MiB, {watch.most_mib:.0f} at most, {resident_mib(run):.0f} after it")
        more = round(watch.most_mib - before_mib)
        return judged(run, p99_ms=(beside["delivered_ms"]["p99"], P99_MS), more_mib=(more, MORE_MIB))


if __name__ == "__main__":
    sys.exit(main())
