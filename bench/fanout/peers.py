"""The servers that are measured, each on the core of the servers, in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.fanout.machine import Refused, allow_files, cores, cpu_us
from chat.config import Config

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
READY_WITHIN_S = 60.0
SOCKETS = 30_000
PARLEY, NODE, C, JOINED_C = "Parley, fast", "Node socket.io", "C, one send each", "C, joined"


class Peer:
    """A server that runs until `stack` is left. `pids` are the processes whose CPU counts."""

    def __init__(
        self, stack: ExitStack, name: str, port: int, argv: list[str], log: Path, env: Mapping[str, str] | None = None
    ):
        self.name = name
        self.port = port
        self._log = log
        self._process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=env,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            preexec_fn=_on_the_servers_core,
            start_new_session=True,
        )
        stack.callback(self.close)
        self._wait()
        self.pids = [self._process.pid]

    def cpu_us(self) -> float:
        """Microseconds of CPU used so far."""
        return cpu_us(*self.pids)

    def rss_bytes(self) -> int:
        """Resident memory."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids)
        return pages * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        """Ends it with all that it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait(self) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Refused(f"{self.name} did not start:\n{self._log.read_text()}")


def relay(stack: ExitStack, folder: Path, mode: str) -> Peer:
    """The C relay; `each` sends at once, `joined` joins what one round of epoll brings."""
    port = free_port()
    return Peer(
        stack,
        C if mode == "each" else JOINED_C,
        port,
        [str(compiled("relay", folder)), str(port), mode],
        folder / f"relay-{mode}.log",
    )


def node(stack: ExitStack, folder: Path, script: str = "relay.js", **env: str) -> Peer:
    """Node's socket.io."""
    install_node_packages()
    port = free_port()
    argv = ["node", str(HERE / "node" / script), str(port)]
    peer = Peer(stack, NODE, port, argv, folder / "node.log", os.environ | env)
    peer.pids += _children(peer.pids[0])
    return peer


def parley(stack: ExitStack, folder: Path, fanout: str = "fast", **more: str) -> Peer:
    """Parley's transport under gunicorn by the shipped gunicorn.conf.py; `fanout` is the setting of that name."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in _settings()}
    roomy = dict.fromkeys(("SOCKETS_PER_WORKER", "SOCKETS_PER_ADDRESS", "SOCKETS_PER_USER"), str(SOCKETS))
    env |= (
        {"SECRET_KEY": "0123456789abcdef" * 3, "PORT": str(port), "LOG_LEVEL": "warning", "FANOUT": fanout}
        | roomy
        | more
    )
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "bench.fanout.app:app"]
    peer = Peer(stack, f"Parley, {fanout}", port, argv, folder / f"parley-{fanout}.log", env)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=READY_WITHIN_S):
        peer.pids = _children(peer.pids[0])
    return peer


def redis(stack: ExitStack, folder: Path) -> int:
    """A Redis of its own on the client's core; its port."""
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = Peer(stack, "Redis", port, argv, folder / "redis.log")
    os.sched_setaffinity(server.pids[0], {cores()[1]})
    return port


def parley_starts() -> list[Callable[[ExitStack, Path], Peer]]:
    """Parley on both of its transports (FANOUT)."""
    return [partial(parley, fanout="stock"), parley]


def parleys(stack: ExitStack, folder: Path) -> list[Peer]:
    """Both of them, started."""
    return [start(stack, folder) for start in parley_starts()]


def compiled(program: str, folder: Path) -> Path:
    """Compiles a C program of this folder, once."""
    binary = folder / program
    if not binary.exists():
        if not shutil.which("gcc"):
            raise Refused("The bench needs gcc on the PATH.")
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", str(binary), str(HERE / f"{program}.c")], check=True)
    return binary


def install_node_packages() -> None:
    """What the committed lock file pins, into a folder that git ignores; once."""
    modules, lock = HERE / "node/node_modules", HERE / "node/package-lock.json"
    if (modules / ".package-lock.json").exists() and modules.stat().st_mtime >= lock.stat().st_mtime:
        return
    if not shutil.which("npm"):
        raise Refused("The bench needs Node 20 and npm on the PATH.")
    subprocess.run(["npm", "ci", "--silent", "--no-update-notifier"], cwd=HERE / "node", check=True)
    os.utime(modules)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _on_the_servers_core() -> None:
    os.sched_setaffinity(0, {cores()[0]})
    allow_files()


def _settings() -> set[str]:
    return {name.upper() for name in Config.__dataclass_fields__}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
