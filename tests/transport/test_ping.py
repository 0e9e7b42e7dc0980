"""Clients that are gone without a word are noticed; those that are there are not taken for gone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.transport.conftest import Start, Tiny, on_each
from tests.transport.peers import PATIENCE_S, TEXT, has_ended

PING_S = 0.7


pytestmark = on_each  # each has clocks of its own


@pytest.fixture(scope="module")
def brisk(start: Start) -> Tiny:
    """Pings every PING_S, waits as long for the answer; gives a minute to connect."""
    return start(ping_s=PING_S, hurry_s=60)


def test_the_first_ping_comes_when_a_client_expects_it(brisk: Tiny) -> None:
    """A client gives up when the interval and the time-out have passed since the opening: the time that it may take to
    connect is no part of them."""
    with brisk.peer() as peer:
        assert peer.text().startswith("0{")
        assert peer.frame() == (TEXT, b"2")
    brisk.empty()


def test_who_does_not_answer_pings_is_cut_and_who_does_is_not(brisk: Tiny) -> None:
    began = time.monotonic()
    with brisk.entered() as gone, brisk.entered() as here:
        while not has_ended(gone.sock):
            assert here.frame() == (TEXT, b"2")
            here.say("3")
        assert time.monotonic() - began > 2 * PING_S
        assert here.ask("echo") == {"echo": []}
    brisk.empty()


def test_who_waits_for_us_is_not_taken_for_gone_and_gets_its_pings_sooner_than_it_gives_up(brisk: Tiny) -> None:
    """While a request is being handled, the same client's pongs are not read. A client waits for the interval and the
    time-out together, from one ping to the next: three would come in the time of six."""
    with brisk.entered() as peer:
        peer.say(f'427["slow",{6 * PING_S}]')
        pings = 0
        while (frame := peer.frame()) == (TEXT, b"2"):
            pings += 1
        assert frame == (TEXT, b'437[{"ok":true}]')
        assert pings > 3
        assert peer.ask("echo") == {"echo": []}
    brisk.empty()


def test_a_stopped_worker_does_not_take_its_clients_for_gone(brisk: Tiny) -> None:
    """When it goes on, its timers are due before it has read the pong that came meanwhile."""
    task = Path(f"/proc/{brisk.process.pid}/task/{brisk.process.pid}/children")
    worker = int(task.read_text().split()[0])
    with brisk.entered() as peer:
        assert peer.frame() == (TEXT, b"2")
        os.kill(worker, signal.SIGSTOP)
        try:
            wait_until(
                lambda: "T" in Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0], PATIENCE_S
            )
            peer.say("3")
            time.sleep(2 * PING_S)  # what is tested is that so much time passes
        finally:
            os.kill(worker, signal.SIGCONT)
        assert peer.ask("echo") == {"echo": []}
    brisk.empty()
