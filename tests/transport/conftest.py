from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.transport.served import Tiny, serve_tiny

FANOUTS = [os.environ["FANOUT"]] if os.environ.get("FANOUT") else ["fast", "stock"]  # the transports that are tested

Start = Callable[..., Tiny]


@pytest.fixture(scope="module", params=FANOUTS)
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts further servers with other settings: `start(sockets_per_address=3)`. Ends them with the module. Every test
    that needs one runs on both transports."""
    started: list[Tiny] = []

    def start(**settings: object) -> Tiny:
        started.append(serve_tiny(tmp_path_factory.mktemp("tiny") / "log", request.param, **settings))
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
    """The module's server, empty before and after; afterwards its log has no traceback that no test expected."""
    shared.empty()
    before = shared.log.stat().st_size
    yield shared
    shared.empty()
    said = shared.log.read_text()[before:]
    assert "Traceback" not in said, said
