"""A record of the stream of `messages`, as a change of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from chat.services.storage.external import SAID, is_own
from chat.services.storage.values import texts

DIGITS = 40  # of a place in a stream: AWS gives up to so many
TTL = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}

Row = dict[str, str | None]


@dataclass(frozen=True)
class Change:
    """One record of a stream. `number` is its place there, digits of one length; `stream` says which stream; `before`
    is the row as it was; both say only what stands under `SAID`, with None for what is no text."""

    kind: Literal["INSERT", "MODIFY", "REMOVE"]
    room: str
    id: str
    row: Row | None
    number: str
    stream: str
    by_ttl: bool = False
    before: Row | None = None


def label(arn: str) -> str:
    """The part of a stream's ARN that tells it from others of the table: when it was made, the later the greater."""
    return arn.rpartition("/")[2]


def read_record(arn: str, record: dict[str, Any]) -> Change:
    """A record of a stream as a change; as Lambda functions get them, too."""
    told = record["dynamodb"]
    key = {name: value["S"] for name, value in told["Keys"].items()}
    by = record.get("userIdentity") or {}
    return Change(
        kind=record["eventName"],
        room=key["room"],
        id=key["id"],
        row=_foreign(key, told.get("NewImage")),
        number=str(told["SequenceNumber"]).zfill(DIGITS),
        stream=label(arn),
        by_ttl={name[0].upper() + name[1:]: value for name, value in by.items()} == TTL,
        before=_foreign(key, told.get("OldImage")),
    )


def _foreign(key: dict[str, str], image: dict[str, Any] | None) -> Row | None:
    """What a row says that others put, None for one of the app's own."""
    return texts(image, SAID) if image is not None and not is_own(key["room"]) else None
