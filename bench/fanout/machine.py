"""The machine that is measured on: its cores, who uses them, what runs on it."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

BUSY_SHARE = 0.15  # of the two cores, used by others
WAIT_S = 60.0


class Refused(Exception):
    """What was to be measured cannot be measured here and now; says why."""


def cores() -> tuple[int, int]:
    """The core of the servers and that of the client. Raises: Refused."""
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:
        raise Refused("The server and the client need a core each, and there is only one.")
    return mine[-1], mine[-2]


def allow_files() -> None:
    """For a child before it begins: as many open files as it may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def sockets_allowed(number: int) -> int:
    """`number`. Raises: Refused when a process may not have so many open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < number + 500:
        raise Refused(
            f"{number:,} sockets need more open files than the {most:,} that a process may have (ulimit -Hn)."
        )
    return number


def cpu_us(*pids: int) -> float:
    """Microseconds that all threads of these processes have run so far, by the scheduler's own clock."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1000


def busy_us() -> float:
    """Microseconds that the two cores were not idle so far, from any moment on. Not the counts of user and system time
    beside it in /proc/stat: those look once a tick, and a load that comes by the clock is always there, or never, when
    they do."""
    names, idle = {f"cpu{core}" for core in cores()}, 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in names:
            idle += int(fields[3]) + int(fields[4])
    return len(names) * time.monotonic() * 1e6 - idle * 1e6 / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(share: float = BUSY_SHARE) -> None:
    """Waits a minute at most. Raises: Refused when others use more than `share` of the two cores all the time."""
    until = time.monotonic() + WAIT_S
    while True:
        before, began = busy_us(), time.monotonic()
        time.sleep(1)
        used = (busy_us() - before) / 2e6 / (time.monotonic() - began)
        if used <= share:
            return
        if time.monotonic() > until:
            raise Refused(f"The machine is too busy: others use {used:.0%} of the two cores.")


def described() -> str:
    """Machine, versions and date, in a sentence."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    gcc = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    return (
        f"{date.today()}, {os.cpu_count()} cores of an {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, gevent {version('gevent')}, gunicorn {version('gunicorn')}, "
        f"python-socketio {version('python-socketio')}, Node {node}, socket.io {_npm('socket.io')}, gcc {gcc}"
    )


def _npm(package: str) -> str:
    """As it is locked: installed it is only where a goal needs it."""
    locked = json.loads((Path(__file__).parent / "node" / "package-lock.json").read_text())
    return str(locked["packages"][f"node_modules/{package}"]["version"])
