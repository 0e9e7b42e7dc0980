"""What a file's tests took is counted also for what they started and killed."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.timings import Computed, read, table

BUSY = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ntime.sleep(60)"


def test_what_a_child_computed_is_counted_also_when_it_is_killed():
    computed = Computed()
    before = computed.so_far_s()
    child = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True)
    assert child.stdout and child.stdout.readline() == "done\n"
    assert computed.so_far_s() - before >= 0.45
    child.kill()
    child.wait()
    child.stdout.close()
    assert computed.so_far_s() - before >= 0.45, "what it used is not taken back when it is gone"


def test_the_table_adds_up_by_folder():
    said = [
        {"file": "tests/a/test_x.py", "tests": 2, "wall_s": 10.0, "cpu_s": 4.0, "slowest": ["test_one", 6.0]},
        {"file": "tests/a/test_y.py", "tests": 1, "wall_s": 1.0, "cpu_s": 1.0, "slowest": ["test_two", 1.0]},
        {"file": "tests/test_z.py", "tests": 1, "wall_s": 3.0, "cpu_s": 0.0, "slowest": ["test_three", 3.0]},
    ]
    lines = table(read(map(json.dumps, said))).splitlines()
    assert lines[2:5] == ["| tests/a | 3 | 11 | 5 | 6 |", "| tests | 1 | 3 | 0 | 3 |", "| all | 4 | 14 | 5 | 9 |"]
    assert lines[8] == "| tests/a/test_x.py | 2 | 10 | 4 | `test_one` 6.0 s |"
