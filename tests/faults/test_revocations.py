"""The trials of tests/faults/revocations.py in small: enough to find what they would find.

What is asserted of time holds on a busy machine too: that nothing reaches a session which was written two seconds after
it was over. How soon each delivery, word and close is there is what the long form asserts.
"""

from __future__ import annotations

import time

import pytest

from tests.conftest import wait_until
from tests.faults.revocations import BOUND_S, REVOKES, Measured, delete_key, expire, quantile, running
from tests.seeds import drawn

PEOPLE = 3 * len(REVOKES)
FEWER = 10


@pytest.fixture(scope="module")
def revocations():
    with running(PEOPLE, per_s=20, seed=drawn(), spread_s=1.5) as revocations:
        yield revocations


def check(measured, number):
    """Every session was measured, got the traffic before, was told why it ended, and outlived itself by nothing."""
    print(measured)
    assert len(measured.content_s) == number and measured.contents > 3 * number, str(measured)
    assert measured.outlived() == 0 and not measured.wrong, str(measured)


def test_sessions_revoked_in_every_way_under_traffic_get_nothing_that_comes_after(revocations):
    measured = Measured("in every way")
    revocations.under_traffic(measured, PEOPLE)
    check(measured, PEOPLE)


def test_the_sweep_alone_ends_them_too(revocations):
    redis = revocations.parley.redis
    held = redis.config_get("notify-keyspace-events")["notify-keyspace-events"]
    redis.config_set("notify-keyspace-events", "")
    measured = Measured("by the sweep")
    revocations.under_traffic(measured, FEWER, (delete_key, expire))
    redis.config_set("notify-keyspace-events", held)
    check(measured, FEWER)
    assert quantile(measured.told_s, 0.5) > 0.1, "key events told of them: the sweep was not alone"


def test_a_worker_stopped_after_a_revoke_delivers_nothing_when_it_goes_on(revocations):
    measured = Measured("both workers stopped")
    keys = revocations.parley.redis
    revocations.while_stopped(
        measured, FEWER, revocations.workers, lambda names: keys.delete(*names), lambda names: None
    )
    check(measured, FEWER)
    before = revocations.acked()
    wait_until(lambda: revocations.acked() > before, 30, "the traffic goes on")


def test_the_trials_see_who_is_still_delivered_to(revocations):
    """A session that nobody revoked, taken for a revoked one, is found: the figures can say no."""
    ids = revocations.enter(revocations.members[:2])
    measured, at = Measured("not revoked"), time.time()
    every = [id for mine in ids.values() for id in mine]

    def outlive() -> bool:
        return all(seen.written_at > at + BOUND_S for seen in revocations.sockets.seen(every).values())

    wait_until(outlive, 60, "all get what was written later")
    for mine in ids.values():
        measured.add(revocations.sockets, mine, at, at, "logout")
    revocations.leave(ids)
    assert measured.late() == measured.outlived() == measured.unclosed() == 2 and sum(measured.wrong.values()) == 4


def test_an_emptied_redis_sends_everybody_to_sign_in(revocations):
    """Last: the traffic's own sessions end with the others."""
    measured = Measured("emptied")
    revocations.emptied(measured, 2 * PEOPLE)
    check(measured, PEOPLE)
