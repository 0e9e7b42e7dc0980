"""An honest client is served; what no honest client sends ends its own socket, without a word in the log."""

from __future__ import annotations

import json
import time

import pytest
import socketio

from chat.sockets.transport import engine
from chat.sockets.transport.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from tests.conftest import wait_until
from tests.transport.conftest import Tiny, on_each
from tests.transport.fuzz.streams import NO_UTF8
from tests.transport.peers import PATIENCE_S, masked

MIB = 1024 * 1024
AT_ONCE = 200  # answers to another client; until a time-out of ten seconds there are thousands


@on_each
def test_an_event_is_acked(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        assert peer.ask("echo", {"text": "Grüße 👋"}, 1) == {"echo": [{"text": "Grüße 👋"}, 1]}


def test_the_public_client_connects_asks_listens_and_leaves(tiny: Tiny) -> None:
    got: list[int] = []
    client = socketio.Client(reconnection=False)
    client.on("burst", got.append)
    client.connect(f"http://localhost:{tiny.port}", transports=["websocket"], wait_timeout=60)
    assert client.call("echo", {"a": 1}, timeout=30) == {"echo": [{"a": 1}]}
    client.call("burst", 300, timeout=30)
    wait_until(lambda: len(got) == 300, PATIENCE_S)
    assert got == list(range(300))
    client.disconnect()
    tiny.empty()


@on_each
def test_requests_of_one_client_are_answered_in_order(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.say('421["slow",0.2]')
        for number in range(2, 20):
            peer.say(f'42{number}["echo"]')
        answers = [peer.text() for _ in range(19)]
        assert [answer.split("[")[0] for answer in answers] == [f"43{number}" for number in range(1, 20)]


@on_each
def test_a_hot_event_is_answered_at_once_or_by_its_ordinary_handler(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        assert peer.ask("hot", {"a": 1}) == {"hot": [{"a": 1}]}
        assert peer.ask("hot", "later") == {"ordinary": ["later"]}
        peer.say('42["hot"]')
        assert peer.ask("echo") == {"echo": []}, "nothing was asked, so nothing is answered"


@on_each
def test_a_hot_event_does_not_overtake_what_was_asked_before(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.say('421["slow",0.1]')
        peer.say('422["hot"]')
        assert [peer.text(), peer.text()] == ['431[{"ok":true}]', '432[{"hot":[]}]']


@on_each
def test_a_hot_event_before_the_connect_ends_the_socket(tiny: Tiny) -> None:
    with tiny.peer() as peer:
        assert peer.text().startswith("0{")
        peer.say('427["hot"]')
        assert peer.ends()
        assert peer.close_code == 1008


@on_each
@pytest.mark.expects_traceback("Impossible to call blocking function")
def test_a_hot_handler_that_waits_is_found_out(shared: Tiny) -> None:
    """By the hub, which cannot wait; the stock path has none to ask."""
    with shared.entered() as peer:
        if shared.fanout == "stock":
            assert peer.ask("hot", "wait") == {"hot": ["wait"]}
            return
        peer.say('427["hot","wait"]')
        assert peer.ends()
    assert "Impossible to call blocking function in the event loop" in shared.log.read_text()
    shared.empty()


@on_each
def test_a_client_that_asks_without_waiting_for_answers_gets_them_all(tiny: Tiny) -> None:
    """More at once than may wait behind the one that is being answered: reading stops and goes on."""
    with tiny.entered() as peer:
        peer.say('420["slow",0.3]')
        for number in range(1, 200):
            peer.say(f'42{number}["echo","{"x" * 500}"]')
        assert [peer.text().partition("[")[0] for _ in range(200)] == [f"43{number}" for number in range(200)]


@on_each
def test_a_burst_reaches_a_client_that_reads(tiny: Tiny) -> None:
    """2,000 packets within one turn of the loop are many, but nobody's fault."""
    with tiny.entered() as peer:
        assert peer.ask("burst", 2_000) == {"ok": True}
        assert peer.ask("echo") == {"echo": []}


@on_each
def test_a_ping_is_answered_and_an_unasked_pong_is_not(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.sock.sendall(masked(PONG, b"?") + masked(PING, b"hello"))
        assert peer.frame() == (PONG, b"hello")


@on_each
def test_pings_are_answered_in_order_whatever_is_in_them(tiny: Tiny) -> None:
    pings = [b"", b"\x00\xff", bytes(range(125)), *(b"%d" % number for number in range(10))]
    with tiny.entered() as peer:
        peer.sock.sendall(b"".join(masked(PING, ping) for ping in pings))
        assert [peer.frame() for _ in pings] == [(PONG, ping) for ping in pings]


@on_each
def test_a_ping_between_fragments_is_answered_before_the_message_is_whole(tiny: Tiny) -> None:
    """The message comes in parts of a character, and a byte at a time."""
    message = '427["echo","Grüße 👋"]'.encode()
    at = message.index("👋".encode()) + 2
    with tiny.entered() as peer:
        for byte in masked(TEXT, message[:at], final=False) + masked(PING, b"?"):
            peer.sock.sendall(bytes((byte,)))
        assert peer.frame() == (PONG, b"?")
        peer.sock.sendall(masked(CONTINUATION, b"", final=False) + masked(CONTINUATION, message[at:]))
        assert json.loads(peer.text().removeprefix("437")) == [{"echo": ["Grüße 👋"]}]


@on_each
@pytest.mark.parametrize("wrong", NO_UTF8, ids=lambda wrong: wrong.hex())
def test_what_is_not_utf_8_ends_the_socket_also_in_fragments(tiny: Tiny, wrong: bytes) -> None:
    for cut in (0, 1, len(wrong)):
        with tiny.entered() as peer:
            parts = masked(TEXT, b'42["echo","' + wrong[:cut], final=False), masked(CONTINUATION, wrong[cut:] + b'"]')
            peer.sock.sendall(b"".join(parts))
            assert peer.ends()
            assert peer.close_code == 1007


@on_each
def test_what_comes_behind_a_close_is_not_answered(tiny: Tiny) -> None:
    """Not a message, not a ping, not another close; and what was begun before it is dropped."""
    behind = masked(TEXT, b'427["echo"]') + masked(PING, b"?") + masked(CLOSE, b"\x0b\xb8") + b"\xff" * 9
    with tiny.entered() as peer:
        peer.sock.sendall(masked(TEXT, b"42[", final=False) + masked(CLOSE, b"\x03\xe8") + behind)
        assert peer.frame() == (CLOSE, b"\x03\xe8")
        assert peer.frame() is None


@on_each
def test_deflate_is_not_agreed_on_even_if_offered(tiny: Tiny) -> None:
    with tiny.peer(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits") as peer:
        assert peer.status == 101
        assert b"extensions" not in peer.head.lower()
        peer.enter()
        assert peer.ask("echo", "x" * 2_000) == {"echo": ["x" * 2_000]}  # Peer fails on a compressed frame


@on_each
def test_a_message_of_64_kib_is_taken(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        text = "x" * (64 * 1024 - len('427["echo",""]'))
        assert peer.ask("echo", text) == {"echo": [text]}


@on_each
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (masked(TEXT, size=64 * 1024 + 1), 1009),
        (masked(TEXT, size=200_000_000), 1009),
        (masked(TEXT, b"4" * 40_000, final=False) + masked(CONTINUATION, size=40_000), 1009),
        (masked(TEXT, b"4", final=False) + masked(CONTINUATION, b"", final=False) * 10_000, 1008),
        (masked(PING, b"x" * 126), 1002),
        (masked(PING, b"x") * 3_000, 1008),
        (masked(BINARY, b"\x04hello"), 1003),
        (masked(TEXT, b"4\xff\xfe"), 1007),
        (masked(TEXT, b"x", flags=0x40), 1002),
    ],
    ids=["64KiB+1", "200MB", "fragments", "tiny-fragments", "large-ping", "pings", "binary", "not-utf8", "compressed"],
)
def test_a_bad_frame_ends_the_socket_at_once(tiny: Tiny, data: bytes, code: int) -> None:
    with tiny.entered() as peer, tiny.entered() as other:
        try:
            peer.sock.sendall(data)
        except OSError:
            pass  # it was cut while we were sending
        assert other.answers_until_end(peer.sock) < AT_ONCE
        assert peer.ends()
        assert peer.close_code == code
        assert other.ask("echo") == {"echo": []}


@on_each
def test_a_huge_frame_is_not_buffered(tiny: Tiny) -> None:
    before = tiny.facts()["high_water"]
    for _ in range(5):
        with tiny.peer() as peer:
            try:
                peer.sock.sendall(masked(TEXT, size=200_000_000))
                for _ in range(400):
                    peer.sock.sendall(b"x" * 65_536)
            except OSError:
                pass
            peer.ends()
    assert tiny.facts()["high_water"] - before < 16 * MIB


@on_each
@pytest.mark.parametrize("text", ["", "x", "²", "0", "2probe", "5", "6", "7", "b4AAECAw==", "4x"], ids=repr)
def test_a_malformed_packet_of_the_engine_ends_the_socket_quietly(tiny: Tiny, text: str) -> None:
    with tiny.entered() as peer, tiny.entered() as other:
        peer.say(text)
        assert peer.ends()
        assert peer.close_code == 1008
        assert other.ask("echo") == {"echo": []}


@pytest.mark.parametrize(
    "text",
    [
        "4",
        "4x",
        "4²",
        '4{"a":1}',
        "4" + "[" * 60_000,
        '4451-["x",{"_placeholder":true,"num":0}]',
        "45100000000-[]",
        "461-7[]",
        "42",
        "42[]",
        "42{}",
        '42["connect"]',
        '42["connect",{"user":"x"}]',
        '42["disconnect"]',
        '42["connect_error"]',
        '42["*","x"]',
        '42/admin,["echo"]',
        '429223372036854775808["echo"]',
        '42["echo",NaN]',
        "44{}",
        "40[]",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_malformed_packet_ends_the_socket_quietly(tiny: Tiny, text: str) -> None:
    with tiny.entered() as peer, tiny.entered() as other:
        connects = tiny.facts()["connects"]
        peer.say(text)
        assert peer.ends()
        assert peer.close_code in (1008, 1001)
        assert other.ask("echo") == {"echo": []}
        assert tiny.facts()["connects"] == connects, "no client runs our own handlers"


@pytest.mark.parametrize("name", ["nobody:knows", "__proto__", "constructor", "message", "json"])
def test_an_unknown_event_reaches_the_event_table(tiny: Tiny, name: str) -> None:
    with tiny.entered() as peer:
        assert peer.ask(name, {"__proto__": {"admin": True}}) == {"unknown": name}


def test_an_unasked_ack_is_dropped(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.say("430[]")
        peer.say('431["x"]')
        assert peer.ask("echo") == {"echo": []}


def test_another_s_sid_is_of_no_use(tiny: Tiny) -> None:
    with tiny.entered() as peer, tiny.entered() as victim:
        sid = victim.ask("whoami")["sid"]
        assert peer.ask("whoami", sid) == {"sid": peer.ask("whoami")["sid"]}
        peer.say(f'42["*","{sid}"]')
        assert peer.ends()


def test_an_event_before_the_connect_ends_the_socket(tiny: Tiny) -> None:
    with tiny.peer() as peer:
        assert peer.text().startswith("0{")
        peer.say('427["echo"]')
        assert peer.ends()
        assert peer.close_code == 1008


def test_a_second_connect_is_refused_and_the_first_stands(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.say("40")
        assert peer.text().startswith("44")
        assert peer.ask("echo") == {"echo": []}


@on_each
@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("40/admin,", '44/admin,{"message":"Invalid namespace"}'),
        ('40{"user":"refused"}', '44{"message":"no","data":{"code":"unauthenticated"}}'),
    ],
)
def test_a_refused_connect_is_told_why_and_leaves_nothing(tiny: Tiny, text: str, refusal: str) -> None:
    with tiny.peer() as peer:
        assert peer.text().startswith("0{")
        peer.say(text)
        assert peer.text() == refusal
        assert peer.ends()
        tiny.empty()


@pytest.mark.expects_traceback("a fault of ours")
def test_a_connect_that_fails_by_our_own_fault_is_logged_and_refused(shared: Tiny) -> None:
    with shared.peer() as peer:
        assert peer.text().startswith("0{")
        peer.say('40{"user":"broken"}')
        assert peer.ends()
        shared.empty()
    assert "a fault of ours" in shared.log.read_text()


@on_each
def test_a_socket_that_ends_while_it_connects_is_disconnected_too(tiny: Tiny) -> None:
    before = tiny.facts()
    with tiny.peer() as peer:
        assert peer.text().startswith("0{")
        peer.say('40{"user":"cut"}')
        assert peer.ends()
        tiny.empty()
    after = tiny.facts()
    assert after["connects"] - before["connects"] == 1
    assert after["disconnects"] - before["disconnects"] == 1


@on_each
@pytest.mark.parametrize("leaving", ["41", "1"])
def test_who_leaves_leaves_nothing(tiny: Tiny, leaving: str) -> None:
    with tiny.entered() as peer:
        peer.say(leaving)
        assert peer.ends()
        tiny.empty()


@on_each
def test_whom_the_server_disconnects_is_closed_behind_what_was_sent(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.say('42["burst",3]')
        peer.say('42["leave"]')
        assert [peer.text() for _ in range(4)] == [*(f'42["burst",{n}]' for n in range(3)), "41"]
        assert peer.ends()


@on_each
def test_a_client_that_closes_properly_is_answered(tiny: Tiny) -> None:
    with tiny.entered() as peer:
        peer.sock.sendall(masked(CLOSE, b"\x03\xe8"))
        assert peer.ends()


@on_each
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", None),
        (b"\x03\xe8bye", 1000),
        (b"\x03\xe9", 1001),
        (b"\x0b\xb8", 3000),
        (b"\x13\x87", 4999),
        (b"\x03", 1002),
        (b"\x03\xe7", 1002),
        (b"\x03\xec", 1002),
        (b"\x03\xed", 1002),
        (b"\x03\xee", 1002),
        (b"\x07\xd0", 1002),
        (b"\x13\x88", 1002),
        (b"\x03\xe8\xff", 1007),
    ],
)
def test_a_close_is_answered_by_its_own_code(tiny: Tiny, payload: bytes, code: int | None) -> None:
    """RFC 6455, 5.5.1 and 7.4: codes that may not be sent are an error of their own."""
    with tiny.entered() as peer:
        peer.sock.sendall(masked(CLOSE, payload))
        assert peer.ends()
        assert peer.close_code == code


@on_each
def test_a_client_that_vanishes_leaves_nothing(tiny: Tiny) -> None:
    peers = [tiny.entered() for _ in range(20)]
    for peer in peers:
        peer.sock.close()
    tiny.empty()


@on_each
def test_an_open_without_a_connect_is_closed_in_time_and_a_connected_one_is_not(tiny: Tiny) -> None:
    """After HURRY_S, two seconds, in this server; without that, it would be cut for its silence after 45."""
    assert engine.CONNECT_WITHIN_S <= 10
    began = time.monotonic()
    with tiny.entered() as honest, tiny.peer() as idle:
        assert idle.ends()
        assert time.monotonic() - began > 1.5
        assert honest.ask("echo") == {"echo": []}


@on_each
def test_slow_readers_are_cut_and_others_do_not_notice(tiny: Tiny) -> None:
    """20 clients stop reading while 10 MB are sent to each; an honest one gets every packet. To wait for one of the
    others would take five seconds for each."""
    stalled = [tiny.entered(receive_buffer=8_192) for _ in range(20)]
    with tiny.entered() as reader:
        before = tiny.facts()["high_water"]
        reader.say('421["flood",500,20000]')
        for number in range(500):
            assert reader.text().startswith(f'42["flood",{{"number":{number},')
        assert reader.text() == "431[]"
        wait_until(lambda: tiny.facts()["connected"] == 1, PATIENCE_S, "the stalled readers are cut")
        assert tiny.facts()["high_water"] - before < 100 * MIB
        assert reader.ask("echo") == {"echo": []}
    for peer in stalled:
        peer.sock.close()
