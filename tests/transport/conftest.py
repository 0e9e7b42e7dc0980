from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.transport.served import Tiny, serve_tiny

FANOUTS = [os.environ["FANOUT"]] if os.environ.get("FANOUT") else ["fast", "stock"]  # the transports that are tested
on_each = pytest.mark.parametrize("fanout", FANOUTS, indirect=True, scope="module")
"""For a test, or the `pytestmark` of a module, where each transport has code of its own for what is tested: both.
Other tests run on the first of FANOUTS."""

Start = Callable[..., Tiny]


@pytest.fixture(scope="module", params=FANOUTS[:1])
def fanout(request: pytest.FixtureRequest) -> str:
    """The transport that is tested."""
    return str(request.param)


@pytest.fixture(scope="module")
def start(fanout: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts further servers with other settings: `start(sockets_per_address=3)`. Ends them with the module."""
    started: list[Tiny] = []

    def start(**settings: object) -> Tiny:
        started.append(serve_tiny(tmp_path_factory.mktemp("tiny") / "log", fanout, **settings))
        return started[-1]

    yield start
    for tiny in started:
        tiny.end()


@pytest.fixture(scope="module")
def shared(start: Start) -> Tiny:
    """One server for all tests of a module; what ends after ten seconds does so after two."""
    return start(hurry_s=2)


@pytest.fixture
def tiny(shared: Tiny) -> Iterator[Tiny]:
    """The module's server, empty before and after."""
    shared.empty()
    yield shared
    shared.empty()
