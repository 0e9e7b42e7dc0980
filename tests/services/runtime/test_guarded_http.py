"""The client for addresses that others name. Its network is played: an address leads to a server of the test's, and one
that nobody has fails the test, so that nothing leaves this machine."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gevent
import pytest

from chat.services.runtime import guarded_http
from chat.services.runtime.answers import MOST_CHUNKS, PIECE, Answer, Reading
from chat.services.runtime.guarded_http import GuardedHttp
from chat.services.runtime.pool import Busy, Late
from chat.services.runtime.targets import Refused

WITHIN_S = 60.0  # a guard against never; what is late by plan has LATE_S
LATE_S = 0.15
PUBLIC, OTHER = "93.184.216.34", "8.8.8.8"
NOT_REACHED = "192.0.1.1"
NAMES: dict[str, list[str]] = {
    "public.example": [PUBLIC],
    "other.example": [OTHER],
    "inside.example": ["10.0.0.5"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "two.example": [NOT_REACHED, PUBLIC],
    "nobody.example": [],
}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Script = Callable[[socket.socket], None]


class Site:
    """A server on loopback: a script for each path, or for all; notes the requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._context = context
        self.address: tuple[str, int] = self._listening.getsockname()
        self.answers: dict[str, bytes | Script] = {}
        self.heard: list[bytes] = []
        self.over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is not None:
                    with self._context.wrap_socket(connection, server_side=True) as wrapped:
                        self._answer(wrapped)
                else:
                    self._answer(connection)
        except OSError:
            pass  # who has heard enough closes

    def _answer(self, connection: socket.socket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            piece = connection.recv(65_536)
            if not piece:
                return
            heard += piece
        head, _, body = heard.partition(b"\r\n\r\n")
        length = int(dict(each.split(b": ") for each in head.split(b"\r\n")[1:]).get(b"Content-Length", 0))
        while len(body) < length:
            body += connection.recv(65_536)
        self.heard.append(head + b"\r\n\r\n" + body)
        script = self.answers.get(head.split(b" ")[1].decode(), self.answers.get("*", OK))
        if isinstance(script, bytes):
            connection.sendall(script)
        else:
            script(connection)

    def say_nothing(self, connection: socket.socket) -> None:
        self.over.wait(WITHIN_S)

    def fields(self, number: int = -1) -> dict[str, str]:
        """Of one of the requests."""
        lines = self.heard[number].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return dict(each.split(": ") for each in lines)

    def close(self) -> None:
        self.over.set()
        self._listening.close()


class Network:
    """Where addresses lead, in place of the real one; what was connected to, in order."""

    def __init__(self, ca_file: str) -> None:
        self._ca_file = ca_file
        self.leads: dict[tuple[str, int], Site] = {}
        self.asked: list[tuple[str, int]] = []
        self.resolved: list[str] = []
        self.patience: list[float] = []
        self.names = {name: list(addresses) for name, addresses in NAMES.items()}

    def resolve(self, host: str) -> Sequence[str]:
        self.resolved.append(host)
        if host not in self.names:
            return [host]
        return self.names[host]

    def client(self, **more: Any) -> GuardedHttp:
        return GuardedHttp(**{"within_s": WITHIN_S, "resolve": self.resolve, "ca_file": self._ca_file, **more})


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """The files of one, which trusts itself, and of its key."""
    cert, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    argv += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", cert]
    subprocess.run(argv, check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The certificate of public.example, which the clients here trust, and its key."""
    return certificate(tmp_path_factory.mktemp("tls"), "public.example")


@pytest.fixture(scope="module")
def prime(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One that is well known, of 2,048 bits."""
    file = str(tmp_path_factory.mktemp("prime") / "dh.pem")
    argv = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", file]
    subprocess.run(argv, check=True, capture_output=True)
    return file


def server_context(files: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, files: tuple[str, str]) -> Network:
    network = Network(files[0])

    real: Any = guarded_http.Socket

    class Played(real):
        def connect(self, address: tuple[str, int]) -> None:
            network.asked.append(address)
            network.patience.append(self.timeout)
            if address[0] == NOT_REACHED:
                raise TimeoutError
            super().connect(network.leads[address].address)

    monkeypatch.setattr(guarded_http, "Socket", Played)
    return network


@pytest.fixture
def site(network: Network) -> Iterator[Site]:
    """The server of public.example, by http."""
    site = Site()
    network.leads[PUBLIC, 80] = site
    yield site
    site.close()


@pytest.fixture
def other(network: Network) -> Iterator[Site]:
    site = Site()
    network.leads[OTHER, 80] = site
    yield site
    site.close()


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        ask()
    return refused.value.reason


def test_what_is_at_a_public_address_is_fetched(network: Network, site: Site) -> None:
    answer = network.client().get("http://public.example/page?a=b", {"Accept": "text/html"})
    assert answer == Answer("http://public.example/page?a=b", 200, {"content-length": "2"}, b"ok")
    assert network.asked == [(PUBLIC, 80)]
    assert site.heard == [
        b"GET /page?a=b HTTP/1.1\r\nHost: public.example\r\nUser-Agent: Parley\r\nAccept-Encoding: identity\r\n"
        b"Connection: close\r\nAccept: text/html\r\n\r\n"
    ]


def test_a_body_is_posted_once_and_a_redirect_is_its_answer(network: Network, site: Site) -> None:
    site.answers["/hook"] = redirect("http://public.example/elsewhere", 307)
    answer = network.client().post("http://public.example/hook", b"x" * 300_000, {"X-Signature": "s"})
    assert (answer.status, answer.fields["location"], len(site.heard)) == (307, "http://public.example/elsewhere", 1)
    assert site.heard[0].endswith(b"\r\nContent-Length: 300000\r\nX-Signature: s\r\n\r\n" + b"x" * 300_000)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:5"]
)
def test_an_inward_address_is_never_connected_to(network: Network, site: Site, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    network.names["inward.example"] = [address]
    client = network.client()
    for url in (f"http://{host}/", "http://inward.example/", "https://inward.example/"):
        assert refusal(lambda url=url: client.get(url)) == "private"
        assert refusal(lambda url=url: client.post(url, b"{}")) == "private"
    assert network.asked == []


def test_nor_is_a_name_that_has_an_inward_address_beside_a_public_one(network: Network, site: Site) -> None:
    assert refusal(lambda: network.client().get("http://mixed.example/")) == "private"
    assert network.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "017700000001", "0", "[::1]", "[::]"])
def test_whatever_the_system_takes_for_loopback_is_judged_as_that(network: Network, host: str) -> None:
    client = GuardedHttp(within_s=WITHIN_S)  # with the system's resolver
    assert refusal(lambda: client.get(f"http://{host}/")) == "private"
    assert network.asked == []


def test_on_a_lan_who_allows_it_reaches_this_machine_and_still_no_metadata(
    network: Network, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the real network, which is loopback
    host, port = site.address
    client = GuardedHttp(allow_private=True, within_s=WITHIN_S)
    assert client.get(f"http://localhost:{port}/").body == client.get(f"http://{host}:{port}/").body == b"ok"
    assert refusal(lambda: GuardedHttp(within_s=WITHIN_S).get(f"http://{host}:{port}/")) == "port"
    assert refusal(lambda: client.get("http://169.254.169.254/latest/meta-data/")) == "private"
    assert refusal(lambda: client.get("http://[fd00:ec2::254]/latest/meta-data/")) == "private"


def test_the_address_that_was_judged_is_the_one_that_is_asked_whatever_dns_says_next(
    network: Network, site: Site
) -> None:
    said = iter([[PUBLIC], ["127.0.0.1"], ["10.0.0.5"]])
    client = network.client(resolve=lambda host: next(said))
    assert client.get("http://public.example/").status == 200
    assert network.asked == [(PUBLIC, 80)], "asked once, and not a second time after the judgement"
    assert next(said) == ["127.0.0.1"]


def test_a_redirect_to_the_same_name_is_judged_anew(network: Network, site: Site) -> None:
    said = iter([[PUBLIC], ["127.0.0.1"]])
    site.answers["/"] = redirect("/again")
    client = network.client(resolve=lambda host: next(said))
    assert refusal(lambda: client.get("http://public.example/")) == "private"
    assert network.asked == [(PUBLIC, 80)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_three_times_and_no_further(
    network: Network, site: Site, other: Site, status: int
) -> None:
    site.answers |= {f"/{n}": redirect(f"http://public.example/{n - 1}", status) for n in range(1, 5)}
    client = network.client()
    assert client.get("http://public.example/3").url == "http://public.example/0"
    assert refusal(lambda: client.get("http://public.example/4")) == "redirects"
    assert len(site.heard) == 4 + 4


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("http://127.0.0.1/", "private"),
        ("//inside.example/", "private"),
        ("http://169.254.169.254/latest/meta-data/", "private"),
        ("http://[::ffff:127.0.0.1]/", "private"),
        ("http://[64:ff9b::7f00:1]/", "private"),
        ("http://public.example:6379/", "port"),
        ("file:///etc/passwd", "scheme"),
        ("http://public.example@127.0.0.1/", "userinfo"),
        ("http://public.example\\@127.0.0.1/", "url"),
    ],
)
def test_a_redirect_inward_is_refused_and_not_followed(network: Network, site: Site, to: str, reason: str) -> None:
    site.answers["/"] = redirect(to)
    assert refusal(lambda: network.client().get("http://public.example/")) == reason
    assert network.asked == [(PUBLIC, 80)]


def test_what_the_caller_says_stays_at_the_origin_that_it_was_meant_for(
    network: Network, site: Site, other: Site
) -> None:
    secret = {"Authorization": "Bearer s", "Cookie": "c", "X-Signature": "x", "Accept": "text/html"}
    site.answers |= {"/": redirect("/here"), "/here": redirect("http://other.example/")}
    other.answers["/"] = redirect("http://public.example/back")
    assert network.client().get("http://public.example/", secret).url == "http://public.example/back"
    assert secret.items() <= site.fields(0).items() and secret.items() <= site.fields(1).items()
    for elsewhere in (other.fields(0), site.fields(2)):
        assert set(elsewhere) == {"Host", "User-Agent", "Accept-Encoding", "Connection", "Accept"}


@pytest.mark.parametrize(
    "fields",
    [{"X": "a\r\nHost: b"}, {"X\r\nY": "a"}, {"X": "\0"}, {"": "a"}, {"X Y": "a"}, {"X": "é"}, {"host": "inside"},
     {"Content-Length": "0"}, {"Transfer-Encoding": "chunked"}, {"Accept-Encoding": "gzip"}],
)  # fmt: skip
def test_fields_that_would_change_the_request_are_not_sent(
    network: Network, site: Site, fields: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="fields that cannot be sent"):
        network.client().get("http://public.example/", fields)
    assert site.heard == []


def test_proxies_of_the_environment_are_not_asked(
    network: Network, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.5:3128")
    assert network.client().get("http://public.example/").status == 200
    assert network.asked == [(PUBLIC, 80)]


def test_a_name_with_two_addresses_is_reached_by_the_second_for_which_there_is_time(
    network: Network, site: Site
) -> None:
    assert network.client().get("http://two.example/").status == 200
    assert network.asked == [(NOT_REACHED, 80), (PUBLIC, 80)]
    first, second = network.patience
    assert first <= WITHIN_S / 2 < second <= WITHIN_S


def test_what_cannot_be_reached_is_refused(network: Network, site: Site) -> None:
    client = network.client()
    site.answers["*"] = b""
    assert refusal(lambda: client.get("http://nobody.example/")) == "unresolved"
    assert refusal(lambda: client.get(f"http://{NOT_REACHED}/")) == "unreachable"
    assert refusal(lambda: client.get("http://public.example/")) == "damaged"

    def unknown(host: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    assert refusal(lambda: network.client(resolve=unknown).get("http://public.example/")) == "unresolved"


# TLS


@pytest.fixture
def secure(network: Network, files: tuple[str, str]) -> Iterator[Site]:
    """The server of public.example, by https; other.example leads there too."""
    site = Site(server_context(files))
    network.leads[PUBLIC, 443] = network.leads[OTHER, 443] = site
    yield site
    site.close()


def test_by_https_the_name_is_told_and_the_certificate_is_its(network: Network, files: tuple[str, str]) -> None:
    named: list[str | None] = []
    context = server_context(files)
    context.sni_callback = lambda connection, name, context: named.append(name)
    network.leads[PUBLIC, 443] = network.leads[OTHER, 443] = site = Site(context)
    client = network.client()
    assert client.get("https://public.example/").body == b"ok"
    assert site.fields()["Host"] == "public.example"
    assert refusal(lambda: client.get("https://other.example/")) == "tls", "a certificate of another name"
    assert refusal(lambda: client.get(f"https://{PUBLIC}/")) == "tls", "a number is no name"
    by_the_system = network.client(ca_file=None)
    assert refusal(lambda: by_the_system.get("https://public.example/")) == "tls", "whose authority nobody knows"
    assert named == ["public.example", "other.example", None, "public.example"]
    assert len(site.heard) == 1, "none of them was told anything"
    site.close()


def test_from_http_one_may_be_led_to_https_and_never_back(network: Network, site: Site, secure: Site) -> None:
    client = network.client()
    site.answers["/up"] = redirect("https://public.example/")
    assert client.get("http://public.example/up").url == "https://public.example/"
    secure.answers["/down"] = redirect("http://public.example/")
    assert refusal(lambda: client.get("https://public.example/down")) == "downgraded"


@pytest.mark.parametrize(
    ("version", "ciphers", "group", "may"),
    [
        (ssl.TLSVersion.TLSv1_3, "", "prime256v1", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE", "prime256v1", True),
        (ssl.TLSVersion.TLSv1_3, "", "secp521r1", False),
        (ssl.TLSVersion.TLSv1_2, "DHE+AESGCM", "", False),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-SHA256", "prime256v1", False),
    ],
)
def test_a_server_does_not_choose_how_long_our_part_of_the_handshake_takes(
    network: Network,
    files: tuple[str, str],
    prime: str,
    version: ssl.TLSVersion,
    ciphers: str,
    group: str,
    may: bool,
) -> None:
    """A prime of 8,192 bits costs a client 115 to 220 ms of one C call (docs/decisions/0026-the-hubs-rule.md)."""
    context = server_context(files)
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
        context.load_dh_params(prime)
    if group:
        context.set_ecdh_curve(group)
    network.leads[PUBLIC, 443] = site = Site(context)
    client = network.client()
    if may:
        assert client.get("https://public.example/").body == b"ok"
    else:
        assert refusal(lambda: client.get("https://public.example/")) == "tls"
    site.close()


# Slow


def drip(before: bytes, piece: bytes) -> Script:
    """A script that says something every now and then, until nobody listens."""

    def script(connection: socket.socket) -> None:
        connection.sendall(before)
        while True:
            time.sleep(LATE_S / 10)  # the pace, not a wait
            connection.sendall(piece)

    return script


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 302 Found\r\nLocation: /", b"x"),
    ],
    ids=["nothing", "fields", "body", "length", "chunks", "redirect"],
)
def test_who_says_a_little_now_and_then_is_left_when_the_time_for_all_is_over(
    network: Network, site: Site, before: bytes, piece: bytes
) -> None:
    site.answers["*"] = drip(before, piece)
    assert refusal(lambda: network.client(within_s=LATE_S).get("http://public.example/")) == "late"


def test_the_time_is_for_all_redirects_together(network: Network, site: Site) -> None:
    def slowly(connection: socket.socket) -> None:
        time.sleep(LATE_S / 2)  # the pace, not a wait
        connection.sendall(redirect("/"))

    site.answers["*"] = slowly
    assert refusal(lambda: network.client(within_s=LATE_S).get("http://public.example/")) == "late"


def test_another_time_out_around_it_is_not_taken_for_its_own(network: Network, site: Site) -> None:
    site.answers["*"] = drip(b"", b"H")
    with pytest.raises(gevent.Timeout) as fired, gevent.Timeout(LATE_S) as around:
        network.client().get("http://public.example/")
    assert fired.value is around


def test_a_handshake_that_never_ends_is_left(network: Network, site: Site) -> None:
    network.leads[PUBLIC, 443] = silent = Site()
    assert refusal(lambda: network.client(within_s=LATE_S).get("https://public.example/")) == "late"
    silent.close()


def test_a_name_that_is_never_resolved_is_late_and_a_few_of_them_keep_nobody_else(network: Network, site: Site) -> None:
    """Each keeps a thread; one's own are half of them at most."""
    over = threading.Event()

    def resolve(host: str) -> Sequence[str]:
        if host.startswith("tarpit"):
            over.wait(WITHIN_S)
        return network.resolve(host)

    client = network.client(resolve=resolve, within_s=LATE_S)
    waiting = [gevent.spawn(client.get, f"http://tarpit{n}.example/", who="mallory") for n in range(4)]
    gevent.joinall(waiting)
    assert [getattr(each.exception, "reason", "") for each in waiting] == ["late"] * 4
    client._within_s = WITHIN_S
    assert client.get("http://public.example/", who="alice").status == 200
    over.set()


def test_only_so_many_are_asked_at_once(network: Network, site: Site) -> None:
    site.answers["/slow"] = site.say_nothing
    client = network.client(at_once=1)
    slow = gevent.spawn(client.get, "http://public.example/slow")
    gevent.idle()
    others = [gevent.spawn(client.get, "http://public.example/") for _ in range(2)]
    gevent.idle()
    with pytest.raises(Busy):
        client.get("http://public.example/")
    slow.kill()
    gevent.joinall(others)
    assert [each.value.status for each in others] == [200, 200]


def test_who_waits_for_a_place_waits_no_longer_than_they_may_be_asked(network: Network, site: Site) -> None:
    site.answers["/slow"] = site.say_nothing
    client = network.client(at_once=1)
    slow = gevent.spawn(client.get, "http://public.example/slow")
    gevent.idle()
    client._within_s = LATE_S
    with pytest.raises(Late):
        client.get("http://public.example/")
    slow.kill()


# Much, and nonsense


def flood(before: bytes, piece: bytes) -> Script:
    """A script that never ends, as fast as it is heard."""

    def script(connection: socket.socket) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(piece * (65_536 // len(piece)))

    return script


@pytest.mark.parametrize(
    ("before", "piece", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x", "too_large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n", "too_large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", "too_large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x", "damaged"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n", "damaged"),
        (b"HTTP/1.1 200 OK\r\nX-More: ", b"yes", "damaged"),
        (b"HTTP/1.1 ", b"2", "damaged"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", "damaged"),
        (b"", b"\0", "damaged"),
    ],
    ids=["body", "chunks", "tiny chunks", "chunk head", "fields", "field", "status", "interim", "nonsense"],
)
def test_who_never_ends_is_left_when_it_is_too_much(
    network: Network, site: Site, before: bytes, piece: bytes, reason: str
) -> None:
    site.answers["*"] = flood(before, piece)
    assert refusal(lambda: network.client(most_bytes=1 << 18).get("http://public.example/")) == reason


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(network: Network, site: Site) -> None:
    client = network.client(most_bytes=1000)
    for size, may in ((1000, True), (1001, False)):
        body = b"x" * size
        for answer in (
            b"Content-Length: %d\r\n\r\n%b" % (size, body),
            b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n%x\r\n%b\r\n0\r\n\r\n" % (size - 1, body[1:]),
            b"\r\n" + body,
        ):
            site.answers["*"] = b"HTTP/1.1 200 OK\r\n" + answer
            if may:
                assert client.get("http://public.example/").body == body
            else:
                assert refusal(lambda: client.get("http://public.example/")) == "too_large"


def test_a_body_in_very_small_chunks_is_taken_up_to_so_many(network: Network, site: Site) -> None:
    for chunks, may in ((MOST_CHUNKS - 1, True), (MOST_CHUNKS, False)):
        site.answers["*"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        site.answers["*"] += b"1\r\nx\r\n" * chunks + b"0\r\n\r\n"
        if may:
            assert network.client().get("http://public.example/").body == b"x" * chunks
        else:
            assert refusal(lambda: network.client().get("http://public.example/")) == "too_large"


def test_a_length_that_is_too_large_is_refused_before_anything_of_it_comes(network: Network, site: Site) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n")
        site.over.wait(WITHIN_S)

    site.answers["*"] = script
    assert refusal(lambda: network.client().get("http://public.example/")) == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "x\x1b[31m"])
def test_an_encoded_body_could_be_of_any_size_and_is_refused(network: Network, site: Site, encoding: str) -> None:
    site.answers["*"] = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\nok".encode()
    with pytest.raises(Refused) as refused:
        network.client().get("http://public.example/")
    assert refused.value.reason == "encoded"
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.0 200\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 1\r\n\r\n2;a=b\r\nok\r\n00 \r\n", b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\ncontent-LENGTH:\t2 \r\n\r\nok and more", b"ok"),
        (b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", b""),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", b"no"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno", b"no"),
    ],
)
def test_an_answer_is_read_in_whatever_pieces_it_comes(
    network: Network, site: Site, answer: bytes, body: bytes
) -> None:
    def script(connection: socket.socket) -> None:
        for at in range(len(answer)):
            connection.sendall(answer[at : at + 1])

    client = network.client()
    for site.answers["*"] in (answer, script):
        assert client.get("http://public.example/").body == body


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d:b\r\n" % n for n in range(201)) + b"\r\n",
    ],
)
def test_what_is_no_whole_answer_is_damaged(network: Network, site: Site, answer: bytes) -> None:
    site.answers["*"] = answer
    assert refusal(lambda: network.client().get("http://public.example/")) == "damaged"


class Ready:
    """A connection at which all there is lies ready, so that nobody who reads ever waits."""

    def __init__(self, said: bytes):
        self._said = memoryview(said)

    def recv(self, most: int) -> bytes:
        piece, self._said = self._said[:most], self._said[most:]
        return bytes(piece)


def test_the_hub_has_its_turn_between_any_two_pieces_however_fast_they_come() -> None:
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0)
            turns += 1

    counting = gevent.spawn(count)
    pieces = 64
    body = bytes(pieces * PIECE)
    reading = Reading(Ready(b"HTTP/1.1 200 OK\r\n\r\n" + body), len(body), time.monotonic() + WITHIN_S)
    assert reading.answer("").body == body
    counting.kill()
    assert turns >= pieces


def test_who_says_more_and_more_is_left_in_time_too() -> None:
    reading = Reading(Ready(OK), 1000, time.monotonic() - 1)
    assert refusal(lambda: reading.answer("")) == "late"
