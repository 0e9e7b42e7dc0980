"""The trials of tests/faults/revocations.py in small, half a minute of them: enough to find what they would find."""

from __future__ import annotations

import os
import time

import pytest

from tests.conftest import wait_until
from tests.faults.revocations import (
    BOUND_S,
    FLUSH_BOUND_S,
    Measured,
    delete_key,
    expire,
    quantile,
    running,
)


@pytest.fixture(scope="module")
def revocations():
    with running(people=60, per_s=20, seed=int.from_bytes(os.urandom(4))) as revocations:
        yield revocations


def fine(measured, number, bound_s=BOUND_S):
    """Every session was measured, got the traffic before, and nothing of it later than the bound."""
    print(measured)
    assert len(measured.content_s) == number and measured.contents > 3 * number, str(measured)
    assert measured.late() == 0 and not measured.wrong, str(measured)
    return max(measured.closed_s) <= bound_s


def test_sixty_sessions_revoked_under_traffic_get_nothing_late(revocations):
    measured = Measured("in every way")
    revocations.under_traffic(measured, 60)
    assert fine(measured, 60), str(measured)


def test_the_sweep_alone_is_in_time(revocations):
    redis = revocations.parley.redis
    held = redis.config_get("notify-keyspace-events")["notify-keyspace-events"]
    redis.config_set("notify-keyspace-events", "")
    measured = Measured("by the sweep")
    revocations.under_traffic(measured, 40, (delete_key, expire))
    redis.config_set("notify-keyspace-events", held)
    assert fine(measured, 40), str(measured)
    assert quantile(measured.told_s, 0.5) > 0.1, "key events told of them: the sweep was not alone"


def test_a_worker_stopped_after_a_revoke_delivers_nothing_when_it_goes_on(revocations):
    measured = Measured("both workers stopped")
    keys = revocations.parley.redis
    revocations.while_stopped(measured, 40, revocations.workers, lambda names: keys.delete(*names), lambda names: None)
    fine(measured, 40)
    before = revocations.acked()
    wait_until(lambda: revocations.acked() > before, 10, "the traffic goes on")


def test_the_trials_see_who_is_still_delivered_to(revocations):
    """A session that nobody revoked, taken for a revoked one, is found late: the figures can say no."""
    ids = revocations.enter(revocations.members[:2])
    measured, at = Measured("not revoked"), time.time()
    time.sleep(BOUND_S + 1)
    for mine in ids.values():
        measured.add(revocations.sockets, mine, at, "logout")
    revocations.leave(ids)
    assert measured.late() == 2 and sum(measured.wrong.values()) == 4


def test_an_emptied_redis_sends_everybody_to_sign_in(revocations):
    """Last: the traffic's own sessions end with the others."""
    measured = Measured("emptied")
    revocations.emptied(measured, 100)
    assert fine(measured, 50, FLUSH_BOUND_S), str(measured)
