"""`python -m tests.transport.suites --from FOLDER [--wstest PROGRAM]`: by hand; docs/transport-tests.md says what
lies in the folder."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.transport.suites import autobahn, protocol
from tests.transport.suites.result import Result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.transport.suites", description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, required=True, help="where the protocols' suites lie")
    parser.add_argument("--wstest", type=Path, help="the Autobahn suite's program")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for fanout in ("fast", "stock"):
            failed += tell(fanout, protocol.run(options.folder.resolve(), fanout, folder / f"log-{fanout}"))
            if options.wstest is not None:
                failed += tell(fanout, autobahn.run(options.wstest.resolve(), fanout, folder))
    return 1 if failed else 0


def tell(fanout: str, results: Iterable[Result]) -> int:
    """Prints what failed and what does not apply; returns how many failed."""
    found = list(results)
    for result in found:
        if result.failed:
            print(f"{fanout}: FAILED {result.title}: {result.why}")
    reasons = Counter(result.reason for result in found if result.reason is not None)
    passed = sum(result.passed and result.reason is None for result in found)
    failed = sum(result.failed for result in found)
    suites = ", ".join(sorted({result.title.partition(":")[0] for result in found}))
    print(f"{fanout}: {suites}: {passed} passed, {failed} failed")
    for reason, count in reasons.items():
        print(f"{fanout}:   {count} do not apply: {reason}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
