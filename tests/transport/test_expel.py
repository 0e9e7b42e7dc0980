"""Who may not read on: what waits for them does not follow, and what the kernel holds for them is taken back."""

from __future__ import annotations

import json
import time

import pytest

from tests.conftest import wait_until
from tests.transport.conftest import Tiny
from tests.transport.peers import Peer, get_json

SIZE = 2_000
FLOODS = (20, 100)  # packets: what the server's kernel takes at once, and more than that


def read_late(tiny: Tiny, packets: int, end: str) -> int:
    """How much of a flood a client gets that begins to read a second after it was ended."""
    with Peer(tiny.port, receive_buffer=4_096) as slow:
        slow.enter()
        slow.say("42" + json.dumps(["flood", packets, SIZE]))
        slow.say("42" + json.dumps([end]))
        wait_until(lambda: get_json(tiny.port, "/facts")["connected"] == 0, 5, "the server has ended it")
        time.sleep(1)
        got = 0
        while text := slow.text():
            got += text.startswith('42["flood"')
        return got


@pytest.mark.parametrize("packets", FLOODS)
def test_what_an_expelled_client_has_not_read_is_taken_back(tiny: Tiny, packets: int) -> None:
    assert read_late(tiny, packets, "expel") < packets / 2


@pytest.mark.parametrize("packets", FLOODS)
def test_what_one_that_is_merely_disconnected_has_not_read_is_still_sent(tiny: Tiny, packets: int) -> None:
    assert read_late(tiny, packets, "leave") == packets


def test_an_expelled_client_that_reads_is_told_so(tiny: Tiny) -> None:
    with Peer(tiny.port) as peer:
        peer.enter()
        peer.say("42" + json.dumps(["expel"]))
        assert peer.text() == "41"
        assert peer.ends()
        assert peer.close_code == 1001


@pytest.mark.parametrize("number", [1, 30])
def test_a_guarded_client_gets_nothing_until_the_gate_opens(tiny: Tiny, number: int) -> None:
    with Peer(tiny.port) as guarded, Peer(tiny.port) as other:
        guarded.enter()
        other.enter()
        assert guarded.ask("guard", 0.5) == {"ok": False}
        other.ask("burst", number)
        time.sleep(0.6)
        other.say("42" + json.dumps(["flood", 1, 1]))
        assert guarded.text().startswith('42["flood"')
