"""The clock jumps for whoever runs under it, and only the wall clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chat.config import Config
from tests.conftest import ROOT, wait_until
from tests.faults.clock import Clock, library

TELLS = """
import json, sys, time
while sys.stdin.readline():
    began = time.monotonic()
    time.sleep(0.05)
    print(json.dumps([time.time(), time.monotonic(), time.monotonic() - began]), flush=True)
"""


ASKS = """
from chat.config import Config
from chat.errors import ChatError
from chat.services.storage.storage import Storage
storage = Storage.connect(Config.from_env())
try:
    print(storage.users.get("nobody"))
except ChatError as error:
    print(error.code)
"""
pytestmark = pytest.mark.skipif(library() is None, reason="clocks that jump need libfaketime")


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
            assert abs(monotonic - time.monotonic()) < 60 and 0.04 < slept < 60, "only the wall clock jumps"
            return wall - time.time()

        for offset_s in (0, 3600, -3600, 0):
            clock.set(offset_s)
            wait_until(lambda offset_s=offset_s: abs(off_by() - offset_s) < 1, 30, f"the clock is off by {offset_s} s")
        asked.close()


@pytest.mark.parametrize(("offset_s", "said"), [(600, "None"), (3600, "unavailable"), (-3600, "unavailable")])
def test_a_host_whose_clock_is_an_hour_off_finds_dynamodb_unavailable(
    config: Config, tmp_path: Path, offset_s: int, said: str
) -> None:
    clock = Clock(tmp_path / "clock")
    clock.set(offset_s)
    names = ("secret_key", "dynamodb_endpoint", "table_prefix")
    env = {**os.environ, **clock.env, **{name.upper(): getattr(config, name) for name in names}}
    argv = [sys.executable, "-c", ASKS]
    env["PYTHONPATH"] += f":{ROOT}"
    assert subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120).stdout.strip() == said
