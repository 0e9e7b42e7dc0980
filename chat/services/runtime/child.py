"""Decoding what strangers send, in a child with limits: what crashes there, or never ends, ends nothing else.

A limit, not a wall: a decoder that is taken over still runs as our user and may read what that one may. It finds no
descriptor, no environment and no memory of ours, because it runs in a fresh interpreter and not in a fork
(chat/services/runtime/child_main.py).
"""

from __future__ import annotations

import _socket
import math
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.socket import socket as Socket

from chat.services.runtime import child_main
from chat.services.runtime.pool import NOBODY, Places

MAIN = str(Path(__file__).with_name("child_main.py"))
PIECE = 65_536
HEAD_BYTES = 1 + child_main.LENGTH_BYTES


@dataclass(frozen=True)
class Limits:
    """What one decoding may take: seconds by the clock, of which an idle machine needs 0.05 to start, and of CPU;
    address space, of which the interpreter has 20 MB; the output; open files."""

    within_s: float = 5.0
    cpu_s: int = 2
    memory_bytes: int = 256 << 20
    output_bytes: int = 4 << 20
    files: int = 16


class Undecoded(Exception):
    """There is no output. `reason`: `crashed`, `raised` (the decoder did), `late`, `cpu`, `memory`, `too_large`.

    What it tells besides may come from the decoder: for the log, in printable ASCII.
    """

    def __init__(self, reason: str, told: str = ""):
        super().__init__(f"{reason}: {told}" if told else reason)
        self.reason = reason


class Children:
    """At most `at_once` decodings in a process, and room for `queue` that wait. For the main thread's greenlets; gevent
    need not be patched in. From the first on, the hub takes note of each end of a child of this process: others have
    to be started by gevent's `subprocess`, which it is in a worker, or their exit codes are lost."""

    def __init__(self, at_once: int = 2, queue: int = 16):
        self._places = Places(at_once, queue)

    def run(self, decoder: str, given: bytes, limits: Limits | None = None, who: str = NOBODY) -> bytes:
        """What `decoder` (`module:function`, bytes to bytes, importable from the checkout) makes of the bytes.

        It may wait as long for its turn as it may take. When this returns or raises, the child and whatever it started
        in its group have ended or been killed. Raises: Undecoded; Busy, Late; OSError when no process can be started.
        """
        limits = limits or Limits()
        self._places.take(who, time.monotonic() + limits.within_s)
        try:
            child = Child(decoder, limits)
        except BaseException:
            self._places.leave(who)
            raise
        child.status.rawlink(lambda _: self._places.leave(who))
        try:
            return child.decode(given)
        finally:
            child.end()


class Child:
    """One process, from its start. `status` is what `waitpid` says of its end, once it has ended."""

    def __init__(self, decoder: str, limits: Limits):
        self._limits = limits
        self._until = time.monotonic() + limits.within_s
        self.status: Any = AsyncResult()
        ours, theirs = _socket.socketpair()  # gevent's own would not block at their end either
        self._socket = Socket(fileno=ours.detach())
        try:
            self._pid = self._start(decoder, theirs.fileno())
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()

    def _start(self, decoder: str, their_end: int) -> int:
        """posix_spawn, because a fork of a worker of 400 MB keeps its hub for 13 ms, and this for 0.3."""
        most = self._limits
        argv = [sys.executable, "-I", "-B", MAIN, decoder, str(math.ceil(most.within_s) + 1)]
        argv += [str(most.cpu_s), str(most.memory_bytes), str(most.files)]
        loop = gevent.get_hub().loop
        loop.install_sigchld()
        pid = os.posix_spawn(
            sys.executable,
            argv,
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, their_end, child_main.OUR_END),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
        watcher = loop.child(pid)  # before the hub runs again, which is what collects the status
        watcher.start(self._ended, watcher)
        return pid

    def _ended(self, watcher: Any) -> None:
        status = watcher.rstatus
        watcher.stop()
        watcher.close()
        self._kill()  # what it has started; also lets go of our socket's other end
        self.status.set(status)

    def decode(self, given: bytes) -> bytes:
        """Raises: Undecoded."""
        said = self._talk(given)
        self.status.wait(self._left_s())
        if not self.status.ready():
            raise Undecoded("late")
        return self._output(said, os.waitstatus_to_exitcode(self.status.get()))

    def end(self) -> None:
        """Kills it, if it lives."""
        if not self.status.ready():
            self._kill()
        self._socket.close()

    def _kill(self) -> None:
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nothing of it is left; macOS says so by EPERM

    def _left_s(self) -> float:
        return max(0.001, self._until - time.monotonic())  # none at all would mean: do not wait, to a socket

    def _talk(self, given: bytes) -> bytearray:
        """What it says until it says no more. Raises: Undecoded."""
        said = bytearray()
        try:
            for at in range(0, len(given), PIECE):
                self._have_a_turn()
                self._socket.sendall(memoryview(given)[at : at + PIECE])
            self._socket.shutdown(socket.SHUT_WR)
            while piece := self._receive():
                said += piece
                if len(said) > HEAD_BYTES + self._limits.output_bytes:
                    raise Undecoded("too_large")
        except TimeoutError:
            raise Undecoded("late") from None
        except ConnectionError:
            pass  # it has ended, and its status says why
        return said

    def _receive(self) -> bytes:
        self._have_a_turn()
        return self._socket.recv(PIECE)

    def _have_a_turn(self) -> None:
        """And so has the hub: on another core the child may be as fast as we, and nothing would make us wait."""
        gevent.sleep(0)
        self._socket.settimeout(self._left_s())

    def _output(self, said: bytearray, exit_code: int) -> bytes:
        kind, length, what = said[:1], int.from_bytes(said[1:HEAD_BYTES], "big"), bytes(memoryview(said)[HEAD_BYTES:])
        if exit_code < 0:
            by = signal.Signals(-exit_code)
            raise Undecoded({signal.SIGXCPU: "cpu", signal.SIGALRM: "late"}.get(by, "crashed"), by.name)
        if exit_code or len(what) != length or not kind:
            raise Undecoded("crashed", f"exit code {exit_code}")
        if kind == child_main.NO_MEMORY:
            raise Undecoded("memory")
        if kind == child_main.RAISED:
            raise Undecoded("raised", what.decode("ascii", "replace"))
        return what
