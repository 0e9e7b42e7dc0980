from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from chat.embedded.children import Child
from chat.embedded.folder import Folder
from chat.embedded.redis_server import configure, find_server
from tests.ports import free_port
from tests.runtime.running import WITHIN_S, Running, until


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One run for all tests of a module."""
    with Running(tmp_path_factory.mktemp("run") / 'a "folder" of mine') as running:
        yield running


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of nobody's."""
    folder = Folder(tmp_path / "redis-of-nobody")
    server = find_server()
    port = free_port()
    settings = configure(folder, server, port, "password", "parley-password")
    child = Child("Redis", [server.binary, str(settings)], dict(os.environ), tmp_path)
    child.start()
    url = f"redis://:password@127.0.0.1:{port}/0"
    until(lambda: _answers(url), WITHIN_S, "Redis answers")
    yield url
    child.kill()
    os.close(folder.lock_fd)


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False
