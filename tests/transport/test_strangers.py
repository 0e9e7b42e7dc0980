"""Sockets that never connect: they have slots while nobody else needs them."""

from __future__ import annotations

import pytest

from chat.config import Config
from chat.errors import ChatError
from chat.sockets.transport.slots import NAMELESS, ConnectionSlots
from tests.transport.conftest import Start


@pytest.fixture
def slots():
    return ConnectionSlots(Config(sockets_per_worker=6, sockets_per_address=3))


def come(slots, address, ended, name, nameless=False):
    slot = slots.take(address, nameless)
    slot.give_way = lambda: ended.append(name)
    return slot


def test_the_oldest_that_has_not_connected_gives_way(slots):
    ended = []
    first, *_ = [come(slots, f"192.0.2.{number}", ended, number) for number in range(6)]
    first.settle()
    come(slots, "198.51.100.1", ended, "newcomer")
    assert ended == [1] and slots.taken == 6


def test_who_has_connected_gives_way_to_nobody(slots):
    ended = []
    for number in range(6):
        come(slots, f"192.0.2.{number}", ended, number).settle()
    with pytest.raises(ChatError) as refused:
        slots.take("198.51.100.1")
    assert refused.value.code == "busy" and not ended


def test_an_address_whose_share_is_taken_loses_its_own_stranger(slots):
    ended = []
    come(slots, "198.51.100.1", ended, "elsewhere")
    here = [come(slots, "192.0.2.1", ended, number) for number in range(3)]
    here[0].settle()
    come(slots, "192.0.2.1", ended, "newcomer").settle()
    assert ended == [1] and slots.by_address["192.0.2.1"] == 3


def test_freeing_twice_and_giving_way_count_once(slots):
    ended = []
    held = [come(slots, f"192.0.2.{number}", ended, number) for number in range(6)]
    come(slots, "198.51.100.1", ended, "newcomer")
    for slot in held:
        slot.free()
        slot.free()
    assert slots.taken == 1 and len(slots.strangers) == 1


def test_sockets_without_a_cookie_have_few_places():
    slots, ended = ConnectionSlots(Config()), []
    for number in range(NAMELESS + 5):
        come(slots, f"10.0.{number}.1", ended, number, nameless=True)
    assert ended == [0, 1, 2, 3, 4] and slots.taken == NAMELESS
    come(slots, "192.0.2.1", ended, "with a cookie")
    assert len(ended) == 5 and slots.taken == NAMELESS + 1


def test_a_newcomer_is_let_in_where_strangers_hold_every_place(start: Start) -> None:
    """Over real connections: the oldest of them is closed, whoever connected stays."""
    tiny = start(sockets_per_worker=4)
    with tiny.entered() as friend, tiny.peer(), tiny.peer(), tiny.peer(), tiny.entered() as newcomer:
        assert tiny.facts()["open"] == 4
        assert friend.ask("echo", 1) == newcomer.ask("echo", 1)
