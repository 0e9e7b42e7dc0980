"""Tickets: one session, one minute, one use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chat.errors import ChatError
from chat.models import User
from chat.services.accounts.tickets import USED_PREFIX, Tickets
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client

SECRET = "s" * 43
ALICE = User("alice", "Alice", "hash", 1)


class Clock:
    """Redis whose clock a test moves; everything else is the real one's."""

    def __init__(self, redis):
        self._redis = redis
        self.ahead_s = 0

    def __getattr__(self, name):
        return getattr(self._redis, name)

    def time(self):
        seconds, micros = self._redis.time()
        return seconds + self.ahead_s, micros


@pytest.fixture
def redis(redis_url):
    redis = redis_client.connect(redis_url)
    redis.flushall()
    return redis


@pytest.fixture
def sessions(redis):
    return Sessions(redis, 1800, 43200)


@pytest.fixture
def tickets(redis, sessions):
    return Tickets(redis, sessions, SECRET)


def refused(tickets, ticket):
    try:
        tickets.redeem(ticket)
    except ChatError as error:
        return error.code == "ticket_invalid"
    return False


def test_a_ticket_is_good_for_its_session_once(tickets, sessions):
    sessions.create(ALICE)
    session = sessions.create(ALICE)
    ticket = tickets.issue(session)
    assert tickets.redeem(ticket).sid == session.sid
    assert refused(tickets, ticket)


def test_of_forty_at_once_exactly_one_is_let_in(tickets, sessions):
    for _ in range(5):
        shown = [tickets.issue(sessions.create(ALICE))] * 40
        with ThreadPoolExecutor(40) as pool:
            assert sum(pool.map(lambda ticket: refused(tickets, ticket), shown)) == 39


def test_a_ticket_lives_a_minute_by_the_clock_of_redis(redis, sessions):
    clock = Clock(redis)
    tickets = Tickets(clock, sessions, SECRET)
    session = sessions.create(ALICE)
    late, in_time = tickets.issue(session), tickets.issue(session)
    clock.ahead_s = 55
    assert tickets.redeem(in_time).sid == session.sid
    clock.ahead_s = 60
    assert refused(tickets, late)


def test_what_was_used_is_remembered_for_longer_than_a_ticket_lives_and_no_longer_than_needed(redis, tickets, sessions):
    tickets.redeem(tickets.issue(sessions.create(ALICE)))
    [used] = redis.keys(USED_PREFIX + "*")
    assert 60 < redis.ttl(used) <= 120


def test_a_ticket_is_no_good_when_its_session_is_over_whatever_others_the_person_has(tickets, sessions):
    session = sessions.create(ALICE)
    sessions.create(ALICE)
    ticket = tickets.issue(session)
    sessions.end(session.sid, "logout")
    assert refused(tickets, ticket)


def test_a_ticket_holds_nothing_that_opens_a_session(tickets, sessions):
    session = sessions.create(ALICE)
    assert session.sid not in tickets.issue(session)


def test_a_ticket_of_another_key_or_with_one_letter_changed_is_refused(redis, sessions, tickets):
    session = sessions.create(ALICE)
    assert refused(tickets, Tickets(redis, sessions, "t" * 43).issue(session))
    ticket = tickets.issue(session)
    for place in range(len(ticket)):
        other = "A" if ticket[place] != "A" else "B"
        assert refused(tickets, ticket[:place] + other + ticket[place + 1 :])
    assert tickets.redeem(ticket).sid == session.sid


@pytest.mark.parametrize("made_up", ["", ".", "a.b", "é.é", "\ud800.x", "x" * 100_000, "YWxpY2U=." + "0" * 64])
def test_a_made_up_ticket_is_refused_before_anything_is_asked(sessions, made_up):
    class Nobody:
        def __getattr__(self, name):
            raise AssertionError("asked")

    assert refused(Tickets(Nobody(), sessions, SECRET), made_up)
