"""The JavaScript client, as the page has it, finds what it expects."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.transport.conftest import Start, on_each

CLIENT = Path(__file__).parent / "client.mjs"
SCENARIOS = [
    "acks",
    "answers in order",
    "sent before it is connected",
    "events",
    "a large message",
    "who is refused is told why",
    "an unknown namespace",
    "the server disconnects",
    "it comes back",
    "pings",
    "binary",
]


pytestmark = on_each  # it reads what each transport writes


@pytest.fixture(scope="module")
def found(start: Start) -> dict[str, str | None]:
    """What each scenario found, and one that asks for a wrong answer; the server pings every second and a half."""
    tiny = start(ping_s=1.5)
    argv = ["node", str(CLIENT), f"http://localhost:{tiny.port}", *SCENARIOS, "a wrong answer"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    tiny.empty()
    assert "Traceback" not in tiny.log.read_text()
    lines = map(json.loads, done.stdout.splitlines())
    return {line["scenario"]: line["found"] for line in lines}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_javascript_client_finds_what_it_expects(found: dict[str, str | None], scenario: str) -> None:
    assert found[scenario] is None


def test_a_client_that_finds_something_else_says_so(found: dict[str, str | None]) -> None:
    """So the scenarios above could fail."""
    assert "AssertionError" in str(found["a wrong answer"])
