"""Who hears the bus: one worker's own silence is told from everybody's, by what stands in the table."""

from __future__ import annotations

import pytest

from chat.services.health.workers import FORGOTTEN_AFTER_MS, Workers
from chat.services.storage.storage import Storage


class Ear:
    """Stands for the bus: hears when the test says so."""

    deaf_s = 0.5

    def listen_again(self) -> None:
        self.deaf_s = 0.0


@pytest.fixture
def storage(config) -> Storage:
    return Storage.connect(config)


@pytest.fixture
def two(storage) -> tuple[Workers, Ear, Workers, Ear]:
    here, there = Ear(), Ear()
    workers = Workers(storage, here), here, Workers(storage, there), there
    workers[0].beat()
    workers[2].beat()
    return workers


def test_a_worker_that_hears_nothing_while_another_does_is_alone(two):
    me, ear, other, _ = two
    assert not me.alone_deaf()
    ear.deaf_s = 4.0
    assert me.deaf and not me.alone_deaf()
    other.beat()
    assert not me.alone_deaf(), "not before five seconds"
    ear.deaf_s = 5.5
    assert me.alone_deaf()
    ear.deaf_s = 1.0
    assert not me.deaf and not me.alone_deaf()


def test_when_nobody_hears_nobody_is_alone(two):
    me, ear, other, others_ear = two
    ear.deaf_s, others_ear.deaf_s = 4.0, 3.5
    assert not me.alone_deaf()
    for _ in range(5):
        other.beat()
        ear.deaf_s += 1
        assert not me.alone_deaf()


def test_another_worker_that_was_killed_still_stands_in_the_table_and_proves_nothing(two):
    me, ear, _, _ = two
    for deaf_s in (4.0, 6.0, 60.0):
        ear.deaf_s = deaf_s
        assert not me.alone_deaf()


def test_a_worker_that_came_after_counts(two, storage):
    me, ear, _, _ = two
    ear.deaf_s = 6.0
    assert not me.alone_deaf()
    Workers(storage, Ear()).beat()
    assert me.alone_deaf()


def test_a_process_that_was_stopped_is_not_deaf_for_it(two):
    me, ear, other, _ = two
    ear.deaf_s = 30.0
    me.woke()
    other.beat()
    assert not me.deaf and not me.alone_deaf()


def test_who_leaves_takes_the_long_gone_with_them(storage):
    gone, here, stays = (
        Workers(storage, Ear(), now=lambda at=at: at) for at in (0, FORGOTTEN_AFTER_MS / 1000 + 1, 5e6)
    )
    for worker in (gone, here, stays):
        worker.beat()
    here.leave()
    assert [worker.at_ms for worker in storage.workers.all()] == [5_000_000_000]
