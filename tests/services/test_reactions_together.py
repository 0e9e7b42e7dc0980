"""A crowd reacts to one message: few entries, exact counts, and each is answered for themselves."""

from __future__ import annotations

from collections import Counter

import gevent
import pytest

from chat.errors import ChatError
from chat.models import Person
from chat.services.messages import reactions
from chat.services.runtime.deadline import deadline
from tests.services.conftest import ALICE, BOB
from tests.services.test_reactions import HEART, PARTY, THUMB, add, code, kinds, remove, say

FIVE = (THUMB, HEART, PARTY, "👀", "🚀")


@pytest.fixture
def slow(worker, other, monkeypatch):
    """Appends take a moment, in which others may come: nothing else in these tests lets them. However slow the machine
    is, none of them is given up."""
    monkeypatch.setattr("chat.services.log.append.DEADLINE_S", 120)
    for each in (worker, other):
        monkeypatch.setattr(each.storage.transaction, "append", slowly(each.storage.transaction.append))


def slowly(append):
    def do(*args, **kwargs):
        gevent.sleep(0.01)
        return append(*args, **kwargs)

    return do


def at_once(*calls):
    """What each of them returns or raises when all are made at the same moment."""

    def outcome(call):
        try:
            return call()
        except ChatError as error:
            return error.code

    jobs = [gevent.spawn(outcome, call) for call in calls]
    gevent.joinall(jobs, timeout=120)
    return [job.get(block=False) for job in jobs]


def changes(worker):
    return kinds(worker).count("change")


def counts(worker):
    return worker.history.page(ALICE, "general").to_dict()["messages"][0].get("reactions", {})


def test_a_thousand_reactions_of_a_crowd_are_a_few_entries_and_exact(worker, other, slow):
    crowd = [Person(f"p{number}", f"P{number}") for number in range(200)]
    for person in crowd:
        worker.connect(person)
        other.connect(person)
    say(worker)
    calls = [
        lambda where=(worker, other)[number % 2], person=person, emoji=emoji: add(
            where, f"{person.username}-{FIVE.index(emoji)}", emoji, person
        )
        for number, person in enumerate(crowd)
        for emoji in FIVE
    ]
    answers = at_once(*calls)
    assert [answer for answer in answers if not isinstance(answer, dict)] == []
    for person, own in zip(crowd, [answers[at : at + 5] for at in range(0, 1000, 5)], strict=True):
        for emoji, answer in zip(FIVE, own, strict=True):
            assert emoji in answer["mine"], person
    assert counts(worker) == dict.fromkeys(FIVE, 200)
    stored = worker.storage.entries.get("general", 1)[1].reactions
    assert all(sorted(stored[emoji]) == sorted(person.username for person in crowd) for emoji in FIVE)
    assert len(kinds(worker)) < 60
    assert (
        sum(worker.storage.claims.get(p.username, f"{p.username}-{n}") is not None for p in crowd for n in range(5))
        == 1000
    )


def test_a_lone_reaction_waits_for_nobody(worker, slow):
    say(worker)
    add(worker, "r1")
    add(worker, "r2", HEART)
    assert changes(worker) == 2


def test_what_comes_while_one_is_under_way_goes_together_in_the_order_in_which_it_came(worker, slow):
    say(worker)
    first, second, third, fourth = at_once(
        lambda: add(worker, "r1", THUMB),
        lambda: add(worker, "r2", HEART),
        lambda: remove(worker, "r3", THUMB),
        lambda: add(worker, "a1", HEART, person=ALICE),
    )
    assert changes(worker) == 2
    assert first["reactions"] == {THUMB: 1}
    assert second["reactions"] == third["reactions"] == fourth["reactions"] == {HEART: 2}
    assert (second["mine"], fourth["mine"], second["rev"]) == ([HEART], [HEART], 3)
    assert worker.history.who_reacted(ALICE, "general", 1) == {HEART: ["Bob", "Alice"]}


def test_what_one_person_does_and_undoes_at_once_goes_one_after_the_other(worker, slow):
    say(worker)
    at_once(lambda: add(worker, "r1", THUMB), lambda: add(worker, "r2", HEART), lambda: remove(worker, "r3", HEART))
    assert (changes(worker), counts(worker)) == (3, {THUMB: 1})
    assert remove(worker, "r3", HEART)["reactions"] == {THUMB: 1}


def test_an_old_request_that_comes_again_beside_a_newer_one_takes_nothing_back(worker, slow):
    say(worker)
    add(worker, "old", HEART)
    _, newer, again = at_once(
        lambda: add(worker, "r0", THUMB, person=ALICE),  # the others wait for this one, and so for each other
        lambda: remove(worker, "new", HEART),
        lambda: add(worker, "old", HEART),
    )
    assert newer["mine"] == [] and again["mine"] == [] and counts(worker) == {THUMB: 1}


def test_the_same_request_twice_at_once_is_carried_out_once(worker, slow):
    say(worker)
    answers = at_once(
        lambda: add(worker, "a0", PARTY, person=ALICE),
        lambda: add(worker, "r1"),
        lambda: add(worker, "r1"),
        lambda: add(worker, "r1", HEART),
    )
    assert [answer if isinstance(answer, str) else answer["mine"] for answer in answers] == [
        [PARTY],
        [THUMB],
        [THUMB],
        "client_id_reused",
    ]
    assert (changes(worker), counts(worker)) == (2, {PARTY: 1, THUMB: 1})


def test_a_request_that_was_carried_out_before_is_answered_from_its_claim_and_the_others_go_on(worker, slow):
    say(worker)
    add(worker, "old")
    remove(worker, "later")
    answers = at_once(
        lambda: add(worker, "a0", PARTY, person=ALICE),
        lambda: add(worker, "old"),
        lambda: add(worker, "a1", THUMB, person=ALICE),
    )
    assert [answer["mine"] for answer in answers] == [[PARTY], [], [PARTY, THUMB]]
    assert counts(worker) == {PARTY: 1, THUMB: 1}


def test_each_of_several_messages_at_once_gets_its_own_reactions(worker, slow):
    for number in (1, 2, 3):
        say(worker, client_id=f"m{number}")
    wished = [(1, THUMB, BOB), (2, HEART, BOB), (2, HEART, ALICE), (1, PARTY, ALICE), (3, THUMB, BOB)]
    at_once(
        *(
            lambda n=n, seq=seq, emoji=emoji, person=person: add(worker, f"r{n}", emoji, person=person, seq=seq)
            for n, (seq, emoji, person) in enumerate(wished)
        )
    )
    told = worker.history.page(ALICE, "general").to_dict()["messages"]
    assert [each.get("reactions") for each in told] == [{THUMB: 1, PARTY: 1}, {HEART: 2}, {THUMB: 1}]


def test_a_refusal_is_for_the_one_whom_it_meets(worker, slow, monkeypatch):
    monkeypatch.setattr(reactions, "MAX_EMOJI", 2)
    say(worker)
    answers = at_once(
        lambda: add(worker, "r1", THUMB),
        lambda: add(worker, "r2", HEART),
        lambda: add(worker, "r3", PARTY),
        lambda: add(worker, "a1", HEART, person=ALICE),
    )
    assert answers[2] == "reactions_full"
    assert counts(worker) == {THUMB: 1, HEART: 2}
    assert worker.storage.claims.get("bob", "r3") is None


def test_a_message_that_is_deleted_meanwhile_refuses_all_that_wait(worker, other, monkeypatch):
    say(worker)
    append = worker.storage.transaction.append

    def deleted_first(*args, **kwargs):
        monkeypatch.undo()
        gevent.sleep(0.01)
        other.messages.delete(ALICE, "general", "d", 1)
        return append(*args, **kwargs)

    monkeypatch.setattr(worker.storage.transaction, "append", deleted_first)
    answers = at_once(lambda: add(worker, "r1"), lambda: add(worker, "r2", HEART), lambda: remove(worker, "r3"))
    assert answers == ["message_deleted"] * 3
    assert worker.storage.entries.get("general", 1)[1].reactions == {}


def test_two_workers_that_fill_a_message_at_once_go_not_beyond_what_it_holds(worker, other, slow, monkeypatch):
    monkeypatch.setattr(reactions, "MAX_EMOJI", 3)
    say(worker)
    answers = at_once(*(lambda w=w, e=e: add(w, f"r{FIVE.index(e)}", e) for e in FIVE for w in (worker, other)))
    outcome = Counter(answer if isinstance(answer, str) else "ok" for answer in answers)
    assert outcome == {"ok": 6, "reactions_full": 4}
    assert len(counts(worker)) == 3


def test_a_storage_that_fails_fails_all_and_they_may_ask_again(worker, monkeypatch):
    say(worker)

    def commits_but_does_not_answer(*args, **kwargs):
        gevent.sleep(0.01)
        append(*args, **kwargs)
        raise ChatError("unavailable")

    append = worker.storage.transaction.append
    monkeypatch.setattr(worker.storage.transaction, "append", commits_but_does_not_answer)
    calls = (lambda: add(worker, "r1"), lambda: add(worker, "r2", HEART), lambda: add(worker, "a1", person=ALICE))
    assert at_once(*calls) == ["unavailable"] * 3
    monkeypatch.undo()
    assert [answer["reactions"] for answer in at_once(*calls)] == [{THUMB: 2, HEART: 1}] * 3
    assert changes(worker) == 2


@pytest.mark.parametrize("end", ["a deadline", "a kill"])
def test_who_is_interrupted_while_appending_for_others_strands_nobody(worker, monkeypatch, end):
    say(worker)
    append, hung = worker.storage.transaction.append, []

    def hangs_once(*args, **kwargs):
        if not hung:
            hung.append(args)
            gevent.sleep(60)
        return append(*args, **kwargs)

    monkeypatch.setattr(worker.storage.transaction, "append", hangs_once)

    def hurried():
        with deadline(0.5):  # by then it is appending
            add(worker, "r0", PARTY, person=ALICE)

    job = gevent.spawn(hurried)
    waiting = [gevent.spawn(add, worker, f"r{number}", emoji) for number, emoji in enumerate((THUMB, HEART))]
    if end == "a kill":
        gevent.sleep(0)
        job.kill()
    gevent.joinall([job, *waiting], timeout=30)
    assert [each.value["mine"] for each in waiting] == [[THUMB, HEART]] * 2
    assert (counts(worker), changes(worker)) == ({THUMB: 1, HEART: 1}, 1)
    assert worker.messages._reactions._waiting == {}


def test_who_waits_longer_than_they_may_leaves_the_others_as_they_were(worker, slow, monkeypatch):
    say(worker)
    append = worker.storage.transaction.append

    def slower(*args, **kwargs):
        gevent.sleep(0.1)
        return append(*args, **kwargs)

    monkeypatch.setattr(worker.storage.transaction, "append", slower)

    def hurried():
        with deadline(0.03):
            add(worker, "hurried", PARTY)

    answers = at_once(lambda: add(worker, "r1"), hurried, lambda: add(worker, "r2", HEART))
    assert (answers[0]["reactions"], answers[1], answers[2]["reactions"]) == (
        {THUMB: 1},
        "unavailable",
        {THUMB: 1, HEART: 1},
    )
    assert add(worker, "hurried", PARTY)["mine"] == [THUMB, HEART, PARTY]
    assert code(lambda: add(worker, "hurried", THUMB)) == "client_id_reused"


def test_everybodys_devices_are_told_in_one_event_what_is_theirs(worker, slow):
    say(worker)
    at_once(lambda: add(worker, "r1"), lambda: add(worker, "r2", HEART), lambda: add(worker, "a1", HEART, person=ALICE))
    told = [event for event in worker.heard if event["kind"] == "reacted"]
    assert [(event["rev"], event["mine"]) for event in told] == [
        (2, {"bob": [THUMB]}),
        (3, {"bob": [THUMB, HEART], "alice": [HEART]}),
    ]
    assert BOB.username not in str([event for event in worker.heard if event["kind"] == "entry"])
