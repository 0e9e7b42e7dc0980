"""DynamoDB: the only module that knows boto3, keys, conditions and paging.

Three tables, no secondary index (an index is eventually consistent and unordered, so not lossless):

- `users`: `username`
- `messages`: `room`, `id`; stream of new and old images. The app's keys contain `#`; rows that anyone puts do not
- `chat`: `pk`, `sk`; rooms, memberships, claims
"""

from __future__ import annotations

import time
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config as BotoConfig
from botocore.exceptions import BotoCoreError, ClientError

from chat.config import Config
from chat.errors import ChatError
from chat.models import User

TABLES: dict[str, tuple[tuple[str, ...], bool]] = {
    "users": (("username",), False),
    "messages": (("room", "id"), True),
    "chat": (("pk", "sk"), False),
}
TTL_ATTRIBUTE = "expires_at"
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
THROTTLED = (
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionInProgressException",
)

_to_wire = TypeSerializer().serialize
_from_wire = TypeDeserializer().deserialize


def pack(row: dict[str, Any]) -> dict[str, Any]:
    """A plain dict as DynamoDB's typed item; None values are left out."""
    return {k: _to_wire(v) for k, v in row.items() if v is not None}


def unpack(item: dict[str, Any]) -> dict[str, Any]:
    """A typed item as a plain dict, whole numbers as int."""
    row = {}
    for key, value in item.items():
        plain = _from_wire(value)
        row[key] = int(plain) if "N" in value else plain
    return row


class Storage:
    """All access to the tables. Reads are strongly consistent. Any method raises ChatError `unavailable` when DynamoDB
    does not answer, throttles or fails; then the outcome of a write is unknown."""

    def __init__(self, client: Any, prefix: str = ""):
        self._client = client
        self._prefix = prefix

    @classmethod
    def connect(cls, config: Config) -> Storage:
        """A storage on `config.dynamodb_endpoint`, or on AWS; credentials as boto3 finds them."""
        client = boto3.session.Session().client(
            "dynamodb",
            region_name=config.aws_region,
            endpoint_url=config.dynamodb_endpoint or None,
            config=BotoConfig(
                connect_timeout=1,
                read_timeout=2,
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=50,
            ),
        )
        return cls(client, config.table_prefix)

    def table(self, name: str) -> str:
        """The real name of one of TABLES."""
        return self._prefix + name

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """One request. Raises: ChatError `unavailable`; ClientError for what the caller must understand."""
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] in THROTTLED or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise ChatError("unavailable", retry_after_s=1) from error
            raise
        except BotoCoreError as error:
            raise ChatError("unavailable", retry_after_s=1) from error

    def ping(self) -> None:
        """Returns when the tables answer. Raises: ChatError `unavailable`, also when they do not exist."""
        try:
            self.call("describe_table", TableName=self.table("chat"))
        except ClientError as error:
            raise ChatError("unavailable") from error

    # --- tables ---------------------------------------------------------------------------------------------------

    def create_tables(self) -> list[str]:
        """Creates what is missing, waits until it is ACTIVE, turns the stream and TTL on; repeating it changes nothing.

        Returns the real names of the tables it created.
        """
        created = []
        for name, (keys, streamed) in TABLES.items():
            request: dict[str, Any] = {
                "TableName": self.table(name),
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
                "KeySchema": [
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            }
            if streamed:
                request["StreamSpecification"] = STREAM
            try:
                self.call("create_table", **request)
                created.append(self.table(name))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceInUseException":
                    raise
            self._client.get_waiter("table_exists").wait(
                TableName=self.table(name), WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
            if streamed:
                self._turn_on_stream(name)
            self._turn_on_ttl(name)
        return created

    def _turn_on_stream(self, name: str) -> None:
        table = self.call("describe_table", TableName=self.table(name))["Table"]
        if not table.get("StreamSpecification", {}).get("StreamEnabled"):
            self.call("update_table", TableName=self.table(name), StreamSpecification=STREAM)
            self._client.get_waiter("table_exists").wait(TableName=self.table(name))

    def _turn_on_ttl(self, name: str) -> None:
        described = self.call("describe_time_to_live", TableName=self.table(name))["TimeToLiveDescription"]
        if described["TimeToLiveStatus"] in ("DISABLED", "DISABLING"):
            self.call(
                "update_time_to_live",
                TableName=self.table(name),
                TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
            )

    def drop_tables(self) -> list[str]:
        """Deletes the tables and all that is in them. Returns the real names of those that existed."""
        dropped = []
        for name in TABLES:
            try:
                self.call("delete_table", TableName=self.table(name))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                continue
            self._client.get_waiter("table_not_exists").wait(
                TableName=self.table(name), WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
            dropped.append(self.table(name))
        return dropped

    def table_problems(self) -> list[str]:
        """What is wrong with the tables, one plain sentence each."""
        found = []
        for name, (_, streamed) in TABLES.items():
            try:
                table = self.call("describe_table", TableName=self.table(name))["Table"]
            except ClientError:
                found.append(f"table {self.table(name)} does not exist: run `flask create-tables`")
                continue
            if table["TableStatus"] != "ACTIVE":
                found.append(f"table {self.table(name)} is {table['TableStatus']}, not ACTIVE")
            if streamed and not table.get("StreamSpecification", {}).get("StreamEnabled"):
                found.append(f"table {self.table(name)} has no stream: run `flask create-tables`")
        return found

    # --- users ----------------------------------------------------------------------------------------------------

    def put_user(self, user: User) -> None:
        """Stores a new account. Raises: ChatError `username_taken`; an existing one is never touched."""
        row = {
            "username": user.username,
            "name": user.name,
            "hash": user.password_hash,
            "epoch": user.epoch,
            "created_at_ms": user.created_at_ms or int(time.time() * 1000),
        }
        try:
            self.call(
                "put_item",
                TableName=self.table("users"),
                Item=pack(row),
                ConditionExpression="attribute_not_exists(username)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise ChatError("username_taken") from None

    def get_user(self, username: str) -> User | None:
        """The account with that casefolded name, or None."""
        item = self.call(
            "get_item", TableName=self.table("users"), Key=pack({"username": username}), ConsistentRead=True
        ).get("Item")
        if item is None:
            return None
        row = unpack(item)
        return User(
            username=row["username"],
            name=row.get("name", row["username"]),
            password_hash=row.get("hash", ""),
            epoch=row.get("epoch", 0),
            created_at_ms=row.get("created_at_ms", 0),
        )

    def set_password_hash(self, username: str, old: str, new: str) -> bool:
        """Replaces the hash if it is still `old`; False when it is not (then nothing is written)."""
        try:
            self.call(
                "update_item",
                TableName=self.table("users"),
                Key=pack({"username": username}),
                UpdateExpression="SET #h = :new",
                ConditionExpression="#h = :old",
                ExpressionAttributeNames={"#h": "hash"},
                ExpressionAttributeValues=pack({":old": old, ":new": new}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
