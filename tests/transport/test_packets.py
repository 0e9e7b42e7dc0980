"""Socket.IO packets are decoded strictly: anything else is malformed, and nothing else happens."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from socketio.packet import Packet

from chat.depth import MAX_DEPTH
from chat.sockets.transport.packets import (
    ACK,
    CONNECT,
    DISCONNECT,
    EVENT,
    RESERVED,
    ClientPacket,
    Malformed,
    decode,
)

MALFORMED = [
    "",
    "4",
    '4{"message":"no"}',
    "51-[]",
    '51-["x",{"_placeholder":true,"num":0}]',
    "5100000000-[]",
    "61-7[]",
    "7",
    "9",
    "x",
    "²",
    "0[]",
    "01",
    '0"auth"',
    "1{}",
    "2",
    "2{}",
    "2[]",
    "2[1]",
    "2[null]",
    '2[["x"]]',
    '2[{"__proto__":1}]',
    "2[" * 30_000,
    "2" + "[" * 60_000,
    '2["x",' + '{"a":' * 20_000,
    '2["x",' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "]",
    '2["x",' + '{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH + "]",
    '2["x",' + "[" * 900 + "]" * 900 + "]",
    '0{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
    '29223372036854775808["x"]',
    "2" + "9" * 100 + '["x"]',
    "2" + "9" * 60_000,
    '2["x",NaN]',
    '2["x",Infinity]',
    '2["x",1e999]',
    '2["x",' + "9" * 60_000 + "]",
    '2["x"',
    '2["x"]]',
    '21-["x"]',
    '2٣["x"]',
    "3[]",
    "3",
    '31{"a":1}',
    "0/" + "n" * 65_000,
    '2["' + "e" * 1_000 + '"]',
    *("2" + json.dumps([name, {}]) for name in sorted(RESERVED)),
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[:24]))
def test_what_is_no_packet_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        decode(text)


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", ClientPacket(CONNECT, "/", None, None)),
        ('0{"user":"alice"}', ClientPacket(CONNECT, "/", None, {"user": "alice"})),
        ("0/admin,", ClientPacket(CONNECT, "/admin", None, None)),
        ('0/admin?token=1,{"a":1}', ClientPacket(CONNECT, "/admin", None, {"a": 1})),
        ("1", ClientPacket(DISCONNECT, "/", None, None)),
        ('2["room:open",{"room":"general"}]', ClientPacket(EVENT, "/", None, ["room:open", {"room": "general"}])),
        ('212["x"]', ClientPacket(EVENT, "/", 12, ["x"])),
        ('2999999999999999["x"]', ClientPacket(EVENT, "/", 999_999_999_999_999, ["x"])),
        ('2["x",{"__proto__":{"a":1}}]', ClientPacket(EVENT, "/", None, ["x", {"__proto__": {"a": 1}}])),
        ("37[]", ClientPacket(ACK, "/", 7, [])),
        (
            '2["' + "[" * 60 + '",[],{}' + ",[]" * 60 + "]",
            ClientPacket(EVENT, "/", None, ["[" * 60, [], {}, *[[]] * 60]),
        ),
    ],
)
def test_what_a_client_sends_is_decoded(text: str, packet: ClientPacket) -> None:
    assert decode(text) == packet


def test_lists_and_objects_may_stand_in_one_another_up_to_a_depth() -> None:
    inner = MAX_DEPTH - 1
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        text = '2["x",' + opened * inner + "1" + closed * inner + "]"
        assert json.dumps(decode(text).data, separators=(",", ":")) == text[1:]


@pytest.mark.parametrize("text", ["5100000000-[]", '2["connect",{}]', '2["*","someone"]', "2[]", '2["x",NaN]'])
def test_the_installed_decoder_would_take_it(text: str) -> None:
    """So the refusals above are not what the library does anyway."""
    Packet(encoded_packet=text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.text(string.ascii_lowercase + ":_-é👋", min_size=1, max_size=20).filter(lambda name: name not in RESERVED)


@settings(max_examples=300, deadline=None)
@given(names, st.lists(values, max_size=3), st.none() | st.integers(0, 10**15 - 1))
def test_every_event_of_the_installed_client_is_decoded(name: str, args: list[Any], id: int | None) -> None:
    assert decode(Packet(2, data=[name, *args], id=id, binary=False).encode()) == ClientPacket(
        EVENT, "/", id, [name, *args]
    )


alphabet = st.sampled_from([*'0123456789[]{}",:-/\\u.e+\x00é²٣ ', "null", "true", "connect", "_placeholder"])


@settings(max_examples=1_500, deadline=None)
@given(st.text() | st.lists(alphabet, max_size=60).map("".join))
def test_any_text_is_decoded_or_malformed(text: str) -> None:
    try:
        packet = decode(text)
    except Malformed:
        return
    assert packet.kind in (CONNECT, DISCONNECT, EVENT, ACK)
    assert packet.id is None or packet.id < 2**53
    if packet.kind == EVENT:
        assert isinstance(packet.data[0], str) and packet.data[0] not in RESERVED
