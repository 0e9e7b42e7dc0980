"""Takes over what others put into the table `messages`, as its stream tells it: INGEST_MODE=lambda.

Event and answer: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB", with ReportBatchItemFailures. A
batch that meets storage which does not answer is told again from its first record on; that is harmless, and a row that
can never be a message stops nobody (`flask ingest-errors` lists it).
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from typing import Any

from chat.errors import ChatError
from chat.lambdas.http import config
from chat.services.bus.publisher import Publisher
from chat.services.ingest.ingest import Ingest
from chat.services.log.append import Log
from chat.services.log.sequence import Sequences
from chat.services.rooms.rooms import Rooms
from chat.services.storage import redis_client
from chat.services.storage.changes import read_record
from chat.services.storage.storage import Storage

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def ingest() -> Ingest:
    """The service of this function; made when it is first called."""
    settings = config()
    storage = Storage.connect(settings)
    redis = redis_client.connect(settings.redis_url)
    sequences = Sequences(redis, storage)
    bus = Publisher(redis)
    entries = Log(storage, sequences, bus)
    return Ingest(storage, Rooms(storage, sequences, entries, bus), entries, bus)


def handler(event: Any, context: object) -> dict[str, Any]:
    """`{Records}` → `{batchItemFailures}`: empty, or where to begin again. An event that no stream sends, and somebody
    has typed, is answered 400."""
    try:
        records = event["Records"]
        changes = [read_record(record["eventSourceARN"], record) for record in records]
    except (AttributeError, LookupError, TypeError):
        log.error("an event is not of a stream's shape")
        return {"statusCode": 400, "body": json.dumps({"error": ChatError("body_invalid").to_dict()})}
    try:
        ingest().take(changes)
    except ChatError as error:
        log.warning("%d records are to be told again: %s", len(records), error.code)
        return {"batchItemFailures": [{"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
