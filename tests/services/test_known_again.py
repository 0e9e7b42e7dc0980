"""A request that was carried out is known again by every later version: its hash stays what it is."""

from __future__ import annotations

import pytest

from chat.errors import ChatError
from chat.services.log.idempotency import digest
from tests.services.conftest import ALICE, BOB

# As they were stored from the beginning; claims live as long as what they prove. A new request adds a line.
DIGESTS = {
    "create": "ea038f8732e623731dd62a8fc26940d7",
    "invite": "98fd55c98c7911a26ed3a59250df0c04",
    "remove": "7f193d7323176b4e4cde4e99bc7bfe15",
    "join": "98fd55c98c7911a26ed3a59250df0c04",
    "leave": "d7ec5051f51dfa1f540db1566633c31e",
    "send": "31deab5bc7425cf3a7349bab07e0880e",
    "reply": "5990e4bba7d64814f47773ddb92ad903",
    "edit": "5fbca991534302747ab93b797e69eedf",
    "react": "65d8e1e495f79658b5be3e314f94ce5d",
    "unreact": "4d107f90271f41dc695f7c147030099c",
    "delete": "c8d9012d45a85281271f1c82e069f95b",
}


def test_the_hash_of_every_request_is_what_it_always_was(worker):
    memberships, messages = worker.memberships, worker.messages
    by = dict.fromkeys(DIGESTS, ALICE) | {"join": BOB, "leave": BOB}
    memberships.create(ALICE, "create", "Plans", "public")
    memberships.invite(ALICE, "invite", "plans", "bob")
    messages.send(ALICE, "plans", "answered", "a message with the number 3")
    assert messages.send(ALICE, "plans", "send", "hällo 👋")["seq"] == 4
    messages.send(ALICE, "plans", "reply", "hällo 👋", reply_to=3)
    messages.edit(ALICE, "plans", "edit", 4, "again")
    messages.react(ALICE, "plans", "react", 4, "👍", True)
    messages.react(ALICE, "plans", "unreact", 4, "👍", False)
    messages.delete(ALICE, "plans", "delete", 4)
    memberships.remove(ALICE, "remove", "plans", "bob")
    memberships.join(BOB, "join", "plans")
    memberships.leave(BOB, "leave", "plans")
    stored = {name: worker.storage.claims.get(by[name].username, name) for name in DIGESTS}
    assert {name: claim and claim.digest for name, claim in stored.items()} == DIGESTS


@pytest.fixture
def later(worker, monkeypatch):
    """How a later version sends: with files, or none."""
    append = worker.log.append

    def send(text, files=None):
        def more(room, user, client_id, request, *args, **options):
            return append(room, user, client_id, (*request, ("files", files)), *args, **options)

        with monkeypatch.context() as patched:
            patched.setattr(worker.log, "append", more)
            return worker.messages.send(ALICE, "general", "c", text)

    return send


def test_a_field_that_came_later_counts_for_nothing_where_it_is_absent(worker, later):
    first = worker.messages.send(ALICE, "general", "c", "hello")
    assert later("hello") == first, "sent before the upgrade, acked after it"
    assert worker.messages.send(ALICE, "general", "c", "hello") == first


def test_where_it_is_there_it_makes_another_request(worker, later):
    first = later("hello", files=("f1",))
    assert later("hello", files=("f1",)) == first
    for other in (None, ("f2",)):
        with pytest.raises(ChatError) as refusal:
            later("hello", files=other)
        assert refusal.value.code == "client_id_reused"


def test_a_value_of_the_first_fields_counts_also_when_it_is_none():
    assert digest(("send", "general", "hello", None)) != digest(("send", "general", "hello"))
