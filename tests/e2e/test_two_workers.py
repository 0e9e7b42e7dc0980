"""The product with two workers: one order, rolling restarts, and one reader of the table whatever happens to it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.parley import Parley, Person
from tests.e2e.peer import Peer
from tests.e2e.test_table_rows import Script
from tests.runtime.running import until


def test_two_workers_give_one_order(two_workers: Parley, device: Callable[..., Peer]):
    people = [two_workers.person("Worker") for _ in range(4)]
    room = people[0].room("workers", *people[1:])
    peers = [device(person) for person in people for _ in range(3)]
    writers = peers[::3]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda peer: [peer.say(room, f"{peer.person.user} {n}") for n in range(50)], writers))
    acked = sorted((m["seq"], m["client_id"], m["text"]) for peer in writers for m in peer.acked(50, within_s=60))
    for peer in peers:
        peer.reaches(room, acked[-1][0], within_s=90)
    assert len({client_id for _, client_id, _ in acked}) == 200
    assert all(peer.messages(room) == acked for peer in peers)
    assert len(two_workers.with_sockets()) == 2, "the sockets are spread over both workers"


def test_a_rolling_restart_under_load_fails_no_send_and_ends_the_old_workers(own_pair, device: Callable[..., Peer]):
    people = [own_pair.person(name) for name in ("Ada", "Grace", "Alan", "Edsger")]
    room = people[0].room("rolling", *people[1:])
    peers = [device(person) for person in people]
    for turn in range(60):
        for peer in peers:
            peer.say(room, f"{peer.person.user} {turn}")
    for peer in peers:
        peer.acked(5)
    old = own_pair.workers
    assert len(old) == 2
    os.kill(own_pair.pid_of("chat.embedded.web"), signal.SIGHUP)
    by_http = [people[turn % 4].say(room, f"by http {turn}")["text"] for turn in range(40)]
    # Three seconds after the new ones are up, which takes as long as the machine is busy; while they waited for their
    # people to leave they would never end.
    until(lambda: not old & own_pair.pids(), 40, "the old ones end")
    acked = sorted((m["seq"], m["client_id"], m["text"]) for peer in peers for m in peer.acked(60, within_s=60))
    last = people[0].say(room, "last")["seq"]
    for peer in peers:
        peer.reaches(room, last)
        assert peer.all_of("server:restarting") and not peer.all_of("session:ended")
        said = [text for _, _, text in peer.messages(room)]
        assert sorted(said) == sorted([text for *_, text in acked] + by_http + ["last"])
        assert peer.messages(room) == peers[0].messages(room)


def a_worker_is_killed(parley: Parley, comes_over: Callable[[], None]) -> None:
    parley.kill(min(parley.workers or {parley.worker}))


def each_worker_stands_still(parley: Parley, comes_over: Callable[[], None]) -> None:
    """One of them is the reader: what is put meanwhile comes over when another one has taken over."""
    for worker in sorted(parley.workers):
        parley.pause(worker)
        try:
            comes_over()
        finally:
            parley.resume(worker)


def redis_is_emptied(parley: Parley, comes_over: Callable[[], None]) -> None:
    """But for the sessions, which nobody sees gone."""
    sessions = {key: parley.redis.get(key) for key in parley.redis.keys("session:*")}
    with parley.redis.pipeline(transaction=True) as at_once:
        at_once.flushall()
        for key, value in sessions.items():
            at_once.set(key, value, ex=1_800)
        at_once.execute()


@pytest.mark.parametrize("happens", [a_worker_is_killed, each_worker_stands_still, redis_is_emptied])
def test_every_row_is_taken_over_once_whatever_happens_to_the_reader(own_pair, device: Callable[..., Peer], happens):
    ada = own_pair.person("Ada")
    room = ada.room("rows")
    script, peer = Script(own_pair), device(ada)
    texts: list[str] = []

    def put() -> None:
        texts.append(f"row {len(texts)}")
        script.put(room, texts[-1], texts[-1])

    def comes_over() -> None:
        put()
        newest = texts[-1]
        until(lambda: newest in said(ada, room), 90, f"{newest} is a message")

    for number in range(60):
        put()
        if number % 20 == 10:
            happens(own_pair, comes_over)
    until(lambda: set(said(ada, room)) >= set(texts), 90, "all rows are messages")
    last = ada.say(room, "last")["seq"]
    peer.reaches(room, last)
    for held in ([text for _, _, text in peer.messages(room)], list(said(ada, room))):
        assert sorted(held) == sorted([*texts, "last"])


def said(person: Person, room: str) -> Iterator[str]:
    return (text for _, _, text in person.everything(room))
