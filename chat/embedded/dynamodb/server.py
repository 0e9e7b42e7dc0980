"""The protocol: JSON over HTTP/1.1 on loopback, each request signed."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
import zlib
from collections.abc import Callable
from typing import Any

from chat.embedded.dynamodb import parameters
from chat.embedded.dynamodb.errors import ApiError, malformed
from chat.embedded.dynamodb.items import Items
from chat.embedded.dynamodb.schema import Schema
from chat.embedded.dynamodb.signature import Verifier
from chat.embedded.dynamodb.store import Store
from chat.embedded.dynamodb.streams import KEPT_S, Streams

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
TARGETS = {"DynamoDB_20120810", "DynamoDBStreams_20120810"}
log = logging.getLogger(__name__)


class Engine:
    """Answers requests: reads at once, writes when they are on the disk."""

    def __init__(self, store: Store, verifier: Verifier | None):
        self._store = store
        self._verifier = verifier
        items, schema, streams = Items(store), Schema(store), Streams(store)
        self._reads: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "GetItem": items.get,
            "Query": items.query,
            "Scan": items.scan,
            "BatchGetItem": items.batch_get,
            "TransactGetItems": items.transact_get,
            "DescribeTable": schema.describe,
            "ListTables": schema.list,
            "DescribeTimeToLive": schema.describe_ttl,
            "ListStreams": streams.list,
            "DescribeStream": streams.describe,
            "GetShardIterator": streams.iterator,
            "GetRecords": streams.records,
        }
        self._writes: dict[str, Callable[[dict[str, Any]], Any]] = {
            "PutItem": lambda request: items.writer("PutItem", request),
            "UpdateItem": lambda request: items.writer("UpdateItem", request),
            "DeleteItem": lambda request: items.writer("DeleteItem", request),
            "BatchWriteItem": items.batch_writer,
            "TransactWriteItems": items.transaction,
            "CreateTable": schema.create,
            "UpdateTable": schema.update,
            "DeleteTable": schema.delete,
            "UpdateTimeToLive": schema.update_ttl,
        }

    async def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """(HTTP status, JSON) for a request."""
        try:
            if self._verifier is not None:
                self._verifier.check(headers, body)
            service, _, operation = headers.get("x-amz-target", "").partition(".")
            if service not in TARGETS or (operation not in self._reads and operation not in self._writes):
                raise ApiError("UnknownOperationException", f"The embedded engine does not have {operation or 'this'}")
            request = parameters.check(operation, _parse(body))
            if operation in self._reads:
                return 200, self._reads[operation](request)
            job = self._writes[operation](request)
            return 200, await asyncio.wrap_future(self._store.write(job))
        except ApiError as error:
            return error.status, error.body()
        except UnicodeEncodeError:
            return 400, malformed("The request has half a character: a lone surrogate").body()
        except Exception:
            log.exception("a request failed")
            return 500, ApiError("InternalServerError", "The request failed; the engine's log says why", 500).body()

    async def sweep(self, every_s: float) -> None:
        """Removes what has expired, for ever."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.sweep_once(time.time())
            except Exception:
                log.exception("the sweep failed")

    async def sweep_once(self, now: float) -> None:
        """Removes expired items in small commits, then the records and tokens that nobody may ask for any more, and
        then all that is left of what was removed or replaced."""
        while await asyncio.wrap_future(self._store.write(lambda c: self._store.sweep_expired(c, now))):
            await asyncio.sleep(0)
        await asyncio.wrap_future(self._store.write(lambda c: self._store.sweep_records(c, now - KEPT_S, now - 600)))
        await asyncio.wrap_future(self._store.fold())


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("The request body is not JSON") from None


def _encode(answer: dict[str, Any]) -> bytes:
    """The answer in JSON; items that are `Encoded` are put in as they are."""
    items = answer.get("Items")
    if not items or not isinstance(items[0], str):
        return json.dumps(answer, separators=(",", ":")).encode()
    rest = json.dumps({name: value for name, value in answer.items() if name != "Items"}, separators=(",", ":"))
    return f'{{"Items":[{",".join(items)}],{rest[1:]}'.encode()


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._busy: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._busy is None:
            self._next()

    def _next(self) -> None:
        """Begins to answer the next request, if all of it is there."""
        self._busy = None
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                self._refuse(431)
            return
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = headers.get("content-length", "0")
        if not lines[0].startswith("POST / ") or "transfer-encoding" in headers or not length.isdigit():
            return self._refuse(400)
        if int(length) > MAX_BODY_BYTES:
            return self._refuse(413)
        total = end + 4 + int(length)
        if len(self._buffer) < total:
            if headers.get("expect", "").lower() == "100-continue" and len(self._buffer) == end + 4:
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        body = bytes(self._buffer[end + 4 : total])
        del self._buffer[:total]
        self._busy = asyncio.ensure_future(self._answer(headers, body))

    async def _answer(self, headers: dict[str, str], body: bytes) -> None:
        status, answer = await self._engine.answer(headers, body)
        payload = _encode(answer)
        reason = {200: "OK", 400: "Bad Request"}.get(status, "Internal Server Error")
        close = headers.get("connection", "").lower() == "close"
        self._write(
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"x-amzn-RequestId: {secrets.token_hex(16).upper()}\r\nx-amz-crc32: {zlib.crc32(payload)}\r\n"
            f"Content-Length: {len(payload)}\r\n{'Connection: close' + chr(13) + chr(10) if close else ''}\r\n".encode()
            + payload
        )
        if close and self._transport is not None:
            self._transport.close()
        elif self._transport is not None:
            self._next()

    def _refuse(self, status: int) -> None:
        self._write(f"HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)
