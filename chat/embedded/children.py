"""Processes that live no longer than the one that started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
BY_KERNEL = sys.platform.startswith("linux")  # whether the kernel ends children with their parent
_prctl: Callable[..., int] | None = ctypes.CDLL(None).prctl if BY_KERNEL else None


def die_with(parent: int) -> None:
    """Makes the kernel kill this process when `parent`, which started it, ends. Linux only; elsewhere see Guard."""
    if _prctl is None:
        return
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


class Child:
    """One process in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor, which ends the
    children in order."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        pass_fds: Sequence[int] = (),
        stdout: int | None = None,
    ):
        self.name = name
        self.argv = list(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._pass_fds = tuple(pass_fds)
        self._stdout = stdout
        self.log: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it, also again after it ended. Raises: OSError when the program cannot be executed."""
        parent = os.getpid()
        self.process = subprocess.Popen(
            self.argv,
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            pass_fds=self._pass_fds,
            start_new_session=True,
            preexec_fn=lambda: die_with(parent),
        )
        return self.process

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ended(self) -> str:
        """How it ended, in words: "exit code 1", "SIGKILL"."""
        code = self.process.poll() if self.process else None
        if code is None:
            return "not at all"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.running:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Ends it and everything it started, at once."""
        if self.process is not None:
            _kill_group(self.process.pid)
            self.process.wait()


def stop(children: Sequence[Child], within_s: float) -> None:
    """Asks them all to end, and kills what still runs after `within_s` seconds, with everything it started."""
    until = time.monotonic() + within_s
    for child in children:
        child.signal(signal.SIGTERM)
    for child in children:
        if child.process is not None:
            try:
                child.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            child.kill()


class Guard:
    """A small process that outlives the supervisor by a moment and kills what it was told of: for systems where the
    kernel does not (macOS). The end of a pipe, which only the supervisor holds open, tells it when."""

    def __init__(self) -> None:
        read_fd, self._write_fd = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                os.close(self._write_fd)
                _watch(read_fd)
            finally:
                os._exit(0)
        os.close(read_fd)

    def add(self, pid: int) -> None:
        """From now on that process group is killed when the supervisor ends."""
        os.write(self._write_fd, f"+{pid}\n".encode())

    def remove(self, pid: int) -> None:
        """That one has ended: its number may belong to somebody else from now on."""
        os.write(self._write_fd, f"-{pid}\n".encode())

    def close(self) -> None:
        os.close(self._write_fd)
        os.waitpid(self.pid, 0)


def _watch(read_fd: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    with open(read_fd) as lines:
        for line in lines:
            (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        _kill_group(group)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nothing of it is left; macOS says so by EPERM
