"""What the cloud runs on: programs of .venv-serverless, each a child that ends with us and writes a log of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from chat.embedded.children import Child, stop

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv-serverless" / "bin"
START_WITHIN_S = 240.0
STOP_WITHIN_S = 5.0

T = TypeVar("T")


class CloudError(Exception):
    """Why the cloud does not start, in one plain sentence."""


class Processes:
    """The children of one cloud; `stop` ends them in the order in which they were started, backwards."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._children: list[Child] = []

    def start(
        self, name: str, argv: Sequence[str | Path], env: Mapping[str, str], without: Collection[str] = ()
    ) -> Child:
        """Starts a program from the checkout; what it says is in `<name>.log`. It has our environment `without` those
        variables, and `env`."""
        log = self._folder / f"{name}.log"
        with log.open("ab") as out:
            command = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', *(str(part) for part in argv)]
            ours = {variable: value for variable, value in os.environ.items() if variable not in without}
            child = Child(name, command, {**ours, **env}, ROOT, stdout=out.fileno())
            child.log = log
            child.start()
        self._children.append(child)
        return child

    def wait(self, child: Child, check: Callable[[], T | None]) -> T:
        """What `check` says once it says something true. Raises: CloudError when the child ends before, or never."""
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until:
            try:
                if found := check():
                    return found
            except OSError:
                pass
            if not child.running:
                raise CloudError(f"{child.name} did not start ({child.ended}), see {child.log}.")
            time.sleep(0.05)
        raise CloudError(f"{child.name} did not get ready within {START_WITHIN_S:.0f} seconds, see {child.log}.")

    @property
    def pids(self) -> list[int]:
        """Those of the children, not of what they start."""
        return [child.process.pid for child in self._children if child.process is not None]

    def ended(self) -> Child | None:
        """A child that ended by itself, if one did."""
        return next((child for child in self._children if not child.running), None)

    def stop(self) -> None:
        """Ends them all, each asked once: some raise at every signal, also while they end."""
        stop(self._children[::-1], STOP_WITHIN_S)
