"""The network of hosts that tests of the faults share, where this machine permits one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.hosts import Network, refusal


@pytest.fixture(scope="session")
def permitted() -> None:
    """Skips where the machine has no namespaces for us, saying why."""
    if why := refusal():
        pytest.skip(why)


@pytest.fixture
def network(permitted: None) -> Iterator[Network]:
    """Two hosts with a router between them; `near` has three further addresses."""
    with Network("near", "far", addresses={"near": 3}) as network:
        yield network
