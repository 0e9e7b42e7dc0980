"""How deep lists and objects may stand in one another, at every door that takes JSON.

What is decoded near the end of the stack ends whoever walks it next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 16


def too_deep(value: Any, opened: int) -> bool:
    """Whether a value of JSON is deeper than it may be; `opened` is how many brackets its text opens, which is enough
    to know of nearly all."""
    if opened <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    return any(isinstance(inner, list | dict) for inner in level)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
