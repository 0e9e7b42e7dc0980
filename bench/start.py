"""From nothing to the login page: `python -m bench.start [RUNS]`.

Clones the checkout into an empty folder with an empty HOME, types `make run`, asks for /login until it comes. Three
ways: a fresh clone with uv (if it is on the PATH), a fresh clone with pip, and once more in the same clone.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WITHIN_S = 300


def clone(into: Path) -> Path:
    """A fresh clone of what is committed."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(into)], check=True)
    return into


def path_without(name: str) -> str:
    """The PATH less the folders where `name` is."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / name).exists())


def start(checkout: Path, home: Path, path: str) -> float:
    """Seconds from `make run` to the login page; stops it again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UV_CACHE", "VIRTUAL_ENV"))}
    env |= {"HOME": str(home), "PATH": path, "PORT": str(port)}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run"],
        cwd=checkout,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - began > WITHIN_S:
                raise SystemExit(f"make run did not get there: {process.poll()}")
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    ways = {"uv": os.environ["PATH"], "pip": path_without("uv")}
    ways = {way: path for way, path in ways.items() if shutil.which("make", path=path)}
    if not shutil.which("uv"):
        del ways["uv"]
    times: dict[str, list[float]] = {}
    for _ in range(runs):
        for way, path in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                home = Path(folder) / "home"
                home.mkdir()
                checkout = clone(Path(folder) / "parley")
                times.setdefault(f"fresh clone, {way}", []).append(start(checkout, home, path))
                times.setdefault("once more", []).append(start(checkout, home, path))
    print(f"make run to the login page, seconds, median of {runs}")
    for what, seconds in times.items():
        print(f"  {what:18} {statistics.median(seconds):6.1f}   ({min(seconds):.1f} to {max(seconds):.1f})")


if __name__ == "__main__":
    main()
