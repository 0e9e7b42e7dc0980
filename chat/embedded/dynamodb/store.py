"""One SQLite file: tables, items, stream records, tokens. One writer, whose commits many requests share."""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from chat.embedded.dynamodb import values
from chat.embedded.dynamodb.errors import ApiError, invalid, no_table
from chat.embedded.dynamodb.values import Item

ACCOUNT, REGION = "000000000000", "local"
ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
MAX_SHARED_COMMIT = 256
WAIT_MS, FOLD_WAIT_MS = 5_000, 100  # for who else uses the file
SCHEMA = """
CREATE TABLE IF NOT EXISTS tables (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, description TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS items (
    number INTEGER NOT NULL, hash BLOB NOT NULL, range BLOB NOT NULL, item TEXT NOT NULL, size INTEGER NOT NULL,
    expires_at REAL, PRIMARY KEY (number, hash, range)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS expiring ON items (number, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS streams (arn TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL, at REAL NOT NULL, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS records_of ON records (arn, sequence);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, digest TEXT NOT NULL, at REAL NOT NULL);
"""


@dataclass(frozen=True)
class Table:
    """A table: `keys` are (name, type) of its hash key and, if it has one, its range key."""

    number: int
    name: str
    keys: tuple[tuple[str, str], ...]
    created_at: float
    table_id: str
    billing: str = "PAY_PER_REQUEST"
    stream_arn: str = ""
    stream_view: str = ""
    ttl_attribute: str = ""
    protected: bool = False  # against DeleteTable

    @property
    def arn(self) -> str:
        return ARN + self.name

    @property
    def key_names(self) -> set[str]:
        return {name for name, _ in self.keys}

    def key_of(self, item: Item) -> Item:
        """The key attributes of an item."""
        return {name: item[name] for name, _ in self.keys}

    def encode(self, key: Any, exact: bool = False) -> tuple[bytes, bytes]:
        """The item's place: its key as bytes that sort. `exact`: nothing but the key may be given, still unchecked.

        Raises: ApiError ValidationException.
        """
        if exact and (not isinstance(key, dict) or set(key) != self.key_names):
            raise invalid("The provided key element does not match the schema")
        encoded = []
        for (name, kind), limit in zip(self.keys, (values.MAX_HASH_BYTES, values.MAX_RANGE_BYTES), strict=False):
            if name not in key:
                raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
            value = values.check(key[name]) if exact else key[name]
            if exact and kind not in value:
                raise invalid("The provided key element does not match the schema")
            encoded.append(values.key_bytes(value, kind, limit, name))
        return encoded[0], encoded[1] if len(encoded) > 1 else b""


Job = Callable[[sqlite3.Connection], Any]


class Store:
    """The file. Reads see what is committed; writes go through `write`."""

    def __init__(self, path: str, synchronous: str = "FULL"):
        self._path = path
        self._synchronous = synchronous
        self._reader = self._open()
        self._tables: dict[str, Table] = {}
        self._schema_changed = False
        writer = self._open()
        writer.execute("PRAGMA secure_delete=ON")  # what is deleted or replaced is written over, in the file too
        writer.executescript(SCHEMA)
        self._load(writer)
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, args=(writer,), name="writer", daemon=True)
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=WAIT_MS / 1000)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint=2000")
        return connection

    def close(self) -> None:
        """Ends after the commit under way, and folds the log into the file."""
        self._jobs.put(None)
        self._thread.join(5)
        self._reader.close()

    # --- writing --------------------------------------------------------------------------------------------------

    def write(self, job: Job) -> Future[Any]:
        """Runs `job` in a transaction of its own inside a commit that it may share; done when that is on the disk."""
        future: Future[Any] = Future()
        self._jobs.put((job, future))
        return future

    def fold(self) -> Future[Any]:
        """Folds the log into the file and empties it, so that nothing stays there which the file has no more."""
        return self.write(_fold)

    def _write_all(self, connection: sqlite3.Connection) -> None:
        running = True
        while running:
            waiting = [self._jobs.get()]
            while len(waiting) < MAX_SHARED_COMMIT and not self._jobs.empty():
                waiting.append(self._jobs.get())
            running = None not in waiting
            jobs = [each for each in waiting if each is not None]
            self._commit_together(connection, [each for each in jobs if each[0] is not _fold])
            for _, future in [each for each in jobs if each[0] is _fold]:
                _fold(connection)
                future.set_result(None)
        with suppress(sqlite3.Error):  # on a full disk the log stays, and is read at the next start
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def _commit_together(self, connection: sqlite3.Connection, jobs: list[tuple[Job, Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        jobs = [(job, future) for job, future in jobs if future.set_running_or_notify_cancel()]
        if not jobs:
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job, future in jobs:
                connection.execute("SAVEPOINT one")
                try:
                    outcomes.append((future, job(connection), None))
                except Exception as error:
                    connection.execute("ROLLBACK TO one")
                    outcomes.append((future, None, error))
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
            if self._schema_changed:
                self._load(connection)
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            outcomes = [(future, None, error) for _, future in jobs]
        for future, result, failure in outcomes:
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)

    # --- tables ---------------------------------------------------------------------------------------------------

    def _load(self, connection: sqlite3.Connection) -> None:
        self._schema_changed = False
        rows = connection.execute("SELECT number, name, description FROM tables").fetchall()
        self._tables = {name: _table(number, name, text) for number, name, text in rows}

    def table(self, name: Any) -> Table:
        """The table of that name or ARN. Raises: ApiError ResourceNotFoundException."""
        found = self._tables.get(named(name)) if isinstance(name, str) else None
        if found is None:
            raise no_table(str(name))
        return found

    def table_names(self) -> list[str]:
        """The names of all tables, in order."""
        return sorted(self._tables)

    def create_table(self, connection: sqlite3.Connection, table: Table) -> Table:
        """Adds a table. Raises: ApiError ResourceInUseException."""
        self._schema_changed = True
        if connection.execute("SELECT 1 FROM tables WHERE name = ?", (table.name,)).fetchone():
            raise ApiError("ResourceInUseException", f"Table already exists: {table.name}")
        cursor = connection.execute(
            "INSERT INTO tables (name, description) VALUES (?, ?)", (table.name, _description(table))
        )
        return replace(table, number=cursor.lastrowid or 0)

    def save_table(self, connection: sqlite3.Connection, table: Table) -> None:
        """Replaces a table's description."""
        self._schema_changed = True
        connection.execute("UPDATE tables SET description = ? WHERE number = ?", (_description(table), table.number))

    def delete_table(self, connection: sqlite3.Connection, table: Table) -> None:
        """Removes a table with its items; its stream stays readable."""
        self._schema_changed = True
        connection.execute("DELETE FROM tables WHERE number = ?", (table.number,))
        connection.execute("DELETE FROM items WHERE number = ?", (table.number,))

    def size(self, table: Table) -> tuple[int, int]:
        """(items, bytes) of a table."""
        return self._reader.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM items WHERE number = ?", (table.number,)
        ).fetchone()

    # --- items ----------------------------------------------------------------------------------------------------

    @property
    def reader(self) -> sqlite3.Connection:
        """Sees what is committed."""
        return self._reader

    @staticmethod
    def get(connection: sqlite3.Connection, table: Table, place: tuple[bytes, bytes]) -> Item | None:
        """The item at a place, or None."""
        row = connection.execute(
            "SELECT item FROM items WHERE number = ? AND hash = ? AND range = ?", (table.number, *place)
        ).fetchone()
        return json.loads(row[0]) if row else None

    @staticmethod
    def put(
        connection: sqlite3.Connection,
        table: Table,
        place: tuple[bytes, bytes],
        old: Item | None,
        new: Item | None,
        identity: dict[str, str] | None = None,
    ) -> None:
        """Puts an item in its place, or takes it away (`new` is None), and records that in the table's stream."""
        if old == new or (old is not None and new is not None and values.same({"M": old}, {"M": new})):
            return
        if new is None:
            connection.execute("DELETE FROM items WHERE number = ? AND hash = ? AND range = ?", (table.number, *place))
        else:
            row = (table.number, *place, _compact(new), values.item_size(new), _expiry(table, new))
            connection.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)", row)
        if table.stream_view:
            connection.execute(
                "INSERT INTO records (arn, at, record) VALUES (?, ?, ?)",
                (table.stream_arn, time.time(), _compact(_record(table, old, new, identity))),
            )

    @staticmethod
    def between(
        connection: sqlite3.Connection, table: Table, where: str, parameters: list[Any], forward: bool
    ) -> Iterator[tuple[str, int, bytes]]:
        """(item in JSON, bytes, hash) of the items for which the SQL condition holds, in key order."""
        way = "" if forward else " DESC"
        return connection.execute(
            f"SELECT item, size, hash FROM items WHERE number = ? {where} ORDER BY hash{way}, range{way}",
            [table.number, *parameters],
        )

    def reindex_expiry(self, connection: sqlite3.Connection, table: Table) -> None:
        """Notes for every item when it expires, after the table's TTL attribute changed."""
        rows = connection.execute("SELECT hash, range, item FROM items WHERE number = ?", (table.number,)).fetchall()
        connection.executemany(
            "UPDATE items SET expires_at = ? WHERE number = ? AND hash = ? AND range = ?",
            [(_expiry(table, json.loads(text)), table.number, *place) for *place, text in rows],
        )

    def sweep_expired(self, connection: sqlite3.Connection, now: float, limit: int = 100) -> int:
        """Removes some items that have expired; returns how many."""
        removed = 0
        identity = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
        for table in list(self._tables.values()):
            if not table.ttl_attribute:
                continue
            rows = connection.execute(
                "SELECT hash, range, item FROM items WHERE number = ? AND expires_at IS NOT NULL AND expires_at < ? "
                "LIMIT ?",
                (table.number, now, limit),
            ).fetchall()
            for *place, text in rows:
                self.put(connection, table, (place[0], place[1]), json.loads(text), None, identity)
            removed += len(rows)
        return removed

    @staticmethod
    def sweep_records(connection: sqlite3.Connection, before: float, tokens_before: float) -> None:
        """Trims what streams and transactions need no longer."""
        connection.execute("DELETE FROM records WHERE at < ?", (before,))
        connection.execute("DELETE FROM tokens WHERE at < ?", (tokens_before,))


def _fold(connection: sqlite3.Connection) -> None:
    """Outside of any transaction. Waits for no reader: what cannot be folded now is the next time."""
    with suppress(sqlite3.Error):
        connection.execute(f"PRAGMA busy_timeout={FOLD_WAIT_MS}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")


def named(said: Any) -> Any:
    """The name of a table that is called by its ARN; anything else as it is."""
    return said.removeprefix(ARN) if isinstance(said, str) else said


def new_table(name: str, keys: tuple[tuple[str, str], ...], billing: str) -> Table:
    """A table that is not stored yet."""
    return Table(0, name, keys, time.time(), str(uuid.uuid4()), billing)


def segment_of(hash_bytes: bytes, total: int) -> int:
    """Which of `total` segments of a parallel scan has this hash key."""
    return zlib.crc32(hash_bytes) % total


def _table(number: int, name: str, text: str) -> Table:
    fields = json.loads(text)
    fields["keys"] = tuple((key, kind) for key, kind in fields["keys"])
    return Table(number=number, name=name, **fields)


def _description(table: Table) -> str:
    fields = {name: value for name, value in vars(table).items() if name not in ("number", "name")}
    if not table.protected:
        del fields["protected"]  # an engine of before does not know it
    return _compact(fields)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _expiry(table: Table, item: Item) -> float | None:
    """When the item expires; five years ago and more is taken for a mistake, as DynamoDB does."""
    found = item.get(table.ttl_attribute, {}).get("N") if table.ttl_attribute else None
    if found is None:
        return None
    at = float(found)
    return at if at > time.time() - 5 * 365 * 86_400 else None


def _record(table: Table, old: Item | None, new: Item | None, identity: dict[str, str] | None) -> dict[str, Any]:
    change: dict[str, Any] = {
        "Keys": table.key_of(new or old or {}),
        "StreamViewType": table.stream_view,
        "SizeBytes": sum(values.item_size(image) for image in (old, new) if image),
    }
    if new is not None and table.stream_view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        change["NewImage"] = new
    if old is not None and table.stream_view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        change["OldImage"] = old
    name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    return {"eventName": name, "dynamodb": change} | ({"userIdentity": identity} if identity else {})
