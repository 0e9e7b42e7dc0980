"""The product on its hosts, and the handles by which faults hold it."""

from __future__ import annotations

import email.utils
import http.client
import os
import signal
import time
from collections.abc import Iterator

import pytest
import redis

from tests.conftest import wait_until
from tests.faults.site import PORT, Site


@pytest.fixture(scope="module")
def site(permitted: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site"), workers=(1, 1)) as site:
        yield site


def date(site: Site, source: str = "127.0.0.1", within_s: float = 30) -> float:
    """The time that the next web host in turn says it is, in seconds since 1970. Raises: OSError."""
    with site.clients.inside():
        connection = http.client.HTTPConnection("127.0.0.1", PORT, within_s, (source, 0))
        try:
            connection.request("GET", "/healthz")
            return email.utils.parsedate_to_datetime(connection.getresponse().headers["Date"]).timestamp()
        finally:
            connection.close()


def clock_offsets(site: Site) -> list[int]:
    """How far off the clocks are that the web hosts show, in turn."""
    return sorted(round((date(site) - time.time()) / 60) for _ in site.web)


def test_both_web_hosts_answer_by_one_address_in_turn(site: Site) -> None:
    site.web[0].end(signal.SIGTERM)
    try:
        refused = 0
        for _ in range(4):
            try:
                date(site)
            except ConnectionRefusedError:
                refused += 1
        assert refused == 2
    finally:
        site.web[0].start()
        site.web[0].await_ready()


def test_an_address_of_a_client_can_be_cut_off_alone(site: Site) -> None:
    struck, spared, *_ = site.sources
    heal = site.wire.cut([site.sources[struck]], [web.host.address for web in site.web])
    with pytest.raises(TimeoutError):
        date(site, struck, within_s=0.5)
    assert date(site, spared)
    heal()
    assert date(site, struck)


def test_a_killed_worker_is_replaced(site: Site) -> None:
    [worker] = site.web[1].worker_pids()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in site.web[1].worker_pids(), what="it is gone")
    site.web[1].await_ready()


def test_a_clock_jumps_on_one_web_host_alone(site: Site) -> None:
    site.web[1].clock.set(600)
    wait_until(lambda: clock_offsets(site) == [0, 10], 30, "one clock is ten minutes ahead")
    site.web[1].clock.set(0)
    wait_until(lambda: clock_offsets(site) == [0, 0], 30, "both are right")


def test_a_redis_whose_disk_is_full_refuses_writes_until_there_is_room(site: Site) -> None:
    def writes() -> bool:
        try:
            return bool(site.redis.client.set("test", "x" * 10_000))
        except redis.ResponseError:
            return False

    assert writes()
    site.redis.fill_disk()
    wait_until(lambda: not writes(), what="it refuses")
    site.redis.free_disk()
    wait_until(writes, what="it writes")


def test_a_killed_redis_comes_back_empty(site: Site) -> None:
    site.redis.client.set("test", "1")
    site.redis.end(signal.SIGKILL)
    site.redis.start()
    assert site.redis.client.get("test") is None
    for web in site.web:
        web.await_ready()
