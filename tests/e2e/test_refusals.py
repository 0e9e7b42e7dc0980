"""Wrong requests: each is refused with the typed error of docs/protocol.md, at the socket and by HTTP, and stores
nothing."""

from __future__ import annotations

import pytest

from tests.e2e.parley import PASSWORD, Person, new_id

LONG = "a" * 4_001
HEAVY = "\N{PILE OF POO}" * 3_999 + "aaaa"  # 4,003 characters of 16,000 bytes
SENDS = [
    ("an empty text", {"text": ""}, "text_empty"),
    ("only space", {"text": " \n\t "}, "text_empty"),
    ("4,001 characters", {"text": LONG}, "text_too_long"),
    ("too many of four bytes each", {"text": HEAVY}, "text_too_long"),
    ("a number as text", {"text": 5}, "body_invalid"),
    ("no text", {"text": None}, "body_invalid"),
    ("a list as text", {"text": ["a"]}, "body_invalid"),
    ("half a character", {"text": "\ud800"}, "body_invalid"),
    ("an empty client_id", {"client_id": ""}, "client_id_invalid"),
    ("a client_id of 65 letters", {"client_id": "a" * 65}, "client_id_invalid"),
    ("a client_id with a slash", {"client_id": "a/b"}, "client_id_invalid"),
    ("a number as client_id", {"client_id": 5}, "body_invalid"),
    ("a reply to a word", {"reply_to": "one"}, ("cursor_invalid", "body_invalid")),
]


def refused(answer: dict, code: str | tuple[str, ...]) -> None:
    """It is an error of docs/protocol.md: a code, a sentence for people, and whether to try again."""
    error = answer["error"]
    assert error["code"] in ((code,) if isinstance(code, str) else code), answer
    assert error["message"].endswith((".", "?")) and error["retry"] in (True, False)
    assert set(error) <= {"code", "message", "retry", "retry_after_s"}


@pytest.mark.parametrize(("fields", "code"), [case[1:] for case in SENDS], ids=[case[0] for case in SENDS])
def test_a_wrong_message_is_refused_alike_by_socket_and_http(room, member, peer, fields, code):
    payload = {"client_id": new_id(), "text": "hello", **fields}
    before = member.page(room)["head"]
    answer = peer.emit("message:send", {"room": room, "after": 0, **payload})
    assert answer["ok"] is False
    refused(answer, code)
    status, answer = member.post(f"/api/rooms/{room}/messages", **payload)
    refused(answer, code)
    assert 400 <= status < 500
    assert member.page(room)["head"] == before, "nothing was stored"


@pytest.mark.parametrize(
    "text", ["a" * 4_000, "é" * 4_000, "\N{PILE OF POO}" * 4_000], ids=["ascii", "accents", "emoji"]
)
def test_four_thousand_characters_are_not_too_many(room, member, peer, text):
    assert peer.send(room, text)["message"]["text"] == text
    assert member.say(room, text)["text"] == text


def test_a_client_id_used_again_stores_nothing_new(room, member, peer):
    first = peer.send(room, "once", client_id="mine-" + room[:8])
    stored = member.everything(room), member.everything("general")
    assert peer.send(room, "once", client_id="mine-" + room[:8]) == first
    refused(peer.send(room, "another text", client_id="mine-" + room[:8]), "client_id_reused")
    refused(peer.send("general", "once", client_id="mine-" + room[:8]), "client_id_reused")
    body = {"client_id": "mine-" + room[:8], "text": "another text"}
    status, answer = member.post(f"/api/rooms/{room}/messages", **body)
    refused(answer, "client_id_reused")
    assert status == 409
    assert (member.everything(room), member.everything("general")) == stored


@pytest.mark.parametrize(
    ("event", "args", "code"),
    [
        ("no:such", [{}], "unknown_event"),
        ("connect", [{}], None),
        ("message:send", [], "body_invalid"),
        ("message:send", ["a string"], "body_invalid"),
        ("message:send", [[]], "body_invalid"),
        ("message:send", [{}, {}], "body_invalid"),
        ("message:send", [{}], "body_invalid"),
        ("message:send", [None], "body_invalid"),
        ("message:edit", [{"room": "general", "client_id": "x", "seq": "1", "text": "x"}], "cursor_invalid"),
        ("message:edit", [{"room": "general", "client_id": "x", "seq": 10**11, "text": "x"}], "message_not_found"),
        ("message:delete", [{"room": "general", "client_id": "x", "seq": -1}], "cursor_invalid"),
        ("message:delete", [{"room": "general", "client_id": "x", "seq": 1.5}], "cursor_invalid"),
        ("reaction:add", [{"room": "general", "client_id": "x", "seq": 10**11, "emoji": "👍"}], "message_not_found"),
        ("reaction:add", [{"room": "general", "client_id": "x", "seq": 1, "emoji": "yes"}], "emoji_invalid"),
        ("reaction:add", [{"room": "general", "client_id": "", "seq": 1, "emoji": "👍"}], "client_id_invalid"),
        ("reaction:remove", [{"room": "general", "client_id": "x", "seq": "1", "emoji": "👍"}], "cursor_invalid"),
        ("reaction:remove", [{"room": "general", "client_id": "x", "seq": 1}], "body_invalid"),
        ("reaction:list", [{"room": "general", "seq": None}], "cursor_invalid"),
        ("room:open", [{"room": 5}], "body_invalid"),
        ("room:open", [{"room": "general", "after": True}], "cursor_invalid"),
        ("room:open", [{"room": "general", "after": 10**30}], "cursor_invalid"),
        ("room:open", [{"room": "no such room", "after": 0}], "room_not_found"),
        ("room:open", [{"room": "general#", "after": 0}], "room_not_found"),
        ("room:open", [{"room": "", "after": 0}], "room_not_found"),
        ("room:open", [{"room": "r" * 5_000, "after": 0}], "room_not_found"),
        ("room:read", [{"room": "general", "seq": "1"}], "cursor_invalid"),
        ("typing:start", [{"room": ["general"]}], "body_invalid"),
    ],
)
def test_a_wrong_event_is_refused_and_the_socket_lives_on(peer, event, args, code):
    if code is not None:
        answer = peer.emit(event, *args)
        assert answer["ok"] is False
        refused(answer, code)
    assert peer.emit("room:open", {"room": "general", "after": 0})["ok"] is True


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "body_invalid"),
        (b"[]", {}, 400, "body_invalid"),
        (b'{"client_id": "x"}', {}, 400, "body_invalid"),
        (b"\xff", {}, 400, "body_invalid"),
        (b'{"client_id": "x", "text": "' + b"a" * 66_000 + b'"}', {}, 413, "too_large"),
        (b"text=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "media_type"),
        (b"{}", {"Origin": "http://elsewhere.example"}, 403, "origin_refused"),
        (b"{}", {"Sec-Fetch-Site": "cross-site"}, 403, "origin_refused"),
        (b"{}", {"X-Parley-User": "somebody-else"}, 409, "user_mismatch"),
    ],
)
def test_a_wrong_request_is_refused(member, body, headers, status, code):
    got, answer = member.request("POST", "/api/rooms/general/messages", body, headers)
    refused(answer, code)
    assert got == status


@pytest.mark.parametrize("query", ["before=x", "after=-1", "around=1e3", "limit=-5", "before=9999999999999"])
def test_a_wrong_place_in_the_history_is_refused(member, query):
    status, answer = member.get(f"/api/rooms/general/messages?{query}")
    refused(answer, "cursor_invalid")
    assert status == 400


def test_what_is_not_there_and_what_cannot_be_done_are_said_so(member):
    for method, path, status, code in (
        ("GET", "/api/nothing", 404, "not_found"),
        ("PUT", "/api/rooms", 405, "method_not_allowed"),
        ("GET", "/api/auth/login", 405, "method_not_allowed"),
    ):
        got, answer = member.request(method, path, None if method == "GET" else {})
        refused(answer, code)
        assert got == status


@pytest.mark.parametrize(
    ("username", "password", "status", "code"),
    [
        ("newcomer", "a" * 73, 400, "password_length"),
        ("newcomer", "é" * 37, 400, "password_length"),
        ("newcomer", "short", 400, "password_length"),
        ("newcomer", "password1", 400, "password_common"),
        ("a", PASSWORD, 400, "username_invalid"),
        ("a" * 33, PASSWORD, 400, "username_invalid"),
        ("two words", PASSWORD, 400, "username_invalid"),
        ("<script>", PASSWORD, 400, "username_invalid"),
        (5, PASSWORD, 400, "body_invalid"),
        ("newcomer", None, 400, "body_invalid"),
    ],
)
def test_a_wrong_registration_is_refused_and_makes_no_account(parley, username, password, status, code):
    newcomer = Person(parley, "newcomer")
    got, answer = newcomer.post("/api/auth/register", username=username, password=password)
    refused(answer, code)
    assert got == status
    assert newcomer.post("/api/auth/login", username=username, password=PASSWORD)[0] in (400, 401)


def test_a_name_belongs_to_one_person_however_it_is_written(parley, member):
    for name in (member.name, member.name.upper(), member.name.lower()):
        status, answer = Person(parley, name).post("/api/auth/register", username=name, password=PASSWORD)
        refused(answer, "username_taken")
        assert status == 409


def test_a_password_of_72_bytes_is_taken_and_the_73rd_byte_is_not_forgotten(parley):
    person = Person(parley, "Longpass")
    assert person.post("/api/auth/register", username=person.name, password="x" * 72)[0] == 201
    assert person.post("/api/auth/login", username=person.name, password="x" * 72)[0] == 200
    for wrong in ("x" * 73, "x" * 71):
        status, answer = person.post("/api/auth/login", username=person.name, password=wrong)
        refused(answer, "bad_credentials")
        assert status == 401


def test_nobody_learns_whether_a_name_exists_by_signing_in(parley, member):
    answers = [
        Person(parley, name).post("/api/auth/login", username=name, password="wrong password")
        for name in (member.name, "nobody-of-that-name")
    ]
    assert answers[0] == answers[1] and answers[0][0] == 401
    refused(answers[0][1], "bad_credentials")


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("x", "public", "room_name_invalid"),
        ("a" * 49, "public", "room_name_invalid"),
        ("<b>", "public", "room_name_invalid"),
        ("General", "public", "room_name_taken"),
        ("fine name", "secret", "body_invalid"),
        (5, "public", "body_invalid"),
    ],
)
def test_a_wrong_room_is_refused(member, name, kind, code):
    refused(member.post("/api/rooms", client_id=new_id(), name=name, kind=kind)[1], code)


def test_rooms_refuse_what_their_people_may_not_do(parley, member, room):
    other = parley.person("Other")
    refused(member.act("general", "leave")[1], "room_required")
    refused(member.act(room, "invite", username="nobody-of-that-name")[1], "user_not_found")
    refused(other.act(room, "leave")[1], "room_not_found")
    assert member.act(room, "invite", username=other.user)[0] == 204
    refused(other.act(room, "remove", username=member.user)[1], "not_room_owner")


def test_a_stale_session_is_refused_everywhere(parley, device):
    person = parley.person("Stale")
    cookie = person.cookie
    peer = device(person)
    assert person.request("POST", "/api/auth/logout")[0] == 204
    assert peer.hears("session:ended") == {"reason": "logout"}
    peer.hears("disconnect")
    for stale in (cookie, "", "parley=" + "x" * 43, "parley=../../etc", cookie[:-1]):
        person.cookie = stale
        for path in ("/api/auth/protected", "/api/rooms", "/api/rooms/general/messages"):
            status, answer = person.get(path)
            assert (status, answer.pop("redirect")) == (401, "/login")
            refused(answer, "unauthenticated")
        person.cookie = stale
        assert peer.connect("connect_error")["code"] == "unauthenticated"


def test_a_socket_from_a_foreign_page_or_for_another_person_is_refused(member, device):
    peer = device(member, connect=False)
    assert peer.connect("connect_error", user="somebody-else")["code"] == "user_mismatch"
    for origin in ("http://elsewhere.example", "null", ""):
        peer.connect("connect_error", origin=origin)
    assert peer.all_of("connect") == []


@pytest.fixture(scope="module")
def member(parley):
    return parley.person("Member")


@pytest.fixture(scope="module")
def room(member):
    return member.room("refusals")


@pytest.fixture
def peer(member, device):
    return device(member)
