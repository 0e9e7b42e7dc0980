"""The workers that show themselves to each other. `chat`: `WORKERS`/id."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chat.models import Worker
from chat.services.storage.client import Client, away
from chat.services.storage.rows import Row
from chat.services.storage.values import pack

WORKERS = "WORKERS"


def worker_key(worker: str) -> Row:
    """Where a worker shows itself."""
    return {"pk": WORKERS, "sk": worker}


def worker_row(worker: Worker) -> Row:
    """A worker as a row."""
    said: Row = {"beats": worker.beats, "hears": worker.hears, "at_ms": worker.at_ms, "format": worker.format}
    said |= {"url": worker.url} if worker.url else {}
    return worker_key(worker.id) | said


def read_worker(row: Row) -> Worker:
    """The worker that a row describes."""
    return Worker(row["sk"], row["beats"], row["hears"], row["at_ms"], row.get("format", 0), row.get("url", ""))


class WorkerRows:
    """The rows of workers."""

    def __init__(self, client: Client):
        self._client = client

    def put(self, worker: Worker) -> None:
        """Shows a worker to the others. Raises: ChatError `unavailable`, also when the table does not exist."""
        try:
            self._client.call("put_item", TableName=self._client.table("chat"), Item=pack(worker_row(worker)))
        except ClientError as error:
            raise away(error) from error

    def all(self) -> list[Worker]:
        """Every worker that shows itself, and those that ended without a word."""
        return [read_worker(row) for row in self._client.partition("chat", WORKERS)]

    def delete(self, worker: str) -> None:
        """Takes a worker off the list."""
        self._client.call("delete_item", TableName=self._client.table("chat"), Key=pack(worker_key(worker)))
