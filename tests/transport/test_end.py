"""A worker ends quickly and politely."""

from __future__ import annotations

import json
import signal

from tests.conftest import wait_until
from tests.transport.conftest import Start, on_each
from tests.transport.peers import PATIENCE_S, Peer, exchange, handshake, status

PATIENT = {"gunicorn_cmd_args": "--graceful-timeout 90"}  # so that it is seen who waits for it


@on_each  # the sockets of the fast transport are out of gunicorn's hands
def test_at_sigterm_fifty_open_sockets_are_sent_away_and_no_time_out_of_gunicorn_is_waited_for(start: Start) -> None:
    """Nobody is left without a word, what is being answered is answered, and one who does not read holds nobody up."""
    tiny = start(**PATIENT)
    peers = [tiny.entered() for _ in range(50)]
    peers[0].say('427["slow",0.6]')
    stalled = tiny.entered(receive_buffer=8_192)
    stalled.say('428["burst",200]')
    wait_until(lambda: tiny.facts()["begun"], PATIENCE_S)
    tiny.process.send_signal(signal.SIGTERM)
    delays = []
    for number, peer in enumerate(peers):
        said = [text for text in iter(peer.text, "") if not text.startswith('42["burst"')]
        if number == 0:  # where the signal was slow it has its answer before the farewell
            said.remove('437[{"ok":true}]')
        farewell = said[0]
        assert farewell.startswith('42["server:restarting"'), said
        delays.append(json.loads(farewell[2:])[1]["reconnect_in_ms"])
        peer.sock.close()
    assert tiny.process.wait(PATIENCE_S) == 0
    assert all(200 <= delay <= 2_000 for delay in delays) and len(set(delays)) > 20
    assert "Traceback" not in tiny.log.read_text()
    stalled.sock.close()


@on_each
def test_what_takes_longer_than_its_client_is_waited_for_is_still_finished_and_nobody_new_is_let_in(
    start: Start,
) -> None:
    """What a handler has begun to store is not left half done, though nobody is told any more."""
    tiny = start(**PATIENT)
    with tiny.entered() as peer:
        peer.say('427["slow",3]')
        wait_until(lambda: tiny.facts()["begun"] == ["slow"], PATIENCE_S)
        tiny.process.send_signal(signal.SIGTERM)
        assert peer.text().startswith('42["server:restarting"')
        try:
            assert status(exchange(tiny.port, handshake(tiny.port))) in (503, 0)
        except ConnectionRefusedError:
            pass  # it no longer listens
        assert "slow has finished" not in tiny.log.read_text()
        assert '437[{"ok":true}]' not in iter(peer.text, "")
        assert tiny.process.wait(PATIENCE_S) == 0
    assert "slow has finished" in tiny.log.read_text()


def test_a_rolling_restart_sends_everybody_away_and_takes_them_back(start: Start) -> None:
    tiny = start()
    peers = [tiny.entered() for _ in range(5)]
    tiny.process.send_signal(signal.SIGHUP)
    for peer in peers:
        assert peer.text().startswith('42["server:restarting"')
        assert peer.ends()
        peer.sock.close()

    def let_in() -> bool:
        """Until the old worker is gone it may still answer, and sends them elsewhere."""
        with Peer(tiny.port) as back:
            return back.status == 101 and back.enter().ask("echo") == {"echo": []}

    wait_until(let_in, PATIENCE_S, "they are let in")
