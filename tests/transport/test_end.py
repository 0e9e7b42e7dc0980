"""A worker ends quickly and politely."""

from __future__ import annotations

import json
import signal
import time

from tests.conftest import wait_until
from tests.transport.conftest import Start
from tests.transport.peers import Peer, exchange, handshake, status


def test_sigterm_with_fifty_open_sockets_ends_within_three_seconds(start: Start) -> None:
    """Nobody is left without a word, what is being answered is answered, and one who does not read holds nobody up."""
    tiny = start()
    peers = [tiny.entered() for _ in range(50)]
    peers[0].say('427["slow",0.6]')
    stalled = tiny.entered(receive_buffer=8_192)
    stalled.say('428["burst",200]')
    began = time.monotonic()
    tiny.process.send_signal(signal.SIGTERM)
    delays = []
    for number, peer in enumerate(peers):
        while not (text := peer.text()).startswith('42["server:restarting"'):
            assert text.startswith('42["burst"'), text
        delays.append(json.loads(text[2:])[1]["reconnect_in_ms"])
        if number == 0:
            assert '437[{"ok":true}]' in (peer.text(), peer.text())
        assert peer.ends(2)
        peer.sock.close()
    assert tiny.process.wait(5) == 0
    assert time.monotonic() - began < 3
    assert all(200 <= delay <= 2_000 for delay in delays) and len(set(delays)) > 20
    assert "Traceback" not in tiny.log.read_text()
    stalled.sock.close()


def test_what_takes_longer_than_its_client_is_waited_for_is_still_finished(start: Start) -> None:
    """What a handler has begun to store is not left half done, though nobody is told any more."""
    tiny = start()
    with tiny.entered() as peer:
        peer.say('427["slow",3]')
        wait_until(lambda: tiny.facts()["begun"] == ["slow"])
        began = time.monotonic()
        tiny.process.send_signal(signal.SIGTERM)
        assert tiny.process.wait(10) == 0
    assert time.monotonic() - began > 2
    assert "slow has finished" in tiny.log.read_text()


def test_a_new_handshake_during_the_end_is_sent_elsewhere(start: Start) -> None:
    tiny = start()
    busy = tiny.entered()
    busy.say('427["slow",0.9]')
    wait_until(lambda: tiny.facts()["connected"] == 1)
    tiny.process.send_signal(signal.SIGTERM)
    assert busy.text().startswith('42["server:restarting"')
    try:
        assert status(exchange(tiny.port, handshake(tiny.port), timeout_s=1)) in (503, 0)
    except ConnectionRefusedError:
        pass  # it no longer listens
    assert busy.text() == '437[{"ok":true}]'
    assert tiny.process.wait(5) == 0


def test_a_rolling_restart_sends_everybody_away_and_takes_them_back(start: Start) -> None:
    tiny = start()
    peers = [tiny.entered() for _ in range(5)]
    tiny.process.send_signal(signal.SIGHUP)
    for peer in peers:
        assert peer.text().startswith('42["server:restarting"')
        assert peer.ends(2)
        peer.sock.close()

    def let_in() -> bool:
        """Until the old worker is gone it may still answer, and sends them elsewhere."""
        with Peer(tiny.port) as back:
            return back.status == 101 and back.enter().ask("echo") == {"echo": []}

    wait_until(let_in, 5, "they are let in")
