"""The lean way to DynamoDB: what boto3 would answer, and what happens on a bad day."""

from __future__ import annotations

import json
import socketserver
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chat.errors import ChatError
from chat.services.storage import schema
from chat.services.storage.changes import read_record
from chat.services.storage.storage import Storage
from chat.services.storage.values import pack
from chat.services.storage.wire import endpoint as endpoint_module
from chat.services.storage.wire.endpoint import Endpoint, connect

KEYS = {"room": "r", "id": "1"}


@pytest.fixture
def lean(config) -> Endpoint:
    schema.create(Storage.connect(config))
    return connect("eu-west-1", config.dynamodb_endpoint, 10)


@pytest.fixture
def table(config) -> str:
    return f"{config.table_prefix}messages"


def outcome(call: Callable[[], dict[str, Any]]) -> Any:
    """What a request came to, without what no two answers share."""
    try:
        answer = call()
    except ClientError as error:
        answer = {"refused": str(error), **error.response}
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "message", "Message")}


def requests(table: str) -> list[tuple[str, dict[str, Any]]]:
    item = pack(KEYS | {"text": "ü", "n": 1, "list": [True, {"a": 2}]})
    absent = {"ConditionExpression": "attribute_not_exists(room)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    put = {"TableName": table, "Item": item, **absent}
    return [
        ("put_item", put),
        ("put_item", put),
        ("get_item", {"TableName": table, "Key": pack(KEYS), "ConsistentRead": True}),
        ("get_item", {"TableName": table, "Key": pack(KEYS | {"id": "2"})}),
        (
            "query",
            {
                "TableName": table,
                "KeyConditionExpression": "#room = :room",
                "ExpressionAttributeNames": {"#room": "room"},
                "ExpressionAttributeValues": pack({":room": "r"}),
            },
        ),
        (
            "update_item",
            {
                "TableName": table,
                "Key": pack(KEYS),
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": pack({":n": 2}),
                "ReturnValues": "ALL_NEW",
            },
        ),
        ("batch_get_item", {"RequestItems": {table: {"Keys": [pack(KEYS)]}}}),
        ("transact_write_items", {"TransactItems": [{"Put": put}]}),
        ("transact_write_items", {"TransactItems": [{"Put": put | {"Item": pack(KEYS | {"id": "3"})}}]}),
        ("delete_item", {"TableName": table, "Key": pack(KEYS), "ReturnValues": "ALL_OLD"}),
        ("get_item", {"TableName": "no-such-table", "Key": pack(KEYS)}),
        ("get_item", {"TableName": table, "Key": pack({"room": "r"})}),
    ]


def test_it_answers_and_refuses_what_boto3_does(config, table, lean):
    client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=config.dynamodb_endpoint)
    for name, request in requests(table):
        state = client.scan(TableName=table)["Items"] if request.get("TableName") != "no-such-table" else []
        expected = outcome(lambda name=name, request=request: getattr(client, name)(**request))
        restore(client, table, state)
        assert outcome(lambda name=name, request=request: getattr(lean, name)(**request)) == expected, name


def restore(client: Any, table: str, state: list[dict[str, Any]]) -> None:
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={name: item[name] for name in KEYS})
    for item in state:
        client.put_item(TableName=table, Item=item)


def test_it_reads_a_stream_as_boto3_does_but_for_the_time(config, lean, table):
    lean._client.put_item(TableName=table, Item=pack(KEYS | {"text": "ü", "picture": b"\x89PNG"}))
    arn = lean.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    theirs = boto3.client("dynamodbstreams", region_name="eu-west-1", endpoint_url=config.dynamodb_endpoint)
    ours = connect("eu-west-1", config.dynamodb_endpoint, 1, "dynamodbstreams")
    shard = theirs.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    read = []
    for client in (theirs, ours):
        iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        (record,) = client.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
        read.append(read_record(arn, record))
    assert read[0] == read[1]
    with pytest.raises(ClientError) as refused:
        ours.get_records(ShardIterator="none")
    with pytest.raises(ClientError) as expected:
        theirs.get_records(ShardIterator="none")
    assert refused.value.response["Error"] == expected.value.response["Error"]


def test_what_is_rare_goes_through_boto3(lean, table):
    assert lean.describe_table(TableName=table)["Table"]["TableName"] == table


class Scripted(BaseHTTPRequestHandler):
    """Answers each request with the next of the server's script."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.heard.append((dict(self.headers), json.loads(body)))
        step = server.script.pop(0)
        if step == "hang up":
            self.close_connection = True
            return
        if step == "dawdle":
            server.late.wait(10)
            step = (200, {"late": True})
        status, answer = step[0], json.dumps(step[1]).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("x-amz-crc32", str(zlib.crc32(answer) ^ (step[2] if len(step) > 2 else 0)))
        self.end_headers()
        self.wfile.write(answer)
        if status == 200 and step[1].get("closing"):
            self.close_connection = True  # without a word, as a server does with a connection that was idle for long

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Scripting(socketserver.ThreadingTCPServer):
    """`parted` counts the connections that are over; who dawdles answers when it is `late`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Scripted)
        self.heard: list[Any] = []
        self.script: list[Any] = []
        self.late, self.parted = threading.Event(), threading.Semaphore(0)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.parted.release()


@pytest.fixture
def server() -> Iterator[Any]:
    server = Scripting()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def scripted(server, monkeypatch, dynamodb) -> Any:
    monkeypatch.setattr(endpoint_module.time, "sleep", lambda _: None)
    return connect("eu-west-1", f"http://127.0.0.1:{server.server_address[1]}", 10)


OK = (200, {"Item": {"n": {"N": "1"}}})


@pytest.mark.parametrize(
    "bad",
    [
        (500, {"__type": "x#InternalServerError"}),
        (503, {}),
        (400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slower"}),
        (200, {"Item": {}}, 1),
        "hang up",
    ],
)
def test_what_passes_is_tried_again_and_a_transaction_keeps_its_token(server, scripted, bad):
    server.script = [bad, bad, OK]
    assert scripted.transact_write_items(TransactItems=[]) == OK[1]
    assert len({body["ClientRequestToken"] for _, body in server.heard}) == 1
    assert len(server.heard) == 3


@pytest.mark.parametrize("bad", [(500, {}), "hang up"])
def test_three_attempts_are_all(server, scripted, bad):
    server.script = [bad] * 3
    with pytest.raises((ClientError, BotoCoreError)):
        scripted.get_item(TableName="t", Key={})
    assert len(server.heard) == 3


def test_who_is_down_for_long_is_not_hammered(server, scripted):
    server.script = [(503, {})] * 1000
    for _ in range(200):
        with pytest.raises(ClientError):
            scripted.get_item(TableName="t", Key={})
    assert len(server.heard) == 200 + 500 // endpoint_module.RETRY_COST


def test_a_refusal_is_not_tried_again(server, scripted):
    server.script = [(400, {"__type": "a#ValidationException", "message": "no"}), OK]
    with pytest.raises(ClientError, match="no"):
        scripted.get_item(TableName="t", Key={})
    assert len(server.heard) == 1


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(server, scripted):
    server.script = [(200, {"closing": True}), OK]
    scripted.get_item(TableName="t", Key={})
    assert server.parted.acquire(timeout=10)
    assert scripted.get_item(TableName="t", Key={}) == OK[1]
    assert len(server.heard) == 2


def test_an_answer_that_comes_too_late_is_not_taken_for_another(server, scripted):
    scripted._read_s = 0.2
    server.script = ["dawdle"] * 3 + [OK]
    with pytest.raises(BotoCoreError):
        scripted.get_item(TableName="t", Key={})
    server.late.set()
    assert all(server.parted.acquire(timeout=10) for _ in range(3)), "each was answered, too late"
    assert scripted.get_item(TableName="t", Key={}) == OK[1]


def test_temporary_credentials_are_signed_with_their_token(config, monkeypatch, lean, table):
    monkeypatch.setattr(lean._credentials, "token", "a-session-token")
    assert "Item" not in lean.get_item(TableName=table, Key=pack(KEYS))
    headers = lean._signed("GetItem", b"{}")
    assert headers["X-Amz-Security-Token"] == "a-session-token"
    assert "x-amz-security-token" in headers["Authorization"]


def test_through_a_proxy_it_is_boto3_that_asks(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "localhost")
    assert not isinstance(connect("eu-west-1", "http://10.0.0.1:8000", 10), Endpoint)
    assert isinstance(connect("eu-west-1", "http://localhost:8000", 10), Endpoint)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_off_is_a_passing_trouble(config, monkeypatch, hours):
    storage = Storage.connect(config)
    assert storage.users.get("alice") is None
    off = time.time() + timedelta(hours=hours).total_seconds()
    monkeypatch.setattr(endpoint_module.time, "gmtime", lambda: time.localtime(off))
    with pytest.raises(ChatError) as refused:
        storage.users.get("alice")
    assert (refused.value.code, refused.value.retry_after_s) == ("unavailable", 1)
    monkeypatch.undo()
    assert storage.users.get("alice") is None
