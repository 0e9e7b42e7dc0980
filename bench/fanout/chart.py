"""A finding as bars, in SVG: one group for each column, one bar for each row, the lower the better."""

from __future__ import annotations

from html import escape

from bench.fanout.finding import Finding

WIDTH, BAR, GAP, LEFT, RIGHT, HEAD = 720, 16, 14, 210, 80, 30
COLOURS = ("#8a8f98", "#b9bec6", "#d0854a", "#2f6fde", "#9dbdf2", "#5b9a68")


def bars(finding: Finding) -> str:
    """A picture that reads on white and on black."""
    parts, y = [_text(0, 18, f"{finding.title} ({finding.unit})", weight="bold")], HEAD
    for index, column in enumerate(finding.columns):
        values = [(name, row[index]) for name, row in finding.rows.items()]
        longest = max((value for _, value in values if value is not None), default=1) or 1
        y += GAP
        parts.append(_text(0, y + 4, column))
        for number, (name, value) in enumerate(values):
            if value is None:
                continue
            length = (WIDTH - LEFT - RIGHT) * value / longest
            fill = COLOURS[number % len(COLOURS)]
            parts.append(_text(LEFT - 8, y + 12, name, anchor="end"))
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" fill="{fill}"/>')
            parts.append(_text(LEFT + length + 6, y + 12, f"{value:,.3g}" if value < 100 else f"{value:,.0f}"))
            y += BAR
    style = 'font-family="sans-serif" font-size="12" fill="#7a7f87"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" {style}>\n' + "\n".join(
        [*parts, "</svg>\n"]
    )


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
