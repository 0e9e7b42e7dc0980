"""One allowance for each person, whichever door they come by; and what one person may leave to others to read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chat.app import create_app
from chat.errors import ChatError
from chat.models import Entry, Membership, Message, Person
from chat.services.bus.bus import Bus
from chat.services.bus.events import Logged
from chat.services.bus.publisher import MAX_ENTRY_BYTES, MAX_STREAM, STREAM, Publisher
from chat.services.limits import allowance
from chat.services.limits.allowance import Allowance, Charge
from chat.services.log.append import Draft
from chat.services.rooms import overview
from tests.conftest import ROOT, Auth, browser
from tests.services.conftest import ALICE, BOB

WRITES, READS = 10, 12


def made(config, **settings):
    """The services of a worker, with these settings; Alice and Bob have accounts."""
    app = create_app(replace(config, sends_per_user=WRITES, reads_per_user=READS, **settings))
    for person in (ALICE, BOB):
        app.extensions["parley"].registration.register(person.username, "correct horse battery", "tests")
    return app


def until_refused(act, most=200):
    """How often it goes well, and what is said then."""
    for number in range(most):
        try:
            act(number)
        except ChatError as error:
            return number, error
    return most, None


@pytest.fixture
def services(config):
    return made(config).extensions["parley"]


@pytest.fixture
def stopped(monkeypatch):
    """A day fills what is used up: the tests run at any speed."""
    monkeypatch.setattr(allowance, "WINDOW_MS", 86_400_000)
    monkeypatch.setattr("chat.services.log.sequence.WINDOW_MS", 86_400_000)


WAYS = {
    "send": lambda s, n: s.messages.send(ALICE, "general", f"c{n}", "hello"),
    "edit": lambda s, n: s.messages.edit(ALICE, "general", f"c{n}", 1, "hello"),
    "delete": lambda s, n: s.messages.delete(ALICE, "general", f"c{n}", 1),
    "react": lambda s, n: s.messages.react(ALICE, "general", f"c{n}", 1, "🎉", True),
    "create": lambda s, n: s.memberships.create(ALICE, f"c{n}", f"Room {n}", "public"),
    "join": lambda s, n: s.memberships.join(ALICE, f"c{n}", "general"),
    "leave": lambda s, n: s.memberships.leave(ALICE, f"c{n}", "nowhere"),
    "invite": lambda s, n: s.memberships.invite(ALICE, f"c{n}", "general", "bob"),
    "remove": lambda s, n: s.memberships.remove(ALICE, f"c{n}", "general", "bob"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_is_counted_also_where_it_is_refused_or_changes_nothing(services, stopped, way):
    services.rooms.memberships(ALICE)

    def act(number):
        try:
            WAYS[way](services, number)
        except ChatError as error:
            if error.code == "rate_limited":
                raise

    number, error = until_refused(act)
    assert number <= WRITES and error.code == "rate_limited" and error.retry_after_s >= 1


def test_all_doors_and_workers_share_one_allowance(config, stopped):
    app, other = made(config), create_app(replace(config, sends_per_user=WRITES, reads_per_user=READS))
    client = browser(app)
    Auth(client).login("alice")
    for number in range(4):
        answer = client.post("/api/rooms/general/messages", json={"client_id": f"h{number}", "text": "by HTTP"})
        assert answer.status_code == 201
    number, error = until_refused(lambda n: other.extensions["parley"].messages.send(ALICE, "general", f"s{n}", "x"))
    assert number == WRITES - 4 - 1 and error.code == "rate_limited", "a message weighs a little more than one"
    late = client.post("/api/rooms/general/messages", json={"client_id": "late", "text": "by HTTP"})
    assert late.status_code == 429 and int(late.headers["Retry-After"]) >= 1
    services = other.extensions["parley"]
    assert services.messages.send(BOB, "general", "b1", "Bob has his own")["text"]


def test_what_is_refused_uses_no_number_and_may_be_sent_again(services):
    def head():
        return services.history.page(BOB, "general").head

    number, _ = until_refused(lambda n: services.messages.send(ALICE, "general", f"c{n}", "x"), 40)
    assert number < 40 and head() == number
    services.redis.delete(Allowance.key("alice"))
    assert services.messages.send(ALICE, "general", f"c{number}", "x")["seq"] == number + 1


def test_a_long_message_weighs_more(services, stopped):
    number, _ = until_refused(lambda n: services.messages.send(ALICE, "general", f"c{n}", "💬" * 4_000))
    assert number == 2  # 16,000 bytes each: about five


def test_large_pages_weigh_more_than_small_ones(services, stopped):
    small, error = until_refused(lambda _: services.history.page(ALICE, "general", limit=50))
    large, _ = until_refused(lambda _: services.history.page(BOB, "general", limit=200))
    assert (small, large) == (READS, READS // 4) and error.code == "rate_limited"


def test_reading_takes_nothing_from_writing(services, stopped):
    until_refused(lambda _: services.history.page(ALICE, "general"))
    assert services.messages.send(ALICE, "general", "c", "x")["seq"]


def test_many_at_once_have_no_more_than_one_after_the_other(services, stopped):
    def write(_):
        try:
            services.messages._allowance.write("alice")
        except ChatError as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(write, range(40)))
    assert sorted(taken) == ["rate_limited"] * (40 - WRITES) + ["taken"] * WRITES


SENDERS = """
from gevent import monkey
monkey.patch_all()
import json, sys
import gevent
from chat.app import create_app
from chat.config import Config
from chat.errors import ChatError
from chat.models import Person
from chat.services.limits import allowance
from chat.services.log import sequence as numbers
allowance.WINDOW_MS = numbers.WINDOW_MS = 86_400_000

worker, messages = sys.argv[1], create_app(Config(**json.loads(sys.argv[2]))).extensions["parley"].messages
print("ready", flush=True)
sys.stdin.readline()

def send(greenlet):
    person, told = (Person("alice", "Alice"), Person("bob", "Bob"))[greenlet % 2], []
    for number in range(6):
        try:
            told.append([person.username, messages.send(person, "general", f"{worker}{greenlet}-{number}", "x")["seq"]])
        except ChatError as error:
            told.append([person.username, error.code])
    return told

senders = [gevent.spawn(send, greenlet) for greenlet in range(16)]
gevent.joinall(senders)
print(json.dumps([each for sender in senders for each in sender.get()]))
"""


def test_sixteen_in_each_of_two_workers_send_no_more_than_their_persons_may(config):
    """Of Alice and Bob, who share questions for numbers: no number is lost, none given twice, and nobody pays for
    another."""
    services = create_app(replace(config, sends_per_user=WRITES)).extensions["parley"]
    for person in (ALICE, BOB):
        services.rooms.memberships(person)
    before = services.history.page(ALICE, "general").head
    argv = [sys.executable, "-c", SENDERS]
    settings = json.dumps({name: each for name, each in vars(services.config).items() if name != "allowed_origins"})
    pipe = subprocess.PIPE
    workers = [subprocess.Popen([*argv, name, settings], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for name in "vw"]
    for each in workers:
        assert each.stdout.readline() == "ready\n"
    for each in workers:
        each.stdin.write("\n")
        each.stdin.flush()
    told = [each for worker in workers for each in json.loads(worker.communicate(timeout=60)[0])]
    sent = [(person, seq) for person, seq in told if isinstance(seq, int)]
    assert len(told) == 192 and {code for _, code in told if isinstance(code, str)} == {"rate_limited"}
    # A message weighs 1 + 1/4096: nine fit into ten.
    assert Counter(person for person, _ in sent) == {"alice": WRITES - 1, "bob": WRITES - 1}
    page = services.history.page(ALICE, "general")
    stored = {(message.author, message.seq) for message in page.messages}
    assert set(sent) == stored and len({seq for _, seq in sent}) == len(sent)
    assert page.head - before < 2 * 2 * WRITES, "a number that was taken twice leaves a tombstone, a refusal none"


def test_those_who_share_a_question_to_redis_pay_for_themselves(services, stopped):
    """Bob has nothing left: the numbers of the others follow each other."""
    numbers, room = services.history._sequences, services.rooms.get("general")
    numbers.propose(room)
    services.redis.set(Allowance.key("bob"), f"0.000 {int(services.redis.time()[0]) * 1000}")
    from chat.services.log.sequence import Proposal

    proposals = [Proposal(Charge("alice", 1)), Proposal(Charge("bob", 1)), Proposal(), Proposal(Charge("alice", 1))]
    numbers._ask(room, 0, proposals)
    first = proposals[0].number
    assert [proposal.number for proposal in proposals] == [first, None, first + 1, first + 2]
    assert proposals[1].error.code == "rate_limited"
    assert numbers.propose(room) == first + 3


# --- rooms -----------------------------------------------------------------------------------------------------------


def test_a_person_makes_so_many_rooms_and_no_more(config):
    services = create_app(replace(config, rooms_per_user=2)).extensions["parley"]
    number, error = until_refused(lambda n: services.memberships.create(ALICE, f"c{n}", f"Room {n}", "public"), 5)
    assert (number, error.code, error.retry) == (2, "too_many_rooms", False)
    assert services.memberships.create(ALICE, "c0", "Room 0", "public")["room"] == "room-0", "a repetition is none"
    with pytest.raises(ChatError, match="already a room"):
        services.memberships.create(BOB, "b0", "Room 0", "public")
    assert services.memberships.create(BOB, "b1", "Room 5", "public")["room"] == "room-5"


def test_others_bring_a_person_into_half_as_many_rooms_as_they_may_be_in(config):
    services = made(config, memberships_per_user=6).extensions["parley"]
    rooms_of_bob = services.rooms.memberships(BOB)
    services.redis.flushall()

    def bring(number):
        services.redis.delete(Allowance.key("alice"))
        room = services.memberships.create(ALICE, f"c{number}", f"Room {number}", "public" if number < 4 else "private")
        services.memberships.invite(ALICE, f"i{number}", room["room"], "bob")

    number, error = until_refused(bring, 5)
    assert (len(rooms_of_bob), number, error.code) == (1, 2, "too_many_rooms")
    assert services.memberships.join(BOB, "j", "room-2")["room"] == "room-2", "there is room for what they choose"


def test_invitations_are_so_many_an_hour(config):
    services = made(config, invitations_per_user=2).extensions["parley"]

    def bring(number):
        services.redis.delete(Allowance.key("alice"))
        room = services.memberships.create(ALICE, f"c{number}", f"Room {number}", "public")["room"]
        services.memberships.invite(ALICE, f"i{number}", room, "bob")

    number, error = until_refused(bring, 4)
    assert (number, error.code) == (2, "rate_limited") and error.retry_after_s > 1800


@pytest.fixture
def crowded(config, monkeypatch):
    """Bob was put into five private rooms when there was no bound yet; three rooms are listed at once."""
    monkeypatch.setattr(overview, "LISTED_AT_ONCE", 3)
    monkeypatch.setattr(overview, "JOINABLE_AT_ONCE", 2)
    services = made(config, memberships_per_user=4).extensions["parley"]
    services.memberships.create(BOB, "b", "Zebras", "public")
    for number in range(5):
        services.redis.delete(Allowance.key("alice"))
        kind = "private" if number else "public"
        room = services.memberships.create(ALICE, f"c{number}", f"Room {number}", kind)["room"]
        services.storage.rooms.put_membership(Membership(room, "bob", "Bob", inside=True, start=1))
    return services


def test_a_list_of_rooms_is_told_in_parts_and_ends(crowded):
    first = crowded.overview.rooms(BOB)
    assert [each["room"] for each in first["rooms"]] == ["general", "room-0", "zebras"], "what is their own is first"
    second = crowded.overview.rooms(BOB, rooms_after=first["rooms_after"])
    assert len(second["rooms"]) == 1 and "rooms_after" not in second and not second["joinable"]


def test_the_rooms_that_may_be_joined_are_told_in_parts_and_end(crowded):
    for number in range(3):
        crowded.redis.delete(Allowance.key("alice"))
        crowded.memberships.create(ALICE, f"d{number}", f"Den {number}", "public")
    found, after = [], None
    for _ in range(10):
        answer = crowded.overview.rooms(Person("bob", "Bob"), joinable_after=after)
        found += [each["room"] for each in answer["joinable"]]
        after = answer.get("joinable_after")
        if after is None:
            break
    assert found == ["den-0", "den-1", "den-2"]


def test_who_was_put_into_more_rooms_than_anybody_may_be_in_still_has_a_list(crowded):
    assert len(crowded.rooms.memberships(BOB)) == 4
    assert crowded.rooms.memberships(BOB)[0][0].id == "general"


@pytest.mark.parametrize("where", ["rooms_after", "joinable_after"])
def test_a_cursor_too_long_to_be_a_room_is_refused_before_any_work(crowded, monkeypatch, where):
    longest = crowded.overview.rooms(BOB, **{where: "x" * 256})
    assert longest["rooms"] == [] or longest["joinable"] == []
    monkeypatch.setattr(crowded.storage.client, "call", None)
    monkeypatch.setattr(crowded.overview._allowance, "_spend", None)
    for cursor in ("x" * 257, ""):
        with pytest.raises(ChatError) as refused:
            crowded.overview.rooms(BOB, **{where: cursor})
        assert refused.value.code == "cursor_invalid"


LISTS = {
    "rooms": lambda s: s.overview.rooms(ALICE),
    "rooms, further ones": lambda s: s.overview.rooms(ALICE, rooms_after="general"),
    "rooms to join, further ones": lambda s: s.overview.rooms(ALICE, joinable_after="general"),
    "members": lambda s: s.overview.members(ALICE, "general"),
}


@pytest.mark.parametrize("what", LISTS)
def test_every_list_is_counted(services, stopped, what):
    services.rooms.memberships(ALICE)
    number, error = until_refused(lambda _: LISTS[what](services))
    assert number == READS and error.code == "rate_limited"


# --- the bus ---------------------------------------------------------------------------------------------------------


def large_event(number, text="💬" * 4_000):
    snapshot = Message("general", number, number, "c", "alice", "Alice", text, 0)
    entry = Draft(Entry("general", number, "message", 0), snapshot).entry
    return Logged("general", 1, entry.to_dict(), snapshot.to_dict(1))


def test_the_bus_has_a_bound_in_bytes_whatever_is_written(services):
    bus = Publisher(services.redis)
    pipeline = services.redis.pipeline(transaction=False)
    bus._client = pipeline
    for number in range(MAX_STREAM + 1_000):
        bus.publish(large_event(number, "💬" * 1_900))  # just below what an entry may have
    pipeline.execute()
    assert services.redis.memory_usage(STREAM, samples=0) < 1.5 * MAX_STREAM * MAX_ENTRY_BYTES
    bus._client = services.redis
    services.redis.delete(STREAM)
    bus.publish(large_event(1))
    ((_, fields),) = services.redis.xrange(STREAM)
    assert '"decided"' in fields["e"] and '"seq":1' in fields["e"] and len(fields["e"]) < 100


def test_what_waits_for_redis_goes_in_entries_of_bounded_size(services):
    bus = Bus(services.redis, "")
    bus._begun = True
    for number in range(20):
        bus.publish(large_event(number, "x" * 2_000))
    while bus._outbox:
        bus._write_some()
    sizes = [len(fields["e"].encode()) for _, fields in services.redis.xrange(STREAM)]
    assert len(sizes) > 5 and max(sizes) <= MAX_ENTRY_BYTES and bus._outbox_bytes == 0
