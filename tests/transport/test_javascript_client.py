"""The JavaScript client, as the page has it, finds what it expects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.transport.conftest import Start, Tiny

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


@pytest.fixture(scope="module")
def shared(start: Start) -> Tiny:
    """Pings every half second."""
    return start(ping_s=0.5)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_javascript_client_finds_what_it_expects(tiny: Tiny, scenario: str) -> None:
    argv = ["node", str(CLIENT), f"http://localhost:{tiny.port}", scenario]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_a_client_that_finds_something_else_says_so(tiny: Tiny) -> None:
    """So the scenarios above could fail."""
    argv = ["node", str(CLIENT), f"http://localhost:{tiny.port}", "a wrong answer"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "AssertionError" in done.stderr
