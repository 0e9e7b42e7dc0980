"""A noun rides in an append by facts that it hands in; neither the log nor the transaction knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count

import gevent
import pytest
from gevent.event import Event

from chat.errors import ChatError
from chat.models import Claim, Entry, Message
from chat.services.log import group_commit
from chat.services.log.append import Draft, Log
from chat.services.log.group_commit import GroupCommit
from chat.services.storage.facts import Fact
from chat.services.storage.transaction import MAX_ITEMS, Append, refusals
from tests.services.conftest import ALICE, BOB, CAROL
from tests.services.crashes import Operation, carried_out_once, stored
from tests.services.storage.polls import PollRows, open_fact, poll_key, tally_fact, vote_fact

POLL = "tea"


@pytest.fixture
def polls(worker) -> PollRows:
    return PollRows(worker.storage.client)


@pytest.fixture
def log(worker) -> Log:
    """A log whose appends share their transactions."""
    commits = GroupCommit(worker.storage)
    return Log(worker.storage, worker.sequences, worker.bus, pause=gevent.sleep, defer=gevent.spawn, appender=commits)


def say(log, person, client_id, facts: Callable[[], tuple[Fact, ...]] = tuple, room="general"):
    """Appends a message of that person's with those facts, as they are when it is judged."""
    room = log._storage.rooms.get(room)

    def judge():
        now = facts()

        def build(seq):
            snapshot = Message(room.id, seq, seq, client_id, person.username, person.name, client_id, log.now_ms())
            return Draft(Entry(room.id, seq, "message", snapshot.created_at_ms), snapshot, facts=now)

        return build

    return log.append(room, person.username, client_id, ("vote", room.id, client_id), judge)


def vote(log, person, client_id, *, poll=POLL, room="general"):
    return say(log, person, client_id, lambda: (vote_fact(room, poll, person.username),), room)


def counted(polls, person):
    """The facts of a vote that is counted, each time as the tally is."""
    return lambda: (
        vote_fact("general", POLL, person.username),
        tally_fact("general", POLL, polls.tally("general", POLL)),
    )


def said(worker, room="general"):
    return [snapshot.text for _, snapshot in stored(worker, room) if snapshot]


def code_of(ask, *args, **kwargs):
    with pytest.raises(ChatError) as refused:
        ask(*args, **kwargs)
    return refused.value.code


# --- one append ---------------------------------------------------------------------------------------------------


def test_a_vote_is_stored_with_its_message(worker, polls, log):
    assert vote(log, ALICE, "a").seq == 1
    assert said(worker) == ["a"] and polls.voters("general", POLL) == ["alice"]


def test_a_condition_that_fails_for_good_is_told_at_once_and_leaves_nothing(worker, polls, log, monkeypatch):
    vote(log, ALICE, "a")
    pauses = []
    monkeypatch.setattr(log, "_pause", pauses.append)
    assert code_of(vote, log, ALICE, "again") == "reactions_full"
    gevent.sleep(0)  # the number is given up by somebody whom nobody waits for
    assert pauses == [] and said(worker) == ["a"] and polls.voters("general", POLL) == ["alice"]
    assert worker.storage.claims.get("alice", "again") is None
    assert vote(log, BOB, "b").seq == 3
    assert [entry.kind for entry, _ in stored(worker, "general")] == ["message", "tombstone", "message"]


def test_a_vote_is_stored_with_a_change_of_its_message_too(worker, polls, log):
    old = log.append(worker.rooms.get("general"), ALICE.username, "said", ("say",), lambda: saying("said")).snapshot
    new = replace(old, text="voted")
    draft = partial(log.draft_change, old, new, facts=(vote_fact("general", POLL, ALICE.username),))
    log.append(worker.rooms.get("general"), ALICE.username, "edited", ("edit",), lambda: draft)
    assert said(worker) == ["voted"] and polls.voters("general", POLL) == [ALICE.username]


def saying(text):
    return lambda seq: Draft(
        Entry("general", seq, "message", 1), Message("general", seq, seq, text, ALICE.username, ALICE.name, text, 1)
    )


def test_a_fact_may_be_a_condition_alone(worker, polls, log):
    polls.set_open("general", POLL, True)
    facts = lambda: (open_fact("general", POLL), vote_fact("general", POLL, "alice"))  # noqa: E731
    assert say(log, ALICE, "a", facts).seq
    polls.set_open("general", POLL, False)
    assert code_of(say, log, BOB, "b", lambda: (open_fact("general", POLL),)) == "expired"
    assert say(log, ALICE, "a", facts).seq == 1, "what was carried out before is known again"


def test_a_request_that_comes_again_is_not_refused_by_what_it_did_itself(worker, other, polls, log):
    first = vote(log, ALICE, "a")
    assert vote(other.log, ALICE, "a") == first
    assert said(worker) == ["a"]


def test_what_changed_since_it_was_judged_is_judged_again(worker, polls, log):
    before = iter([0, 0])  # the second time, as it is

    def facts():
        tally = next(before, polls.tally("general", POLL))
        return vote_fact("general", POLL, BOB.username), tally_fact("general", POLL, tally)

    say(log, ALICE, "a", counted(polls, ALICE))
    assert say(log, BOB, "b", facts).seq == 2, "under the number that it had"
    assert polls.tally("general", POLL) == 2 and said(worker) == ["a", "b"]


def test_what_goes_on_changing_is_told_by_its_own_error_when_time_is_up(worker, polls):
    clock = count()  # each look is a second later
    log = Log(worker.storage, worker.sequences, worker.bus, now=lambda: 1_700_000_000 + next(clock))
    say(log, ALICE, "a", counted(polls, ALICE))
    assert code_of(say, log, BOB, "b", lambda: (tally_fact("general", POLL, 7),)) == "busy"
    assert said(worker) == ["a"]


def test_a_vote_cut_off_at_any_call_counts_once_by_another_worker(worker, config, wire, polls):
    rooms = []

    def act(worker, case):
        rooms.append(case.room)
        return vote(worker.log, ALICE, case.id("vote"), room=case.room, poll=case.room)

    carried_out_once(Operation("vote", act, "message"), worker, config, wire)
    assert len(set(rooms)) > 5, "each of its calls was one's last"
    assert all(polls.voters(room, room) == ["alice"] for room in rooms)


# --- several in one transaction -----------------------------------------------------------------------------------


class Held:
    """The first transaction waits until the rest has gathered; `sizes` are those of all."""

    def __init__(self, worker, monkeypatch):
        monkeypatch.setattr(group_commit, "PATIENCE_S", 60.0)  # nobody loses patience
        self.sizes: list[int] = []
        self._open, self._transact = Event(), worker.storage.client.transact
        monkeypatch.setattr(worker.storage.client, "transact", self._held)

    def _held(self, writes):
        writes = list(writes)
        self.sizes.append(len(writes))
        self._open.wait()
        self._transact(writes)

    def all_of(self, *asks):
        """Asks all this side by side, after one that holds them up; what each came to."""
        greenlets = []
        for ask in asks:
            greenlets.append(gevent.spawn(self._end, ask))
            gevent.sleep(0)
        self._open.set()
        gevent.joinall(greenlets, timeout=20, raise_error=True)
        return [greenlet.value for greenlet in greenlets]

    def _end(self, ask):
        try:
            return ask().seq
        except ChatError as error:
            return error.code


@pytest.fixture
def held(worker, monkeypatch) -> Held:
    return Held(worker, monkeypatch)


def test_who_is_refused_by_a_fact_takes_nobody_with_it(worker, polls, log, held):
    worker.storage.client.call(
        "put_item",
        TableName=worker.storage.client.table("chat"),
        Item={"pk": {"S": f"POLL#general#{POLL}"}, "sk": {"S": "BY#bob"}, "username": {"S": "bob"}},
    )
    ends = held.all_of(
        lambda: say(log, ALICE, "first"),
        lambda: vote(log, ALICE, "a"),
        lambda: vote(log, BOB, "b"),
        lambda: say(log, CAROL, "c"),
    )
    assert ends == [1, 2, "reactions_full", 4]
    assert held.sizes == [2, 3 + 3 + 2, 3 + 2], "and the others go together once more"
    assert said(worker) == ["first", "a", "c"] and polls.voters("general", POLL) == ["alice", "bob"]


def test_an_item_that_two_of_them_write_goes_into_transactions_of_its_own(worker, polls, log, held):
    ends = held.all_of(
        lambda: say(log, CAROL, "first"),
        lambda: say(log, ALICE, "a", counted(polls, ALICE)),
        lambda: say(log, BOB, "b", counted(polls, BOB)),
        lambda: say(log, CAROL, "c"),
    )
    assert ends == [1, 2, 3, 4]
    assert held.sizes[:3] == [2, 4 + 2, 4], "Bob's vote is not with Alice's, which writes the same tally"
    assert polls.tally("general", POLL) == 2, "and it is judged again after hers"
    assert sorted(polls.voters("general", POLL)) == ["alice", "bob"]


def test_with_facts_too_a_call_takes_no_more_than_a_transaction_holds(worker, log, held):
    def voting(n):
        facts = tuple(vote_fact("general", f"{POLL}-{n}-{part}", "alice") for part in range(3))
        return lambda: say(log, ALICE, f"a{n}", lambda: facts)

    assert len(held.all_of(*map(voting, range(42)))) == 42
    assert held.sizes == [5, MAX_ITEMS, MAX_ITEMS, 5]


# --- the transaction ----------------------------------------------------------------------------------------------


def append(*facts, seq=1):
    snapshot = Message("general", seq, seq, f"c{seq}", "alice", "Alice", "hello", 1)
    return Append(
        Entry("general", seq, "message", 1), Claim("alice", f"c{seq}", "general", "d", seq), snapshot, facts=facts
    )


def test_facts_name_their_items_themselves():
    own = append().items
    voted = append(vote_fact("general", POLL, "alice"), tally_fact("general", POLL, 1)).items
    assert voted - own == {("chat", *poll_key("general", POLL, what).values()) for what in ("BY#alice", "TALLY")}


def test_an_append_that_is_no_transaction_is_a_fault_of_its_own_and_of_nobody_it_would_go_with():
    twice = vote_fact("general", POLL, "alice")
    with pytest.raises(ValueError, match="4 writes to 3 items"):
        append(twice, twice)
    with pytest.raises(ValueError, match="101 writes to 101 items"):
        append(*(vote_fact("general", POLL, f"p{n}") for n in range(MAX_ITEMS - 1)))
    assert len(append(*(vote_fact("general", POLL, f"p{n}") for n in range(MAX_ITEMS - 2))).items) == MAX_ITEMS


FAILED, CONFLICT, NOTHING = {"Code": "ConditionalCheckFailed"}, {"Code": "TransactionConflict"}, {"Code": "None"}


def test_beside_a_conflict_nothing_is_final():
    """It may be this very request that is under way, whose vote is to be seen before its claim."""
    appends = [append(vote_fact("general", POLL, "alice")), append(seq=2)]
    refused, other = refusals(appends, [CONFLICT, NOTHING, FAILED, NOTHING, NOTHING])
    assert refused is not None and refused.final is None and other is None
    refused, _ = refusals(appends, [NOTHING, NOTHING, FAILED, NOTHING, NOTHING])
    assert refused.final.code == "reactions_full"


def test_what_was_carried_out_comes_before_what_its_facts_say():
    claim = {
        "pk": {"S": "C#alice"},
        "sk": {"S": "c1"},
        "room": {"S": "general"},
        "digest": {"S": "d"},
        "seq": {"N": "1"},
    }
    (refused,) = refusals([append(vote_fact("general", POLL, "alice"))], [FAILED | {"Item": claim}, FAILED, FAILED])
    assert refused.claim == Claim("alice", "c1", "general", "d", 1) and refused.slot_taken
