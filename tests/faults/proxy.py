"""A small TCP proxy that a fault can be put into.

What the router cannot do is done here, because it needs to know a connection: delay, stall, dribble, half-close,
refuse, throttle, and lose the answer of a request that was carried out.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, wait_until
from tests.faults.hosts import Host
from tests.faults.relay import Weather


class Proxy:
    """A proxy that runs on a host, or on the machine itself. Use as a context manager, or `close()` it."""

    def __init__(
        self, listen: str, to: str, control: Path, host: Host | None = None, http: bool = False, seed: int = 0
    ):
        argv = [sys.executable, "-m", "tests.faults.relay", "--listen", listen, "--to", to, "--control", str(control)]
        argv += ["--seed", str(seed), *(["--http"] if http else [])]
        self._process = host.spawn(argv, cwd=ROOT) if host else subprocess.Popen(argv, cwd=ROOT, text=True)
        self._fronts: list[dict[str, Any]] = []
        self._control = socket.socket(socket.AF_UNIX)
        self._control.settimeout(10)
        wait_until(lambda: self._connected(control), what="the proxy listens")
        self._answers = self._control.makefile()

    def _connected(self, control: Path) -> bool:
        assert self._process.poll() is None, "the proxy ended"
        try:
            self._control.connect(str(control))
        except OSError:
            return False
        return True

    def set(self, **weather: Any) -> Counter[str]:
        """From now on this, and nothing of what was before, befalls the connections; returns what befell so far."""
        line = json.dumps(asdict(Weather(**weather)))
        self._control.sendall(line.encode() + b"\n")
        return Counter(json.loads(self._answers.readline()))

    def befall(self, **weather: Any) -> Callable[[], None]:
        """Adds this to what befalls the connections until the function is called that it returns."""
        self._fronts.append(weather)
        self._blow()

        def heal() -> None:
            self._fronts.remove(weather)
            self._blow()

        return heal

    def _blow(self) -> None:
        self.set(**{name: value for front in self._fronts for name, value in front.items()})

    def heal(self) -> Counter[str]:
        """From now on all is well."""
        return self.set()

    def close(self) -> None:
        self._answers.close()
        self._control.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
