"""The contact sheet: all pictures on one page, a line for each screen in each state."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from playwright.sync_api import Browser

from tests.screens.stage import SIZES

WIDTHS = [width for sizes in SIZES.values() for width, _ in sizes]
SCHEMES = ("light", "dark")
ROWS_ON_A_PICTURE = 8
WIDE_PX = 1480
STYLE = """
body { margin: 0; padding: 16px; background: #777; font: 14px/1.3 sans-serif; color: #fff; }
section { padding: 1px 0 8px; }
h2 { margin: 10px 0 4px; font-size: 15px; }
div { display: flex; gap: 8px; align-items: start; }
a, span { display: block; height: 260px; }
img { display: block; height: 260px; }
"""


def file_name(title: str, width: int, scheme: str) -> str:
    """What the picture of a screen is called."""
    return f"{title}.{width}.{scheme}.png"


def write(out: Path, titles: Iterable[str]) -> Path:
    """index.html with those of the screens' pictures that are there; returns its path."""
    rows = [row for title in titles if (row := _row(out, title))]
    sections = [rows[at : at + ROWS_ON_A_PICTURE] for at in range(0, len(rows), ROWS_ON_A_PICTURE)]
    body = "\n".join("<section>\n" + "\n".join(section) + "\n</section>" for section in sections)
    index = out / "index.html"
    head = (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Screens</title>\n<style>{STYLE}</style>\n'
    )
    index.write_text(f"{head}{body}\n</html>\n")
    return index


def _row(out: Path, title: str) -> str:
    pictures = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            name = file_name(title, width, scheme)
            if (out / name).is_file():
                pictures.append(f'<a href="{escape(name)}"><img src="{escape(name)}" alt="{width} px, {scheme}"></a>')
    return f"<h2>{escape(title)}</h2>\n<div>{''.join(pictures)}</div>" if pictures else ""


def photograph(browser: Browser, index: Path) -> list[Path]:
    """The contact sheet itself as pictures beside it: contact.png, or contact-1.png and so on when it is long."""
    page = browser.new_page(viewport={"width": WIDE_PX, "height": 1000})
    page.goto(index.as_uri())
    page.evaluate("() => Promise.all([...document.images].map((image) => image.decode()))")
    sections = page.locator("section")
    count = sections.count()
    pictures = []
    for number in range(count):
        pictures.append(index.with_name("contact.png" if count == 1 else f"contact-{number + 1}.png"))
        sections.nth(number).screenshot(path=pictures[-1])
    page.close()
    return pictures
