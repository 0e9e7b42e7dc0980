"""History in pages, and sending without a socket: the answers that docs/protocol.md promises."""

from __future__ import annotations

import pytest

GENERAL = "/api/rooms/general/messages"


def code(response):
    return response.json["error"]["code"]


def send(client, client_id, text, **more):
    return client.post(GENERAL, json={"client_id": client_id, "text": text, **more})


@pytest.fixture
def alice(client, auth):
    auth.enter("alice")
    return client


@pytest.fixture
def talked(alice):
    """Ten messages in general."""
    for n in range(1, 11):
        assert send(alice, f"m{n}", f"message {n}").status_code == 201
    return alice


def seqs(response):
    assert response.status_code == 200, response.text
    return [entry["seq"] for entry in response.json["entries"]]


def test_a_message_is_answered_as_it_is_stored(alice):
    sent = send(alice, "first", "Grüße, 世界 😀")
    assert sent.status_code == 201
    message = sent.json["message"]
    assert message.pop("created_at_ms") > 1_700_000_000_000
    assert message.pop("generation") > 1_700_000_000
    assert message == {
        "room": "general", "seq": 1, "rev": 1, "client_id": "first", "author": "alice",
        "name": "alice", "text": "Grüße, 世界 😀", "deleted": False,
    }  # fmt: skip
    assert alice.get(GENERAL).json["messages"][0]["text"] == "Grüße, 世界 😀"


def test_the_same_request_again_is_the_same_message_and_with_another_text_it_is_refused(alice):
    first, again = send(alice, "same", "hello"), send(alice, "same", "hello")
    assert first.json == again.json
    page = alice.get(GENERAL).json
    assert [message["text"] for message in page["messages"]] == ["hello"]
    other = send(alice, "same", "something else")
    assert (other.status_code, code(other)) == (409, "client_id_reused")


def test_what_a_client_says_about_itself_is_not_believed(alice):
    forged = {"author": "bob", "name": "Bob", "seq": 900, "created_at_ms": 1, "room": "elsewhere", "deleted": True}
    message = send(alice, "forged", "hello", **forged).json["message"]
    assert (message["author"], message["name"], message["seq"], message["room"]) == ("alice", "alice", 1, "general")
    assert message["created_at_ms"] > 1 and message["deleted"] is False


def test_a_reply_names_what_it_answers(alice):
    send(alice, "a", "question")
    assert send(alice, "b", "answer", reply_to=1).json["message"]["reply_to"] == 1
    assert "reply_to" not in send(alice, "c", "neither", reply_to=None).json["message"]
    refused = send(alice, "d", "an answer to nothing", reply_to=4)
    assert (refused.status_code, code(refused)) == (404, "reply_not_found")


def test_the_newest_page_comes_without_asking_for_a_place(talked):
    page = talked.get(GENERAL).json
    assert set(page) == {"generation", "head", "floor", "from", "entries", "messages", "more"}
    assert [entry["seq"] for entry in page["entries"]] == list(range(1, 11))
    assert (page["head"], page["floor"], page["from"], page["more"]) == (10, 1, 1, False)


@pytest.mark.parametrize(
    ("query", "expected", "more"),
    [
        ("limit=3", [8, 9, 10], True),
        ("before=8&limit=3", [5, 6, 7], True),
        ("before=4&limit=3", [1, 2, 3], False),
        ("after=4&limit=3", [5, 6, 7], True),
        ("after=7&limit=3", [8, 9, 10], False),
        ("after=10", [], False),
        ("before=1", [], False),
    ],
)
def test_a_page_is_what_was_asked_for(talked, query, expected, more):
    page = talked.get(f"{GENERAL}?{query}")
    assert seqs(page) == expected and page.json["more"] is more


def test_a_page_around_a_message_holds_it(talked):
    assert 5 in seqs(talked.get(f"{GENERAL}?around=5&limit=4"))


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=-1", "limit=x", "after=-1", "after=NaN", "after=", "after=%27%20OR%201=1",
        "after=9223372036854775808", "before=1.5", "before=٣", "around=+1", "before=5&after=5",
        "before=R%23general%230",
    ],
)  # fmt: skip
def test_a_place_that_makes_no_sense_is_refused(talked, query):
    refused = talked.get(f"{GENERAL}?{query}")
    assert (refused.status_code, code(refused)) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "text_empty"),
        (" \n\t ", "text_empty"),
        ("x" * 4001, "text_too_long"),
        ("x" * 4000, None),
        ("😀" * 4000, None),
    ],
)
def test_a_text_has_something_to_say_and_an_end(alice, text, expected):
    answer = send(alice, "text", text)
    assert (answer.status_code, code(answer) if expected else None) == (400 if expected else 201, expected)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"client_id": "a"}', b'{"text": "a"}', b'{"client_id": "a", "text": 5}',
        b'{"client_id": "a", "text": "x", "reply_to": "1"}', b'{"client_id": "a", "text": "x", "reply_to": 1.5}',
        b'{"client_id": "a", "text": "x", "reply_to": true}', b'{"client_id": "a", "text": "\\ud800"}',
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_is_a_400_and_stores_nothing(alice, body):
    refused = alice.post(GENERAL, data=body, content_type="application/json")
    assert (refused.status_code, code(refused)) == (400, "body_invalid")
    assert seqs(alice.get(GENERAL)) == []


@pytest.mark.parametrize("reply_to", [0, -1, 10**12, 10**400], ids=["none", "below", "above", "far above"])
def test_a_reply_to_a_number_that_cannot_be_is_refused(alice, reply_to):
    refused = send(alice, "a", "x", reply_to=reply_to)
    assert (refused.status_code, code(refused)) == (400, "cursor_invalid")
    assert seqs(alice.get(GENERAL)) == []


@pytest.mark.parametrize(
    "room", ["nowhere", "general%23", "%23", "R%23general", "g" * 500, "general%00", "%F0%9F%98%80"]
)
def test_a_room_that_cannot_be_is_no_room(alice, room):
    refused = alice.get(f"/api/rooms/{room}/messages")
    assert (refused.status_code, code(refused)) == (404, "room_not_found")
    refused = alice.post(f"/api/rooms/{room}/messages", json={"client_id": "a", "text": "x"})
    assert (refused.status_code, code(refused)) == (404, "room_not_found")
