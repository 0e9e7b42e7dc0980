"""The floors of the house: what may know of what, and who alone may do what.

`FLOORS` is the house from the ground up. A floor never imports a higher one, and the packages of one floor never import
each other. Each rule reads a tree of sources; each is shown a tree that breaks it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.sizes import LONGEST, too_long

ROOT = Path(__file__).resolve().parents[1]
EDGES = ("chat.blueprints", "chat.sockets", "chat.lambdas")
FLOORS: list[tuple[str, ...]] = [
    ("chat.errors", "chat.urls"),
    ("chat.models", "chat.names", "chat.emoji", "chat.config", "chat.depth", "chat.env_file"),
    ("chat.services.runtime",),
    ("chat.services.storage",),
    ("chat.services.bus", "chat.services.sessions", "chat.services.limits"),
    ("chat.services.log", "chat.services.accounts", "chat.services.health"),
    ("chat.services.rooms",),
    ("chat.services.messages", "chat.services.presence"),
    ("chat.services.ingest",),
    ("chat.services.jobs",),
    ("chat.services.assembly",),
    ("chat.wire",),
    ("chat.http",),
    EDGES,
    ("chat.cli_plainly",),
    ("chat.cli_doctor", "chat.cli_tail"),
    ("chat.cli",),
    ("chat.cli_start",),
    ("chat.app",),
]
ALWAYS = ("chat", "chat.services")  # the packages around them: they hold nothing
APART = ("chat.embedded", "chat.sockets.transport")  # products of their own, with rules of their own

# Whoever may use what nobody else does.
AWS = ("chat.services.storage",)
GREENLETS = (
    "chat.services.runtime",
    "chat.services.bus.bus",
    "chat.services.sessions.key_events",
    "chat.services.log.follower",
    "chat.services.log.followers",
    "chat.services.log.group_commit",
    "chat.services.log.snapshots",
    "chat.services.health",
    "chat.services.jobs",
    "chat.services.assembly",
    "chat.services.accounts.passwords",  # hashes in threads, where there is a hub that would wait for them
    "chat.sockets",
    "chat.blueprints.guard",
    "chat.app",
    "chat.embedded",
)
STORES = (  # an edge asks a service; these make the services of their process, or its tables
    "chat.cli",  # the tables
    "chat.lambdas",  # each function is wired by itself, so that its package has what it needs and no more
)
# In storage, what every noun stands on (projections: each one's rows lie under its name), and what is above them or
# beside. Every other file there is a noun.
GROUND = tuple(f"chat.services.storage.{name}" for name in ("client", "facts", "projections", "rows", "values", "wire"))
ON_NOUNS = tuple(
    f"chat.services.storage.{name}"
    for name in ("storage", "transaction", "schema", "changes", "stream", "redis_client")
)
WEB = ("flask", "flask_socketio", "flask_session", "flask_cors", "werkzeug", "socketio", "engineio")

Tree = dict[str, str]  # module → its source


def sources() -> Tree:
    """Every module of `chat`, by name."""
    found = {}
    for path in (ROOT / "chat").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


TREE = sources()


def imports(source: str, tree: Tree) -> set[str]:
    """Every module that a file imports, wherever in the file, for type checkers too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            ours = {f"{node.module}.{alias.name}" for alias in node.names} & tree.keys()
            found |= ours or {node.module}
    return found


def is_of(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def floor_of(module: str) -> tuple[int, str] | None:
    """How high a module stands, and in which package of its floor; None for what stands apart."""
    if is_of(module, APART) or module in ALWAYS:
        return None
    for height, packages in enumerate(FLOORS):
        for package in packages:
            if is_of(module, (package,)):
                return height, package
    raise AssertionError(f"{module} is on no floor: FLOORS has to name it")


def upwards(tree: Tree) -> Iterator[str]:
    """Imports of a higher floor, or of a neighbour on the same one."""
    for module, source in tree.items():
        mine = floor_of(module)
        for other in imports(source, tree) if mine else ():
            theirs = floor_of(other) if other in tree else None
            if mine and theirs and (theirs[0] > mine[0] or (theirs[0] == mine[0] and theirs[1] != mine[1])):
                yield f"{module} imports {other}"


def stores_at_an_edge(tree: Tree) -> Iterator[str]:
    """Edges that ask a store and not a service."""
    for module, source in tree.items():
        if is_of(module, (*EDGES, "chat.cli")) and not is_of(module, STORES):
            yield from (f"{module} imports {o}" for o in imports(source, tree) if is_of(o, ("chat.services.storage",)))


def web_within(tree: Tree) -> Iterator[str]:
    """Services that know of HTTP or of sockets."""
    for module, source in tree.items():
        if is_of(module, ("chat.services", "chat.models", "chat.errors", "chat.config", "chat.names")):
            yield from (f"{module} imports {other}" for other in imports(source, tree) if is_of(other, WEB))


def aws_elsewhere(tree: Tree) -> Iterator[str]:
    """Whoever else speaks to AWS."""
    for module, source in tree.items():
        if not is_of(module, AWS):
            yield from (f"{module} imports {o}" for o in imports(source, tree) if is_of(o, ("boto3", "botocore")))


def nouns_entangled(tree: Tree) -> Iterator[str]:
    """Rows of one noun that know of another's, or a ground that knows of any: a new noun is one file."""
    for module, source in tree.items():
        if is_of(module, ("chat.services.storage",)) and not is_of(module, ON_NOUNS):
            for other in imports(source, tree):
                if is_of(other, ("chat.services.storage",)) and not is_of(other, GROUND):
                    yield f"{module} imports {other}"


def greenlets_elsewhere(tree: Tree) -> Iterator[str]:
    """Whoever else uses gevent: everything else may be loaded by a Lambda function."""
    for module, source in tree.items():
        if not is_of(module, GREENLETS):
            yield from (f"{module} imports {other}" for other in imports(source, tree) if is_of(other, ("gevent",)))


def services_in_the_transport(tree: Tree) -> Iterator[str]:
    """The transport and the embedded engine are products of their own: settings and errors, and hardly a
    service."""
    allowed = ("chat.config", "chat.depth", "chat.errors")
    allowed += ("chat.services.accounts.addresses",)  # whose address it is, behind proxies
    allowed += ("chat.services.accounts.audit",)  # who was refused
    for module, source in tree.items():
        if is_of(module, ("chat.sockets.transport",)):
            for other in imports(source, tree):
                if is_of(other, ("chat",)) and not is_of(other, ("chat.sockets.transport", *allowed)):
                    yield f"{module} imports {other}"
        if is_of(module, ("chat.embedded.dynamodb",)):
            for other in imports(source, tree):
                if is_of(other, ("chat",)) and not is_of(other, ("chat.embedded",)):
                    yield f"{module} imports {other}"


def environment_elsewhere(tree: Tree) -> Iterator[str]:
    """Whoever else reads the environment."""
    for module, source in tree.items():
        for node in ast.walk(ast.parse(source)) if module not in ("chat.config", "chat.env_file") else ():
            reads = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
            if reads and isinstance(node.value, ast.Name) and node.value.id == "os":  # type: ignore[attr-defined]
                yield f"{module} reads the environment"


def circles(tree: Tree) -> Iterator[str]:
    """Modules that import each other, in however many steps; a package's own file counts for itself alone."""
    edges = {module: imports(source, tree) & tree.keys() - {module} for module, source in tree.items()}
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> Iterator[str]:
        if module in path:
            yield " → ".join([*path[path.index(module) :], module])
            return
        if module in done:
            return
        for other in sorted(edges[module]):
            yield from walk(other, [*path, module])
        done.add(module)

    for module in sorted(edges):
        yield from walk(module, [])


RULES = [
    upwards,
    stores_at_an_edge,
    web_within,
    aws_elsewhere,
    nouns_entangled,
    greenlets_elsewhere,
    services_in_the_transport,
    environment_elsewhere,
    circles,
]
BROKEN = {
    upwards: [
        ("chat.services.log.append", "from chat.services.rooms.rooms import Rooms"),
        ("chat.services.bus.bus", "import chat.services.sessions.sessions"),
        ("chat.blueprints.auth", "from chat.sockets import handlers"),
        ("chat.services.storage.rows", "if TYPE_CHECKING:\n    from chat.services.log.append import Log"),
    ],
    stores_at_an_edge: [("chat.sockets.subscriptions", "from chat.services.storage import rows")],
    web_within: [("chat.services.rooms.rooms", "def late():\n    import flask")],
    aws_elsewhere: [("chat.services.jobs.poller", "from botocore.exceptions import ClientError")],
    nouns_entangled: [
        ("chat.services.storage.workers", "from chat.services.storage.rooms import meta_key"),
        ("chat.services.storage.facts", "from chat.services.storage import claims"),
    ],
    greenlets_elsewhere: [("chat.services.messages.writing", "import gevent")],
    services_in_the_transport: [
        ("chat.sockets.transport.frames", "from chat.services.limits.limits import Limits"),
        ("chat.embedded.dynamodb.store", "from chat.models import Room"),
    ],
    environment_elsewhere: [("chat.services.bus.bus", "import os\nURL = os.environ['URL']")],
    circles: [("chat.errors", "if TYPE_CHECKING:\n    from chat.models import Room\n    import chat.errors_too")],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_this_rule(rule):
    assert list(rule(TREE)) == []


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [(rule, *broken) for rule, places in BROKEN.items() for broken in places],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_whoever_breaks_it_is_named(rule, module, source):
    assert module in TREE
    back = {"chat.errors_too": "import chat.errors"} if rule is circles else {}
    assert any(module in found for found in rule(TREE | {module: source} | back))


def test_every_rule_is_shown_broken():
    assert BROKEN.keys() == set(RULES)


def test_no_file_is_longer_than_one_reads_at_a_time():
    """The embedded engine, and what one client is to the fast transport, stand apart."""
    assert too_long(ROOT) == []


def test_a_longer_one_would_be_found(tmp_path):
    (tmp_path / "chat").mkdir()
    (tmp_path / "chat" / "long.py").write_text("x = 1\n" * (LONGEST + 1))
    assert too_long(tmp_path) == [f"chat/long.py: {LONGEST + 1} lines"]


def test_importing_the_services_does_not_import_flask():
    services = "chat.services.accounts.accounts, chat.services.messages.writing"
    code = f"import sys, chat, {services}; print('flask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"
