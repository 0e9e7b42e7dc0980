"""Events that no gateway and no stream sends, as somebody types them into a console: refused, and no fault of ours."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.lambdas.conftest import Runtime

FUNCTIONS = {"register": "POST", "login": "POST", "logout": "POST", "protected": "GET"}
WRONG: tuple[Any, ...] = (1, 1.5, True, "text", ["a"], [1], {"a": 1}, [{}], "\ud83d", [["a"]])
FIELDS = {
    "body": (1, True, ["a"], {"username": "alice"}),
    "isBase64Encoded": (1, "true", ["a"], {}),
    "headers": (1, True, "text", ["a"], {"X": 1}, {"Cookie": ["a"]}, {"User-Agent": {}}, {"Origin": "\ud83d"}),
    "multiValueHeaders": (1, True, "text", ["a"], {"X": 1}, {"Cookie": "a"}, {"Cookie": [1]}, {"Cookie": ["\ud83d"]}),
    "httpMethod": (1, True, ["POST"], {}),
    "requestContext": (1, "text", ["a"], {"identity": 1}, {"identity": ["a"]}, {"identity": {"sourceIp": 1}}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_event_of_another_shape_is_refused(runtime: Runtime, name: str, caplog: pytest.LogCaptureFixture) -> None:
    handler = runtime.handler(name)
    good = {"httpMethod": FUNCTIONS[name], "body": json.dumps({"username": "alice", "password": "x"})}
    odd: list[Any] = [None, *WRONG[:6], "", []]
    odd += [good | {field: value} for field, values in FIELDS.items() for value in values]
    odd.append(good | {"body": "\ud83d", "isBase64Encoded": True})
    odd.append(good | {"requestContext": {"identity": {"sourceIp": "\ud83d"}}})
    for event in odd:
        answer = handler(event, None)
        assert answer["statusCode"] == 400, event
        assert json.loads(answer["body"])["error"]["code"] == "body_invalid"
        json.dumps(answer)
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_an_event_leaves_out_or_says_is_null_is_not_there(runtime: Runtime, name: str) -> None:
    """A console's first example among them."""
    handler = runtime.handler(name)
    bare: list[Any] = [{}, {"key1": "value1"}, dict.fromkeys(FIELDS), {"requestContext": {"identity": None}}]
    expected = {"register": 400, "login": 400, "logout": 204, "protected": 405}[name]
    assert [handler(event, None)["statusCode"] for event in bare] == [expected] * len(bare)


def test_an_event_of_no_stream_is_refused(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    handler = runtime.handler("ingest")
    change = {"SequenceNumber": "1", "Keys": {"room": {"S": "general"}, "id": {"S": "1"}}}
    good = {"eventSourceARN": "arn:x/1", "eventName": "REMOVE", "dynamodb": change}
    odd: list[Any] = [None, {}, {"key1": "value1"}, *WRONG, *({"Records": value} for value in WRONG), {"Records": None}]
    for field in ("eventSourceARN", "dynamodb"):
        odd += [{"Records": [good, good | {field: value}]} for value in (None, 1, ["a"])]
    for field in ("Keys", "SequenceNumber"):
        odd.append({"Records": [good | {"dynamodb": {k: v for k, v in change.items() if k != field}}]})
    odd += [{"Records": [good | {"dynamodb": change | {"Keys": keys}}]} for keys in ({}, {"room": "a"}, {"room": {}})]
    for event in odd:
        assert handler(event, None)["statusCode"] == 400, event
    assert handler({"Records": []}, None) == {"batchItemFailures": []}
    assert not [each for each in caplog.records if each.exc_info]


def test_a_refusal_of_another_site_is_noted(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    event = {"headers": {"Origin": "https://evil.example"}, "requestContext": {"identity": {"sourceIp": "192.0.2.7"}}}
    with caplog.at_level(logging.INFO, "parley.audit"):
        assert runtime.handler("login")(event, None)["statusCode"] == 403
    [said] = [json.loads(each.message) for each in caplog.records if each.name == "parley.audit"]
    facts = {name: said[name] for name in ("event", "door", "address", "outcome")}
    assert facts == {"event": "refused", "door": "POST login", "address": "192.0.2.7", "outcome": "origin_refused"}
