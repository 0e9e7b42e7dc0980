"""What is stored together: nobody waits for company, each meets its own conditions, and none another's."""

from __future__ import annotations

import gevent
import pytest
from botocore.exceptions import ClientError
from gevent.event import Event

from chat.errors import ChatError
from chat.models import Claim, Entry, Membership, Message
from chat.services.log import group_commit as commits_module
from chat.services.log.group_commit import GroupCommit
from chat.services.runtime.deadline import deadline
from chat.services.storage.facts import AppendRefused
from chat.services.storage.rooms import membership_fact
from chat.services.storage.transaction import Append


def message(seq, user="alice", client_id=None, text="hello", room="general"):
    """The arguments of an append."""
    client_id = client_id or f"{room}-{seq}"
    snapshot = Message(room, seq, seq, client_id, user, user.title(), text, created_at_ms=1)
    return Entry(room, seq, "message", 1), Claim(user, client_id, room, "digest", seq, seq), snapshot


class Calls:
    """Stands for the storage: every call waits until the test lets it go on, and ends as the test says."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.open = Event()
        self.ends: dict[int, Exception] = {}
        self.fails: Exception | None = None

    @property
    def transaction(self):
        return self

    def append_each(self, appends):
        self.made.append([append.entry.seq for append in appends])
        self.open.wait()
        if self.fails is not None:
            raise self.fails
        return [self.ends.get(append.entry.seq) for append in appends]


@pytest.fixture
def calls(monkeypatch) -> Calls:
    monkeypatch.setattr(commits_module, "PATIENCE_S", 60.0)  # nobody loses patience unless a test is about that
    return Calls()


@pytest.fixture
def told() -> list[int]:
    """The numbers in the order in which their askers heard."""
    return []


@pytest.fixture
def ask(calls, told):
    """`ask(seq, …)` appends in a greenlet of its own; its value is None, or the error."""
    commits = GroupCommit(calls)

    def append(*args):
        try:
            commits.append(*args)
            return None
        except (ChatError, AppendRefused) as error:
            return error
        finally:
            told.append(args[0].seq)

    def ask(seq, **more):
        greenlet = gevent.spawn(append, *message(seq, **more))
        gevent.sleep(0)
        return greenlet

    return ask


def test_one_alone_goes_at_once(calls, ask):
    calls.open.set()
    for seq in (1, 2, 3):
        assert ask(seq).get(timeout=10) is None
    assert calls.made == [[1], [2], [3]]


def test_what_comes_while_a_call_is_under_way_shares_the_next(calls, ask):
    asked = [ask(seq) for seq in range(1, 9)]
    calls.open.set()
    gevent.joinall(asked, timeout=10, raise_error=True)
    assert calls.made == [[1], [2, 3, 4, 5, 6, 7, 8]]


def test_a_call_takes_no_more_than_a_transaction_holds(calls, ask):
    asked = [ask(seq) for seq in range(1, 103)]
    calls.open.set()
    gevent.joinall(asked, timeout=10, raise_error=True)
    assert [len(call) for call in calls.made] == [1, 50, 50, 1]


def test_no_item_stands_twice_in_a_call(calls, ask):
    asked = [ask(1), ask(2), ask(3, client_id="general-2"), ask(2, user="bob", client_id="other"), ask(4)]
    calls.open.set()
    gevent.joinall(asked, timeout=10, raise_error=True)
    assert calls.made == [[1], [2, 4], [3, 2]]


def test_nobody_waits_long_for_a_call_of_others_that_hangs(calls, ask, monkeypatch):
    monkeypatch.setattr(commits_module, "PATIENCE_S", 0.01)
    asked = [ask(seq) for seq in (1, 2, 3)]
    with gevent.Timeout(10):
        while len(calls.made) < 2:
            gevent.sleep(0.001)
    assert calls.made == [[1], [2, 3]]
    calls.open.set()
    gevent.joinall(asked, timeout=10, raise_error=True)
    assert [each.value for each in asked] == [None, None, None]


def test_each_hears_its_own_end_in_the_order_of_the_numbers(calls, ask, told):
    calls.ends = {3: AppendRefused(slot_taken=True)}
    asked = [ask(seq) for seq in (1, 4, 3, 2)]
    calls.open.set()
    gevent.joinall(asked, timeout=10, raise_error=True)
    assert told == [1, 2, 3, 4]
    assert [each.value for each in asked] == [None, None, AppendRefused(slot_taken=True), None]


def test_when_a_call_fails_all_that_were_in_it_hear_so_and_the_next_goes(calls, ask):
    asked = [ask(seq) for seq in (1, 2, 3)]
    calls.fails = ChatError("unavailable")
    calls.open.set()
    gevent.joinall(asked, timeout=10, raise_error=True)
    assert [each.value.code for each in asked] == ["unavailable"] * 3
    calls.fails = None
    assert ask(4).get(timeout=10) is None


def test_who_is_interrupted_before_it_left_has_not_written(calls, ask):
    first, second, third = ask(1), ask(2), ask(3)
    second.kill()
    calls.open.set()
    gevent.joinall([first, third], timeout=10, raise_error=True)
    assert calls.made == [[1], [3]]


def test_who_is_interrupted_on_the_way_holds_up_nobody(calls):
    commits = GroupCommit(calls)
    with pytest.raises(ChatError), deadline(0.01):
        commits.append(*message(1))
    calls.open.set()
    commits.append(*message(2))
    assert calls.made == [[1], [2]]


def test_the_first_that_leaves_a_hanging_call_lets_those_behind_it_go(calls):
    commits = GroupCommit(calls)
    first = gevent.spawn(commits.append, *message(1))
    gevent.sleep(0)
    second = gevent.spawn(commits.append, *message(2))
    gevent.sleep(0)
    first.kill()
    with gevent.Timeout(10):
        while len(calls.made) < 2:
            gevent.sleep(0.001)
    calls.open.set()
    second.get(timeout=10)
    assert calls.made == [[1], [2]]


# --- what the storage makes of it, on a real engine ---------------------------------------------------------------


def appends(*numbers, **more):
    return [Append(*message(seq, **more)) for seq in numbers]


def texts(worker):
    return [snapshot.text for _, snapshot in worker.storage.entries.after("general", 0, 1000) if snapshot]


def count_calls(worker, monkeypatch):
    made = []
    transact = worker.storage.client._client.transact_write_items

    def counted(**request):
        made.append(len(request["TransactItems"]))
        return transact(**request)

    monkeypatch.setitem(worker.storage.client._client.__dict__, "transact_write_items", counted)
    return made


def test_fifty_messages_are_stored_in_one_transaction(worker, monkeypatch):
    made = count_calls(worker, monkeypatch)
    assert worker.storage.transaction.append_each(appends(*range(1, 51))) == [None] * 50
    assert made == [100]
    assert texts(worker) == ["hello"] * 50


def test_what_is_refused_leaves_the_others_in_one_more_transaction(worker, monkeypatch):
    worker.storage.transaction.append_each(
        appends(3, client_id="other", text="was here before") + appends(9, client_id="used", text="carried out")
    )
    made = count_calls(worker, monkeypatch)
    ends = worker.storage.transaction.append_each(
        [*appends(1, 2, 3), *appends(4, client_id="used", text="again"), *appends(5, text="last")]
    )
    assert made == [10, 6]
    assert [end if end is None else (end.slot_taken, end.claim and end.claim.seq) for end in ends] == [
        None,
        None,
        (True, None),
        (False, 9),
        None,
    ]
    assert texts(worker) == ["hello", "hello", "was here before", "last", "carried out"]


def test_what_dynamodb_finds_fault_with_takes_no_other_with_it(worker):
    ends = worker.storage.transaction.append_each([*appends(1), *appends(2, text="x" * 500_000), *appends(3)])
    assert [end if end is None else end.response["Error"]["Code"] for end in ends] == [
        None,
        "ValidationException",
        None,
    ]
    assert texts(worker) == ["hello", "hello"]


def test_an_append_names_every_item_that_it_writes():
    (sent,) = appends(5)
    assert sent.items == {("chat", "C#alice", "general-5"), ("messages", "R#general#0", "000000000005")}

    change = Append(Entry("general", 6, "change", 1, message=5), message(6)[1], message(5)[2], replaces_rev=5)
    slots = {("messages", "R#general#0", f"00000000000{seq}") for seq in (5, 6)}
    assert change.items == {("chat", "C#alice", "general-6"), *slots}

    membership = membership_fact(Membership("general", "bob", "Bob", seq=7, inside=True))
    joined = Append(Entry("general", 7, "joined", 1, user="bob", name="Bob"), message(7)[1], facts=(membership,))
    rows = {("chat", "ROOM#general", "MEM#bob"), ("chat", "USER#bob", "ROOM#general")}
    assert joined.items == {("chat", "C#alice", "general-7"), ("messages", "R#general#0", "000000000007"), *rows}


def test_a_batch_without_reasons_is_a_passing_conflict_for_all(worker, monkeypatch):
    def conflicts(**request):
        answer = {"Error": {"Code": "TransactionConflictException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answer, "any")

    monkeypatch.setitem(worker.storage.client._client.__dict__, "transact_write_items", conflicts)
    assert worker.storage.transaction.append_each(appends(1, 2)) == [AppendRefused(), AppendRefused()]
