"""Accounts in the table `users`, by `username`: nothing here lists them, and nothing deletes one."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator

from chat.errors import ChatError
from chat.models import User
from chat.services.storage.client import CONDITION_FAILED, Client
from chat.services.storage.rows import Row
from chat.services.storage.values import pack, unpack

log = logging.getLogger(__name__)


def user_row(user: User) -> Row:
    """An account as a row."""
    return {
        "username": user.username,
        "name": user.name,
        "hash": user.password_hash,
        "epoch": user.epoch,
        "created_at_ms": user.created_at_ms or int(time.time() * 1000),
    }


def read_user(row: Row) -> User:
    """The account that a row records. One whose hash or epoch is of another type than ours lets nobody in: then it has
    no hash that any password has."""
    username, stored, epoch = row["username"], row.get("hash", ""), row.get("epoch", 0)
    if type(stored) is not str or type(epoch) is not int:
        log.error("the account %r cannot be read: its hash or its epoch is of another type", username)
        stored, epoch = "", 0
    return User(username, _name(row), stored, epoch, row.get("created_at_ms", 0))


def _name(row: Row) -> str:
    name = row.get("name")
    return name if name and type(name) is str else str(row["username"])


class UserRows:
    """The rows of accounts."""

    def __init__(self, client: Client):
        self._client = client

    def put(self, user: User) -> None:
        """Stores a new account. Raises: ChatError `username_taken`; an existing one is never touched."""
        stored = self._client.unless(
            CONDITION_FAILED,
            "put_item",
            TableName=self._client.table("users"),
            Item=pack(user_row(user)),
            ConditionExpression="attribute_not_exists(username)",
        )
        if stored is None:
            raise ChatError("username_taken")

    def get(self, username: str) -> User | None:
        """The account with that casefolded name, or None."""
        row = self._client.get("users", {"username": username})
        return read_user(row) if row else None

    def set_password_hash(self, username: str, old: str, new: str) -> bool:
        """Replaces the hash if it is still `old`; False when it is not (then nothing is written)."""
        return self._client.update_if(
            "users",
            {"username": username},
            "SET #hash = :new",
            "#hash = :old",
            {"#hash": "hash"},
            {":new": new, ":old": old},
        )

    def epochs(self, usernames: Iterable[str]) -> dict[str, int]:
        """The epochs of these accounts, as they are now; who has no account that can be read is left out."""
        found = {row["username"]: row.get("epoch", 0) for row in self._each(usernames, "epoch")}
        return {username: epoch for username, epoch in found.items() if type(epoch) is int}

    def names(self, usernames: Iterable[str]) -> dict[str, str]:
        """What these people call themselves; who has no account is left out."""
        return {row["username"]: _name(row) for row in self._each(usernames, "name")}

    def _each(self, usernames: Iterable[str], attribute: str) -> Iterator[Row]:
        """The rows of these accounts, of which only that attribute and the username are read."""
        keys = ({"username": username} for username in usernames)
        which = {
            "ProjectionExpression": "username, #attribute",
            "ExpressionAttributeNames": {"#attribute": attribute},
        }
        return self._client.get_each("users", keys, **which)

    def raise_epoch(self, username: str, hashes: tuple[str, str] | None = None) -> int | None:
        """Gives the account its next epoch, and returns it; with `hashes` (old, new) also a new password hash, if it is
        still the old one. None when it is not, or there is no such account: then nothing is written."""
        names = {"#epoch": "epoch"}
        values: Row = {":one": 1, ":none": 0}
        update, condition = "SET #epoch = if_not_exists(#epoch, :none) + :one", "attribute_exists(username)"
        if hashes is not None:
            names["#hash"] = "hash"
            values |= {":old": hashes[0], ":new": hashes[1]}
            update, condition = f"{update}, #hash = :new", "#hash = :old"
        updated = self._client.unless(
            CONDITION_FAILED,
            "update_item",
            TableName=self._client.table("users"),
            Key=pack({"username": username}),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=pack(values),
            ReturnValues="UPDATED_NEW",
        )
        return unpack(updated["Attributes"])["epoch"] if updated else None
