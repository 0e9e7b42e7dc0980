"""Engines for the tests, and what conformance is measured on."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port, wait_until
from tests.embedded.differences import KNOWN
from tests.embedded.engine import Engine, make_client, start_engine

TARGETS = ["embedded"]
# These differ from AWS in more than differences.py names yet; test_conformance.py holds moto to what is known.
TARGETS += [name for name in ("moto", "ministack") if name in os.environ.get("DDB_CONFORMANCE_TARGETS", "").split(",")]
if os.environ.get("DDB_CONFORMANCE_ENDPOINT"):
    TARGETS.append("endpoint")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine of this test's own, as safe as in production."""
    engine = start_engine(tmp_path)
    yield engine
    engine.kill()


@dataclass
class Target:
    """Something that speaks DynamoDB."""

    name: str
    client: Any
    streams: Any
    _tables: dict[str, str] = field(default_factory=dict)

    def table(self, range_type: str = "S") -> str:
        """A table that all tests share, each with hash keys of its own: `pk` (S) and `sk` of that type."""
        if range_type not in self._tables:
            self._tables[range_type] = self.new_table(range_type)
        return self._tables[range_type]

    def new_table(self, range_type: str = "", **options: Any) -> str:
        """A table of the test's own; without a range key unless a type is given."""
        name = f"conformance-{uuid.uuid4().hex[:12]}"
        keys = {"pk": "S"} | ({"sk": range_type} if range_type else {})
        self.client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
            KeySchema=[
                {"AttributeName": key, "KeyType": role} for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            **options,
        )
        self.client.get_waiter("table_exists").wait(TableName=name)
        self._tables[name] = name
        return name

    def drop_tables(self) -> None:
        for name in self._tables.values():
            try:
                self.client.delete_table(TableName=name)
            except self.client.exceptions.ResourceNotFoundException:
                pass


@contextmanager
def _embedded(folder: Path) -> Iterator[tuple[Any, Any]]:
    engine = start_engine(folder, synchronous="NORMAL", sweep_every="0.1")
    yield engine.client(), engine.client("dynamodbstreams")
    engine.kill()


@contextmanager
def _moto(folder: Path) -> Iterator[tuple[Any, Any]]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    yield tuple(
        make_client(endpoint, "any", "any", service, "us-east-1") for service in ("dynamodb", "dynamodbstreams")
    )
    server.stop()


@contextmanager
def _ministack(folder: Path) -> Iterator[tuple[Any, Any]]:
    port = free_port()
    env = {**os.environ, "GATEWAY_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "ministack"], cwd=folder, env=env, stdout=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    wait_until(answers, 60, "ministack")
    yield tuple(
        make_client(endpoint, "any", "any", service, "us-east-1") for service in ("dynamodb", "dynamodbstreams")
    )
    process.kill()
    process.wait(60)


@contextmanager
def _endpoint(folder: Path) -> Iterator[tuple[Any, Any]]:
    import boto3

    endpoint = os.environ["DDB_CONFORMANCE_ENDPOINT"]
    streams = endpoint.replace("//dynamodb.", "//streams.dynamodb.")
    yield boto3.client("dynamodb", endpoint_url=endpoint), boto3.client("dynamodbstreams", endpoint_url=streams)


@pytest.fixture(scope="session", params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Each implementation in turn; keys of AWS are used only where an endpoint was named."""
    starters: dict[str, Callable[[Path], Any]] = {
        "embedded": _embedded,
        "moto": _moto,
        "ministack": _ministack,
        "endpoint": _endpoint,
    }
    with starters[request.param](tmp_path_factory.mktemp(request.param)) as (client, streams):
        made = Target(request.param, client, streams)
        yield made
        if request.param == "endpoint":
            made.drop_tables()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Known differences are expected to fail, and a test that passes nevertheless says so."""
    for item in items:
        call = getattr(item, "callspec", None)
        if call is None or "target" not in call.params:
            continue
        who = call.params["target"]
        rest = "-".join(part for part in call._idlist if part != who)
        name = getattr(item, "originalname", item.name)
        why = KNOWN.get((who, name)) or KNOWN.get((who, f"{name}[{rest}]"))
        if why:
            item.add_marker(pytest.mark.xfail(reason=f"{who}: {why}", strict=True))


@pytest.fixture
def place(target: Target) -> Any:
    """A hash key of the test's own in a table with range keys of text."""
    from tests.embedded.asking import Place

    return Place(target)
