"""An honest client is served; what no honest client sends ends its socket and nobody else's."""

from __future__ import annotations

import pytest

from tests.transport.conftest import Tiny
from tests.transport.peers import BINARY, CLOSE, PING, PONG, TEXT, masked


def test_an_event_is_acked(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        assert peer.ask("echo", {"text": "Grüße 👋"}, 1) == {"echo": [{"text": "Grüße 👋"}, 1]}
