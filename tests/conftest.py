"""Real parts for every test: a Redis, a DynamoDB engine, the app, and the app under gunicorn.

pytest itself is not monkey-patched by gevent: what needs greenlets on sockets runs in the `live_server`'s process.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import JSONFileLoader, Loader
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from werkzeug.test import TestResponse

from chat.blueprints import frontend
from chat.config import Config
from chat.services.storage import redis_client, schema
from chat.services.storage.storage import Storage
from chat.services.storage.wire import endpoint
from tests.logs import WATCHED
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse battery"

settings.register_profile("parley", deadline=None, print_blob=True)  # how long an example takes, the machine decides
settings.load_profile("parley")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "expects_traceback(*texts): a product's log may have one with such a text")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """When all that ends with a test has ended: no product has said a traceback that the test did not ask for."""
    yield
    expected = [text for mark in item.iter_markers("expects_traceback") for text in mark.args]
    said = WATCHED.tracebacks(ended=nextitem is None)
    unasked = [traceback for traceback in said if not any(text in traceback for text in expected)]
    if unasked:
        pytest.fail("A product logged what no test asked for.\n" + "\n".join(unasked[:5]), pytrace=False)


def wait_until(check: Callable[[], object], within_s: float = 30.0, what: str = "it") -> None:
    """Polls until `check` says something true."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"{what} did not happen within {within_s} s"
        time.sleep(0.01)


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Files that never change are read and understood once a process, however many clients and apps its tests make:
    what botocore knows of AWS's services, and the bundle."""
    load, look, read = JSONFileLoader._load_file, Loader.list_available_services, frontend.File.read

    @functools.cache
    def loaded(path: str, opener: Callable[..., Any]) -> Any:
        return load(JSONFileLoader(), path, opener)

    @functools.cache
    def listed(kind: str, *folders: str) -> list[str]:
        loader = Loader(include_default_search_paths=False)
        loader.search_paths.extend(folders)
        return look(loader, kind)

    @functools.cache
    def packed(path: Path, cache_control: str, written_at_ns: int) -> frontend.File:
        return read(path, cache_control)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JSONFileLoader, "_load_file", lambda _, path, opener: loaded(path, opener))
        patched.setattr(
            Loader, "list_available_services", lambda self, type_name: listed(type_name, *self.search_paths)
        )
        patched.setattr(frontend.File, "read", lambda path, kept: packed(path, kept, path.stat().st_mtime_ns))
        yield


@pytest.fixture(scope="session", autouse=True)
def asked_again_at_once() -> Iterator[None]:
    """A DynamoDB that is away stays away for the whole test: nobody pauses between two attempts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(endpoint, "random", SimpleNamespace(random=lambda: 0.0))
        yield


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of our own that keeps nothing."""
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    assert server, "the tests need redis-server or valkey-server on the PATH"
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    argv = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    client = redis_client.connect(url)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except Exception:
            return False

    wait_until(answers, what="Redis answers")
    yield url
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an embedded engine; the environment holds the credentials for it."""
    folder = tmp_path_factory.mktemp("dynamodb")
    credentials = folder / "credentials"
    argv = [sys.executable, "-m", "chat.embedded.dynamodb", "--data", str(folder / "db"), "--synchronous", "NORMAL"]
    argv += ["--credentials", str(credentials)]
    WATCHED.file(log := folder / "log")
    with log.open("wb") as stderr:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT)
    assert process.stdout is not None
    endpoint = process.stdout.readline().strip().removeprefix("DYNAMODB_ENDPOINT=")
    before = dict(os.environ)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        os.environ.pop(name, None)
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(credentials)
    yield endpoint
    os.environ.clear()
    os.environ.update(before)
    process.terminate()
    process.wait(30)


@pytest.fixture
def config(redis_url: str, dynamodb: str) -> Config:
    """Settings on an empty Redis and tables of this test's own."""
    config = Config(
        secret_key="0123456789abcdef" * 3,
        redis_url=redis_url,
        dynamodb_endpoint=dynamodb,
        table_prefix=f"t{uuid.uuid4().hex[:8]}-",
        testing=True,
        bcrypt_cost=4,
        sends_per_user=1_000,  # a test does in a second what a person does in a minute
        reads_per_user=2_000,
        fanout=os.environ.get("FANOUT") or Config.fanout,
    )
    redis_client.connect(redis_url).flushall()
    make_tables(config)
    return config


def make_tables(config: Config) -> None:
    """Three tables as `flask create-tables` makes them, with a tenth of what boto3 would compute for it; the engine has
    them at once."""
    storage = Storage.connect(config)
    for operation in ("CreateTable", "DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive"):
        setattr(
            storage.client._client, xform_name(operation), functools.partial(storage.client._client._request, operation)
        )
    storage.client.wait_until = lambda waiter, table: None  # type: ignore[method-assign]
    schema.create(storage)


@pytest.fixture
def app(config: Config) -> Flask:
    """The application, assembled as in production."""
    from chat.app import create_app

    return create_app(config)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has been nowhere yet."""
    return browser(app)


class Browser(FlaskClient):
    """A browser at the address that the settings name."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", self.application.extensions["parley"].config.public_url)
        return super().open(*args, **kwargs)


def browser(app: Flask) -> FlaskClient:
    """A further browser with cookies of its own."""
    app.test_client_class = Browser
    return app.test_client()


class Auth:
    """Signing in and out with one browser."""

    def __init__(self, client: FlaskClient):
        self._client = client

    def register(self, username: str = "alice", password: str = PASSWORD, **options: object) -> TestResponse:
        body = {"username": username, "password": password}
        return self._client.post("/api/auth/register", json=body, **options)

    def login(self, username: str = "alice", password: str = PASSWORD, **options: object) -> TestResponse:
        return self._client.post("/api/auth/login", json={"username": username, "password": password}, **options)

    def logout(self, **options: object) -> TestResponse:
        return self._client.post("/api/auth/logout", **options)

    def enter(self, username: str = "alice") -> str:
        """Registers and signs in; returns the session's id."""
        assert self.register(username).status_code == 201
        assert self.login(username).status_code == 200
        cookie = self._client.get_cookie("parley", domain="localhost")
        assert cookie is not None
        return cookie.value


@pytest.fixture
def auth(client: FlaskClient) -> Auth:
    """Signing in and out with `client`."""
    return Auth(client)


@dataclass
class LiveServer:
    """The app under gunicorn, as it is deployed."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    config: Config

    def says_yes(self, path: str) -> bool:
        """Whether it answers 200 there."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self) -> int:
        """Asks it to stop; returns the exit code."""
        self.process.terminate()
        return self.process.wait(30)


def spawn_server(config: Config, folder: Path, wsgi: str = "wsgi:app", **changes: object) -> LiveServer:
    """Starts gunicorn with gunicorn.conf.py on a free port and waits until it is alive; `changes` are settings that
    differ from `config`, `wsgi` is what it serves."""
    port = int(changes.pop("port", 0) or free_port())  # type: ignore[call-overload]
    config = replace(config, port=port, public_url=f"http://localhost:{port}", **changes)  # type: ignore[arg-type]
    settings = {name.upper(): value for name, value in vars(config).items() if value not in ("", ())}
    settings["ALLOWED_ORIGINS"] = ",".join(config.allowed_origins)
    env = {**os.environ, **{name: str(int(v) if isinstance(v, bool) else v) for name, v in settings.items()}}
    log = folder / f"server-{port}.log"
    WATCHED.file(log)
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", wsgi]
    process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log.open("wb"), stderr=subprocess.STDOUT)

    server = LiveServer(f"http://localhost:{port}", port, process, log, config)
    _await(server, "/healthz", "the server is alive")
    return server


def start_server(config: Config, folder: Path, wsgi: str = "wsgi:app", **changes: object) -> LiveServer:
    """A server as `spawn_server` starts it, once it is ready."""
    server = spawn_server(config, folder, wsgi, **changes)
    _await(server, "/readyz", "the server is ready")
    return server


def _await(server: LiveServer, path: str, what: str) -> None:
    """Waits for a 200 there; a server that does not get so far leaves nothing running behind."""
    try:
        wait_until(lambda: server.says_yes(path), 120, what)
    except BaseException:
        server.process.terminate()
        raise


@pytest.fixture
def live_server(config: Config, tmp_path: Path) -> Iterator[LiveServer]:
    """A running server on the test's own tables."""
    server = start_server(config, tmp_path)
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait(30)
