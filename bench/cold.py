"""What a cold start of each Lambda function takes on this machine: `python -m bench.cold [ROUNDS]`.

A fresh Python imports the handler out of its unpacked package, as the runtime does before the first request; in turn
with one that imports boto3 and makes a client of DynamoDB, which is what a function takes that is written without care.
CPU milliseconds, less those of a Python that imports nothing; medians.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.package import FUNCTIONS, build

BARE = "pass"
CARELESS = "import boto3; boto3.client('dynamodb', region_name='eu-west-1')"


def cpu_ms(code: str, folder: Path) -> float:
    """CPU time of a Python that runs this in that folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main(rounds: int) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    with tempfile.TemporaryDirectory() as folder:
        ways = {"bare": (BARE, Path(folder)), "boto3": (CARELESS, Path(folder))}
        for name in FUNCTIONS:
            build(name, Path(folder), version)
            ways[name] = (f"import chat.lambdas.{name}", Path(folder) / name)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds + 1):
            for name, (code, place) in ways.items():
                taken[name].append(cpu_ms(code, place))
    # The first round leaves bytecode behind, as the package has it.
    middle = {name: statistics.median(values[1:]) for name, values in taken.items()}
    careless = middle["boto3"] - middle["bare"]
    print("| function | ms of CPU | to boto3 with a client |\n|---|---|---|")
    for name in ("boto3", *FUNCTIONS):
        own = middle[name] - middle["bare"]
        print(f"| `{name}` | {own:.0f} | {own / careless:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
