"""What the products of the tests say on their logs: no traceback that no test asked for.

Whoever starts a product has its log watched: `WATCHED.file(path)`. After each test, when all that ended with it has
ended, tests/conftest.py fails it if a watched log has a traceback that `@pytest.mark.expects_traceback("a text in it")`
does not name. A log that several tests share blames the test after which it was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BEGIN = "Traceback (most recent call last)"
# What was said right before, the traceback, and the line that says what it was.
BLOCK = re.compile(rf"^(?:.*\n)?.*{re.escape(BEGIN)}.*\n(?:[ \t].*\n|\n)*(?P<end>\S.*\n)?", re.MULTILINE)


@dataclass
class Logs:
    """The logs that are watched, and how far each has been read."""

    _read: dict[Path, int] = field(default_factory=dict)
    _folders: list[tuple[Path, str]] = field(default_factory=list)

    def file(self, path: Path) -> None:
        """Watches a log, from where it ends now; it need not be there yet."""
        self._read.setdefault(path, path.stat().st_size if path.exists() else 0)

    def folder(self, folder: Path, pattern: str) -> None:
        """Watches every log there, those to come too."""
        self._folders.append((folder, pattern))

    def tracebacks(self, ended: bool = False) -> list[str]:
        """Those that were said since this was asked last; one that is still being written comes the next time, unless
        all has `ended`."""
        for folder, pattern in self._folders:
            for path in folder.glob(pattern):
                self._read.setdefault(path, 0)
        return [f"{path}:\n{said}" for path in self._read if path.exists() for said in self._news(path, ended)]

    def _news(self, path: Path, ended: bool) -> Iterator[str]:
        size = path.stat().st_size
        if size < self._read[path]:
            self._read[path] = 0  # it was begun anew
        if size == self._read[path]:
            return
        with path.open("rb") as log:
            log.seek(self._read[path])
            raw = log.read()
        whole = raw if ended else raw[: raw.rfind(b"\n") + 1]
        text = whole.decode("utf-8", "surrogateescape")
        for block in BLOCK.finditer(text) if BEGIN in text else ():
            if block["end"] is None and not ended:
                whole = text[: block.start()].encode("utf-8", "surrogateescape")
                break
            yield block[0]
        self._read[path] += len(whole)


WATCHED = Logs()
