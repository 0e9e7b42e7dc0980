"""What must survive: lost answers, an emptied Redis, a killed product, days away."""

from __future__ import annotations

from tests.e2e.parley import new_id
from tests.e2e.peer import say_all


def test_sent_again_after_a_lost_ack_and_an_emptied_redis_it_is_stored_and_shown_once(own_parley, device):
    ada, grace = own_parley.person("Ada"), own_parley.person("Grace")
    room = ada.room("lost ack", grace)
    a, g = device(ada), device(grace)
    client_id, text = new_id(), "said once"
    request = {"room": room, "client_id": client_id, "text": text, "after": 0}
    a.command("emit_deaf", event="message:send", args=[request])
    g.hears("message:sent", lambda m: m["client_id"] == client_id)
    own_parley.redis.flushall()
    for person, peer in ((ada, a), (grace, g)):
        assert peer.hears("session:ended") == {"reason": "expired"}
        assert person.get("/api/auth/protected")[0] == 401
        person.sign_in()
        peer.connect()
    acks = [a.emit("message:send", request) for _ in range(2)]
    assert acks[0]["ok"] and acks[0] == acks[1]
    last = a.send(room, "and then this")["message"]["seq"]
    g.reaches(room, last)
    a.reaches(room, last)
    for peer in (a, g):
        assert [t for _, _, t in peer.messages(room)] == [text, "and then this"]
    assert [t for _, _, t in ada.everything(room)] == [text, "and then this"]


def test_killed_in_full_flow_everything_acked_is_there_once_and_in_order(own_parley, device):
    ada, grace = own_parley.person("Ada"), own_parley.person("Grace")
    room = ada.room("killed", grace)
    peers = [device(ada), device(grace)]
    sent = {peer.say(room, f"{peer.person.user} {turn}") for turn in range(100) for peer in peers}
    before = [m for peer in peers for m in peer.acked(20)]
    own_parley.kill_all()
    own_parley.start()
    acked = sorted((m["seq"], m["client_id"], m["text"]) for peer in peers for m in peer.acked(100, within_s=60))
    assert {m["client_id"] for m in before} < {client_id for _, client_id, _ in acked} == sent
    for peer in peers:
        peer.reaches(room, acked[-1][0], within_s=90)
        assert peer.messages(room) == acked
        assert len(peer.all_of("connect")) >= 2 and not peer.all_of("session:ended")
        assert peer.person.get("/api/auth/protected")[0] == 200, "still signed in"
    assert ada.everything(room) == acked


def test_a_worker_killed_alone_loses_nothing(own_parley, device):
    ada, grace = own_parley.person("Ada"), own_parley.person("Grace")
    room = ada.room("worker", grace)
    peers = [device(ada), device(grace)]
    for turn in range(60):
        for peer in peers:
            peer.say(room, f"{peer.person.user} {turn}")
    for peer in peers:
        peer.acked(10)
    worker = own_parley.worker
    own_parley.kill(worker)
    acked = sorted((m["seq"], m["client_id"], m["text"]) for peer in peers for m in peer.acked(60, within_s=60))
    assert own_parley.worker != worker
    for peer in peers:
        peer.reaches(room, acked[-1][0], within_s=90)
        assert peer.messages(room) == acked
    assert ada.everything(room) == acked


def test_a_connection_cut_without_a_word_loses_nothing(two, device):
    ada, grace = two
    room = ada.room("cut", grace)
    a, g = device(ada), device(grace)
    for cut in range(3):
        for turn in range(20):
            a.say(room, f"{cut}/{turn}")
        a.acked(cut * 20 + 5)
        a.cut()
        g.cut()
    acked = [(m["seq"], m["client_id"], m["text"]) for m in a.acked(60, within_s=90)]
    for peer in (a, g):
        peer.reaches(room, acked[-1][0])
        assert peer.messages(room) == acked
    assert len(g.all_of("connect")) >= 2


def test_what_was_missed_is_pulled_page_by_page_and_from_a_thousand_on_only_the_newest_page(two, device):
    ada, grace = two
    room = ada.room("away", grace)
    a, long_away, shortly_away = device(ada), device(grace), device(grace)
    first = a.send(room, "before she goes")["message"]["seq"]
    for peer in (long_away, shortly_away):
        peer.reaches(room, first)
    long_away.disconnect()
    texts = [f"missed {turn}" for turn in range(1_001)]
    say_all(a, room, texts[:700])
    shortly_away.reaches(room, first + 700)
    shortly_away.disconnect()
    say_all(a, room, texts[700:], 700)
    last = first + len(texts)
    near = a.emit("room:open", {"room": room, "after": last - 1_000})
    assert "gap" not in near and near["entries"][0]["seq"] == last - 999

    shortly_away.connect()
    state = shortly_away.reaches(room, last)
    assert [t["text"] for t in state["transcript"] if "text" in t] == ["before she goes", *texts]
    assert len(state["pulls"]) >= 2 and max(state["pulls"]) <= 200 and state["gaps"] == 0

    long_away.connect()
    state = long_away.reaches(room, last)
    assert state["gaps"] == 1
    held = [t["text"] for t in state["transcript"] if "text" in t]
    assert held == texts[1_001 - len(held) :] and 0 < len(held) < 1_001
