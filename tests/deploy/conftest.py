from __future__ import annotations

import pytest

from tests.deploy.tools import Json, transformed


@pytest.fixture(scope="session")
def template() -> Json:
    """deploy/template.yaml after the transform."""
    return transformed()
