"""What an examination of an installation finds, for whoever runs it, and how several go on side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue


@dataclass(frozen=True)
class Finding:
    """Of one `check`: whether the chat works in that respect, why not, and what to do. One that is ok and has a cause
    is a warning."""

    check: str
    ok: bool
    cause: str = ""
    do: str = ""


Examination = Callable[[], Iterator[Finding]]


def side_by_side(examinations: Mapping[str, Examination], within_s: float) -> list[Finding]:
    """What they find, in their order; of one that breaks down or is not over in time, that too. Raises nothing."""
    told: SimpleQueue[tuple[str, Finding | None]] = SimpleQueue()
    until = time.monotonic() + within_s
    for name, examination in examinations.items():
        threading.Thread(target=_run, args=(name, examination, told), daemon=True).start()
    found: dict[str, list[Finding]] = {name: [] for name in examinations}
    unfinished = set(examinations)
    while unfinished:
        try:
            name, finding = told.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        if finding is None:
            unfinished.discard(name)
        else:
            found[name].append(finding)
    for name in unfinished:
        late = f"no answer within {within_s:.0f} seconds"
        found[name].append(Finding(name, False, late, "look whether this machine reaches it, and ask again"))
    return [finding for findings in found.values() for finding in findings]


def _run(name: str, examination: Examination, told: SimpleQueue[tuple[str, Finding | None]]) -> None:
    try:
        for finding in examination():
            told.put((name, finding))
    except Exception as error:  # whatever it is: who asks what is wrong is told, and not shown a traceback
        told.put((name, Finding(name, False, f"{type(error).__name__}: {error}", "tell whoever wrote Parley")))
    told.put((name, None))
