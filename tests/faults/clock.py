"""A clock that can jump, for the programs that are started with its environment (libfaketime)."""

from __future__ import annotations

from pathlib import Path

LIBRARIES = Path("/usr/lib")


class Clock:
    """The wall clock of some processes. A jump leaves the monotonic clock and the times of files alone."""

    def __init__(self, path: Path):
        self._path = path
        self.set(0)
        self.env = {
            "LD_PRELOAD": str(library()),
            "PYTHONPATH": str(Path(__file__).with_name("faketime")),
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            # Its mending of waits on the monotonic clock ends every timed wait for Python's lock of all locks at once:
            # a thread that waits for it turns in circles, and takes the processor from the one that holds it.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def set(self, offset_s: int) -> None:
        """Off by this, from a second from now at the latest."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        new.replace(self._path)


def library() -> Path | None:
    """libfaketime for programs with threads, or None when this machine has none."""
    return next(LIBRARIES.glob("*/faketime/libfaketimeMT.so.1"), None)
