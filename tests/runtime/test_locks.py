"""What gets installed: pinned by hash, from wherever one's own settings say, and above the known bugs."""

from __future__ import annotations

import json
import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.runtime.running import ROOT

LOCKS = ("requirements.txt", "requirements-run.txt", "requirements-dev.txt", "requirements-serverless.txt")

# package, the first version without the bug, the bug
FLOORS = [
    ("python-socketio", "5.18.1", "CVE-2025-61765: pickle over the message queue runs code; JSON is read since 5.18.1"),
    ("python-engineio", "3.9.0", "CVE-2019-13611: cross-site WebSocket hijacking"),
    ("gevent", "24.10.1", "CVE-2023-41419: request smuggling; CVE-2024-3219"),
    ("gunicorn", "26.1.0", "CVE-2024-1135, CVE-2024-6827: request smuggling; parser hardening up to 26.1.0"),
    ("flask-cors", "6.0.0", "CVE-2024-1681, CVE-2024-6221, CVE-2024-6839, CVE-2024-6844, CVE-2024-6866"),
    ("flask", "3.1.3", "CVE-2023-30861, CVE-2026-27205: missing Vary: Cookie"),
    ("werkzeug", "3.1.5", "CVE-2024-49767, CVE-2023-46136; safe_join: GHSA-hgf8-39gv-g3f2, GHSA-87hc-h4r5-73f7"),
    ("bcrypt", "5.0.0", "raises above 72 bytes instead of cutting them off"),
]
NEVER = {"gevent-websocket", "flask-talisman"}


def _pins(lock: str) -> dict[str, set[str]]:
    """Package to its versions: more than one where that depends on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", (ROOT / lock).read_text(), re.M):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_hashes(lock: str) -> None:
    text = re.sub(r"\s*\\\n\s+", " ", (ROOT / lock).read_text())
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) >= 3
    hashed = r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; [^#]+?)?( --hash=sha256:[0-9a-f]{64})+"
    assert [line for line in lines if not re.fullmatch(hashed, line)] == []


@pytest.mark.parametrize("lock", [*LOCKS, "frontend/package-lock.json"])
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    if lock.endswith(".json"):  # `funding` is each author's own address, read by nobody
        packages = [package for path, package in json.loads(text)["packages"].items() if path]
        assert packages
        assert [package for package in packages if not package.get("integrity", "").startswith("sha512-")] == []
        text = json.dumps([{k: v for k, v in package.items() if k != "funding"} for package in packages])
    assert re.findall(r"[a-z+]+://[^\s\"]+|--(?:index|extra-index|find-links)\S*", text) == []


@pytest.mark.parametrize(("source", "lock"), [(lock.replace(".txt", ".in"), lock) for lock in LOCKS])
def test_a_lock_holds_what_its_source_asks_for(source: str, lock: str) -> None:
    pins = _pins(lock)
    asked = [line for line in (ROOT / source).read_text().splitlines() if line and line[0] not in "#-"]
    assert asked
    for requirement in map(Requirement, asked):
        pinned = pins.get(requirement.name.lower())
        assert pinned, f"{requirement.name} of {source} is not in {lock}: make lock"
        assert {version for version in pinned if not requirement.specifier.contains(version, prereleases=True)} == set()


def test_the_locks_agree_with_each_other() -> None:
    dev = _pins("requirements-dev.txt")
    for lock in ("requirements.txt", "requirements-run.txt"):
        assert {name: dev.get(name) for name in _pins(lock)} == _pins(lock)


@pytest.mark.parametrize(("package", "floor", "bug"), FLOORS)
def test_nothing_below_the_version_that_mended_a_known_bug(package: str, floor: str, bug: str) -> None:
    assert min(map(Version, _pins("requirements.txt")[package])) >= Version(floor), bug


def test_what_breaks_the_server_is_not_installed() -> None:
    """gevent-websocket replaces gunicorn's parser by its mere presence; flask-talisman is no longer looked after."""
    assert set(_pins("requirements-dev.txt")).isdisjoint(NEVER)
