"""What a version adds is written only while every worker of the site reads it."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from chat.models import Entry, Worker
from chat.services.health.workers import GONE_AFTER_S, KNOWN_FOR_S, LOOK_EVERY_S, Workers
from chat.services.log.append import Draft
from chat.services.storage import rows
from chat.services.storage.entries import LETTERS
from chat.services.storage.storage import Storage
from chat.services.storage.workers import read_worker, worker_row
from tests.conftest import spawn_server, wait_until

LATER = rows.FORMAT + 1


class Bus:
    deaf_s = 0.5


class Site:
    """The workers of a site, each with the format that it reads; time passes as the test says."""

    def __init__(self, storage: Storage):
        self.now = 1_000.0
        self.storage = storage
        self.beats: dict[str, int] = {}

    def me(self) -> Workers:
        me = Workers(self.storage, Bus(), clock=lambda: self.now)  # type: ignore[arg-type]
        me.beat()
        return me

    def beat(self, **formats: int) -> None:
        """These workers show themselves."""
        for name, number in formats.items():
            self.beats[name] = self.beats.get(name, 0) + 1
            self.storage.workers.put(Worker(name, self.beats[name], True, 0, number))

    def live(self, seconds: float, watching: Workers, **formats: int) -> None:
        """So much time passes in which these live, and somebody asks."""
        until = self.now + seconds
        while self.now < until:
            self.now += LOOK_EVERY_S + 0.1
            watching.beat()
            self.beat(**formats)
            watching.all_read(1)


@pytest.fixture
def site(config) -> Site:
    return Site(Storage.connect(config))


@pytest.fixture(autouse=True)
def upgraded(monkeypatch):
    """This worker is of the next version."""
    monkeypatch.setattr(rows, "FORMAT", LATER)


def test_a_worker_says_what_it_reads(site):
    site.me()
    assert [worker.format for worker in site.storage.workers.all()] == [LATER]


def test_a_worker_shows_itself_before_anybody_is_at_it(config, tmp_path):
    storage, server = Storage.connect(config), spawn_server(config, tmp_path)
    try:
        wait_until(storage.workers.all, 60, "the worker is listed")
    finally:
        server.stop()
    assert storage.workers.all() == [], "one that leaves takes itself off"


def test_one_that_has_left_does_not_come_back(site):
    me = site.me()
    me.leave()
    me.beat()
    assert site.storage.workers.all() == []


def test_a_row_from_before_there_was_a_word_for_it_reads_nothing_new():
    row = worker_row(Worker("id", 1, True, 1))
    del row["format"]
    assert read_worker(row).format == 0


def test_alone_it_writes_what_it_reads_and_nothing_later(site):
    me = site.me()
    assert me.all_read(LATER) and me.all_read(1)
    assert not me.all_read(LATER + 1)


def test_it_writes_nothing_later_either_before_it_has_shown_itself(site):
    me = Workers(site.storage, Bus())
    assert me.all_read(LATER) and not me.all_read(LATER + 1)


def test_a_worker_of_an_earlier_version_is_waited_for(site):
    me = site.me()
    site.beat(old=LATER - 1, oldest=0)
    assert not me.all_read(LATER) and not me.all_read(1)
    site.storage.workers.delete("oldest")
    site.live(LOOK_EVERY_S, me, old=LATER - 1)
    assert me.all_read(LATER - 1) and not me.all_read(LATER)
    site.storage.workers.delete("old")
    site.live(LOOK_EVERY_S, me)
    assert me.all_read(LATER)


def test_one_that_was_killed_is_waited_for_as_long_as_it_may_still_live(site):
    me = site.me()
    site.beat(old=0)
    assert not me.all_read(LATER)
    site.live(GONE_AFTER_S - 2 * LOOK_EVERY_S, me)
    assert not me.all_read(LATER)
    site.live(2 * LOOK_EVERY_S, me)
    assert me.all_read(LATER)


def test_one_that_lives_is_waited_for_however_long(site):
    me = site.me()
    site.live(2 * GONE_AFTER_S, me, old=0)
    assert not me.all_read(LATER)


def test_when_an_earlier_version_comes_back_nothing_new_is_written_any_more(site):
    me = site.me()
    assert me.all_read(LATER)
    site.beat(old=0)
    site.live(LOOK_EVERY_S, me, old=0)
    assert not me.all_read(LATER)


def test_one_that_stood_still_and_goes_on_counts_again(site):
    me = site.me()
    site.beat(old=0)
    site.live(2 * GONE_AFTER_S, me)
    assert me.all_read(LATER)
    site.live(LOOK_EVERY_S, me, old=0)
    assert not me.all_read(LATER)


def test_it_is_looked_up_every_few_seconds_however_often_it_is_asked(site, monkeypatch):
    me, read, workers = site.me(), [], site.storage.workers.all
    monkeypatch.setattr(site.storage.workers, "all", lambda: read.append(1) or workers())
    for _ in range(50):
        assert me.all_read(LATER)
    site.now += LOOK_EVERY_S + 0.1
    assert me.all_read(LATER)
    assert len(read) == 2


def test_while_it_cannot_be_looked_up_the_answer_is_soon_no(site, monkeypatch):
    me = site.me()
    assert me.all_read(LATER)

    def away():
        raise ChatError("unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(site.storage.workers, "all", away)
        site.now += KNOWN_FOR_S
        assert not me.all_read(LATER)
        fresh = site.me()
        assert not fresh.all_read(LATER)
    site.now += LOOK_EVERY_S + 0.1
    assert me.all_read(LATER)


def test_whoever_asks_while_it_is_looked_up_is_answered_at_once(site, monkeypatch):
    me, workers = site.me(), site.storage.workers.all
    answers = []
    monkeypatch.setattr(site.storage.workers, "all", lambda: answers.append(me.all_read(LATER)) or workers())
    assert me.all_read(LATER)
    assert answers == [False], "nothing is known yet"


# --- a noun of the next version ---------------------------------------------------------------------------------------


class Polls:
    """As the next version could have it: an entry of another kind, where everybody reads it."""

    def __init__(self, worker, workers: Workers):
        self._worker = worker
        self._workers = workers

    def ask(self, client_id: str) -> int:
        """The number of the entry. Raises: ChatError `busy` while somebody would not understand it."""
        if not self._workers.all_read(LATER):
            raise ChatError("busy")
        room = self._worker.rooms.get("general")
        at_ms = self._worker.log.now_ms()
        build = lambda seq: Draft(Entry("general", seq, "poll", at_ms, user="alice"))  # noqa: E731
        return self._worker.log.append(room, "alice", client_id, ("poll", "general"), lambda: build).seq


def test_a_new_noun_waits_until_the_last_worker_of_before_has_gone(site, worker, monkeypatch):
    monkeypatch.setitem(LETTERS, "poll", "p")
    me = site.me()
    polls = Polls(worker, me)
    site.beat(old=LATER - 1)
    with pytest.raises(ChatError):
        polls.ask("p")
    assert worker.storage.entries.head("general") == 0
    site.storage.workers.delete("old")
    site.live(LOOK_EVERY_S, me)
    assert polls.ask("p") == worker.storage.entries.head("general") == 1
