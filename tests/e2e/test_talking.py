"""Two people with the JavaScript client: what is said arrives, once, in one order, and only where it belongs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.parley import new_id


def test_what_two_people_say_reaches_both_in_one_order(two, device):
    ada, grace = two
    room = ada.room("talk", grace)
    a, g = device(ada), device(grace)
    for turn in range(10):
        a.say(room, f"ada {turn}")
        g.say(room, f"grace {turn}")
    acked = a.acked(10) + g.acked(10)
    last = max(message["seq"] for message in acked)
    for peer in (a, g):
        peer.reaches(room, last)
    assert a.messages(room) == g.messages(room)
    assert sorted(text for _, _, text in a.messages(room)) == sorted(
        f"{w} {t}" for w in ("ada", "grace") for t in range(10)
    )
    for peer in (a, g):
        seqs = [entry["seq"] for entry in peer.state(room)["transcript"]]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "no number is missing"
        live = [message["seq"] for message in peer.all_of("message:sent", room)]
        assert live == sorted(live), "live messages come in the order of the log"
    texts = [text for _, _, text in a.messages(room)]
    assert [t for t in texts if t.startswith("ada")] == [f"ada {turn}" for turn in range(10)]


def test_the_ack_carries_what_the_room_then_holds(two, device):
    ada, grace = two
    room = ada.room("ack", grace)
    a, g = device(ada), device(grace)
    ack = a.send(room, "  spaced\nlines ", client_id="first")
    assert ack["ok"] is True
    stored = ada.page(room)["messages"]
    assert stored == [ack["message"]], "acked means stored"
    for peer in (a, g):
        assert peer.hears("message:sent", lambda m: m["client_id"] == "first") == ack["message"]
    assert (ack["message"]["author"], ack["message"]["name"]) == (ada.user, ada.name)


def test_four_people_at_once_see_one_order(parley, device):
    people = [parley.person("Crowd") for _ in range(4)]
    room = people[0].room("crowd", *people[1:])
    peers = [device(person) for person in people]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda peer: [peer.say(room, f"{peer.person.user} {n}") for n in range(50)], peers))
    acked = [(m["seq"], m["client_id"], m["text"]) for peer in peers for m in peer.acked(50, within_s=90)]
    last = max(acked)[0]
    for peer in peers:
        peer.reaches(room, last)
    assert len(set(acked)) == 200
    for peer in peers:
        assert peer.messages(room) == sorted(acked), "every acked message, exactly once, in the order of the log"
    assert people[0].everything(room) == sorted(acked)


def test_typing_is_told_to_others_and_kept_nowhere(two, device):
    ada, grace = two
    room = ada.room("typing", grace)
    a, g = device(ada), device(grace)
    head = ada.page(room)["head"]
    assert a.emit("typing:start", {"room": room}) == {"ok": True}
    told = g.hears("typing", lambda p: p["room"] == room)
    assert told == {"room": room, "user": ada.user, "name": ada.name, "typing": True}
    assert a.emit("typing:stop", {"room": room}) == {"ok": True}
    g.hears("typing", lambda p: p["room"] == room and not p["typing"])
    assert ada.page(room)["head"] == head
    assert a.all_of("typing", room) == [], "nobody is told of their own typing"


def test_reading_on_one_device_is_known_on_the_other(two, device):
    ada, grace = two
    room = ada.room("reading", grace)
    phone, laptop, other = device(grace), device(grace), device(ada)
    seq = ada.say(room, "read me")["seq"]
    assert phone.emit("room:read", {"room": room, "seq": seq}) == {"ok": True, "seq": seq}
    assert laptop.hears("room:read") == {"room": room, "seq": seq}
    assert phone.emit("room:read", {"room": room, "seq": 1})["seq"] == seq, "it never moves back"
    mine = next(r for r in grace.get("/api/rooms")[1]["rooms"] if r["room"] == room)
    assert (mine["read"], mine["unread"]) == (seq, 0)
    other.send(room, "a later event")
    other.hears("message:sent", lambda m: m["text"] == "a later event")
    assert other.all_of("room:read") == [], "where somebody has read to is theirs"


def test_sockets_follow_their_person_into_and_out_of_rooms(two, device):
    ada, grace = two
    a, g = device(ada), device(grace)
    room = ada.room("coming")
    a.hears("room:heads", lambda heads: room in heads)
    assert grace.act(room, "join")[0] == 200
    g.hears("room:heads", lambda heads: room in heads)
    assert a.hears("member:joined", lambda p: p["room"] == room and p["user"] == grace.user)
    ada.say(room, "welcome")
    g.hears("message:sent", lambda m: m["text"] == "welcome")
    assert grace.act(room, "leave")[0] == 204
    left = g.hears("member:left", lambda p: p["room"] == room)
    after = ada.say(room, "she is gone")["seq"]
    a.reaches(room, after)
    assert left["user"] == grace.user
    g.hears("rooms:changed")
    ada.say("general", "a later event")
    g.hears("message:sent", lambda m: m["text"] == "a later event")
    assert all(m["text"] != "she is gone" for m in g.all_of("message:sent"))


def test_an_outsider_hears_nothing_of_a_private_room(parley, two, device):
    ada, grace = two
    outsider = parley.person("Eve")
    a, e = device(ada), device(outsider)
    room = ada.room("secret", grace, kind="private")
    seq = a.send(room, "between us")["message"]["seq"]
    assert a.emit("typing:start", {"room": room})["ok"]
    a.send("general", "a later event for all")
    e.hears("message:sent", lambda m: m["text"] == "a later event for all")
    assert room not in str(e.heard)
    for event, payload in (
        ("message:send", {"client_id": new_id(), "text": "let me in", "after": 0}),
        ("message:edit", {"client_id": new_id(), "text": "let me in", "seq": seq}),
        ("message:delete", {"client_id": new_id(), "seq": seq}),
        ("reaction:add", {"client_id": new_id(), "seq": seq, "emoji": "👍"}),
        ("reaction:remove", {"client_id": new_id(), "seq": seq, "emoji": "👍"}),
        ("reaction:list", {"seq": seq}),
        ("room:open", {"after": 0}),
        ("room:read", {"seq": seq}),
        ("typing:start", {}),
        ("typing:stop", {}),
    ):
        mine, nobodys = (e.emit(event, {"room": name, **payload}) for name in (room, "no-such-room"))
        assert (mine["ok"], mine["error"]["code"]) == (False, "room_not_found"), event
        assert mine == nobodys, "not mine and not there are the same answer"
    for method, path, body in (
        ("GET", "messages", None),
        ("GET", "members", None),
        ("POST", "messages", {"client_id": new_id(), "text": "let me in"}),
        ("POST", "join", {"client_id": new_id()}),
        ("POST", "leave", {"client_id": new_id()}),
        ("POST", "invite", {"client_id": new_id(), "username": outsider.user}),
        ("POST", "remove", {"client_id": new_id(), "username": ada.user}),
    ):
        mine, nobodys = (outsider.request(method, f"/api/rooms/{name}/{path}", body) for name in (room, "no-such-room"))
        assert mine[0] == 404 and mine == nobodys, path
    assert room not in str(outsider.get("/api/rooms"))


def test_whoever_is_removed_is_told_so_and_nothing_after_it(two, device):
    ada, grace = two
    a, g = device(ada), device(grace)
    room = ada.room("removal", grace, kind="private")
    g.hears("room:heads", lambda heads: room in heads)
    a.send(room, "before")
    g.hears("message:sent", lambda m: m["text"] == "before")
    assert grace.act(room, "remove", username=ada.user)[1]["error"]["code"] == "not_room_owner"
    assert ada.act(room, "remove", username=grace.user)[0] == 204
    told = g.hears("member:removed", lambda p: p["room"] == room)
    assert (told["user"], told["by"]) == (grace.user, ada.user)
    assert a.send(room, "after")["ok"]
    assert g.send(room, "still here?")["error"]["code"] == "room_not_found"
    assert g.emit("room:open", {"room": room, "after": 0})["error"]["code"] == "room_not_found"
    a.send("general", "a later event after removal")
    g.hears("message:sent", lambda m: m["text"] == "a later event after removal")
    of_room = [p for e, p in g.heard if isinstance(p, dict) and p.get("room") == room and e != "moved"]
    assert of_room[-1] == told


def test_an_edit_and_a_deletion_reach_the_other_and_leave_no_text(two, device):
    ada, grace = two
    room = ada.room("changes", grace)
    a, g = device(ada), device(grace)
    seq = a.send(room, "a secret word")["message"]["seq"]
    edited = a.emit("message:edit", {"room": room, "client_id": new_id(), "seq": seq, "text": "a plain word"})[
        "message"
    ]
    assert g.hears("message:changed", lambda p: p["message"]["text"] == "a plain word")["message"] == edited
    assert (
        g.emit("message:edit", {"room": room, "client_id": new_id(), "seq": seq, "text": "hers"})["error"]["code"]
        == "not_author"
    )
    assert g.emit("message:delete", {"room": room, "client_id": new_id(), "seq": seq})["error"]["code"] == "not_author"
    deleted = a.emit("message:delete", {"room": room, "client_id": new_id(), "seq": seq})["message"]
    gone = g.hears("message:changed", lambda p: p["message"]["deleted"])
    assert gone["message"] == deleted and deleted["text"] == ""
    assert (
        a.emit("message:edit", {"room": room, "client_id": new_id(), "seq": seq, "text": "x"})["error"]["code"]
        == "message_deleted"
    )
    g.reaches(room, gone["entry"])
    assert [snapshot["text"] for snapshot in g.state(room)["snapshots"] if snapshot["seq"] == seq] == [""]
    assert "word" not in str(ada.page(room))


def test_a_reaction_reaches_everybody_as_a_number_and_my_other_device_as_mine(two, device):
    ada, grace = two
    room = ada.room("reactions", grace)
    a, phone, laptop = device(ada), device(grace), device(grace)
    seq = a.send(room, "well?")["message"]["seq"]
    thumb = {"room": room, "seq": seq, "emoji": "👍"}
    ack = phone.emit("reaction:add", thumb | {"client_id": new_id()})["message"]
    assert (ack["reactions"], ack["mine"]) == ({"👍": 1}, ["👍"])
    told = [p.hears("message:changed", lambda m: m["message"]["rev"] == ack["rev"]) for p in (a, phone, laptop)]
    assert all(each["message"]["reactions"] == {"👍": 1} and "mine" not in each["message"] for each in told)
    mine = laptop.hears("reaction:mine")
    assert mine == {"room": room, "generation": ack["generation"], "seq": seq, "rev": ack["rev"], "mine": ["👍"]}
    assert a.emit("reaction:add", thumb | {"client_id": new_id()})["message"]["reactions"] == {"👍": 2}
    assert a.emit("reaction:list", {"room": room, "seq": seq}) == {
        "ok": True,
        "reactions": {"👍": [grace.name, ada.name]},
    }
    opened = a.emit("room:open", {"room": room, "after": 0})["messages"][-1]
    assert (opened["reactions"], opened["mine"]) == ({"👍": 2}, ["👍"])
    assert phone.emit("reaction:remove", thumb | {"client_id": new_id()})["message"]["reactions"] == {"👍": 1}
    laptop.hears("reaction:mine", lambda m: m["mine"] == [])
    assert a.emit("reaction:add", thumb | {"client_id": new_id(), "emoji": "yes"})["error"]["code"] == "emoji_invalid"
    assert a.emit("reaction:add", thumb | {"client_id": new_id(), "emoji": 1})["error"]["code"] == "body_invalid"
    assert {p["mine"][0] for e, p in a.heard if e == "reaction:mine"} == {"👍"}, "what Grace reacts with is hers"
