"""The pages of docs/features, and what stands beside them, say what is there: pages, headings, codes, limits, links."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from chat.config import Config
from chat.errors import KINDS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FEATURES = DOCS / "features"
INDEX = FEATURES / "README.md"
PAGES = sorted(path for path in FEATURES.glob("*.md") if path != INDEX)
LINKED = [INDEX, *PAGES, DOCS / "effects.md", DOCS / "glossary.md"]

HEADINGS = ["Behaviour", "Decision", "Rights"]
DECIDED = ["**Decision.**", "**Why.**", "**Price.**"]
MAX_LINES, MAX_COLUMNS = 45, 140

LISTED = re.compile(r"^- \[[^\]]+\]\(([^)/]+\.md)\): \S", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`]+)`")
WORD = re.compile(r"[a-z]+(?:_[a-z]+)*")
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
LIMIT = re.compile(rf"`([A-Z][A-Z0-9_]+)`\s+{NUMBER}(?:\s+to\s+{NUMBER})?")
IN_THE_PAGE = re.compile(r"^\s*(?:export )?const ([A-Z][A-Z0-9_]+) = ([\d_.e*() ]+);", re.MULTILINE)

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
}
Value = float | tuple[float, ...]

by_name = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)


# --- what a page is made of ------------------------------------------------------------------------------------------


def text_of(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def headings(text: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return re.split(r"^## ", text.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def anchors(path: Path) -> set[str]:
    """What a link may name behind `#`, by GitHub's rule: small letters, digits, and dashes for blanks."""
    titles = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def words(text: str) -> set[str]:
    """The words in small letters that stand alone in backticks."""
    return {span for span in SPAN.findall(text) if WORD.fullmatch(span)}


# --- what stands in the code, wherever that is -----------------------------------------------------------------------


def number_of(node: ast.expr) -> Value | None:
    """A number, or a tuple of numbers, that an expression of literals and names known before is; None for others."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = number_of(node.left), number_of(node.right)
        if isinstance(left, int | float) and isinstance(right, int | float):
            return OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Tuple):
        parts = [number_of(part) for part in node.elts]
        if parts and all(isinstance(part, int | float) for part in parts):
            return tuple(parts)  # type: ignore[arg-type]
    return None


def assigned(source: str) -> Iterator[tuple[str, ast.expr]]:
    """The names that a module gives values to, one by one, also where several stand in one line."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for name, value in zip(target.elts, node.value.elts, strict=True):
                    if isinstance(name, ast.Name):
                        yield name.id, value


@cache
def constants() -> dict[str, set[Value | None]]:
    """Name → the values that it has in the server (without the engine, which is a product of its own), in the page and
    among the settings; None where it is no number."""
    found: dict[str, set[Value | None]] = {}
    for path in (ROOT / "chat").rglob("*.py"):
        if "embedded" not in path.relative_to(ROOT).parts:
            for name, value in assigned(path.read_text(encoding="utf-8")):
                found.setdefault(name, set()).add(number_of(value))
    for path in (path for path in (ROOT / "frontend" / "src").rglob("*.ts*") if ".test." not in path.name):
        for name, expression in IN_THE_PAGE.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(number_of(ast.parse(expression.strip(), mode="eval").body))
    for each in fields(Config):
        number = each.default if type(each.default) is int else None
        found.setdefault(each.name.upper(), set()).add(number)
    return found


# --- the tests -------------------------------------------------------------------------------------------------------


def test_there_are_pages_and_each_stands_in_the_index_once():
    listed = LISTED.findall(text_of(INDEX))
    assert listed
    assert sorted(listed) == [page.name for page in PAGES]


@by_name
def test_a_page_has_its_three_headings_and_what_was_decided_why_and_for_what_price(page):
    text = text_of(page)
    assert len(headings(text, 1)) == 1
    assert headings(text, 2) == HEADINGS
    decision = section(text, "Decision")
    assert re.findall(r"^\*\*\w+\.\*\*", decision, re.MULTILINE) == DECIDED
    assert "../decisions/" in decision


@by_name
def test_a_page_is_half_a_page(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES
    assert [line for line in lines if len(line) > MAX_COLUMNS] == []


@by_name
def test_a_page_names_only_codes_that_there_are(page):
    rights = words(section(text_of(page), "Rights"))
    assert rights - KINDS.keys() == set()
    assert rights, "a page says how a refusal reads"


@pytest.mark.parametrize("page", LINKED, ids=lambda path: path.stem)
def test_whatever_else_stands_in_backticks_is_a_word_of_the_protocol(page):
    protocol = {word for span in SPAN.findall(text_of(DOCS / "protocol.md")) for word in WORD.findall(span)}
    assert words(text_of(page)) - KINDS.keys() - protocol == set()


def test_every_code_that_there_is_stands_on_a_page():
    listed = words(section(text_of(INDEX), "What every door may answer"))
    assert listed - KINDS.keys() == set()
    for page in PAGES:
        listed |= words(section(text_of(page), "Rights"))
    assert KINDS.keys() - listed == set()


@pytest.mark.parametrize("page", LINKED, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(page):
    links = [link for link in LINK.findall(text_of(page)) if "://" not in link]
    lost = []
    for link in links:
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", LINKED, ids=lambda path: path.stem)
def test_every_limit_is_what_the_code_says(page):
    wrong = []
    for name, first, last in LIMIT.findall(text_of(page)):
        told = tuple(float(number.replace(",", "")) for number in (first, last) if number)
        values = constants().get(name, set())
        if values != {told if last else told[0]}:  # one name with two values names no limit
            wrong.append(f"{name}: {told} here, {values} in the code")
    assert wrong == []


def test_the_pages_do_name_limits():
    assert sum(len(LIMIT.findall(text_of(page))) for page in PAGES) > len(PAGES)


@pytest.mark.parametrize("page", LINKED, ids=lambda path: path.stem)
def test_every_name_in_capitals_is_one_of_the_code(page):
    named = {name for span in SPAN.findall(text_of(page)) for name in NAME.findall(span)}
    assert named - constants().keys() == set()
