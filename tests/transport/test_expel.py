"""Who may not read on: what waits for them does not follow, and what the kernel holds for them is taken back."""

from __future__ import annotations

import json

import pytest

from tests.conftest import wait_until
from tests.transport.conftest import Tiny, on_each
from tests.transport.peers import PATIENCE_S, Peer, has_ended

pytestmark = on_each  # each holds in its own way what waits for a client

SIZE = 2_000
FLOODS = (20, 100)  # packets: what the server's kernel takes at once, and more than that


def flooded(tiny: Tiny, packets: int, end: str) -> Peer:
    """A client that was flooded and ended, and has not read anything of it."""
    slow = tiny.entered(receive_buffer=4_096)
    before = tiny.facts()["connected"]
    slow.say("42" + json.dumps(["flood", packets, SIZE]))
    slow.say("42" + json.dumps([end]))
    wait_until(lambda: tiny.facts()["connected"] < before, PATIENCE_S, "the server has ended it")
    return slow


def rest(peer: Peer) -> int:
    """How many packets of a flood it still gets."""
    got = 0
    while text := peer.text():
        got += text.startswith('42["flood"')
    return got


@pytest.mark.parametrize("packets", FLOODS)
def test_what_an_expelled_client_has_not_read_is_taken_back_and_what_one_that_left_has_not_is_still_sent(
    tiny: Tiny, packets: int
) -> None:
    """They are ended one after the other, and read when the server has taken back what the second one had."""
    with flooded(tiny, packets, "leave") as left, flooded(tiny, packets, "expel") as expelled:
        wait_until(lambda: has_ended(expelled.sock), PATIENCE_S, "the server is through with it")
        assert rest(expelled) < packets / 2
        assert rest(left) == packets


def test_an_expelled_client_that_reads_is_told_so(tiny: Tiny) -> None:
    with Peer(tiny.port) as peer:
        peer.enter()
        peer.say("42" + json.dumps(["expel"]))
        assert peer.text() == "41"
        assert peer.ends()
        assert peer.close_code == 1001


@pytest.mark.parametrize("number", [1, 30])
def test_a_guarded_client_gets_nothing_until_the_gate_opens(tiny: Tiny, number: int) -> None:
    with tiny.entered() as guarded, tiny.entered() as other:
        assert guarded.ask("guard") == {"ok": False}
        other.ask("burst", number)
        other.ask("open")
        other.say("42" + json.dumps(["flood", 1, 1]))
        assert guarded.text().startswith('42["flood"')
