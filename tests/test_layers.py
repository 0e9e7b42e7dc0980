"""Imports point inwards: what a service may not know of, and who alone may do what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CHAT = Path(__file__).resolve().parents[1] / "chat"
EDGES = ("chat.blueprints", "chat.sockets", "chat.lambdas", "chat.cli", "chat.app")
INNER = [*sorted((CHAT / "services").glob("*.py")), CHAT / "models.py", CHAT / "errors.py", CHAT / "config.py"]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_of(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("path", INNER, ids=lambda path: path.name)
def test_the_inner_rings_know_neither_flask_nor_an_edge(path):
    outside = ("flask", "flask_socketio", "flask_session", "flask_cors", "socketio", "engineio", *EDGES)
    assert [module for module in imports(path) if is_of(module, outside)] == []


def test_storage_and_the_reader_of_the_stream_alone_speak_to_aws():
    users = {
        str(p.relative_to(CHAT)) for p in CHAT.rglob("*.py") if any(is_of(m, ("boto3", "botocore")) for m in imports(p))
    }
    assert users == {"services/dynamodb.py", "services/endpoint.py", "services/items.py", "services/streams.py"}


def test_the_settings_alone_are_read_from_the_environment():
    readers = set()
    for path in CHAT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            reads = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
            if reads and isinstance(node.value, ast.Name) and node.value.id == "os":
                readers.add(str(path.relative_to(CHAT)))
    assert readers == {"config.py"}


def test_importing_the_services_does_not_import_flask():
    code = "import sys, chat, chat.services.accounts, chat.services.messages; print('flask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHAT.parent, check=True)
    assert done.stdout.strip() == "False"
