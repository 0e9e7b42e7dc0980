"""What the log says of a store that does not answer: the cause, once a minute at most, and when it is over."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import gevent
import pytest
import redis
from botocore.exceptions import ClientError, EndpointConnectionError

from chat.errors import ChatError
from chat.services.runtime import outages
from chat.services.runtime.deadline import deadline
from chat.services.runtime.outages import Outage, words
from chat.services.storage import redis_client
from chat.services.storage.redis_client import answering, cause
from chat.services.storage.storage import Storage


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> SimpleNamespace:
    """What was logged since it was asked last."""
    caplog.set_level(logging.INFO, outages.__name__)

    def since() -> list[str]:
        lines = [record.getMessage() for record in caplog.records if record.name == outages.__name__]
        caplog.clear()
        return lines

    return SimpleNamespace(since=since)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Outage:
    """Redis and DynamoDB as a process that has just begun knows them."""
    outage = Outage("It cannot be used", clock)
    monkeypatch.setattr(redis_client, "REDIS", outage)
    monkeypatch.setattr("chat.services.storage.client.DYNAMODB", outage)
    return outage


def test_each_cause_is_one_line_a_minute_and_its_end_another(clock, said):
    outage = Outage("It cannot be used", clock)
    outage.succeeded()
    for _ in range(590):
        outage.failed("WRONGPASS")
        clock.now += 0.1
    outage.failed("READONLY")
    assert said.since() == ["It cannot be used: WRONGPASS", "It cannot be used: READONLY"]
    clock.now += 1.5
    outage.succeeded()
    outage.failed("WRONGPASS")
    assert said.since() == ["It cannot be used: WRONGPASS"], "a minute after its first line, in the same outage"
    clock.now += 6
    for _ in range(3):
        outage.succeeded()
    assert said.since() == ["It cannot be used: over, well again after 66 s"]


def test_what_fails_and_works_by_turns_fills_no_log(clock, said):
    outage = Outage("It cannot be used", clock)
    for _ in range(600):
        outage.failed("OOM")
        clock.now += 6
        outage.succeeded()
    lines = said.since()
    assert lines.count("It cannot be used: OOM") == lines.count("It cannot be used: over, well again after 6 s") == 60


def test_a_line_holds_no_line_feed_and_the_memory_of_causes_is_bounded(clock, said):
    outage = Outage("It cannot be used", clock)
    for number in range(1_000):
        outage.failed(f"cause\n{number} {'x' * 1_000}")
    assert all("\n" not in line and len(line) < 250 for line in said.since())
    assert len(outage._said) <= outages.MOST_CAUSES


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://nobody:wrong@127.0.0.1:{port}/0", "WRONGPASS invalid username-password pair"),
        ("redis://no-such-host.invalid:{port}/0", "connecting to no-such-host.invalid"),
        ("redis://127.0.0.1:1/0", "Connection refused"),
    ],
)
def test_redis_says_why_it_cannot_be_used(redis_url, fresh, said, url, told):
    client = redis_client.connect(url.format(port=redis_url.rpartition(":")[2].partition("/")[0]))
    for _ in range(3):
        with pytest.raises(ChatError), answering():
            client.get("session:secret")
    (line,) = said.since()
    assert told in line
    assert "wrong" not in line


def test_a_cause_has_nothing_of_what_was_asked(redis_url):
    client = redis_client.connect(redis_url)
    client.delete("list")
    client.lpush("list", "x")
    try:
        pipeline = client.pipeline(transaction=False)
        pipeline.get("list session:secret")
        pipeline.incr("list")
        with pytest.raises(redis.ResponseError) as refused:
            pipeline.execute()
        assert cause(refused.value) == "WRONGTYPE Operation against a key holding the wrong kind of value"
        with pytest.raises(redis.ResponseError) as unknown:
            client.execute_command("NOTHING", "session:secret")
        assert cause(unknown.value) == "ERR unknown command 'NOTHING'"
    finally:
        client.delete("list")
    crossed = redis.connection.DefaultParser.parse_error("CROSSSLOT Keys in request don't hash to the same slot")
    assert cause(crossed) == "CROSSSLOT Keys in request don't hash to the same slot"


@pytest.mark.parametrize("keys", [("PARLEYNOBODY", "guess"), (None, "guess")])
def test_dynamodb_says_that_it_does_not_let_us_in(config, fresh, said, monkeypatch, keys):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys[0] or _access_key())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys[1])
    storage = Storage.connect(config)
    for _ in range(3):
        with pytest.raises(ChatError, match="cannot reach its storage"):
            storage.users.get("alice")
    (line,) = said.since()
    assert ("UnrecognizedClientException" if keys[0] else "InvalidSignatureException") in line
    assert "guess" not in line


def _access_key() -> str:
    import os
    from configparser import ConfigParser

    found = ConfigParser()
    found.read(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    return found["default"]["aws_access_key_id"]


def test_an_address_of_dynamodb_that_has_no_name_is_said(config, fresh, said):
    unreached = EndpointConnectionError(endpoint_url="http://nowhere.invalid")
    unreached.__cause__ = OSError(-2, "Name or service not known")
    assert words(unreached).endswith("[Errno -2] Name or service not known")
    long = {"Error": {"Code": "InvalidSignatureException", "Message": "It does not match.\n\nThe Canonical String"}}
    assert words(ClientError(long, "GetItem")) == "InvalidSignatureException It does not match."  # type: ignore[arg-type]


def test_requests_that_are_given_up_are_said_once_a_minute(clock, said, monkeypatch):
    monkeypatch.setattr("chat.services.runtime.deadline.LATE", Outage("Requests are given up", clock))
    for _ in range(5):
        with pytest.raises(ChatError, match="storage"), deadline(0.001):
            gevent.sleep(60)
    assert len(said.since()) == 1
