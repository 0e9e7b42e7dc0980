"""What the engine promises about the disk, its keys and its life."""

from __future__ import annotations

import http.client
import json
import resource
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import free_port, wait_until
from tests.embedded.engine import ROOT, Engine, argv, make_client, start_engine

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def make_table(engine: Engine, name: str = "things", stream: bool = False) -> None:
    """A table with the hash key `pk`."""
    engine.client().create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **({"StreamSpecification": STREAM} if stream else {}),
    )


def put(engine: Engine, pk: str, **more: Any) -> Any:
    return engine.client().put_item(TableName="things", Item={"pk": {"S": pk}}, **more)


def get(engine: Engine, pk: str) -> Any:
    return engine.client().get_item(TableName="things", Key={"pk": {"S": pk}}, ConsistentRead=True).get("Item")


def keys_of(engine: Engine) -> set[str]:
    pages = engine.client().get_paginator("scan").paginate(TableName="things", ProjectionExpression="pk")
    return {item["pk"]["S"] for page in pages for item in page["Items"]}


def recorded_keys(engine: Engine) -> list[str]:
    """The keys in the stream's records, in order, all of them."""
    arn = engine.client().describe_table(TableName="things")["Table"]["LatestStreamArn"]
    streams = engine.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    found: list[str] = []
    answer = streams.get_records(ShardIterator=iterator["ShardIterator"])
    while answer["Records"]:
        found += [record["dynamodb"]["Keys"]["pk"]["S"] for record in answer["Records"]]
        answer = streams.get_records(ShardIterator=answer["NextShardIterator"])
    return found


@contextmanager
def commits_held(engine: Engine) -> Iterator[None]:
    """While this lasts, no commit can end: somebody else holds the file's write lock."""
    other = sqlite3.connect(engine.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


# --- the disk -----------------------------------------------------------------------------------------------------


def test_whatever_was_acked_before_kill_9_is_there_with_one_stream_record(tmp_path: Path) -> None:
    engine = start_engine(tmp_path)
    make_table(engine, stream=True)
    acked: list[str] = []
    enough = threading.Event()

    def write(who: int) -> None:
        for n in range(100_000):
            try:
                put(engine, f"{who}-{n}")
            except (BotoCoreError, ClientError):
                return
            acked.append(f"{who}-{n}")
            if len(acked) > 200:
                enough.set()

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, who) for who in range(8)]
        assert enough.wait(20)
        engine.kill()
        for writer in writers:
            writer.result(20)
    again = start_engine(tmp_path)
    try:
        stored, recorded = keys_of(again), recorded_keys(again)
        assert set(acked) <= stored
        assert sorted(recorded) == sorted(stored)
    finally:
        again.kill()


def test_nothing_is_answered_before_its_commit(engine: Engine) -> None:
    make_table(engine)
    other = sqlite3.connect(engine.file)
    for n in range(50):
        put(engine, f"key-{n}")
        found = other.execute("SELECT count(*) FROM items WHERE hash = ?", (f"key-{n}".encode(),)).fetchone()
        assert found == (1,)
    other.close()


def test_a_put_waits_for_its_commit_while_reads_go_on(engine: Engine) -> None:
    make_table(engine)
    put(engine, "before")
    with ThreadPoolExecutor(1) as pool:
        with commits_held(engine):
            slow = pool.submit(put, engine, "slow")
            for _ in range(20):
                assert get(engine, "before") is not None
                assert get(engine, "slow") is None
            assert not slow.done()
        slow.result(10)
    assert get(engine, "slow") is not None


def test_a_failing_request_harms_none_of_those_it_shares_a_commit_with(engine: Engine) -> None:
    make_table(engine, stream=True)
    put(engine, "taken")
    with ThreadPoolExecutor(20) as pool:
        with commits_held(engine):
            futures: dict[str, Future[Any]] = {}
            for n in range(10):
                futures[f"good-{n}"] = pool.submit(put, engine, f"good-{n}")
                futures[f"bad-{n}"] = pool.submit(put, engine, "taken", ConditionExpression="attribute_not_exists(pk)")
        outcomes = {name: future.exception(10) for name, future in futures.items()}
    assert {name for name, error in outcomes.items() if error is None} == {f"good-{n}" for n in range(10)}
    assert all("ConditionalCheckFailed" in str(outcomes[f"bad-{n}"]) for n in range(10))
    assert keys_of(engine) == {"taken"} | {f"good-{n}" for n in range(10)}
    assert len(recorded_keys(engine)) == 11


def test_a_cancelled_transaction_leaves_nothing_behind_in_a_shared_commit(engine: Engine) -> None:
    make_table(engine, stream=True)
    put(engine, "taken")

    def transact(n: int) -> None:
        engine.client().transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "things", "Item": {"pk": {"S": f"half-{n}"}}}},
                {
                    "Put": {
                        "TableName": "things",
                        "Item": {"pk": {"S": "taken" if n % 2 else f"free-{n}"}},
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )

    with ThreadPoolExecutor(10) as pool:
        with commits_held(engine):
            futures = [pool.submit(transact, n) for n in range(10)]
        failed = [future.exception(10) is not None for future in futures]
    assert failed == [bool(n % 2) for n in range(10)]
    expected = {"taken"} | {f"{what}-{n}" for what in ("half", "free") for n in range(0, 10, 2)}
    assert keys_of(engine) == expected
    assert sorted(recorded_keys(engine)) == sorted(expected)


def put_many(engine: Engine) -> None:
    for n in range(1000):
        put(engine, f"more-{n}" + "x" * 1000)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux lets one process limit another's files")
def test_a_disk_that_is_full_fails_writes_until_there_is_room_again(engine: Engine) -> None:
    make_table(engine)
    put(engine, "before")
    unlimited = resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
    wal = engine.file.with_name("db-wal").stat().st_size
    resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (wal + 8192, unlimited[1]))
    with pytest.raises(ClientError) as caught:
        put_many(engine)
    assert caught.value.response["Error"]["Code"] == "InternalServerError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert get(engine, "before") is not None
    resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, unlimited)
    put(engine, "after")
    assert get(engine, "after") is not None
    assert engine.stop() == 0


# --- its life -----------------------------------------------------------------------------------------------------


def test_the_engine_ends_with_its_parent(tmp_path: Path) -> None:
    engine = start_engine(tmp_path, parent_pipe=True)
    make_table(engine)
    assert engine.process.poll() is None
    engine.close_pipe()
    assert engine.process.wait(30) == 0
    engine.stop()


def test_asked_to_stop_it_ends_at_once_although_clients_are_connected(engine: Engine) -> None:
    make_table(engine)
    put(engine, "kept")
    assert engine.stop() == 0, "the client keeps its connection: whoever waits for its end waits for ever"
    assert not engine.file.with_name("db-wal").exists()
    again = start_engine(engine.data_dir)
    assert get(again, "kept") is not None
    again.kill()


def refusal(data_dir: Path, **options: object) -> str:
    """The one sentence with which an engine that cannot start ends; checks that it is one, and the exit code."""
    done = subprocess.run(argv(data_dir, **options), cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2, done
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.endswith("."), sentence
    return sentence


def test_a_second_engine_on_the_same_file_is_refused(engine: Engine) -> None:
    assert "Another engine" in refusal(engine.data_dir)
    make_table(engine)


def test_a_port_that_is_taken_is_refused(engine: Engine, tmp_path: Path) -> None:
    port = urlsplit(engine.endpoint).port
    assert f"Port {port}" in refusal(tmp_path / "other", port=port)


def test_a_chosen_port_is_used(tmp_path: Path) -> None:
    port = free_port()
    engine = start_engine(tmp_path, port=port)
    assert urlsplit(engine.endpoint).port == port
    engine.kill()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert "cannot be written" in refusal(tmp_path / "file" / "deeper")


@pytest.mark.parametrize("content", [b"this is no SQLite file" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "db").write_bytes(content)
    assert "cannot be used" in refusal(tmp_path)
    assert (tmp_path / "db").read_bytes() == content


@pytest.mark.parametrize("content", ["", "no ini file", "[default]\naws_access_key_id = half\n", "[default\n="])
def test_credentials_that_cannot_be_read_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials").write_text(content)
    assert "credentials" in refusal(tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "localhost"])
def test_an_address_that_is_not_loopback_is_refused(tmp_path: Path, host: str) -> None:
    assert host in refusal(tmp_path, host=host)


# --- its keys -----------------------------------------------------------------------------------------------------


def test_credentials_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    engine = start_engine(tmp_path)
    made = engine.keys()
    assert stat.S_IMODE(engine.credentials_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine.file.stat().st_mode) == 0o600
    assert len(made[1]) >= 32
    engine.stop()
    again = start_engine(tmp_path)
    assert again.keys() == made
    again.kill()


def request(
    engine: Engine,
    body: bytes = b'{"Limit": 1}',
    keys: tuple[str, str] | None = None,
    at: datetime | None = None,
    sign: bool = True,
    target: str = "DynamoDB_20120810.ListTables",
    then: bytes | None = None,
) -> tuple[int, str]:
    """(status, error code) of a request signed by hand; `then` is put in the body's place after signing."""
    asked = AWSRequest("POST", engine.endpoint + "/", {"X-Amz-Target": target}, body)
    if sign:
        auth = SigV4Auth(Credentials(*(keys or engine.keys())), "dynamodb", "local")
        if at is None:
            auth.add_auth(asked)
        else:
            stamp = at.strftime("%Y%m%dT%H%M%SZ")
            asked.context["timestamp"] = stamp
            asked.headers["X-Amz-Date"] = stamp
            asked.headers["Authorization"] = ""
            del asked.headers["Authorization"]
            signature = auth.signature(auth.string_to_sign(asked, auth.canonical_request(asked)), asked)
            auth._inject_signature_to_request(asked, signature)
    connection = http.client.HTTPConnection(urlsplit(engine.endpoint).netloc, timeout=10)
    connection.request("POST", "/", body if then is None else then, dict(asked.headers.items()))
    answer = connection.getresponse()
    content = json.loads(answer.read() or b"{}")
    connection.close()
    return answer.status, content.get("__type", "").rpartition("#")[2]


def test_only_a_fresh_signature_with_our_key_is_let_in(engine: Engine) -> None:
    access, secret = engine.keys()
    now = datetime.now(UTC)
    assert request(engine) == (200, "")
    assert request(engine, at=now) == (200, "")
    assert request(engine, at=now - timedelta(minutes=10)) == (200, "")
    assert request(engine, sign=False) == (400, "MissingAuthenticationTokenException")
    assert request(engine, keys=("PARLEYNOBODY", secret)) == (400, "UnrecognizedClientException")
    assert request(engine, keys=(access, "guess")) == (400, "InvalidSignatureException")
    assert request(engine, then=b'{"Limit": 2}') == (400, "InvalidSignatureException")
    assert request(engine, at=now - timedelta(minutes=20)) == (400, "InvalidSignatureException")
    assert request(engine, at=now + timedelta(minutes=20)) == (400, "InvalidSignatureException")


def test_a_wrong_key_cannot_write(engine: Engine) -> None:
    make_table(engine)
    stranger = make_client(engine.endpoint, engine.keys()[0], "wrong")
    with pytest.raises(ClientError, match="InvalidSignature"):
        stranger.put_item(TableName="things", Item={"pk": {"S": "no"}})
    assert keys_of(engine) == set()


# --- whatever is sent ---------------------------------------------------------------------------------------------

NONSENSE = [
    ("ListTables", b"no json"),
    ("ListTables", b"[]"),
    ("ListTables", b"{" * 100_000),
    ("ListTables", b'{"Limit": "1"}'),
    ("ListTables", b'{"ExclusiveStartTableName": 5}'),
    ("GetItem", b'{"TableName": "things", "Key": {"pk": 5}}'),
    ("GetItem", b'{"TableName": "things", "Key": {"pk": "x"}}'),
    ("GetItem", b'{"TableName": "things", "Key": {"pk": {"S": 5}}}'),
    ("GetItem", b'{"TableName": "things", "Key": {"pk": {"S": "\\ud800"}}}'),
    ("GetItem", b'{"TableName": ["things"], "Key": {"pk": {"S": "x"}}}'),
    ("PutItem", b'{"TableName": "things", "Item": {"pk": {"S": "\\ud800"}}}'),
    ("PutItem", b'{"TableName": "things", "Item": {"pk": {"S": "x"}, "n": {"NS": [1]}}}'),
    ("PutItem", b'{"TableName": "things", "Item": {"pk": {"S": "x"}, "n": {"SS": [["a"]]}}}'),
    ("PutItem", b'{"TableName": "things", "Item": {"pk": null}}'),
    ("BatchGetItem", b'{"RequestItems": {"things": 5}}'),
    ("BatchGetItem", b'{"RequestItems": {"things": {"Keys": [5]}}}'),
    ("BatchWriteItem", b'{"RequestItems": {"things": 5}}'),
    ("BatchWriteItem", b'{"RequestItems": {"things": [{"PutRequest": 5}]}}'),
    (
        "BatchWriteItem",
        b'{"RequestItems": {"things": [{"PutRequest": {"Item": {"pk": {"S": "x"}}, "ConditionExpression": "a = a"}}]}}',
    ),
    (
        "TransactWriteItems",
        b'{"TransactItems": [{"Put": {"TableName": "things", "Item": {"pk": {"S": "x"}}, "ReturnValues": "NONE"}}]}',
    ),
    ("TransactWriteItems", b'{"TransactItems": [{"Put": 5}]}'),
    ("TransactWriteItems", b'{"TransactItems": [5]}'),
    ("TransactGetItems", b'{"TransactItems": [{"Get": {"TableName": "things"}}]}'),
    ("CreateTable", b'{"TableName": "other", "KeySchema": [5], "AttributeDefinitions": [5]}'),
    ("CreateTable", b'{"TableName": "other", "StreamSpecification": 5}'),
    ("UpdateTable", b'{"TableName": "things", "StreamSpecification": 5}'),
    ("UpdateTimeToLive", b'{"TableName": "things", "TimeToLiveSpecification": 5}'),
    ("Query", b'{"TableName": "things", "KeyConditionExpression": 5}'),
    ("Query", b'{"TableName": "things", "KeyConditionExpression": "pk = :x", "ExpressionAttributeValues": {":x": 5}}'),
    ("Query", b'{"TableName": "things", "KeyConditionExpression": "#k = :x", "ExpressionAttributeNames": {"#k": 5}}'),
    ("Scan", b'{"TableName": "things", "FilterExpression": "' + b"(" * 4000 + b'"}'),
    ("Scan", b'{"TableName": "things", "Segment": "0", "TotalSegments": 2}'),
    ("Scan", b'{"TableName": "things", "ExclusiveStartKey": {"pk": 7}}'),
    ("GetShardIterator", b"{}"),
    ("ListStreams", b'{"TableName": ["x"]}'),
]


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = start_engine(tmp_path_factory.mktemp("engine"), synchronous="NORMAL")
    make_table(engine)
    yield engine
    engine.kill()


@pytest.mark.parametrize(("operation", "body"), NONSENSE, ids=[f"{o}-{n}" for n, (o, _) in enumerate(NONSENSE)])
def test_nonsense_is_the_sender_s_fault(shared_engine: Engine, operation: str, body: bytes) -> None:
    service = "DynamoDBStreams" if "Shard" in operation or "Stream" in operation else "DynamoDB"
    status, code = request(shared_engine, body, target=f"{service}_20120810.{operation}")
    assert status == 400 and code in ("ValidationException", "SerializationException", "ResourceNotFoundException")
    assert keys_of(shared_engine) == set()


def test_requests_that_are_no_http_end_their_connection_only(shared_engine: Engine) -> None:
    for head in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: ²\r\n\r\n".encode("latin-1"),
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n",
        b"x" * 70_000,
    ):
        with socket.create_connection(("127.0.0.1", urlsplit(shared_engine.endpoint).port or 0), 10) as peer:
            peer.sendall(head)
            while peer.recv(65536):
                pass
    assert get(shared_engine, "nobody") is None


def test_the_engine_imports_nothing_but_the_standard_library() -> None:
    script = (
        "import sys; import chat.embedded.dynamodb.__main__\n"
        "print([n for n in sys.modules if n.split('.')[0] not in {*sys.stdlib_module_names, 'chat', '__main__'}])"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_sweep_removes_what_has_expired(tmp_path: Path) -> None:
    engine = start_engine(tmp_path, sweep_every="0.05")
    make_table(engine)
    client = engine.client()
    client.update_time_to_live(
        TableName="things", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    now = int(time.time())
    for pk, at in (("old", now - 10), ("ancient", now - 6 * 365 * 86_400), ("young", now + 3600)):
        client.put_item(TableName="things", Item={"pk": {"S": pk}, "expires_at": {"N": str(at)}})
    wait_until(lambda: "old" not in keys_of(engine), what="the sweep")
    assert keys_of(engine) == {"ancient", "young"}
    engine.kill()
