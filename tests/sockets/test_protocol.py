"""The two tables of the protocol, and what stands outside the code: the rules of delivery, the page's types."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from msgspec import structs

from chat.errors import ChatError
from chat.sockets.protocol import EVENTS, PING, REQUESTS
from chat.sockets.transport.content import tells
from chat.wire.reading import read
from tests.conftest import ROOT

DOCUMENTED = (ROOT / "docs" / "protocol.md").read_text()


@pytest.mark.parametrize("event", EVENTS)
def test_what_tells_of_a_room_is_content_to_the_transport(event):
    assert tells(f'2["{event}",{{}}]') is EVENTS[event].of_room


def rows(title: str) -> set[str]:
    """The events that a table of docs/protocol.md has, by the title of its first column."""
    lines = DOCUMENTED.split(f"| {title} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {name for line in lines for name in re.findall(r"`([a-z]+(?::[a-z]+)?)`", line.split("|")[1])}


def test_the_tables_and_the_document_name_the_same_events():
    assert rows("client → server") == REQUESTS.keys() | {PING}
    assert rows("server → client") == EVENTS.keys()


def test_whatever_the_server_tells_by_name_is_in_the_table():
    """Names that the code says; those that it makes are `member:` and the kind of an entry."""
    named = set()
    for path in (ROOT / "chat").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("emit", "tell", "_to_user"):
                said = [each.value for each in call.args if isinstance(each, ast.Constant)]
                named |= {each for each in said if isinstance(each, str)}
    assert named and named <= EVENTS.keys()


# --- what comes in ---------------------------------------------------------------------------------------------------

GOOD = {
    "room": "general",
    "client_id": "c",
    "text": "hello",
    "emoji": "👍",
    "seq": 1,
    "after": 1,
    "reply_to": 1,
}
DEEP: Any = 1
for _ in range(20):
    DEEP = [DEEP]
WRONG_TEXTS = [None, 1, 1.5, True, ["general"], {"a": "b"}, DEEP]
WRONG_NUMBERS = [None, "1", "\ud83d", 1.0, 1.5, True, [1], {"a": 1}, -1, 10**12, 2**53, 2**64, 10**400, DEEP]
FIELDS = [(event, each) for event, request in REQUESTS.items() for each in structs.fields(request.payload)]


def payload_of(event: str, **other: Any) -> dict[str, Any]:
    return {each.encode_name: GOOD[each.encode_name] for each in structs.fields(REQUESTS[event].payload)} | other


def code_of(event: str, payload: dict[str, Any]) -> str | None:
    """Why that is no payload of the event; None when it is one."""
    try:
        read(REQUESTS[event].payload, payload)
    except ChatError as refused:
        return refused.code
    return None


@pytest.mark.parametrize(("event", "field"), FIELDS, ids=[f"{event}-{each.name}" for event, each in FIELDS])
def test_a_field_that_is_wrong_is_refused_with_the_code_of_its_kind(event, field):
    assert code_of(event, payload_of(event)) is None
    is_number = type(GOOD[field.encode_name]) is int
    for wrong in WRONG_NUMBERS if is_number else WRONG_TEXTS:
        if wrong is None and field.encode_name == "reply_to":
            continue
        code = code_of(event, payload_of(event, **{field.encode_name: wrong}))
        assert code == ("cursor_invalid" if is_number else "body_invalid"), wrong


@pytest.mark.parametrize(("event", "field"), FIELDS, ids=[f"{event}-{each.name}" for event, each in FIELDS])
def test_a_field_that_is_missing_is_refused_unless_it_may_be(event, field):
    payload = payload_of(event)
    del payload[field.encode_name]
    optional = field.encode_name in ("after", "reply_to")
    code = "cursor_invalid" if field.encode_name == "seq" else "body_invalid"
    assert code_of(event, payload) == (None if optional else code)


@pytest.mark.parametrize("event", REQUESTS)
def test_what_a_later_version_asks_for_besides_is_passed_by(event):
    assert code_of(event, payload_of(event, more=DEEP, mood={"glad": 2**70}, constructor=None)) is None


def test_of_several_that_are_wrong_the_first_is_named():
    assert code_of("message:send", {"reply_to": "x"}) == "cursor_invalid"
    assert code_of("message:send", {"room": 1, "after": "x"}) == "body_invalid"
    assert code_of("message:edit", {"room": "general", "client_id": "c", "seq": "x"}) == "body_invalid"
    assert code_of("room:open", {"room": "general", "after": None}) == "cursor_invalid"


def test_half_a_character_is_refused_in_whatever_field_it_stands():
    """Nothing behind the edge can write it down: a room of that name was a fault of ours, with a traceback."""
    texts = [(event, each.encode_name) for event, each in FIELDS if type(GOOD[each.encode_name]) is str]
    assert {field for _, field in texts} == {"room", "client_id", "text", "emoji"}
    for event, field in texts:
        for half in ("\ud83d", "a\udc00b", "é" * 70 + "\udfff"):
            assert code_of(event, payload_of(event, **{field: half})) == "body_invalid", (event, field)
    assert code_of("message:send", payload_of("message:send", text="👍 é")) is None
