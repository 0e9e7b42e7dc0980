"""What a body may be: decoded strictly, each field of exactly its type, and what is not known is passed by."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from chat.config import MAX_BODY_BYTES
from chat.depth import MAX_DEPTH
from chat.errors import ChatError
from chat.wire import bodies
from chat.wire.bodies import Say
from chat.wire.reading import read_json

KINDS = [each for each in vars(bodies).values() if isinstance(each, type) and each.__module__ == bodies.__name__]
GOOD = {
    "username": "alice",
    "password": "correct horse",
    "new_password": "correct horse",
    "ticket": "a.b",
    "client_id": "c",
    "name": "Plans",
    "kind": "public",
    "text": "hello",
    "reply_to": 1,
    "remember": True,
    "successor": "bob",
}
OPTIONAL = ("reply_to", "remember", "successor")
FIELDS = [(kind, each.name) for kind in KINDS for each in structs.fields(kind)]


def code(kind, content, content_type="application/json"):
    """Why that is no such body; None when it is one."""
    try:
        read_json(kind, content_type, content if isinstance(content, bytes) else json.dumps(content).encode())
    except ChatError as refused:
        return refused.code
    return None


def good(kind):
    return {each.name: GOOD[each.name] for each in structs.fields(kind)}


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind.__name__}-{name}" for kind, name in FIELDS])
def test_a_field_that_is_wrong_is_refused(kind, name):
    body = good(kind)
    assert code(kind, body) is None
    for wrong in (None, 1, 1.5, True, "1", "\ud83d", ["a"], {"a": 1}):
        if type(wrong) is type(GOOD[name]) and wrong not in ("\ud83d", "1" if name == "kind" else ()):
            continue
        if wrong is None and name in OPTIONAL:
            continue
        assert code(kind, body | {name: wrong}) == "body_invalid", wrong
    del body[name]
    assert code(kind, body) == (None if name in OPTIONAL else "body_invalid")


def test_a_number_that_no_entry_has_is_said_to_be_one():
    for wrong in (0, -1, 10**12, 2**53, 10**400):
        assert code(Say, good(Say) | {"reply_to": wrong}) == "cursor_invalid"
    assert code(Say, good(Say) | {"reply_to": None}) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{} {}",
        b"\xff",
        b'{"client_id":"c","text":"a","text":"b"}',
        b'{"client_id":"c","text":"a","more":{"b":1,"b":2}}',
        b'{"client_id":"c","text":NaN}',
        b'{"client_id":"c","text":"a","more":Infinity}',
        b'{"client_id":"c","text":"\\ud800"}',
        b'{"client_id":"c","text":"a","more":' + b"[" * 60_000,
        b'{"client_id":"c","text":"a","more":' + b"9" * 5_000 + b"}",
        b'{"client_id":"c","text":"a","more":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
        b'{"client_id":"c","text":"a","more":' + b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH + b"}",
    ],
    ids=lambda content: repr(content[:40]),
)
def test_what_is_no_object_of_json_is_refused(content):
    assert code(Say, content) == "body_invalid"


def test_lists_and_objects_may_stand_in_one_another_up_to_a_depth():
    inner = MAX_DEPTH - 1
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        more = opened * inner + b"1" + closed * inner
        assert code(Say, b'{"client_id":"c","text":"a","more":' + more + b"}") is None


def test_what_a_later_version_asks_for_besides_is_passed_by():
    for more in ([[[[[1]]]]], {"a": None}, 2**70, 1.5, "\ud800"):
        assert code(Say, good(Say) | {"more": more}) is None


def test_too_much_and_what_is_said_to_be_something_else():
    assert code(Say, b" " * MAX_BODY_BYTES) == "body_invalid"
    assert code(Say, b" " * (MAX_BODY_BYTES + 1)) == "too_large"
    assert code(Say, good(Say), "text/plain") == "media_type"
    assert code(Say, good(Say), "") is None
