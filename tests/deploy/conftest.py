"""The template, and one local cloud that all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.deploy.hybrid import Hybrid
from tests.deploy.made import MadeCloud
from tests.deploy.tools import Json, transformed
from tests.e2e.browser import ARGS
from tests.e2e.parley import ROOMY

WHOLE_BROWSER = "/usr/bin/chromium"
CHEAP = {"BCRYPT_COST": "4", "TESTING": "1"}  # a test signs in more often than people do


@pytest.fixture(scope="session")
def template() -> Json:
    """deploy/template.yaml after the transform."""
    return transformed()


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeCloud]:
    """`make cloud`, with cheap hashes. Its end is tested too: it fails when Ctrl-C leaves anything running."""
    with MadeCloud(tmp_path_factory.mktemp("cloud"), **ROOMY, **CHEAP) as running:
        for function in ("register", "login"):
            running.stack.change_settings(function, **CHEAP)
        yield running


@pytest.fixture(scope="package")
def hybrid(cloud: MadeCloud) -> Hybrid:
    return Hybrid(cloud)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests here, gone before tests/e2e starts its own: a thread has one Playwright. It is the
    whole browser, since the headless shell keeps every cookie of a third party."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=WHOLE_BROWSER, args=ARGS)
        yield chromium
        chromium.close()
