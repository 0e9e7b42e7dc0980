"""Who may open a websocket: good names, good origins, a free slot; nothing but websockets."""

from __future__ import annotations

import pytest

from tests.conftest import wait_until
from tests.transport.conftest import Start, Tiny, on_each
from tests.transport.peers import PATH, connection, everything, exchange, handshake, status

AT_ONCE = 50  # answers to another client; a kept-alive connection ends after two seconds
OFFICE = {"X_Forwarded_For": "203.0.113.7"}


@pytest.fixture(scope="module")
def shared(start: Start) -> Tiny:
    """No proxy in front, two sockets an address."""
    return start(hurry_s=2, sockets_per_address=2)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_every_loopback_name_is_served(tiny: Tiny, host: str) -> None:
    with tiny.peer(Host=f"{host}:{tiny.port}", Origin=f"http://{host}:{tiny.port}") as peer:
        peer.enter()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost", "localhost:1", "LOCALHOST:{port}", "localhost:{port}.", "localhost.:{port}", ""],
)
def test_another_host_is_refused(tiny: Tiny, host: str) -> None:
    assert tiny.peer(Host=host.format(port=tiny.port)).status == 400


def test_forwarded_names_are_not_believed(tiny: Tiny) -> None:
    """Neither to make a foreign name good nor a good one bad."""
    ours = f"localhost:{tiny.port}"
    assert tiny.peer(Host="evil.example", X_Forwarded_Host=ours, X_Forwarded_Proto="http").status == 400
    evil = "http://evil.example"
    assert tiny.peer(Origin=evil, X_Forwarded_Host="evil.example", X_Forwarded_Proto="http").status == 403
    with tiny.peer(X_Forwarded_Host="evil.example", X_Forwarded_Proto="https") as peer:
        peer.enter()


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://localhost:{port}.evil.example",
        "http://localhost:{port}0",
        "https://localhost:{port}",
        "HTTP://LOCALHOST:{port}",
        "http://localhost:{port}/",
        "http://localhost.:{port}",
        "http://localhost:{port}, http://localhost:{port}",
        "http://user@localhost:{port}",
        "*",
    ],
)
@pytest.mark.parametrize("cookie", [{}, {"Cookie": "parley=x"}], ids=["anonymous", "cookie"])
def test_another_origin_is_refused(tiny: Tiny, origin: str, cookie: dict[str, str]) -> None:
    assert tiny.peer(Origin=origin.format(port=tiny.port), **cookie).status == 403


def test_a_cookie_without_an_origin_is_refused_and_a_bot_without_either_is_not(tiny: Tiny) -> None:
    no_origin = handshake(tiny.port, drop=("Origin",), Cookie="parley=x")
    assert status(exchange(tiny.port, no_origin)) == 403
    bot = handshake(tiny.port, drop=("Origin",))
    assert status(exchange(tiny.port, bot, timeout_s=0.3)) == 101


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/socket.io/?EIO=4&transport=polling", b""),
        ("GET", "/socket.io/?EIO=4", b""),
        ("GET", "/socket.io/?EIO=4&transport=polling&j=0", b""),
        ("GET", "/socket.io/?EIO=4&transport=websocket", b""),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=%0aforged", b""),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=x", b"9"),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=x", b"\x1e".join([b"40"] * 17)),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=x", b"4" * (1024 * 1024 + 1)),
        ("OPTIONS", "/socket.io/?EIO=4&transport=polling", b""),
        ("PUT", "/socket.io/", b""),
    ],
)
def test_polling_is_refused_at_once_and_the_connection_closed(tiny: Tiny, method: str, path: str, body: bytes) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost:{tiny.port}\r\nContent-Length: {len(body)}\r\n\r\n"
    with tiny.entered() as other, connection(tiny.port) as sock:
        try:
            sock.sendall(head.encode() + body)
        except ConnectionError:
            pass  # it was closed while we were sending
        assert other.answers_until_end(sock) < AT_ONCE
        answer = everything(sock)
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer.lower()


def test_many_polls_leave_all_places_free(tiny: Tiny) -> None:
    poll = f"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost:{tiny.port}\r\n\r\n".encode()
    assert {status(exchange(tiny.port, poll)) for _ in range(150)} == {400}
    tiny.empty()


@pytest.mark.parametrize(
    ("path", "drop"),
    [
        ("/socket.io/?EIO=3&transport=websocket", ()),
        ("/socket.io/?transport=websocket", ()),
        (PATH + "&sid=x", ()),
        (PATH + "&transport=polling", ()),
        (PATH, ("Sec-WebSocket-Key",)),
        (PATH, ("Sec-WebSocket-Version",)),
        (PATH, ("Connection",)),
    ],
)
def test_what_is_no_proper_handshake_is_refused(tiny: Tiny, path: str, drop: tuple[str, ...]) -> None:
    assert status(exchange(tiny.port, handshake(tiny.port, path, drop))) == 400


def test_a_handshake_with_a_body_is_refused(tiny: Tiny) -> None:
    assert status(exchange(tiny.port, handshake(tiny.port, Content_Length="5") + b"hello")) == 400


@pytest.fixture(scope="module")
def small(start: Start) -> Tiny:
    """Three sockets an address, five altogether; one proxy in front."""
    return start(sockets_per_address=3, sockets_per_worker=5, trusted_proxy_hops=1)


@on_each  # a slot is freed where the transport forgets its socket
def test_places_of_an_address_are_counted_and_freed(small: Tiny) -> None:
    peers = [small.entered(**OFFICE) for _ in range(3)]
    over = small.peer(**OFFICE)
    assert over.status == 429
    assert b"retry-after" in over.head.lower()
    with small.entered(X_Forwarded_For="203.0.113.8"):
        pass
    with small.peer(X_Forwarded_For="198.51.100.1, 203.0.113.7") as forger:
        assert forger.status == 429, "what stands left of our proxy's entry is hearsay"
    peers.pop().sock.close()
    wait_until(lambda: small.facts()["open"] == 2)
    peers.append(small.entered(**OFFICE))
    for peer in peers:
        peer.sock.close()
    small.empty()


def test_an_ipv6_customer_is_one_address(small: Tiny) -> None:
    peers = [small.entered(X_Forwarded_For=f"2001:db8:1:2::{n}") for n in range(1, 4)]
    assert small.peer(X_Forwarded_For="2001:db8:1:2:ffff::1").status == 429
    with small.entered(X_Forwarded_For="2001:db8:1:3::1"):
        pass
    for peer in peers:
        peer.sock.close()
    small.empty()


def test_when_all_places_are_taken_plain_http_is_still_answered(small: Tiny) -> None:
    peers = [small.entered(X_Forwarded_For=f"203.0.113.{n}") for n in range(5)]
    over = small.peer(X_Forwarded_For="203.0.113.99")
    assert over.status == 503
    assert b"retry-after" in over.head.lower()
    assert small.facts()["open"] == 5
    for peer in peers:
        peer.sock.close()
    small.empty()


@on_each
def test_refused_connects_free_their_places(small: Tiny) -> None:
    for _ in range(12):
        with small.peer(**OFFICE) as peer:
            assert peer.status == 101
            peer.text()
            peer.say('40{"user":"refused"}')
            assert peer.ends()
        small.empty()


def test_a_proxy_is_not_believed_unless_told_so(tiny: Tiny) -> None:
    with tiny.entered(X_Forwarded_For="203.0.113.1"), tiny.entered(X_Forwarded_For="203.0.113.2"):
        assert tiny.peer(X_Forwarded_For="203.0.113.9").status == 429
