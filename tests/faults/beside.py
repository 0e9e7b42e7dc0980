"""`python -m tests.faults.beside COMMIT`: this version beside an earlier one, which is taken from the history.

A server of each, on one Redis and one set of tables; all scenes of tests.faults.stage, once for each seed, and now the
one, now the other is the first. Prints what the checker finds; exit status 0: nothing.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch

from tests import conftest
from tests.conftest import ROOT, LiveServer
from tests.faults.checker import Violation, judge
from tests.faults.stage import SCENES, Backing, staged

SERVED = ("chat", "frontend/dist", "gunicorn.conf.py", "wsgi.py")
RUNS = 2
SHOWN = 5
STARTING = Lock()


def extract(commit: str, folder: Path) -> None:
    """Puts what a server needs of that commit there."""
    packed = subprocess.run(["git", "archive", commit, *SERVED], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def spawn_of(root: Path, *args: Any, **changes: Any) -> LiveServer:
    """A server of the version that lies there."""
    with STARTING, patch.object(conftest, "ROOT", root):
        return conftest.spawn_server(*args, **changes)


def play(backing: Backing, folder: Path, earlier: Path, seed: int) -> list[Violation]:
    """What the checker finds after all scenes."""
    spawns = [partial(spawn_of, root) for root in (ROOT, earlier)]
    with staged(backing, folder, seed, spawns[:: 1 if seed % 2 else -1]) as stage:
        for name in random.Random(seed).sample(sorted(SCENES), len(SCENES)):
            SCENES[name](stage)
        stage.fleet.load()
        return judge(stage.people.evidence())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("commit")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    chosen = parser.parse_args(argv)
    alarms = 0
    with tempfile.TemporaryDirectory() as name, Backing(Path(name)) as backing:
        extract(chosen.commit, earlier := Path(name) / "earlier")
        for seed in range(chosen.seed, chosen.seed + chosen.runs):
            found = play(backing, Path(name), earlier, seed)
            print(f"seed {seed}: {len(found)} violations", *found[:SHOWN], sep="\n  ", flush=True)
            alarms += bool(found)
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
