"""Frames are read strictly and within bounds, whatever is cut where."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol

from chat.sockets.transport.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MAX_FRAGMENTS,
    MAX_MESSAGE_BYTES,
    PING,
    PONG,
    TEXT,
    FrameReader,
    Refused,
    frame,
    sole_text,
)
from tests.transport.peers import masked

PROTOCOL, UNSUPPORTED, POLICY, TOO_BIG = 1002, 1003, 1008, 1009
RESERVED = [*range(0x3, 0x8), *range(0xB, 0x10)]


def read(data: bytes, cuts: list[int] | None = None) -> list[tuple[int, bytes]]:
    """All that a reader makes of the bytes, fed in the pieces that the cuts make."""
    reader, found, at = FrameReader(), [], 0
    for end in [*sorted(cuts or []), len(data)]:
        reader.feed(data[at : max(at, end)])
        at = max(at, end)
        while (taken := reader.next()) is not None:
            found.append(taken)
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_534, 65_535, MAX_MESSAGE_BYTES])
def test_a_message_is_read_at_every_length_form(size: int) -> None:
    assert read(masked(TEXT, b"x" * size)) == [(TEXT, b"x" * size)]


def test_a_message_in_fragments_is_put_together_around_control_frames() -> None:
    data = masked(TEXT, b"one ", final=False) + masked(PING, b"?") + masked(CONTINUATION, b"two", final=True)
    assert read(data) == [(PING, b"?"), (TEXT, b"one two")]


def case(id: str, data: bytes, *code: int) -> Any:
    """Its id has no bytes in it."""
    return pytest.param(data, *code, id=id)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        case("not masked", frame(TEXT, b"not masked"), PROTOCOL),
        *(case(f"flags {flags:x}", masked(TEXT, b"x", flags=flags), PROTOCOL) for flags in range(0x10, 0x80, 0x10)),
        case("a ping with flags", masked(PING, b"x", flags=0x20), PROTOCOL),
        *(
            case(f"kind {kind:x} of {size}", masked(kind, b"x" * size), PROTOCOL)
            for kind in RESERVED
            for size in (0, 1)
        ),
        case("binary", masked(BINARY, b"x"), UNSUPPORTED),
        case("a large ping", masked(PING, b"x" * 126), PROTOCOL),
        case("a close in parts", masked(CLOSE, b"", final=False), PROTOCOL),
        case("the rest of nothing", masked(CONTINUATION, b"of nothing"), PROTOCOL),
        case("a part of nothing", masked(CONTINUATION, b"of nothing", final=False), PROTOCOL),
        case("the rest of what was whole", masked(TEXT, b"x") + masked(CONTINUATION, b"of what was whole"), PROTOCOL),
        case("a message within a message", masked(TEXT, b"", final=False) + masked(TEXT, b""), PROTOCOL),
        case("a length in two bytes too many", bytes((0x81, 0x80 | 126, 0, 5)), PROTOCOL),
        case("a length in eight bytes too many", bytes((0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 255, 255)), PROTOCOL),
        case(
            "many parts",
            masked(TEXT, b"", final=False) + masked(CONTINUATION, b"", final=False) * MAX_FRAGMENTS,
            POLICY,
        ),
        case("64 KiB and 1", masked(TEXT, size=MAX_MESSAGE_BYTES + 1), TOO_BIG),
        case("200 MB", masked(TEXT, size=200_000_000), TOO_BIG),
        case("2^63-1", masked(TEXT, size=(1 << 63) - 1), TOO_BIG),
        case("2^64-1", masked(TEXT, size=(1 << 64) - 1), TOO_BIG),
        case("large parts", masked(TEXT, b"x" * 40_000, final=False) + masked(CONTINUATION, size=30_000), TOO_BIG),
    ],
)
def test_what_no_client_of_ours_sends_is_refused_by_its_header(data: bytes, code: int) -> None:
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.code == code


def test_the_installed_reader_would_take_a_large_frame() -> None:
    """So the refusals above are not what the library does anyway: it buffers, here 8 MB of 200."""
    stock = FrameProtocol(client=False, extensions=[])
    stock.receive_bytes(masked(BINARY, size=200_000_000) + b"x" * 8_000_000)
    assert sum(len(found.payload) for found in stock.received_frames()) == 8_000_000


def test_a_reader_holds_no_more_than_one_message() -> None:
    """Half a message, the other half, and the promise of 200 MB more."""
    reader = FrameReader()
    tracemalloc.start()
    reader.feed(masked(TEXT, b"x" * 30_000, final=False))
    assert reader.next() is None
    reader.feed(masked(CONTINUATION, b"x" * 35_000, final=False))
    assert reader.next() is None
    reader.feed(masked(CONTINUATION, size=200_000_000) + b"x" * 16_384)
    with pytest.raises(Refused):
        reader.next()
    high_water = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert high_water < 500_000


frames = st.builds(
    masked, st.sampled_from([TEXT, CONTINUATION, PING, PONG, CLOSE]), st.binary(max_size=300), st.booleans()
)


@settings(max_examples=1_000, deadline=None)
@given(st.lists(frames, max_size=8).map(b"".join), st.lists(st.integers(0, 2_000), max_size=5))
def test_how_the_network_cuts_the_bytes_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    assert outcome(data, []) == outcome(data, cuts)


@settings(max_examples=1_000, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    outcome(data, [])


@settings(max_examples=1_000, deadline=None)
@given(frames | st.binary(max_size=300))
def test_what_is_taken_for_one_text_frame_is_one(data: bytes) -> None:
    if (payload := sole_text(data)) is not None:
        assert read(data) == [(TEXT, payload)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535])
def test_one_text_frame_is_taken_for_one(size: int) -> None:
    assert sole_text(masked(TEXT, b"x" * size)) == b"x" * size


@pytest.mark.parametrize(
    "data",
    [
        case("nothing", b""),
        case("a part", masked(TEXT, b"x", final=False)),
        case("flags", masked(TEXT, b"x", flags=0x40)),
        case("a ping", masked(PING, b"x")),
        case("binary", masked(BINARY, b"x")),
        case("more than 65,535 bytes", masked(TEXT, b"x" * 65_536)),
        case("two", masked(TEXT, b"x") + masked(TEXT, b"x")),
        case("cut short", masked(TEXT, b"xy")[:-1]),
        case("not masked", frame(TEXT, b"not masked, and long enough")),
        case("a length in too many bytes", bytes((0x81, 0xFE, 0, 5)) + b"mask" + b"hello"),
    ],
)
def test_anything_else_is_left_to_the_reader(data: bytes) -> None:
    assert sole_text(data) is None


def outcome(data: bytes, cuts: list[int]) -> object:
    try:
        return read(data, cuts)
    except Refused as refused:
        return refused.code
