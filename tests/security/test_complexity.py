"""Nothing that a stranger may send costs more than its length: each field of each route, function and event takes for
60 KB of the worst text at most 25 times what it takes for 6 KB (ten is its length, a hundred its square), and 20 ms
where nothing else is at work.

Counted is what the thread that serves it computes (`thread_time`); hashes are worked out by other threads and left out.
What is dearer is measured beside a loop: on busy processors some texts cost three times as much, and others half more.
"""

from __future__ import annotations

import io
import itertools
import json
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from flask import Flask
from msgspec import Struct, structs
from werkzeug.test import EnvironBuilder

from chat.config import Config
from chat.errors import ChatError
from chat.lambdas import http as lambda_http
from chat.lambdas import login, logout, protected, register
from chat.models import Person
from chat.names import room_slug, username
from chat.services.accounts import cookies
from chat.services.accounts.passwords import Passwords
from chat.sockets.client_sockets import ClientSocket, clock
from chat.sockets.protocol import REQUESTS
from chat.sockets.transport.admission import MAX_HEADER_CHARS
from chat.sockets.transport.packets import Malformed, decode
from chat.wire import reading
from tests.conftest import PASSWORD, Auth, browser

T = TypeVar("T", bound=Struct)
BIG, SMALL = 60_000, 6_000
MAX_GROWTH = 25
MAX_S = 0.020
MAX_TURNS = 500_000  # of a loop; 200,000 take as long on processors that do nothing else
UNSEEN_S = 0.005  # what is this cheap at its longest does not grow in a way that anybody meets
REPEATS = 12
ENOUGH_S = 0.5  # of measuring one text, after three times
ids = (f"c{n}" for n in itertools.count())


# --- the worst texts -------------------------------------------------------------------------------------------------


def _marks() -> str:
    found = [chr(c) for c in range(0x300, 0x1E950) if unicodedata.combining(chr(c))]
    return "".join(sorted(found, key=unicodedata.combining, reverse=True))


WORST = {
    "marks of many classes": "a" + _marks(),
    "marks in turn": "\u0301\u0316",
    "letters that grow": "\ufdfa",
    "letters that grow when they are folded": "\u0390ẞﬃ",
    "letters in parts": "\u1112\u1161\u11ab",
    "blanks": " ",
    "blanks of every kind": " \t\n\u2003\u00a0",
    "blanks that lead to nothing": 'a="a' + " " * 58_000 + '"',
    "a name that never ends": "a" * 58_000 + "!",
    "a name of many parts": "a.b-c_",
    "digits": "1",
    "commas": ",",
    "pairs": "a=b;q=0, ",
    "quotes": ';a="',
    "backslashes": "\\",
    "emoji joined": "\U0001f468\u200d",
    "an emoji of tags": "\U0001f3f4" + "\U000e0062" * 14_000,
    "slashes": "/",
    "colons": "1:",
    "surrogates": "\ud83d",
}
# Bodies and packets that are no object with our fields.
BODIES = {
    "lists in one another": "[",
    "objects in one another": '{"a":',
    "digits": "1",
    "numbers of 4,300 digits": "1" * 4_299 + ",",
    "numbers of many parts": "1e1,",
    "names that are all one": '"a":1,',
    "surrogates": '"\\ud83d",',
    "blanks": " ",
}


def text(unit: str, size: int) -> str:
    """That unit over and over; as JSON it has about so many bytes."""
    each = len(json.dumps(unit[: size // 2], ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2
    return (unit * (size // each + 1))[: size * len(unit[: size // 2]) // each]


# --- measuring -------------------------------------------------------------------------------------------------------


class Meter:
    """Counts what this thread computes, without hashes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self._hashing = 0.0
        monkeypatch.setattr(Passwords, "_run", lambda passwords, *asked: self._elsewhere(*asked))

    def _elsewhere(self, work: Callable[[], Any], who: Any, first: Callable[[], object] | None = None) -> Any:
        if first is not None:
            first()
        began = time.thread_time()
        try:
            return work()
        finally:
            self._hashing += time.thread_time() - began

    def cost_s(self, work: Callable[[], object]) -> float:
        began, self._hashing = time.thread_time(), 0.0
        work()
        return time.thread_time() - began - self._hashing


def check_growth(meter: Meter, make: Callable[[int], Callable[[], object]], big: int = BIG) -> tuple[float, float]:
    """What `make(size)` costs at its longest and at a tenth of it, the least of several times: only what is always dear
    is found. Raises: AssertionError."""
    longest = shortest = loop = float("inf")
    spent = 0.0
    for turn in range(REPEATS):
        if turn >= 3 and spent > ENOUGH_S:
            break
        cost = meter.cost_s(make(big))
        longest, spent = min(longest, cost), spent + cost
        if longest <= UNSEEN_S:
            return longest, 0.0
        shortest = min(shortest, meter.cost_s(make(big // 10)))
        if longest > MAX_S:
            loop = min(loop, meter.cost_s(lambda: sum(n * n for n in range(MAX_TURNS))))
        if (longest <= MAX_S or longest <= loop) and longest <= MAX_GROWTH * shortest:
            return longest, shortest
    raise AssertionError(f"{longest * 1000:.1f} ms for {big} bytes, {shortest * 1000:.1f} ms for a tenth of them")


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    return Meter(monkeypatch)


def test_work_that_grows_with_the_square_is_found(meter: Meter) -> None:
    def square(size: int) -> Callable[[], object]:
        return lambda: unicodedata.normalize("NFKC", text("\u0301\u0316", size))

    with pytest.raises(AssertionError, match="ms for 12000 bytes"):
        check_growth(meter, square, 12_000)


@pytest.mark.parametrize("unit", WORST)
def test_the_texts_are_as_long_as_they_are_said_to_be(unit: str) -> None:
    for size in (SMALL, BIG):
        long = len(json.dumps({"a": text(WORST[unit], size)}, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        assert size * 0.9 < long <= reading.MAX_BODY_BYTES


# --- HTTP ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Route:
    """A request that is good in every field; `args` are those of the query."""

    body: dict[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()


SENT = {"client_id": "c", "text": "hello", "reply_to": 1}
ROUTES = {
    "POST /api/auth/register": Route({"username": "carol", "password": PASSWORD}),
    "POST /api/auth/login": Route({"username": "alice", "password": PASSWORD, "remember": False}),
    "POST /api/auth/logout": Route(),
    "GET /api/auth/protected": Route(),
    "POST /api/auth/ticket": Route({"ticket": "a.b"}),
    "POST /api/auth/stay": Route(),
    "GET /api/auth/sessions": Route(),
    "DELETE /api/auth/sessions/<public_id>": Route(),
    "DELETE /api/auth/sessions": Route(),
    "POST /api/auth/password": Route({"password": PASSWORD, "new_password": PASSWORD}),
    "GET /api/rooms": Route(args=("rooms_after", "joinable_after")),
    "POST /api/rooms": Route({"client_id": "c", "name": "Plans", "kind": "public"}),
    "POST /api/rooms/<room>/join": Route({"client_id": "c"}),
    "POST /api/rooms/<room>/leave": Route({"client_id": "c", "successor": "bob"}),
    "POST /api/rooms/<room>/invite": Route({"client_id": "c", "username": "bob"}),
    "POST /api/rooms/<room>/remove": Route({"client_id": "c", "username": "bob"}),
    "GET /api/rooms/<room>/members": Route(),
    "GET /api/rooms/<room>/messages": Route(args=("limit", "before", "after", "around")),
    "POST /api/rooms/<room>/messages": Route(SENT),
    "GET /healthz": Route(),
    "GET /readyz": Route(),
    "GET /": Route(),
    "GET /login": Route(),
    "GET /register": Route(),
    "GET /r/<path:place>": Route(),
    "GET /config.json": Route(),
    "GET /<name>": Route(),
    "GET /assets/<path:name>": Route(),
}
SIGNS_OUT = ("POST /api/auth/login", "POST /api/auth/logout", "DELETE /api/auth/sessions")  # whoever was signed in
HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Content-Type",
    "Cookie",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Origin",
    "Range",
    "Sec-Fetch-Site",
    "User-Agent",
    "X-Forwarded-For",
    "X-Parley-User",
)
WITH_HEADERS = (  # each kind: a visitor's, one who is signed in, asked beforehand, a file; what signing in alone reads
    *(("POST /api/auth/ticket", header) for header in HEADERS),
    *(("GET /api/auth/protected", header) for header in HEADERS),
    *(("OPTIONS /api/rooms", header) for header in HEADERS),
    *(("GET /assets/none.js", header) for header in HEADERS),
    *(("POST /api/auth/login", header) for header in ("Cookie", "User-Agent")),
)


@pytest.fixture
def config(config: Config) -> Config:
    """Without limits that would spare the work."""
    much = 10**6
    return replace(
        config,
        login_failures_per_account=much,
        login_failures_per_address=much,
        registrations_per_address=much,
        trusted_proxy_hops=1,
        front_secret="s" * 43,
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the fields that bodies have been asked for."""
    names: set[str] = set()
    read = reading.read_json

    def noted(kind: type[T], content_type: str, content: bytes) -> T:
        names.update(field.encode_name for field in structs.fields(kind))
        return read(kind, content_type, content)

    monkeypatch.setattr(reading, "read_json", noted)
    return names


@dataclass
class Door:
    """The whole WSGI application, as somebody who is signed in."""

    app: Flask
    config: Config
    sid: str

    def request(self, name: str, body: bytes = b"", query: str = "", **headers: str) -> Callable[[], int]:
        """A request that is ready to be made; the path may have any character. It answers its status."""
        method, path = name.split(" ", 1)
        mine = {} if name in SIGNS_OUT else {"Cookie": f"parley={self.sid}"}
        given = mine | {"Origin": self.config.public_url} | headers
        environ = EnvironBuilder("/", self.config.public_url, method=method, data=body, headers=given).get_environ()
        environ |= {"PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": query}
        environ["CONTENT_TYPE"] = headers.get("Content-Type", "application/json")

        def make() -> int:
            status: list[str] = []
            environ["wsgi.input"] = io.BytesIO(body)
            for _ in self.app.wsgi_app(environ, lambda line, *_: status.append(line)):
                pass
            return int(status[0].split()[0])

        return make


@pytest.fixture
def door(app: Flask, config: Config) -> Door:
    alice, bob = browser(app), browser(app)
    sid = Auth(alice).enter("alice")
    assert Auth(bob).register("bob").status_code == 201
    room = alice.post("/api/rooms", json={"client_id": "made", "name": "Home", "kind": "public"})
    sent = alice.post("/api/rooms/home/messages", json={"client_id": "sent", "text": "hello"})
    assert (room.status_code, sent.status_code) == (201, 201)
    return Door(app, config, sid)


def rules(app: Flask) -> Iterator[tuple[str, set[str]]]:
    """(`method rule`, the names in its path) of every route of the app."""
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield f"{method} {rule.rule}", set(rule.arguments)


def good(name: str) -> str:
    return name.replace("<room>", "home").replace("<public_id>", "f" * 32)


def test_every_route_has_a_row(app: Flask) -> None:
    assert {name for name, _ in rules(app)} == set(ROUTES)


def test_every_field_of_a_body_is_in_its_routes_row(door: Door, asked: set[str]) -> None:
    for name, route in ROUTES.items():
        asked.clear()
        status = door.request(good(name), json.dumps(route.body | {"client_id": next(ids)}).encode())()
        assert status < 500 and (status != 401 or name in SIGNS_OUT), name
        assert asked == set(route.body), name


def test_a_body_costs_no_more_than_its_length(door: Door, meter: Meter) -> None:
    fields = [(name, asked) for name, route in ROUTES.items() for asked in route.body]
    for (name, asked), (worst, unit) in itertools.product(fields, WORST.items()):

        def make(size: int, name: str = name, asked: str = asked, unit: str = unit) -> Callable[[], object]:
            body = ROUTES[name].body | {"client_id": next(ids)} | {asked: text(unit, size)}
            return answered(door.request(good(name), as_json(body)))

        check(meter, make, f"{name}, {asked}: {worst}")


def test_a_body_that_is_no_object_costs_no_more_than_its_length(door: Door, meter: Meter) -> None:
    names = ("POST /api/auth/login", "POST /api/rooms/<room>/messages")
    for name, (worst, unit), before in itertools.product(names, BODIES.items(), ("", "[", '{"username": [')):

        def make(size: int, name: str = name, unit: str = unit, before: str = before) -> Callable[[], object]:
            return answered(door.request(good(name), (before + unit * (size // len(unit))).encode()))

        check(meter, make, f"{name}, {before}{worst}")


def test_an_address_costs_no_more_than_its_length(door: Door, meter: Meter) -> None:
    for name, arguments in rules(door.app):
        for argument, (worst, unit) in itertools.product(arguments, WORST.items()):

            def make(size: int, name: str = name, argument: str = argument, unit: str = unit) -> Callable[[], object]:
                part = text(unit, size).replace("\ud83d", "?")
                path = name.replace(f"<{argument}>", part).replace(f"<path:{argument}>", part)
                return answered(door.request(good(path), as_json(ROUTES[name].body | {"client_id": next(ids)})))

            check(meter, make, f"{name}, {argument}: {worst}")


def test_a_query_costs_no_more_than_its_length(door: Door, meter: Meter) -> None:
    wanted = [(name, arg) for name, route in ROUTES.items() for arg in (*route.args, "")]
    for (name, arg), unit in itertools.product(wanted, ("1", "%20", "a&", "a=1&", "%", ";", "+", "%ef%b7%ba")):

        def make(size: int, name: str = name, arg: str = arg, unit: str = unit) -> Callable[[], object]:
            return answered(door.request(good(name), query=f"{arg}=" * bool(arg) + unit * (size // len(unit))))

        if ROUTES[name].args:
            check(meter, make, f"{name}?{arg}={unit}", MAX_HEADER_CHARS)


def test_a_header_costs_no_more_than_its_length(door: Door, meter: Meter) -> None:
    for (name, header), (worst, unit) in itertools.product(WITH_HEADERS, WORST.items()):

        def make(size: int, name: str = name, header: str = header, unit: str = unit) -> Callable[[], object]:
            said = text(unit, size).encode("utf-8", "replace").decode("latin-1").replace("\n", "\t")[:size]
            return answered(door.request(name, as_json(ROUTES["POST /api/auth/login"].body), **{header: said}))

        check(meter, make, f"{name}, {header}: {worst}", MAX_HEADER_CHARS)


def test_a_longer_header_is_refused_before_anything_reads_it(door: Door) -> None:
    for name in ("POST /api/auth/login", "GET /api/rooms", "OPTIONS /api/rooms", "GET /", "GET /socket.io/"):
        assert door.request(name, Cookie="a" * (MAX_HEADER_CHARS + 1))() == 413
        assert door.request(name, Cookie="a" * MAX_HEADER_CHARS)() != 413
        assert door.request(name, query="a" * (MAX_HEADER_CHARS + 1))() == 413


def as_json(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()[: reading.MAX_BODY_BYTES]


def answered(request: Callable[[], int]) -> Callable[[], object]:
    def make() -> None:
        assert request() != 500

    return make


def check(meter: Meter, make: Callable[[int], Callable[[], object]], what: str, big: int = BIG) -> None:
    try:
        check_growth(meter, make, big)
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from None


# --- the functions ---------------------------------------------------------------------------------------------------

FUNCTIONS = {
    register: {"username": "carol", "password": PASSWORD},
    login: {"username": "alice", "password": PASSWORD, "remember": False},
    logout: {},
    protected: {},
}


@pytest.fixture
def functions(config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions, warm, on this test's tables."""
    for module in (lambda_http, *FUNCTIONS):
        monkeypatch.setattr(module, "config", lambda: config)
    made = [
        getattr(module, name)
        for module in FUNCTIONS
        for name in ("registration", "accounts", "sessions", "redis")
        if hasattr(module, name)
    ]
    for each in made:
        each.cache_clear()
    yield
    for each in made:
        each.cache_clear()


@pytest.mark.parametrize("module", FUNCTIONS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_function_costs_no_more_than_the_length_of_what_it_is_sent(
    functions: None, meter: Meter, asked: set[str], module: Any
) -> None:
    method = "GET" if module is protected else "POST"

    def call(body: bytes, **headers: str) -> Callable[[], object]:
        event = {"httpMethod": method, "headers": headers, "body": body.decode("utf-8", "surrogatepass")}
        return lambda: module.handler(event, None)

    for _ in range(2):
        call(as_json(FUNCTIONS[module]))()
    assert asked == set(FUNCTIONS[module])
    for worst, unit in WORST.items():
        for name in FUNCTIONS[module]:
            check(meter, lambda size: call(as_json(FUNCTIONS[module] | {name: text(unit, size)})), f"{name}: {worst}")  # noqa: B023
        for header in ("cookie", "user-agent", "x-forwarded-for", "cloudfront-viewer-address", "content-type"):
            check(
                meter,
                lambda size: call(
                    as_json(FUNCTIONS[module]),
                    **{header: text(unit, size), "x-front-secret": "s" * 43},  # noqa: B023
                ),
                f"{header}: {worst}",
            )
    for worst, unit in BODIES.items():
        check(meter, lambda size: call((unit * (size // len(unit))).encode()), worst)  # noqa: B023


# --- sockets ---------------------------------------------------------------------------------------------------------

ABOUT = {"room": "home", "client_id": "c", "seq": 2}
PAYLOADS: dict[str, dict[str, Any]] = {
    "message:send": {"room": "home", "client_id": "c", "text": "hello", "after": 1, "reply_to": 2},
    "message:edit": ABOUT | {"text": "hello"},
    "message:delete": ABOUT,
    "reaction:add": ABOUT | {"emoji": "👍"},
    "reaction:remove": ABOUT | {"emoji": "👍"},
    "reaction:list": {"room": "home", "seq": 2},
    "room:open": {"room": "home", "after": 1},
    "room:read": {"room": "home", "seq": 2},
    "typing:start": {"room": "home"},
    "typing:stop": {"room": "home"},
}


@pytest.fixture
def connection(door: Door) -> ClientSocket:
    session = door.app.extensions["parley"].sessions.read(door.sid)
    assert session is not None and session.person == Person("alice", "alice")
    return ClientSocket("s", session, clock())


def test_every_event_has_a_row_with_all_its_fields(door: Door, connection: ClientSocket) -> None:
    assert set(PAYLOADS) == set(REQUESTS)
    for event, request in REQUESTS.items():
        fields = {field.encode_name for field in structs.fields(request.payload)}
        assert fields == set(PAYLOADS[event]), event
        payload = PAYLOADS[event] | ({"client_id": next(ids)} if "client_id" in fields else {})
        try:
            request.handler(door.app.extensions["parley"], connection, reading.read(request.payload, payload))
        except ChatError as error:
            if error.code != "message_deleted":  # by message:delete, above
                raise


def test_an_event_costs_no_more_than_its_length(door: Door, connection: ClientSocket, meter: Meter) -> None:
    services = door.app.extensions["parley"]

    def request(event: str, packet: str) -> Callable[[], object]:
        def make() -> None:
            try:
                asked = REQUESTS[event]
                asked.handler(services, connection, reading.read(asked.payload, decode(packet).data[1]))
            except (ChatError, Malformed):
                pass

        return make

    fields = [(event, name) for event, payload in PAYLOADS.items() for name in payload]
    for (event, name), (worst, unit) in itertools.product(fields, WORST.items()):

        def make(size: int, event: str = event, name: str = name, unit: str = unit) -> Callable[[], object]:
            payload = PAYLOADS[event] | ({"client_id": next(ids)} if "client_id" in PAYLOADS[event] else {})
            long = payload | {name: text(unit, size)}
            return request(event, f"21{json.dumps([event, long], ensure_ascii=False)}")

        check(meter, make, f"{event}, {name}: {worst}")
    for (event, name), (worst, unit) in itertools.product(fields, BODIES.items()):

        def make(size: int, event: str = event, name: str = name, unit: str = unit) -> Callable[[], object]:
            return request(event, f'21["{event}",{{"{name}":' + unit * (size // len(unit)))

        check(meter, make, f"{event}, {name}: {worst}")


def test_a_packet_costs_no_more_than_its_length(meter: Meter) -> None:
    def request(packet: str) -> Callable[[], object]:
        def make() -> None:
            try:
                decode(packet)
            except Malformed:
                pass

        return make

    begins = ("", "0", "2", "2/", "21", '2["', "3", "5")
    for before, (worst, unit) in itertools.product(begins, (WORST | BODIES).items()):
        check(meter, lambda size: request(before + unit * (size // len(unit))), f"{before}{worst}")  # noqa: B023


def test_the_cookie_of_a_handshake_costs_no_more_than_its_length(meter: Meter) -> None:
    for worst, unit in WORST.items():
        check(meter, lambda size: lambda: cookies.session_id(text(unit, size), "parley"), worst)  # noqa: B023
    assert cookies.value("a=" + " " * BIG + '"; parley=x', "parley") == "x"


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_name_is_measured_before_it_is_folded(meter: Meter) -> None:
    for worst, unit in WORST.items():
        long = text(unit, BIG)
        assert username(long) is None, worst
        with pytest.raises(ChatError):
            room_slug(long)
        assert min(meter.cost_s(lambda long=long: username(long)) for _ in range(3)) < 0.001, worst
