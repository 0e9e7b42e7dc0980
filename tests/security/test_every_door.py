"""Every route and every event, each with somebody whom it lets in and somebody whom it turns away; and nothing of a
person is done for a session that is none. A new route or event has to be named here, and in tests/security/matrix.py
where it speaks of a room.

Who may what behind the doors, cell by cell, is asked of the services: test_matrix.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_socketio import ConnectionRefusedError

from chat.errors import KINDS
from chat.models import Person, User
from chat.services.sessions.record import Session
from chat.sockets.client_sockets import ClientSocket
from chat.sockets.protocol import PING, REQUESTS
from chat.sockets.transport import WOULD_BLOCK
from tests.conftest import PASSWORD, browser
from tests.security.matrix import LINES

ids = (f"id{n}" for n in itertools.count())
FOREIGN = {"Origin": "https://evil.example"}


@dataclass(frozen=True)
class Door:
    """Whom it lets in, as what he asks and gets; and whom it does not. An `open` one has nobody to turn away."""

    allowed: tuple[str, dict[str, Any], int]
    denied: tuple[str, dict[str, Any], str] | None
    path: str = ""
    denied_path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    denied_headers: dict[str, str] = field(default_factory=dict)


def for_members(status: int, **body: Any) -> Door:
    return Door(("member", body, status), ("stranger", body, "room_not_found"))


def for_signed_in(status: int = 200, **body: Any) -> Door:
    return Door(("member", body, status), ("nobody", body, "unauthenticated"))


def for_all(path: str) -> Door:
    return Door(("nobody", {}, 200), None, path=path)


NEW = {"username": "newcomer", "password": PASSWORD}
ROUTES: dict[str, Door] = {
    "GET /": for_all("/"),
    "GET /login": for_all("/login"),
    "GET /register": for_all("/register"),
    "GET /r/<path:place>": for_all("/r/general/1"),
    "GET /config.json": for_all("/config.json"),
    "GET /<name>": for_all("/index.html"),
    "GET /assets/<path:name>": for_all("/{asset}"),
    "GET /healthz": for_all("/healthz"),
    "GET /readyz": for_all("/readyz"),
    "POST /api/auth/register": Door(
        ("nobody", NEW, 201), ("nobody", NEW, "origin_refused"), denied_headers=FOREIGN
    ),
    "POST /api/auth/login": Door(
        ("nobody", {"username": "member", "password": PASSWORD}, 200),
        ("nobody", {"username": "member", "password": "not the password"}, "bad_credentials"),
    ),
    "POST /api/auth/logout": Door(("member", {}, 204), ("member", {}, "origin_refused"), denied_headers=FOREIGN),
    "GET /api/auth/protected": for_signed_in(),
    "POST /api/auth/ticket": Door(
        ("nobody", {"ticket": "{ticket}"}, 200),
        ("nobody", {"ticket": "made.up"}, "ticket_invalid"),
        headers={"Origin": "http://localhost:8000"},
        denied_headers={"Origin": "http://localhost:8000"},
    ),
    "POST /api/auth/stay": for_signed_in(),
    "POST /api/auth/password": Door(
        ("member", {"password": PASSWORD, "new_password": f"{PASSWORD} too"}, 200),
        ("member", {"password": "not the password", "new_password": f"{PASSWORD} too"}, "password_wrong"),
    ),
    "GET /api/auth/sessions": for_signed_in(),
    "DELETE /api/auth/sessions/<public_id>": Door(
        ("member", {}, 204),
        ("member", {}, "session_not_found"),
        path="/api/auth/sessions/{mine}",
        denied_path="/api/auth/sessions/{theirs}",
    ),
    "DELETE /api/auth/sessions": for_signed_in(204),
    "GET /api/rooms": for_signed_in(),
    "POST /api/rooms": for_signed_in(201, client_id="{id}", name="Made here", kind="private"),
    "POST /api/rooms/<room>/join": Door(
        ("stranger", {"client_id": "{id}"}, 200),
        ("stranger", {"client_id": "{id}"}, "room_not_found"),
        path="/api/rooms/open-to-all/join",
    ),
    "POST /api/rooms/<room>/leave": for_members(204, client_id="{id}"),
    "POST /api/rooms/<room>/invite": for_members(204, client_id="{id}", username="bystander"),
    "POST /api/rooms/<room>/remove": Door(
        ("owner", {"client_id": "{id}", "username": "member"}, 204),
        ("member", {"client_id": "{id}", "username": "owner"}, "not_room_owner"),
    ),
    "GET /api/rooms/<room>/members": for_members(200),
    "GET /api/rooms/<room>/messages": for_members(200),
    "POST /api/rooms/<room>/messages": for_members(201, client_id="{id}", text="hello"),
}  # fmt: skip
SIGNED_IN = [each for each, door in ROUTES.items() if door.allowed[0] != "nobody" and not each.endswith("/logout")]

# Whoever has a socket may ask whether the line is alive; the answer is the same, and nothing, whatever is sent.
OPEN_EVENTS = {PING}
# Event → who may, who may not, and why. Every payload has the room and a client_id.
SOCKETS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "message:send": ("member", "stranger", "room_not_found", {"text": "hello"}),
    "message:edit": ("owner", "member", "not_author", {"seq": "{said}", "text": "edited"}),
    "message:delete": ("owner", "member", "not_author", {"seq": "{said}"}),
    "reaction:add": ("member", "stranger", "room_not_found", {"seq": "{said}", "emoji": "👍"}),
    "reaction:remove": ("member", "stranger", "room_not_found", {"seq": "{said}", "emoji": "👍"}),
    "reaction:list": ("member", "stranger", "room_not_found", {"seq": "{said}"}),
    "room:open": ("member", "stranger", "room_not_found", {}),
    "room:read": ("member", "stranger", "room_not_found", {"seq": 1}),
    "typing:start": ("member", "stranger", "room_not_found", {}),
    "typing:stop": ("member", "stranger", "room_not_found", {}),
}


def routes(app: Flask) -> set[str]:
    """Every route as `GET /path`, as the app would serve it."""
    rules = app.url_map.iter_rules()
    return {f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def events_of(app: Flask) -> set[str]:
    """Every event that a socket is answered, whoever answers it."""
    server = app.extensions["socketio"].server
    return (server.handlers["/"].keys() | server._inline.keys()) - {"connect", "disconnect", "*"}


def unnamed(doors: Iterable[str]) -> set[str]:
    """Those of these routes and events for which the tables have no line."""
    of_rooms = {door for door in doors if "rooms" in door or " " not in door} - {"POST /api/rooms"} - OPEN_EVENTS
    return set(doors) - (ROUTES.keys() | SOCKETS.keys() | OPEN_EVENTS) | of_rooms - LINES.keys()


class House:
    """An app with people, a private room of the owner's with the member in it, and a public one."""

    def __init__(self, app: Flask):
        self.app = app
        self.services = app.extensions["parley"]
        self.sockets = app.extensions["socketio"].server.handlers["/"]
        self._people: dict[str, Person] = {}
        for name in ("owner", "member", "stranger", "bystander"):
            self._people[name] = self._register(name)
        memberships, owner = self.services.memberships, self._people["owner"]
        self.room = memberships.create(owner, next(ids), "Closed", "private")["room"]
        memberships.invite(owner, next(ids), self.room, "member")
        memberships.create(owner, next(ids), "Open to all", "public")
        said = self.services.messages.send(owner, self.room, next(ids), "said by the owner")
        asset = next(name for name in app.extensions["bundle"] if name.startswith("assets/"))
        self._facts = {"{said}": said["seq"], "{asset}": asset}

    def _register(self, name: str) -> Person:
        passwords = self.services.accounts._passwords
        password_hash = passwords.hash(PASSWORD.encode(), ("tests", name)) if name == "member" else ""
        self.services.storage.users.put(User(name, name.title(), password_hash))
        return Person(name, name.title())

    def session(self, name: str) -> Session:
        """A new session of somebody's."""
        user = self.services.storage.users.get(name)
        assert user is not None
        return self.services.sessions.create(user)

    def client(self, session: Session | str | None) -> FlaskClient:
        client = browser(self.app)
        sid = session.sid if isinstance(session, Session) else session
        if sid is not None:
            client.set_cookie("parley", sid, domain="localhost")
        return client

    def filled(self, value: Any) -> Any:
        """The value with what is only known here in the place of its name."""
        if isinstance(value, dict):
            return {name: self.filled(each) for name, each in value.items()}
        makers: dict[str, Callable[[], Any]] = {
            "{id}": lambda: next(ids),
            "{ticket}": lambda: self.services.tickets.issue(self.session("member")),
            "{mine}": lambda: (
                self.session("member" if self.services.storage.users.get("member") else "owner").public_id
            ),
            "{theirs}": lambda: self.session("owner").public_id,
        }
        if value in self._facts:
            return self._facts[value]
        return makers[value]() if value in makers else value

    def ask(self, door: str, who: str, body: dict[str, Any], path: str = "", headers: Any = None) -> tuple[int, str]:
        """What somebody is answered there: the status, and the code of a refusal."""
        session = None if who == "nobody" else self.session(who)
        return self.asked(door, self.client(session), body, path, headers)

    def asked(self, door: str, client: FlaskClient, body: Any, path: str = "", headers: Any = None) -> tuple[int, str]:
        method, _, rule = door.partition(" ")
        address = (path or rule).replace("<room>", self.room)
        for fact in ("{mine}", "{theirs}", "{asset}"):
            if fact in address:
                address = address.replace(fact, self.filled(fact))
        sent = {} if method == "GET" else {"json": self.filled(body)}
        answer = client.open(address, method=method, headers=headers or {}, **sent)
        refused = answer.json.get("error") if answer.is_json and answer.json else None
        return answer.status_code, refused["code"] if refused else ""

    def socket(self, session: Session) -> str:
        """A socket that this session opened a while ago: every request of it has the session looked up."""
        sid = next(ids)
        connections = self.sockets["connect"].__self__._clients
        connections.add(ClientSocket(sid, session, 0.0))
        return sid

    def emit(self, sid: str, event: str, payload: Any) -> str:
        """What a socket is answered: `ok`, or the code of a refusal."""
        answer = self.sockets[event](sid, {"room": self.room, "client_id": next(ids), **self.filled(payload)})
        return "ok" if answer["ok"] else answer["error"]["code"]


@pytest.fixture
def house(app: Flask) -> House:
    return House(app)


def test_every_route_and_event_is_named_here(app: Flask) -> None:
    events = events_of(app)
    assert unnamed(routes(app) | events) == set()
    assert routes(app) == ROUTES.keys() and events == SOCKETS.keys() | OPEN_EVENTS, "and none that there is not"
    assert set(LINES) <= ROUTES.keys() | SOCKETS.keys()


def test_a_route_or_an_event_that_nobody_thought_of_is_noticed(app: Flask) -> None:
    app.add_url_rule("/api/rooms/<room>/purge", view_func=lambda room: "", methods=["POST"])
    app.add_url_rule("/api/auth/protected", "forgotten", lambda: "", methods=["PUT"])
    new = {"POST /api/rooms/<room>/purge", "PUT /api/auth/protected"}
    assert unnamed(routes(app) | events_of(app) | {"message:pin"}) == new | {"message:pin"}


def test_every_route_lets_somebody_in_and_turns_somebody_away(house: House) -> None:
    for name, door in ROUTES.items():
        if door.denied is not None:
            who, body, code = door.denied
            refused = house.ask(name, who, body, door.denied_path, door.denied_headers)
            assert refused == (KINDS[code].status, code), f"{name}: {who}"
    for name, door in sorted(ROUTES.items(), key=lambda each: "leave" in each[0] or "remove" in each[0]):
        who, body, status = door.allowed
        assert house.ask(name, who, body, door.path, door.headers)[0] == status, f"{name}: {who}"
        house.services.memberships.invite(Person("owner", "Owner"), next(ids), house.room, "member")


def test_what_is_for_everybody_shows_nothing_of_anybody(house: House) -> None:
    for name, door in ROUTES.items():
        if door.denied is None:
            path = door.path.replace("{asset}", house.filled("{asset}"))
            nobodys, mine = (house.client(each).get(path) for each in (None, house.session("member")))
            assert (nobodys.status_code, nobodys.data) == (200, mine.data), name


NO_SESSION = ("none", "made up", "logged out", "expired", "everywhere", "without an account")


@pytest.mark.parametrize("standing", NO_SESSION)
def test_no_route_of_a_persons_answers_a_session_that_is_none(house: House, standing: str) -> None:
    """Asked for what the person may do, with the body that is right for it."""
    client = house.client(over(house, standing))
    for name in SIGNED_IN:
        door = ROUTES[name]
        refused = house.asked(name, client, door.allowed[1], door.path, door.headers)
        assert refused == (401, "unauthenticated"), name
    well = house.client(house.session("owner"))
    assert house.asked("GET /api/auth/protected", well, {}) == (200, ""), "others are signed in as before"


def over(house: House, standing: str) -> str | None:
    """The cookie of a session that is over in that way, None for no cookie."""
    if standing in ("none", "made up"):
        return None if standing == "none" else "x" * 43
    session = house.session("member")
    sessions, storage = house.services.sessions, house.services.storage
    if standing == "logged out":
        house.services.accounts.logout(session, "")
    elif standing == "expired":
        house.services.redis.delete(sessions.key(session.sid))
    elif standing == "everywhere":
        house.services.accounts.end_sessions(session, "")
    else:
        storage.client.call("delete_item", TableName=storage.client.table("users"), Key={"username": {"S": "member"}})
        house.services.redis.delete("user_epoch:member")
    return session.sid


def test_no_route_of_a_persons_answers_who_is_somebody_else_than_the_page_believes(house: House) -> None:
    client = house.client(house.session("member"))
    for name in SIGNED_IN:
        door = ROUTES[name]
        refused = house.asked(name, client, door.allowed[1], door.path, {"X-Parley-User": "owner"})
        assert refused == (409, "user_mismatch"), name


def test_every_event_lets_somebody_in_and_turns_somebody_away(house: House) -> None:
    member, owner, stranger = (house.socket(house.session(who)) for who in ("member", "owner", "stranger"))
    of = {"member": member, "owner": owner, "stranger": stranger}
    for event, (_, denied, code, payload) in SOCKETS.items():
        assert house.emit(of[denied], event, payload) == code, event
    for event, (allowed, _, _, payload) in sorted(SOCKETS.items(), key=lambda each: each[0] == "message:delete"):
        assert house.emit(of[allowed], event, payload) == "ok", event
    assert house.sockets["*"]("message:pin", member, {"room": house.room})["error"]["code"] == "unknown_event"


@pytest.mark.parametrize("standing", ["logged out", "expired", "everywhere", "unknown"])
def test_no_event_is_answered_to_a_socket_without_a_session(house: House, standing: str) -> None:
    for event, (allowed, _, _, payload) in SOCKETS.items():
        session = house.session(allowed)
        sid = house.socket(session)
        assert house.emit(sid, "room:open", {}) == "ok"
        if standing == "unknown":
            sid = "nobody's"
        elif standing == "logged out":
            house.services.sessions.end(session.sid, "logout")
        elif standing == "expired":
            house.services.redis.delete(house.services.sessions.key(session.sid))
        else:
            house.services.accounts.end_sessions(session, "")
        connection = house.sockets["connect"].__self__._clients.get(sid)
        if connection is not None:
            connection.checked_at = 0.0  # a while ago
        assert house.emit(sid, event, payload) == "unauthenticated", event


def test_what_is_answered_in_the_hub_is_left_to_the_others_unless_it_is_known_to_be_right(house: House) -> None:
    """A stranger, and a session that has to be looked up, go the ordinary way, which refuses them."""
    sockets = house.sockets["connect"].__self__
    for event in (event for event, request in REQUESTS.items() if request.inline is not None):
        for who in ("stranger", "member"):
            sid = house.socket(house.session(who))
            assert sockets.on_inline(event, sid, {"room": house.room}) is WOULD_BLOCK, (event, who)


def test_a_person_has_one_allowance_of_requests_for_all_routes_and_events(house: House) -> None:
    """In this worker, of any kind and by both doors. It is theirs alone."""
    requests = house.services.requests
    requests._acts, requests._window_s = 1, 86_400.0
    assert house.ask("GET /api/rooms", "member", {})[0] == 200
    for name in SIGNED_IN:
        _, body, _ = ROUTES[name].allowed
        assert house.ask(name, "member", body, ROUTES[name].path) == (429, "rate_limited"), name
    sid = house.socket(house.session("member"))
    for event, (_, _, _, payload) in SOCKETS.items():
        assert house.emit(sid, event, payload) == "rate_limited", event
    assert house.emit(house.socket(house.session("owner")), "room:open", {}) == "ok"


@pytest.mark.parametrize("standing", ["", "logged out", "expired", "everywhere"])
def test_a_ping_is_answered_with_nothing_and_nothing_is_done_for_it(house: House, standing: str) -> None:
    """Whoever has a socket is told that it is alive, and neither who they are nor that they still are anybody."""
    sockets, sessions = house.sockets["connect"].__self__, house.services.sessions
    session = house.session("stranger")
    sid = house.socket(session)
    if standing == "logged out":
        sessions.end(session.sid, "logout")
    elif standing == "expired":
        house.services.redis.delete(sessions.key(session.sid))
    elif standing == "everywhere":
        house.services.accounts.end_sessions(session, "")
    key = sessions.key(session.sid)
    before = house.services.redis.get(key)
    house.services.redis.expire(key, 60)
    for payload in ((), ({},), ({"room": house.room},), ("x", 1)):
        assert sockets.on_ping(sid, *payload) is None
    assert house.services.redis.get(key) == before and (before is None) == (standing != "")
    assert house.services.redis.ttl(key) <= 60, "no ping keeps a session alive"
    assert sockets.on_ping("nobody's") is WOULD_BLOCK
    assert house.sockets["*"](PING, "nobody's", {})["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize("standing", ["none", "made up", "logged out", "expired", "everywhere"])
def test_no_socket_connects_without_a_session(house: House, standing: str) -> None:
    sid = over(house, standing)
    environ = {} if sid is None else {"HTTP_COOKIE": f"parley={sid}"}
    with pytest.raises(ConnectionRefusedError) as refused:
        house.sockets["connect"]("socket", environ, None)
    assert refused.value.error_args["data"]["code"] == "unauthenticated"
