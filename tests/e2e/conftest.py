"""One product for all tests, people and their devices for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.browser import ARGS, CHROMIUM, Visitors
from tests.e2e.parley import Parley, Person
from tests.e2e.peer import Peer


@pytest.fixture(scope="session")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parley]:
    """The product that all tests share."""
    with Parley(tmp_path_factory.mktemp("e2e") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parley]:
    """The same with two workers."""
    with Parley(tmp_path_factory.mktemp("two-workers") / "data", WORKERS="2") as running:
        yield running


@pytest.fixture
def own_parley(parley: Parley) -> Iterator[Parley]:
    """The shared product for a test that stops, empties or kills it: it is well again for whoever comes next."""
    yield from mended(parley)


@pytest.fixture
def own_pair(two_workers: Parley) -> Iterator[Parley]:
    """The one with two workers, likewise."""
    yield from mended(two_workers)


def mended(parley: Parley) -> Iterator[Parley]:
    yield parley
    if not parley.is_well():
        parley.kill_all()
        parley.start()


@pytest.fixture
def device() -> Iterator[Callable[..., Peer]]:
    """Makes peers, and ends them after the test: `device(person)`."""
    with ExitStack() as stack:
        yield lambda person, **options: stack.enter_context(Peer(person, **options))


@pytest.fixture
def two(parley: Parley) -> tuple[Person, Person]:
    """Two people who are new here."""
    return parley.person("Ada"), parley.person("Grace")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each person gets a context of their own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visitor(parley: Parley, browser: Browser) -> Iterator[Visitors]:
    """Opens a browser for somebody: `visitor()`; at the end none may have shown an error or fetched from elsewhere."""
    with Visitors(parley, browser) as visitors:
        yield visitors
