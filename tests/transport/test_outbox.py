"""What waits for one client is bounded; a burst is not mistaken for a slow client."""

from __future__ import annotations

import gevent
import pytest
from engineio.packet import MESSAGE, Packet

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
    frame = shared.frame
    other.put(shared)
    assert shared.frame is frame


def test_only_text_is_sent(outbox: Outbox) -> None:
    with pytest.raises(TypeError):
        outbox.put(Packet(MESSAGE, b"binary"))
