"""Engines for the tests, and what conformance is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.engine import Engine, start_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine of this test's own, as safe as in production."""
    engine = start_engine(tmp_path)
    yield engine
    engine.kill()
