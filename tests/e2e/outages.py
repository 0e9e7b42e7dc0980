"""What is promised while Redis or DynamoDB is away, and soon after it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from tests.e2e.parley import Parley
from tests.e2e.peer import Peer
from tests.runtime.running import until

# Three seconds are promised, and two for saying that it is not ready; chat.services.runtime.deadline sees to it, and is
# tested on a store that hangs for a minute (tests/blueprints/test_health.py). A machine whose cores are taken is late
# with all it does: these are guards against never.
ANSWERED_WITHIN_S = 15.0
UNREADY_WITHIN_S = 15.0
# What is well again is tried by everybody every half second or so; without that, nothing of it would ever come.
WELL_WITHIN_S = 60.0
# A session that was found alive counts as alive for two seconds, a worker as deaf after three: longer than both.
LASTS_S = 4.0

Device = Callable[..., Peer]


def ready(parley: Parley) -> tuple[bool, float]:
    """Whether it says so, and after how many seconds."""
    began = time.monotonic()
    return parley.request("/readyz")[0] == 200, time.monotonic() - began


def endures(parley: Parley, device: Device, failure: AbstractContextManager[None], unready: bool = True) -> None:
    """Who sends is told in time, nobody is signed out, and nothing is missing afterwards, with `failure` meanwhile."""
    ada, grace = parley.person("Ada"), parley.person("Grace")
    room = ada.room("dependency", grace)
    a, g = device(ada), device(grace)
    before = a.send(room, "before")["message"]["seq"]
    g.reaches(room, before)

    def by_http() -> tuple[int, dict, float]:
        began = time.monotonic()
        status, answer = ada.post(f"/api/rooms/{room}/messages", client_id="by-http", text="by http")
        return status, answer, time.monotonic() - began

    with failure, ThreadPoolExecutor(1) as beside:
        began = time.monotonic()
        if unready:
            until(lambda: not ready(parley)[0], UNREADY_WITHIN_S, "it says that it is not ready")
        assert ready(parley)[1] < UNREADY_WITHIN_S
        asked, sent_at = beside.submit(by_http), time.monotonic()
        answer = a.send(room, "meanwhile", client_id="meanwhile")
        assert time.monotonic() - sent_at < ANSWERED_WITHIN_S
        assert answer.get("ok") or (answer["error"]["code"] in ("unavailable", "busy") and answer["error"]["retry"])
        status, answer, took = asked.result()
        assert took < ANSWERED_WITHIN_S
        assert status == 201 or (status == 503 and answer["error"]["retry"]), answer
        assert parley.request("/healthz")[0] == 200
        g.hears_no("session:ended", for_s=began + LASTS_S - time.monotonic())
    until(lambda: ready(parley)[0], WELL_WITHIN_S, "it is ready again")
    until(lambda: a.send(room, "meanwhile", client_id="meanwhile").get("ok"), WELL_WITHIN_S, "a send is taken again")
    last = a.send(room, "after")["message"]["seq"]
    g.reaches(room, last, within_s=WELL_WITHIN_S)
    texts = [text for _, _, text in g.messages(room)]
    assert (texts[0], texts[-1]) == ("before", "after")
    assert texts.count("meanwhile") == 1 and texts.count("by http") <= 1
    for peer in (a, g):
        assert not peer.all_of("session:ended")
        assert peer.person.get("/api/auth/protected")[0] == 200, "nobody is signed out for it"
