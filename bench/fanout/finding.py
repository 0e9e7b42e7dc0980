"""What a goal's measurement found: a table, and whether its ratios hold."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """A ratio and what it must be: at most, or at least, `limit`."""

    what: str
    ratio: float
    limit: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{self.what}: {self.ratio:.2f}, goal {sign} {self.limit:g}, {'met' if self.holds else 'MISSED'}"


@dataclass(frozen=True)
class Finding:
    """`rows` has a value, or None, for each of `columns`."""

    goal: str
    command: str
    title: str
    unit: str
    columns: list[str]
    rows: dict[str, list[float | None]]
    claims: list[Claim] = field(default_factory=list)
    how: str = ""

    @property
    def holds(self) -> bool:
        return all(claim.holds for claim in self.claims)
