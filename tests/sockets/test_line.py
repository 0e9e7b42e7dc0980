"""Is the line alive? A ping is answered by the hub, without a word of anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.sockets.transport.content import frame_tells, tells
from chat.sockets.transport.frames import TEXT, frame
from tests.conftest import start_server
from tests.sockets.test_inline import signed_in


@pytest.mark.parametrize("fanout", ["fast", "stock"])
def test_a_ping_is_acked_with_nothing_and_counted_like_any_request(config, tmp_path, fanout):
    server = start_server(replace(config, fanout=fanout, sends_per_user=5), tmp_path)
    ada = signed_in(server, "ada")
    try:
        assert ada.call("ping", {}, timeout=10) is None
        answers = [ada.call("ping", {}, timeout=10) for _ in range(25)]
        refused = [answer["error"]["code"] for answer in answers if answer]
        assert refused and set(refused) == {"rate_limited"}, "and no more than any request"
        assert "Traceback" not in server.log.read_text()
    finally:
        ada.disconnect()
        server.process.kill()
        server.process.wait(30)


def test_the_answer_to_a_ping_tells_nothing_of_a_room_so_it_goes_out_while_nobody_can_ask_for_sessions():
    assert not tells("312[]") and not frame_tells(frame(TEXT, b"4312[]"))
    assert tells('312[{"ok":true}]') and tells('312["x"]')
