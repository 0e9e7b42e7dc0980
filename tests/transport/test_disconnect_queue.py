"""Thousands leave at once: who stays is served in between."""

from __future__ import annotations

from typing import Any

import gevent

from chat.sockets.transport.fast.disconnect_queue import AT_ONCE, DisconnectQueue


class Gone:
    """A connection whose client has gone."""

    def __init__(self, let_go: list[Gone]):
        self._let_go = let_go

    def lost(self) -> None:
        self._let_go.append(self)


def test_all_are_let_go_in_the_order_they_went_and_others_have_their_turn_in_between() -> None:
    disconnects, let_go = DisconnectQueue(), list[Any]()
    everybody = [Gone(let_go) for _ in range(10 * AT_ONCE + 1)]
    seen: list[int] = []
    for gone in everybody:
        disconnects.add(gone)  # type: ignore[arg-type]
    gevent.get_hub().loop.run_callback(lambda: seen.append(len(let_go)))
    with gevent.Timeout(30):
        while len(let_go) < len(everybody):
            gevent.sleep(0)
    assert let_go == everybody
    assert seen == [AT_ONCE]


def test_who_goes_while_others_are_let_go_is_let_go_too() -> None:
    disconnects, let_go = DisconnectQueue(), list[Any]()
    for _ in range(3):
        disconnects.add(Gone(let_go))  # type: ignore[arg-type]
        gevent.sleep(0)
    with gevent.Timeout(30):
        while len(let_go) < 3:
            gevent.sleep(0)
