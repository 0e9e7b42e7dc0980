"""What an invitation costs, and the cap that is asked right behind it."""

from __future__ import annotations

import pytest

from chat.app import create_app
from chat.config import Config
from chat.errors import ChatError
from chat.models import Person, User
from chat.services.assembly import Services

ALICE, BOB = Person("alice", "Alice"), Person("bob", "Bob")


@pytest.fixture
def services(config: Config) -> Services:
    from dataclasses import replace

    found = create_app(replace(config, invitations_per_user=1, memberships_per_user=4)).extensions["parley"]
    for person in (ALICE, BOB, Person("carol", "Carol")):
        found.storage.users.put(User(person.username, person.name))
    found.memberships.create(ALICE, "a", "Plans", "private")
    return found  # type: ignore[no-any-return]


def room(services: Services) -> str:
    return next(m.room for m in services.storage.rooms.memberships("alice") if m.room != "general")


def refused(services: Services, client_id: str, whom: str, by: Person = ALICE, where: str = "") -> str:
    with pytest.raises(ChatError) as error:
        services.memberships.invite(by, client_id, where or room(services), whom)
    return error.value.code


def test_an_invitation_that_is_refused_or_changes_nothing_is_not_spent(services: Services) -> None:
    for n, name in enumerate(("Ideas", "Music")):  # then Carol is in as many as others may bring her into
        services.memberships.create(Person("carol", "Carol"), str(n), name, "public")
    assert refused(services, "b", "carol") == "too_many_rooms"
    assert refused(services, "c", "nobody") == "user_not_found"
    assert refused(services, "d", "bob", where="elsewhere") == "room_not_found"
    services.memberships.invite(ALICE, "e", room(services), "alice")  # who is in already
    services.memberships.invite(ALICE, "f", room(services), "bob")
    services.memberships.invite(ALICE, "f", room(services), "bob")  # the same again
    assert services.storage.rooms.membership(room(services), "bob")
    services.memberships.leave(BOB, "g", room(services))
    assert refused(services, "h", "bob") == "rate_limited", "one was spent"


def test_who_judges_again_spends_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = []
    monkeypatch.setattr(services.memberships._bounds.invitations, "spend", spent.append)
    append = services.memberships._log.append

    def judged_twice(room: object, user: str, client_id: str, request: object, judge, **options):  # type: ignore[no-untyped-def]
        judge()
        return append(room, user, client_id, request, judge, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(services.memberships._log, "append", judged_twice)
    services.memberships.invite(ALICE, "b", room(services), "bob")
    assert spent == ["alice"]


def test_all_that_a_move_is_judged_by_is_read_as_it_is_now(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    call = services.storage.client.call

    def noted(operation: str, **request: object) -> object:
        asked.append((operation, request.get("ConsistentRead")))
        return call(operation, **request)

    monkeypatch.setattr(services.storage.client, "call", noted)
    services.memberships.invite(ALICE, "b", room(services), "bob")
    reads = [each for each in asked if each[0] in ("query", "get_item")]
    assert ("query", True) in reads and {consistent for _, consistent in reads} == {True}
