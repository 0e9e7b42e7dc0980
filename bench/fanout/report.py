"""Findings as people read them: on the screen, and as a section of docs/performance.md with its chart."""

from __future__ import annotations

import re
from pathlib import Path

from bench.fanout.chart import bars
from bench.fanout.finding import Finding
from bench.fanout.machine import described

DOCS = Path(__file__).resolve().parents[2] / "docs"


def shown(finding: Finding) -> str:
    """For a terminal."""
    width = max(map(len, finding.rows)) + 2
    head = f"{finding.goal} {finding.title}; {finding.unit}\n{'':{width}}" + "".join(
        f"{column:>16}" for column in finding.columns
    )
    rows = [f"{name:{width}}" + "".join(f"{_figure(value):>16}" for value in row) for name, row in finding.rows.items()]
    return "\n".join([head, *rows, *(f"  {claim}" for claim in finding.claims)])


def write(finding: Finding, how_long: str) -> None:
    """Puts the finding in the place of the one before it. Its section stands between two comments."""
    page = DOCS / "performance.md"
    text = page.read_text()
    begin, end = f"<!-- bench.fanout {finding.command} -->", f"<!-- /bench.fanout {finding.command} -->"
    section = f"{begin}\n{_section(finding, how_long)}\n{end}"
    old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not old.search(text):
        raise SystemExit(f"docs/performance.md has no place for {begin}")
    text = old.sub(lambda _: section, text)
    state = re.compile(rf"^(\| {finding.goal} \|.*\|) [^|]+ \|$", re.MULTILINE)
    page.write_text(state.sub(lambda row: f"{row[1]} {_state(finding)} |", text))
    (DOCS / "charts").mkdir(exist_ok=True)
    (DOCS / "charts" / f"{finding.command}.svg").write_text(bars(finding))


def _section(finding: Finding, how_long: str) -> str:
    lines = [
        f"### {finding.goal}, {_state(finding)}: {finding.title}",
        "",
        f"`python -m bench.fanout {finding.command}`. {described()}. {how_long} {finding.how}".strip(),
        "",
        f"| {finding.unit} | " + " | ".join(finding.columns) + " |",
        "|---" * (len(finding.columns) + 1) + "|",
        *(f"| {name} | " + " | ".join(map(_figure, row)) + " |" for name, row in finding.rows.items()),
        "",
        *(f"- {claim}" for claim in finding.claims),
        "",
        f"![{finding.title}](charts/{finding.command}.svg)",
    ]
    return "\n".join(lines)


def _state(finding: Finding) -> str:
    return "met" if finding.holds else "missed"


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
