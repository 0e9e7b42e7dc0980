"""What a test of somebody else's suite came to."""

from __future__ import annotations

from typing import NamedTuple


class Result(NamedTuple):
    """`reason` says why the test does not apply to this chat."""

    title: str
    passed: bool
    why: str
    reason: str | None

    @property
    def failed(self) -> bool:
        return not self.passed and self.reason is None
