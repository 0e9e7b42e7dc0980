"""Reading side by side: in order, and a failure is raised and printed by nobody."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from chat.errors import ChatError
from chat.services.assembly import SIDE_BY_SIDE, _gather


def test_results_come_in_the_order_of_the_jobs_whichever_ends_first():
    ended, may_end = [], [Event() for _ in range(5)]
    may_end[4].set()

    def job(number):
        may_end[number].wait()
        ended.append(number)
        may_end[number - 1].set()
        return number

    assert _gather([lambda n=n: job(n) for n in range(5)]) == [0, 1, 2, 3, 4]
    assert ended == [4, 3, 2, 1, 0]


def test_no_more_than_so_many_are_under_way():
    under_way, most = [], []

    def job():
        under_way.append(1)
        most.append(len(under_way))
        gevent.sleep(0)
        under_way.pop()

    _gather([job] * (3 * SIDE_BY_SIDE))
    assert max(most) == SIDE_BY_SIDE


def test_a_failure_is_raised_when_all_have_ended_and_printed_by_nobody(capsys):
    ended = []

    def fail():
        raise ChatError("unavailable")

    with pytest.raises(ChatError):
        _gather([fail, lambda: gevent.sleep(0.001) or ended.append(1), fail])
    assert ended == [1]
    assert capsys.readouterr().err == ""
