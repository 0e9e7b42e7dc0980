"""The way to the tables: one request, and what every noun asks alike. Whose rows are whose, it does not know."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chat.config import Config
from chat.errors import ChatError, ConfigError
from chat.services.runtime.outages import DYNAMODB, words
from chat.services.storage.facts import Write
from chat.services.storage.rows import KEYS, Row
from chat.services.storage.values import pack, unpack
from chat.services.storage.wire import endpoint

MAX_REQUESTS = 50  # under way at once, each with a connection: what an endpoint that hangs may hold of this process
WAIT_S = 1.0  # for one of them to end
CONDITION_FAILED = "ConditionalCheckFailedException"
CONFLICT = "TransactionConflictException"  # a transaction that is under way writes the same item
THROTTLED = (
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionInProgressException",
)
LOCKED_OUT = (  # of who asks, not of what is asked: nothing else will be answered either
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
)
SLOW_S = 1.0
ALONE = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}


class Places(Protocol):
    """A semaphore of the kind that the process waits with. Not `threading`'s where greenlets are interrupted: a
    deadline within its condition leaves it locked for ever, or released twice."""

    def acquire(self, *, timeout: float) -> bool:
        """Whether there was a place within that many seconds."""

    def release(self) -> object:
        """Gives the place back."""


class Client:
    """Reads are strongly consistent. Any method raises ChatError `unavailable` when DynamoDB does not answer, throttles
    or fails; then the outcome of a write is unknown. So do the rows of every noun, which ask through this one."""

    def __init__(self, client: Any, prefix: str = "", places: Places | None = None):
        self._client = client
        self._prefix = prefix
        self._places = places

    @classmethod
    def connect(cls, config: Config, places: Places | None = None) -> Client:
        """The way to `config.dynamodb_endpoint`, or to AWS; credentials as boto3 finds them. A process that asks for
        many things at once has `places` for MAX_REQUESTS of them."""
        try:
            client = endpoint.connect(config.aws_region, config.dynamodb_endpoint or None, MAX_REQUESTS)
        except (BotoCoreError, ValueError, OSError) as error:  # a profile that is not there, a certificate, a region
            raise ConfigError([f"AWS cannot be asked with these settings: {error}"]) from error
        return cls(client, config.table_prefix, places)

    def table(self, name: str) -> str:
        """The real name of `users`, `messages` or `chat`."""
        return self._prefix + name

    def wait_until(self, waiter: str, table: str) -> None:
        """Waits, at most two minutes, for `table_exists` (and ACTIVE) or `table_not_exists`; a real name.

        Raises: ChatError `unavailable`.
        """
        try:
            self._client.get_waiter(waiter).wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        except BotoCoreError as error:
            raise away(error) from error

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """One request. Raises: ChatError `unavailable`; ClientError for what the caller must understand."""
        if self._places is not None and not self._places.acquire(timeout=WAIT_S):
            raise ChatError("unavailable", retry_after_s=1)
        began = time.monotonic()
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as error:
            if (
                error.response["Error"]["Code"] in THROTTLED + LOCKED_OUT
                or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
            ):
                raise away(error) from error
            raise
        except BotoCoreError as error:
            raise away(error) from error
        except BaseException:
            if time.monotonic() - began > SLOW_S:  # whoever waited has given up
                DYNAMODB.failed("no answer in time")
            raise
        else:
            DYNAMODB.succeeded()
            return answer
        finally:
            if self._places is not None:
                self._places.release()

    def unless(self, refusal: str, operation: str, **request: Any) -> dict[str, Any] | None:
        """One request, or None when DynamoDB refuses it with that code. Raises as `call`, and ChatError `unavailable`
        when a transaction is writing the same item."""
        try:
            return self.call(operation, **request)
        except ClientError as error:
            if error.response["Error"]["Code"] == CONFLICT:
                raise ChatError("unavailable", retry_after_s=1) from error
            if error.response["Error"]["Code"] != refusal:
                raise
            return None

    def write(self, write: Write) -> dict[str, Any]:
        """One write by itself. Raises as `call`."""
        return self.call(ALONE[write.kind], TableName=self.table(write.table), **write.request)

    def write_if(self, write: Write) -> bool:
        """One write by itself; False when its condition does not hold. Raises as `unless`."""
        request = {"TableName": self.table(write.table), **write.request}
        return self.unless(CONDITION_FAILED, ALONE[write.kind], **request) is not None

    def transact(self, writes: Iterable[Write]) -> None:
        """All these writes, or none. Raises as `call`."""
        self.call("transact_write_items", TransactItems=self._items(writes))

    def transact_if(self, writes: Iterable[Write]) -> bool:
        """All these writes; False when a condition does not hold, and then none. Raises as `unless`."""
        refusal = "TransactionCanceledException"
        return self.unless(refusal, "transact_write_items", TransactItems=self._items(writes)) is not None

    def _items(self, writes: Iterable[Write]) -> list[dict[str, Any]]:
        return [{write.kind: {"TableName": self.table(write.table), **write.request}} for write in writes]

    def get(self, table: str, key: Row) -> Row | None:
        """The row with that key, or None."""
        item = self.get_item(table, key)
        return unpack(item) if item else None

    def get_item(self, table: str, key: Row) -> dict[str, Any] | None:
        """The same, with its values as they came."""
        return self.call("get_item", TableName=self.table(table), Key=pack(key), ConsistentRead=True).get("Item")

    def get_each(self, table: str, keys: Iterable[Row], **which: Any) -> Iterator[Row]:
        """The rows with these keys, in any order, a hundred at a time; what is not there is left out. `which` says what
        of them is read."""
        name = self.table(table)
        wanted = [pack(key) for key in keys]
        while wanted:
            asked = {name: {"Keys": wanted[:100], "ConsistentRead": True, **which}}
            answer = self.call("batch_get_item", RequestItems=asked)
            yield from map(unpack, answer["Responses"].get(name, []))
            wanted = answer.get("UnprocessedKeys", {}).get(name, {}).get("Keys", []) + wanted[100:]

    def query(self, request: dict[str, Any], limit: int | None) -> list[Row]:
        """What a Query finds, page after page, up to that many rows."""
        found: list[Row] = []
        while True:
            if limit is not None:
                request["Limit"] = limit - len(found)
            answer = self.call("query", **request)
            found += [unpack(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer or len(found) == limit:
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan(self, table: str, condition: str, names: dict[str, str], values: Row) -> Iterator[Row]:
        """The rows of a whole table of which that is true, a page at a time."""
        yield from map(unpack, self.scan_items(table, condition, names, values))

    def scan_items(self, table: str, condition: str, names: dict[str, str], values: Row) -> Iterator[dict[str, Any]]:
        """The same, with their values as they came."""
        request: dict[str, Any] = {
            "TableName": self.table(table),
            "FilterExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": pack(values),
            "ConsistentRead": True,
        }
        while True:
            answer = self.call("scan", **request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def partition(self, table: str, value: str, prefix: str = "") -> list[Row]:
        """The rows that lie under that first part of a key; with a prefix, those whose second part begins so."""
        key, sort = KEYS[table]
        condition, names, values = "#key = :key", {"#key": key}, {":key": value}
        if prefix:
            condition += " AND begins_with(#sort, :prefix)"
            names["#sort"] = sort
            values[":prefix"] = prefix
        return self.query(
            {
                "TableName": self.table(table),
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": pack(values),
                "ConsistentRead": True,
            },
            None,
        )

    def update_if(self, table: str, key: Row, update: str, condition: str, names: dict[str, str], values: Row) -> bool:
        """Changes a row; False when the condition does not hold."""
        updated = self.unless(
            CONDITION_FAILED,
            "update_item",
            TableName=self.table(table),
            Key=pack(key),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=pack(values),
        )
        return updated is not None


def away(error: Exception) -> ChatError:
    """What people are told of a DynamoDB that does not do its work; the log is told why."""
    DYNAMODB.failed(words(error))
    return ChatError("unavailable", retry_after_s=1)
