"""The clock jumps for whoever runs under it, and only the wall clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.faults.clock import Clock, library

TELLS = """
import json, sys, time
while sys.stdin.readline():
    began = time.monotonic()
    time.sleep(0.05)
    print(json.dumps([time.time(), time.monotonic(), time.monotonic() - began]), flush=True)
"""


@pytest.mark.skipif(library() is None, reason="clocks that jump need libfaketime")
def test_a_clock_jumps_both_ways_and_time_goes_on_as_before(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    with subprocess.Popen(
        [sys.executable, "-c", TELLS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **clock.env},
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        asked, told = process.stdin, process.stdout

        def off_by() -> float:
            asked.write("\n")
            asked.flush()
            wall, monotonic, slept = json.loads(told.readline())
            assert abs(monotonic - time.monotonic()) < 1 and 0.04 < slept < 1
            return wall - time.time()

        for offset_s in (0, 3600, -3600, 0):
            clock.set(offset_s)
            wait_until(lambda offset_s=offset_s: abs(off_by() - offset_s) < 1, 5, f"the clock is off by {offset_s} s")
        asked.close()
