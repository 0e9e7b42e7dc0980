"""DynamoDB that is down, slow, throttled or broken: who sends is told in time, nobody is signed out, and soon after all
is well again nothing is missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import ROOT, free_port
from tests.e2e.outages import Device, endures
from tests.e2e.parley import Parley
from tests.faults.proxy import Proxy


@contextmanager
def weather(proxy: Proxy, **what: Any) -> Iterator[None]:
    """What befalls each request to DynamoDB; it did, or the test would show nothing."""
    before = proxy.heal()
    heal = proxy.befall(**what)
    try:
        yield
    finally:
        heal()
    assert proxy.heal() - before, what


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parley, Proxy]]:
    """A product whose DynamoDB is reached through a proxy."""
    folder = tmp_path_factory.mktemp("behind-proxy")
    keys = folder / "credentials"
    argv = [sys.executable, "-m", "chat.embedded.dynamodb", "--data", str(folder / "db"), "--credentials", str(keys)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as engine:
        try:
            assert engine.stdout is not None
            address = engine.stdout.readline().strip().removeprefix("DYNAMODB_ENDPOINT=http://")
            here = f"127.0.0.1:{free_port()}"
            given = {"DYNAMODB_ENDPOINT": f"http://{here}", "AWS_SHARED_CREDENTIALS_FILE": str(keys)}
            with (
                Proxy(here, address, folder / "proxy.sock", http=True) as proxy,
                Parley(folder / "data", **given) as parley,
            ):
                yield parley, proxy
        finally:
            engine.kill()


WEATHERS = {
    "dynamodb is down": {"refuse": True, "reset_share": 1.0},  # the connections that it had break too
    "dynamodb takes five seconds": {"delay_s": 5.0},
    "dynamodb throttles all": {"refuse_requests": 1.0},
    "dynamodb resets all": {"reset_share": 1.0},
    "dynamodb commits and says nothing": {"lose_answers": 1.0},
}


@pytest.mark.parametrize("what", WEATHERS.values(), ids=WEATHERS.keys())
def test_in_every_weather_a_send_is_answered_in_time_and_all_is_well_soon_after(behind_proxy, device: Device, what):
    parley, proxy = behind_proxy
    endures(parley, device, weather(proxy, **what))


@pytest.mark.parametrize("what", [{"refuse_requests": 0.3}, {"reset_share": 0.3}], ids=["throttles", "resets"])
def test_when_three_requests_in_ten_fail_sends_succeed_or_say_try_again(behind_proxy, device: Device, what):
    """A worker that gets through at the second try has no reason to say that it is not ready."""
    parley, proxy = behind_proxy
    endures(parley, device, weather(proxy, **what), unready=False)
