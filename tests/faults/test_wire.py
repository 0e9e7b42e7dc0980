"""Each fault of the wire does what it says to those it is meant for, and heals."""

from __future__ import annotations

import time

import pytest

from tests.conftest import wait_until
from tests.faults.hosts import Network
from tests.faults.line import Line
from tests.faults.wire import Wire


@pytest.fixture
def wire(network: Network) -> Wire:
    return Wire(network)


def test_a_cut_stops_both_ways_and_what_was_sent_arrives_after_it_heals(network: Network, wire: Wire) -> None:
    here, there = network["near"].address, network["far"].address
    with Line(network) as line:
        heal = wire.cut([here], [there])
        assert not line.echoes(b"lost?", 0.3)
        heal()
        line.client.settimeout(10)
        assert line.client.recv(100) == b"lost?"


def test_a_cut_spares_other_addresses(network: Network, wire: Wire) -> None:
    struck, spared, _ = network.further("near")
    with Line(network, struck) as line:
        wire.cut([struck], [network["far"].address])
        assert line.echoes(b"x", client=line.connect(spared))
        assert not line.echoes(b"x", 0.3)


def test_lost_packets_are_sent_again_and_take_time(network: Network, wire: Wire) -> None:
    with Line(network) as line:
        heal = wire.lose([network["near"].address], [network["far"].address], 30)
        began = time.monotonic()
        assert all(line.echoes(b"y", 60) for _ in range(12))
        slow = time.monotonic() - began
        heal()
        began = time.monotonic()
        assert all(line.echoes(b"y") for _ in range(12))
        assert slow > 0.4 > time.monotonic() - began, "a lost packet is sent again after 200 ms at the earliest"


def test_a_reset_breaks_the_connection(network: Network, wire: Wire) -> None:
    with Line(network) as line:
        heal = wire.reset([network["near"].address], [network["far"].address], 500)
        with pytest.raises(ConnectionResetError):
            # When the far end was told, this end may hear of it with a later packet only.
            [line.echoes(b"z", 1) for _ in range(100)]
        heal()
        assert line.echoes(b"z", client=line.connect())


def test_half_open_kills_what_stands_and_lets_new_ones_through(network: Network, wire: Wire) -> None:
    with Line(network) as line:
        heal = wire.half_open([network["near"].address], [network["far"].address])
        assert not line.echoes(b"old", 0.3)
        assert line.echoes(b"new", client=line.connect())
        assert not line.echoes(b"old", 0.3)
        heal()
        wait_until(lambda: line.echoes(b"old", 5), 10)


def test_a_slow_link_has_its_rate_and_the_others_keep_theirs(network: Network, wire: Wire) -> None:
    slow, quick, _ = network.further("near")
    with Line(network, slow) as line:
        heal = wire.slow(network["near"], [slow], 64)
        began = time.monotonic()
        assert line.echoes(bytes(20_000), 10)
        assert 1.0 < time.monotonic() - began < 8, "20 kB there and back overlap: at 8 kB/s at least 2 s less a burst"
        began = time.monotonic()
        assert line.echoes(bytes(20_000), client=line.connect(quick))
        assert time.monotonic() - began < 0.5
        heal()
        began = time.monotonic()
        assert line.echoes(bytes(20_000))
        assert time.monotonic() - began < 0.5
