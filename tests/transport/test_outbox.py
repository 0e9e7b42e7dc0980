"""What waits for one client is bounded; a burst is not mistaken for a slow client."""

from __future__ import annotations

import gevent
import pytest
from engineio.packet import MESSAGE, PING, Packet

from chat.sockets.transport.outbox import HARD_BYTES, HARD_PACKETS, MAX_BATCH_BYTES, MAX_BYTES, MAX_PACKETS, Outbox


@pytest.fixture
def cut() -> list[str]:
    return []


@pytest.fixture
def outbox(cut: list[str]) -> Outbox:
    outbox = Outbox()
    outbox.overflow = lambda: cut.append("cut")
    return outbox


def packet(size: int = 10) -> Packet:
    return Packet(MESSAGE, "x" * size)


def turn() -> None:
    """Lets everything run that is ready to."""
    for _ in range(3):
        gevent.sleep(0)


def test_frames_come_out_in_order_and_joined(outbox: Outbox) -> None:
    for text in ("one", "two"):
        outbox.put(Packet(MESSAGE, text))
    outbox.put(None)
    assert outbox.take() == b"\x81\x044one\x81\x044two"
    assert outbox.take() is None


def test_a_batch_is_bounded(outbox: Outbox) -> None:
    for _ in range(10):
        outbox.put(packet(60_000))
    assert len(outbox.take() or b"") <= MAX_BATCH_BYTES
    assert len(outbox) > 0


@pytest.mark.parametrize(("packets", "size"), [(MAX_PACKETS, 10), (15, 65_000)])
def test_up_to_the_bound_may_wait(outbox: Outbox, cut: list[str], packets: int, size: int) -> None:
    for _ in range(packets):
        outbox.put(packet(size))
    turn()
    assert not cut


@pytest.mark.parametrize(("packets", "size"), [(MAX_PACKETS + 1, 10), (MAX_BYTES // 65_000 + 1, 65_000)])
def test_beyond_the_bound_the_socket_is_cut_and_nothing_kept(
    outbox: Outbox, cut: list[str], packets: int, size: int
) -> None:
    for _ in range(packets):
        outbox.put(packet(size))
    turn()
    assert cut == ["cut"]
    outbox.put(packet())
    turn()
    assert len(outbox) == 0 and cut == ["cut"] and outbox.take() is None


def test_a_burst_within_one_turn_is_sent_when_the_client_reads(outbox: Outbox, cut: list[str]) -> None:
    taken: list[bytes] = []

    def write() -> None:
        while (batch := outbox.take()) is not None:
            taken.append(batch)

    writer = gevent.spawn(write)
    turn()
    for _ in range(10 * MAX_PACKETS):
        outbox.put(packet())
    turn()
    assert not cut
    assert b"".join(taken).count(b"x" * 10) == 10 * MAX_PACKETS
    outbox.put(None)
    writer.join(1)
    assert writer.ready()


@pytest.mark.parametrize(("packets", "size"), [(HARD_PACKETS + 1, 10), (HARD_BYTES // 65_000 + 1, 65_000)])
def test_a_burst_too_large_is_cut_within_its_turn(outbox: Outbox, cut: list[str], packets: int, size: int) -> None:
    for _ in range(packets):
        outbox.put(packet(size))
    assert len(outbox) == 0
    turn()
    assert cut == ["cut"]


def test_a_broadcast_is_framed_once(outbox: Outbox) -> None:
    shared, other = packet(), Outbox()
    outbox.put(shared)
    made = shared.framed
    other.put(shared)
    assert shared.framed is made


def test_only_text_is_sent(outbox: Outbox) -> None:
    with pytest.raises(TypeError):
        outbox.put(Packet(MESSAGE, b"binary"))


def told(outbox: Outbox) -> list[str]:
    """What goes out now, one text a frame; all of them are shorter than 126 bytes."""
    outbox.put(None)
    data, texts = outbox.take() or b"", []
    while data:
        texts.append(data[2 : 2 + data[1]].decode())
        data = data[2 + data[1] :]
    return texts


HARMLESS = [
    '0{"sid":"x"}', "1", '4{"message":"no"}', '2["session:ended",{"reason":"logout"}]', '2["server:restarting",{}]',
    '2["rooms:changed",{}]', '37[{"ok":false,"error":{}}]',
]  # fmt: skip
CONTENT = [
    '2["message:sent",{"text":"session:"}]', '2["room:heads",{}]', '2["typing",{}]', '37[{"ok":true,"entries":[]}]',
    '2["rooms:changed2",{}]', "2[]", "", '2/other,["session:ended",{}]', '5-["x"]',
]  # fmt: skip


def test_a_closed_gate_lets_through_only_what_tells_nothing_of_a_room(outbox: Outbox) -> None:
    outbox.may_deliver = lambda: False
    for text in HARMLESS + CONTENT:
        outbox.put(Packet(MESSAGE, text))
    outbox.put(Packet(PING))
    assert told(outbox) == [f"4{text}" for text in HARMLESS] + ["2"]


def test_what_waits_when_the_gate_closes_does_not_leave(outbox: Outbox) -> None:
    for text in (CONTENT[0], HARMLESS[3], CONTENT[3]):
        outbox.put(Packet(MESSAGE, text))
    outbox.may_deliver = lambda: False
    assert told(outbox) == [f"4{HARMLESS[3]}"]


def test_a_gate_that_opens_again_lets_through_what_comes_then(outbox: Outbox) -> None:
    outbox.may_deliver = lambda: False
    outbox.put(Packet(MESSAGE, CONTENT[0]))
    outbox.may_deliver = lambda: True
    outbox.put(Packet(MESSAGE, CONTENT[1]))
    assert told(outbox) == [f"4{CONTENT[1]}"]


def test_what_a_closed_gate_drops_does_not_count_as_waiting(outbox: Outbox, cut: list[str]) -> None:
    for _ in range(MAX_PACKETS):
        outbox.put(packet())
    outbox.may_deliver = lambda: False
    outbox.put(Packet(MESSAGE, HARMLESS[3]))
    outbox.take()
    outbox.may_deliver = lambda: True
    for _ in range(MAX_PACKETS):
        outbox.put(packet())
    turn()
    assert cut == []
