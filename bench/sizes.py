"""`python -m bench.sizes [ROOT]`: how much code there is, by part and by noun.

A line of code is one that is neither blank, nor a comment, nor part of a docstring. A noun is a package of
chat/services, or a folder beside it. The page's nouns are its features, and the folders of messages.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

LONGEST = 300  # lines of a file
APART = ("chat/embedded/", "chat/sockets/transport/fast/connection.py")  # a product of its own; one client, whole
BLANK = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


def code_lines(source: str) -> int:
    """How many lines of Python are code."""
    docs: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            docs |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (*BLANK, tokenize.ENDMARKER):
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docs)


def noun_of(path: Path) -> str:
    """The package of a service, or the folder of what is none."""
    parts = path.parts
    if parts[:2] == ("chat", "services"):
        return "/".join(parts[:3])
    return "/".join(parts[: min(len(parts) - 1, 3 if "transport" in parts or "dynamodb" in parts else 2)])


def files(root: Path) -> Iterator[tuple[Path, int, int]]:
    """Each file of `chat`, with all its lines and its lines of code."""
    for path in sorted((root / "chat").rglob("*.py")):
        source = path.read_text()
        yield path.relative_to(root), len(source.splitlines()), code_lines(source)


def too_long(root: Path) -> list[str]:
    """The files that are longer than they may be."""
    return [f"{path}: {all_} lines" for path, all_, _ in files(root) if all_ > LONGEST and not _apart(path)]


def _apart(path: Path) -> bool:
    return str(path).startswith(APART)


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    nouns: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for path, all_, code in files(root):
        nouns[noun_of(path)].append((all_, code))
    print(f"{'noun':36} files  lines   code  longest")
    for noun, sizes in sorted(nouns.items()):
        lines, code = (sum(size[k] for size in sizes) for k in (0, 1))
        print(f"{noun:36} {len(sizes):5} {lines:6,} {code:6,} {max(size[0] for size in sizes):8}")
    parts = {
        "core": lambda p: not str(p).startswith(("chat/embedded/", "chat/lambdas/", "chat/sockets/transport/")),
        "transport": lambda p: str(p).startswith("chat/sockets/transport/"),
        "embedded": lambda p: str(p).startswith("chat/embedded/"),
    }
    for part, of in parts.items():
        sizes = [(all_, code) for path, all_, code in files(root) if of(path)]
        whole = [all_ for all_, _ in sizes if all_ > 1]
        print(
            f"{part}: {len(sizes)} files, {sum(a for a, _ in sizes):,} lines, {sum(c for _, c in sizes):,} of code, "
            f"median file {statistics.median(whole):.0f}"
        )
    print("\n".join(too_long(root)) or f"no file above {LONGEST} lines")


if __name__ == "__main__":
    main()
