"""A real run of `python -m chat.embedded` in a folder of its own, and what /proc says about its processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from chat.config import Config
from tests.logs import WATCHED
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {name.upper() for name in Config.__dataclass_fields__} - {"FANOUT"}  # FANOUT=stock tests the other transport
OURS = SETTINGS | {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"}
MAKES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # a make within a make names every folder that it enters
NAME, PASSWORD = "alice", "correct horse battery"
WITHIN_S = 120.0  # far more than anything takes, also beside busy suites: what a bug prevents never comes

T = TypeVar("T")


def until(check: Callable[[], T], within_s: float, what: str) -> T:
    """What `check` says once it is true. Fails when it is not within that time."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s} s")
        time.sleep(0.02)
    return found


def environment(data_dir: Path, port: int, **more: str) -> dict[str, str]:
    """Ours without any setting of the person who runs the tests, or of the `make` that does, and with cheap hashes."""
    env = {name: value for name, value in os.environ.items() if name not in (*OURS, *MAKES)}
    return {**env, "DATA_DIR": str(data_dir), "PORT": str(port), "TESTING": "1", "BCRYPT_COST": "4", **more}


def holders(data_dir: Path) -> set[int]:
    """Every process of a run, orphans included: all of them inherited the lock on the folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == str(data_dir) for fd in (process / "fd").iterdir()):
                found.add(int(process.name))
        except OSError:
            continue  # it ended while we looked
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def began(pid: int) -> tuple[int, int]:
    """When a process was started, to be compared: numbers begin anew when they have run out."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]), pid
    except OSError:
        return sys.maxsize, pid  # it ended while we looked


class Running:
    """`with Running(folder) as run:`; leaving it kills whatever is left."""

    def __init__(self, data_dir: Path, argv: Sequence[str] = (), cwd: Path = ROOT, **more: str):
        self.data_dir = data_dir
        self.port = int(more.pop("PORT", 0)) or free_port()
        self.argv = list(argv) or [sys.executable, "-m", "chat.embedded"]
        self.cwd = cwd
        self.env = environment(data_dir, self.port, **more)
        self.url = f"http://localhost:{self.port}"
        self.cookie = ""
        self._err = data_dir.with_name(data_dir.name + ".stderr")
        WATCHED.file(self._err)

    def __enter__(self) -> Running:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()
        if self.process.stdout:
            self.process.stdout.close()

    def start(self) -> None:
        """Returns when it has said what it runs on: `lines`, and `told` by name."""
        with open(self._err, "ab") as stderr:
            self.process = subprocess.Popen(
                self.argv,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("AWS_SHARED_CREDENTIALS_FILE="):
                break
        else:
            raise AssertionError(f"It did not start: {self.process.wait()} {self.stderr()}")
        self.told = dict(shlex.split(line)[0].split("=", 1) for line in self.lines if "=" in line)
        if "REDIS_URL" not in self.told:  # only a terminal is shown it
            self.told["REDIS_URL"] = Path(self.told["REDIS_URL_FILE"]).read_text().strip()

    def stderr(self) -> str:
        """All that it has said on stderr so far."""
        return self._err.read_text()

    def pids(self) -> set[int]:
        return holders(self.data_dir)

    def pid_of(self, words: str) -> int:
        """The oldest process of this run whose command line has these words."""
        return min((pid for pid in self.pids() if words in command_line(pid)), key=began)

    def signal(self, number: signal.Signals, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, number)

    def kill_all(self) -> None:
        """`kill -9` to every process at once, as a power cut would."""
        for pid in self.pids() | {self.process.pid}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.gone()

    def gone(self, within_s: float = WITHIN_S) -> None:
        until(lambda: not self.pids(), within_s, "every process of the run has ended")

    def request(self, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """An answer's status and JSON; keeps the cookie that it is given."""
        request = urllib.request.Request(self.url + path, method="GET" if body is None else "POST")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
                self.cookie = (answer.headers["Set-Cookie"] or self.cookie).split(";")[0]
                text = answer.read()
                return answer.status, json.loads(text) if text.startswith(b"{") else {}
        except urllib.error.HTTPError as error:
            return error.code, {}


def run_refused(data_dir: Path, port: int | None = None, code: int = 2, **more: str) -> str:
    """The sentence with which a run does not start: the exit code, one line, nothing left."""
    done = subprocess.run(
        [sys.executable, "-m", "chat.embedded"],
        cwd=ROOT,
        env=environment(data_dir, port or free_port(), **more),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr
