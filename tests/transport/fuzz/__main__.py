"""`python -m tests.transport.fuzz --cases 1000000 --connections 20000 --requests 10000 --seed 1`: by hand."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.transport.fuzz import CASES, CONNECTIONS, REQUESTS, SEED, cases, sockets
from tests.transport.fuzz.cases import Found, Outcome
from tests.transport.served import serve_tiny

MIB = 1024 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.transport.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--cases", type=int, default=CASES, help="frames, packets and handshakes in this process")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="over sockets, to each transport")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="that smuggle, to each transport")
    parser.add_argument("--within", type=float, default=sockets.ENDS_S, help="seconds until each must have ended")
    parser.add_argument("--only", type=int, help="this case again, in this process")
    options = parser.parse_args()
    if options.only is not None:
        cases.run_case(options.seed, options.only)
        return 0
    try:
        tell("in process", lambda: cases.run(options.seed, range(options.cases)))
        for fanout in ("fast", "stock") if options.connections or options.requests else ():
            over_sockets(fanout, options)
    except Found as found:
        print(found, file=sys.stderr)
        return 1
    return 0


def over_sockets(fanout: str, options: argparse.Namespace) -> None:
    parts = ("connections", sockets.run, options.connections), ("requests", sockets.run_smuggling, options.requests)
    with tempfile.TemporaryDirectory() as folder:
        tiny = serve_tiny(Path(folder) / "log", fanout, hurry_s=sockets.HURRY_S)
        try:
            for name, run, count in parts:
                tell(f"{fanout}: {name}", partial(run, options.seed, range(count), tiny, options.within))
        finally:
            tiny.end()


def tell(what: str, run: Callable[[], Outcome]) -> None:
    outcome = run()
    print(
        f"{what}: {outcome.cases:,} cases in {outcome.seconds:.0f} s; the longest took {outcome.worst_s * 1000:.0f} ms "
        f"(case {outcome.worst_case}); memory grew by {outcome.growth_bytes / MIB:.1f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
