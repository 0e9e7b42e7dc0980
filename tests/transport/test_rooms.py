"""Rooms of connections: the same as python-socketio's, and everything of one turn leaves at once."""

from __future__ import annotations

import json
import socket
from _socket import socket as RawSocket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gevent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from socketio import Manager as StockManager

from chat.sockets.transport.fast import flush
from chat.sockets.transport.fast.connection import Connection
from chat.sockets.transport.fast.server import FastServer
from chat.sockets.transport.frames import TEXT, frame


@dataclass
class Member:
    """A connection of the server and the other end of it; `sends` is what left in one send each."""

    sid: str
    connection: Connection
    peer: socket.socket
    sends: list[bytes]


class Hall:
    """A server with connected members, without HTTP in front."""

    def __init__(self) -> None:
        self.server = FastServer(async_mode="gevent", monitor_clients=False)
        self.members: list[Member] = []

    def enter(self, *rooms: str) -> Member:
        ours, peer = socket.socketpair()
        peer.setblocking(False)
        engine, number = self.server.eio, f"e{len(self.members)}"
        connection = engine.sockets[number] = Connection(engine, number, RawSocket(fileno=ours.detach()), None)
        sid = self.server.manager.connect(number, "/")
        member = Member(sid, connection, peer, [])
        transmit = connection.transmit

        def record(data: bytes) -> int:
            member.sends.append(data)
            return transmit(data)

        connection.transmit = record
        for room in rooms:
            self.server.enter_room(sid, room)
        self.members.append(member)
        return member

    def leave(self) -> None:
        for member in self.members:
            member.connection.cut("the end")
            member.peer.close()


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.leave()


def turn() -> None:
    """Lets everything run that is ready to."""
    for _ in range(5):
        gevent.sleep(0)


def event(name: str, *args: Any) -> bytes:
    return frame(TEXT, b"42" + json.dumps([name, *args], separators=(",", ":"), ensure_ascii=False).encode())


def test_all_that_is_said_in_one_turn_leaves_in_one_send_in_order(hall: Hall) -> None:
    alice, bob = hall.enter("general"), hall.enter("general", "random")
    hall.server.emit("first", 1, room="general")
    hall.server.emit("second", {"text": "Grüße"}, room="random")
    hall.server.emit("third", (1, "two"), to=bob.sid)
    bob.connection.write(frame(TEXT, b"437[]"))
    hall.server.emit("fourth", None)
    turn()
    assert alice.sends == [event("first", 1) + event("fourth")]
    said = [event("first", 1), event("second", {"text": "Grüße"}), event("third", 1, "two")]
    assert bob.sends == [b"".join([*said, frame(TEXT, b"437[]"), event("fourth")])]


def test_a_broadcast_is_framed_once(hall: Hall) -> None:
    members = [hall.enter("general") for _ in range(3)]
    hall.server.emit("message:sent", {"seq": 1}, room="general")
    assert len({id(member.connection.pending) for member in members}) == 1


def test_a_lone_message_leaves_in_its_own_turn(hall: Hall) -> None:
    alice = hall.enter("general")
    hall.server.emit("one", room="general")
    gevent.sleep(0)
    assert alice.sends == [event("one")]


def test_who_is_skipped_gets_nothing(hall: Hall) -> None:
    members = [hall.enter("general") for _ in range(4)]
    hall.server.emit("x", room="general", skip_sid=members[0].sid)
    hall.server.emit("y", room="general", skip_sid=[member.sid for member in members[1:3]])
    turn()
    assert [b"".join(member.sends) for member in members] == [
        event("y"), event("x"), event("x"), event("x") + event("y")
    ]  # fmt: skip


def test_half_a_character_is_said_as_json_can_and_stops_nobody(hall: Hall) -> None:
    alice = hall.enter("general")
    hall.server.emit("x", {"text": "\ud83d"}, room="general")
    turn()
    assert alice.sends == [frame(TEXT, b'42["x",{"text":"\\ud83d"}]')]


def test_what_is_not_json_is_not_sent(hall: Hall) -> None:
    alice = hall.enter("general")
    with pytest.raises(TypeError):
        hall.server.emit("x", b"binary", room="general")
    turn()
    assert alice.sends == []


def test_a_large_room_is_sent_to_in_slices_between_which_others_run(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flush, "SLICE", 2)
    members = [hall.enter("general") for _ in range(7)]
    hall.server.emit("one", room="general")
    reached = []

    def watch() -> None:
        while not reached or reached[-1] < len(members):
            reached.append(sum(bool(member.sends) for member in members))
            if reached[-1] == 2:
                hall.server.emit("two", room="general")
            gevent.sleep(0)

    gevent.spawn(watch).join(30)
    turn()
    assert reached[:4] in ([0, 2, 4, 6], [2, 4, 6, 7]), "no slice is larger, and somebody ran between them"
    assert all(b"".join(member.sends) == event("one") + event("two") for member in members)


def test_a_paused_member_gets_what_tells_nothing_and_the_others_all(hall: Hall) -> None:
    alice, bob = hall.enter("general"), hall.enter("general")
    alice.connection.guard(lambda: False)
    hall.server.emit("message:sent", {}, room="general")
    hall.server.emit("server:restarting", {}, room="general")
    turn()
    assert b"".join(alice.sends) == event("server:restarting", {})
    assert b"".join(bob.sends) == event("message:sent", {}) + event("server:restarting", {})


def test_a_paused_member_gets_again_what_is_said_after_the_pause(hall: Hall) -> None:
    alice, gate = hall.enter("general"), {"open": False}
    alice.connection.guard(lambda: gate["open"])
    hall.server.emit("message:sent", 1, room="general")
    turn()
    gate["open"] = True
    hall.server.emit("message:sent", 2, room="general")
    turn()
    assert b"".join(alice.sends) == event("message:sent", 2)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "leave", "disconnect", "connect", "close"]),
        st.integers(0, 3),
        st.sampled_from(["a", "b"]),
    )
)


@settings(deadline=None)
@given(ACTS)
def test_whatever_people_do_the_rooms_are_those_of_the_installed_manager(acts: list[tuple[str, int, str]]) -> None:
    hall = Hall()
    stock = StockManager()
    stock.set_server(hall.server)
    ours = hall.server.manager
    sids: dict[int, tuple[str, str]] = {}
    for act, who, room in acts:
        if act == "connect" and who not in sids:
            member = hall.enter()
            stock.server.eio.generate_id = lambda sid=member.sid: sid
            sids[who] = member.sid, stock.connect(member.connection.sid, "/")
            del stock.server.eio.generate_id
        elif act == "close":
            ours.close_room(room, "/")
            stock.close_room(room, "/")
        elif who in sids:
            for manager in (ours, stock):
                if act == "disconnect":
                    manager.disconnect(sids[who][0], "/")
                elif act == "enter":
                    manager.enter_room(sids[who][0], "/", room)
                elif act == "leave":
                    manager.leave_room(sids[who][0], "/", room)
            if act == "disconnect":
                del sids[who]
    for room in (None, "a", "b", *(sid for sid, _ in sids.values())):
        assert sorted(ours.get_participants("/", room)) == sorted(stock.get_participants("/", room))
    for sid, _ in sids.values():
        assert sorted(ours.get_rooms(sid, "/")) == sorted(stock.get_rooms(sid, "/"))
        assert ours.is_connected(sid, "/") and stock.is_connected(sid, "/")
    if not sids:
        assert not ours._members and not ours._all and not ours._joined and not ours.rooms
    hall.leave()
