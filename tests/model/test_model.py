"""Hundreds of interleavings of the real services, others in each run: each keeps the promise, and each planted fault
is found. `make model` has thousands."""

from __future__ import annotations

import random

import pytest

from chat.services.log import sequence as numbers
from chat.services.storage import redis_client as redis
from tests.model.mutations import MUTATIONS
from tests.model.network import Redis
from tests.model.run import run_all
from tests.model.scenes import REACTIONS
from tests.model.schedule import Schedule
from tests.seeds import drawn

SCHEDULES = 300
REACTING = 50
A_FEW = 30


def test_hundreds_of_schedules_keep_the_promise():
    first = drawn()
    result = run_all(range(first, first + SCHEDULES))
    assert result.broken == {}
    assert result.figures["acked"] > SCHEDULES and result.figures["faults"] > SCHEDULES


def test_a_crowd_that_reacts_to_one_message_keeps_it_too():
    first = drawn()
    result = run_all(range(first, first + REACTING), REACTIONS)
    assert result.broken == {}
    assert result.figures["acked"] > REACTING


def test_a_seed_is_the_same_schedule_every_time():
    def trace(seed):
        schedule = Schedule(seed)
        schedule.scheduler.tracing = True
        schedule.run()
        return list(schedule.scheduler.trace)

    assert trace(7) == trace(7) != trace(8)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_planted_fault_is_found(mutation):
    found = mutation.found((mutation.meets, *range(A_FEW)))
    assert found, "`meets` is of an earlier code; `python -m tests.model.run --planted` tells others"


def test_the_counters_do_what_the_scripts_do_in_redis(redis_url):
    client, counters, rng = redis.connect(redis_url), Redis(), random.Random(1)
    client.flushall()
    propose, raise_to = client.register_script(numbers.PROPOSE), client.register_script(numbers.RAISE)
    for _ in range(2_000):
        key, low, high = rng.choice("ab"), rng.randrange(12), rng.randrange(12)
        if rng.random() < 0.02:
            client.flushall()
            counters.flush()
        script, command, more = rng.choice(
            ((propose, counters.propose, [rng.randrange(1, 4)]), (raise_to, counters.raise_to, []))
        )
        assert script(keys=[key], args=[low, high, *more]) == command(key, low, high, *more)
        assert client.mget(["a", "b"]) == counters.mget("a", "b")
