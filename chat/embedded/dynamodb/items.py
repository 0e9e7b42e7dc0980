"""Operations on items: put, get, update, delete, query, scan, batches and transactions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NewType

from chat.embedded.dynamodb import parameters, values
from chat.embedded.dynamodb.errors import ApiError, condition_failed, invalid, malformed
from chat.embedded.dynamodb.expressions import Expressions, look_up, pick
from chat.embedded.dynamodb.parser import Path
from chat.embedded.dynamodb.store import Store, Table, segment_of
from chat.embedded.dynamodb.values import Item

Request = dict[str, Any]
Answer = dict[str, Any]

Encoded = NewType("Encoded", str)  # an item that is JSON already: it goes out as it was stored
MAX_PAGE_BYTES = 1024 * 1024
MAX_BATCH_GET, MAX_BATCH_GET_BYTES = 100, 16 * 1024 * 1024
MAX_BATCH_WRITE = 25
MAX_SEGMENTS = 1_000_000
MAX_TRANSACTION, MAX_TRANSACTION_BYTES = 100, 4 * 1024 * 1024
TOKEN_S = 600


@dataclass
class Write:
    """One checked write, ready to be carried out: everything about it that can be wrong without looking at the item."""

    kind: str
    table: Table
    place: tuple[bytes, bytes]
    key: Item
    item: Item | None
    expressions: Expressions
    return_old: bool
    touched: list[Path]

    @classmethod
    def of(cls, store: Store, kind: str, request: Request) -> Write:
        """Reads a Put, Update, Delete or ConditionCheck. Raises: ApiError."""
        table = store.table(request.get("TableName"))
        expressions = Expressions(request)
        if kind == "Put":
            if "Item" not in request:
                raise invalid("The parameter 'Item' is required but was not present in the request")
            item = values.check_item(request["Item"])
            place, key = table.encode(item), table.key_of(item)
        else:
            if "Key" not in request:
                raise invalid("The parameter 'Key' is required but was not present in the request")
            item = None
            place = table.encode(request["Key"], exact=True)
            key = {name: values.check(value) for name, value in request["Key"].items()}
        return_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        touched = expressions.update_targets(table.key_names) if kind == "Update" else []
        return cls(kind, table, place, key, item, expressions, return_old, touched)

    def decide(self, connection: sqlite3.Connection) -> tuple[Item | None, Item | None]:
        """(the old item, the new one). Raises: ApiError, also when the condition fails."""
        old = Store.get(connection, self.table, self.place)
        if not self.expressions.holds("ConditionExpression", old):
            raise condition_failed(old if self.return_old else None)
        if self.kind == "Put":
            return old, self.item
        if self.kind == "Delete":
            return old, None
        if self.kind == "ConditionCheck":
            return old, old
        new = self.expressions.update(old if old is not None else dict(self.key))
        if old is None and not self.expressions.makes_items():
            return None, None
        if values.item_size(new) > values.MAX_ITEM_BYTES:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return old, new


class Items:
    """The operations; each method takes a checked request and answers as DynamoDB does."""

    def __init__(self, store: Store):
        self._store = store

    # --- single items ---------------------------------------------------------------------------------------------

    def writer(self, operation: str, request: Request) -> Callable[[sqlite3.Connection], Answer]:
        """A PutItem, UpdateItem or DeleteItem as a job for the writer. Raises: ApiError."""
        returned = request.get("ReturnValues", "NONE")
        if operation != "UpdateItem" and returned not in ("NONE", "ALL_OLD"):
            raise invalid("Return values set to invalid value")
        write = Write.of(self._store, operation.removesuffix("Item"), request)

        def job(connection: sqlite3.Connection) -> Answer:
            old, new = write.decide(connection)
            Store.put(connection, write.table, write.place, old, new)
            attributes = _returned(returned, old, new, write.touched)
            answer: Answer = {"Attributes": attributes} if attributes else {}
            return answer | _capacity(request, write.table, lambda: _write_units(_larger(old, new)))

        return job

    def get(self, request: Request) -> Answer:
        """GetItem"""
        table, _, item, projected = self._get(request)
        consistent = request.get("ConsistentRead", False)
        answer = _capacity(request, table, lambda: _read_units(values.item_size(item or {}), consistent))
        return answer if item is None else {"Item": projected} | answer

    def _get(self, request: Request) -> tuple[Table, tuple[bytes, bytes], Item | None, Item]:
        """(table, place, item or None, what was asked for of it)"""
        table = self._store.table(request.get("TableName"))
        expressions = Expressions(request)
        if "Key" not in request:
            raise invalid("The parameter 'Key' is required but was not present in the request")
        place = table.encode(request["Key"], exact=True)
        item = Store.get(self._store.reader, table, place)
        return table, place, item, expressions.project(item) if item is not None else {}

    # --- query and scan -------------------------------------------------------------------------------------------

    def query(self, request: Request) -> Answer:
        """Query"""
        table = self._store.table(request.get("TableName"))
        if "KeyConditionExpression" not in request:
            raise invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        expressions = Expressions(request)
        filtered = expressions.attributes("FilterExpression") & table.key_names
        if filtered:
            raise invalid(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {min(filtered)}"
            )
        where, bound, partition = _key_condition(table, expressions)
        forward = request.get("ScanIndexForward", True)
        start = request.get("ExclusiveStartKey")
        if start is not None:
            hash_bytes, range_bytes = table.encode(start, exact=True)
            if hash_bytes != partition:
                raise invalid("The provided starting key is outside query boundaries based on provided conditions")
            where += f" AND range {'>' if forward else '<'} ?"  # by the range key alone, which SQLite can seek
            bound.append(range_bytes)
        return self._page(request, table, expressions, where, bound, forward)

    def scan(self, request: Request) -> Answer:
        """Scan"""
        table = self._store.table(request.get("TableName"))
        if ("Segment" in request) != ("TotalSegments" in request):
            raise invalid("The Segment and TotalSegments parameters must be given together")
        segment, total = request.get("Segment", 0), request.get("TotalSegments", 1)
        if not 0 <= segment < total <= MAX_SEGMENTS:
            raise invalid(f"The Segment must be below TotalSegments, and that at most {MAX_SEGMENTS}")
        start = request.get("ExclusiveStartKey")
        after = table.encode(start, exact=True) if start is not None else None
        where, bound = ("", []) if after is None else (" AND (hash, range) > (?, ?)", [*after])
        return self._page(request, table, Expressions(request), where, bound, True, segment, total)

    def _page(
        self,
        request: Request,
        table: Table,
        expressions: Expressions,
        where: str,
        bound: list[Any],
        forward: bool,
        segment: int = 0,
        total: int = 1,
    ) -> Answer:
        select = request.get("Select")
        if expressions.has("ProjectionExpression") != (select == "SPECIFIC_ATTRIBUTES") and select is not None:
            raise invalid("Select is SPECIFIC_ATTRIBUTES when there is a ProjectionExpression, and only then")
        as_stored = not expressions.has("FilterExpression") and not expressions.has("ProjectionExpression")
        limit = request.get("Limit")
        found: list[Item | Encoded] = []
        scanned, size = 0, 0
        last = ""
        complete = True
        for text, item_bytes, hash_bytes in Store.between(self._store.reader, table, where, bound, forward):
            if total > 1 and segment_of(hash_bytes, total) != segment:
                continue
            if scanned == limit or size >= MAX_PAGE_BYTES:
                complete = False
                break
            scanned += 1
            size += item_bytes
            last = text
            if as_stored:
                found.append(Encoded(text))
                continue
            item = json.loads(text)
            if expressions.holds("FilterExpression", item):
                found.append(expressions.project(item))
        answer: Answer = {"Count": len(found), "ScannedCount": scanned}
        if select != "COUNT":
            answer["Items"] = found
        if last and (not complete or scanned == limit):
            answer["LastEvaluatedKey"] = table.key_of(json.loads(last))
        consistent = request.get("ConsistentRead", False)
        return answer | _capacity(request, table, lambda: _read_units(size, consistent))

    # --- batches --------------------------------------------------------------------------------------------------

    def batch_get(self, request: Request) -> Answer:
        """BatchGetItem"""
        asked = [
            (name, options, key)
            for name, keys in request.get("RequestItems", {}).items()
            for options in [parameters.check("Keys", keys)]
            for key in options.get("Keys", [])
        ]
        if not 1 <= len(asked) <= MAX_BATCH_GET:
            raise invalid("Too many items requested for the BatchGetItem call" if asked else "Nothing is asked for")
        tables = [self._store.table(name) for name, _, _ in asked]
        places = [table.encode(key, exact=True) for table, (_, _, key) in zip(tables, asked, strict=True)]
        if len({(table.name, place) for table, place in zip(tables, places, strict=True)}) != len(places):
            raise invalid("Provided list of item keys contains duplicates")
        projections = {name: Expressions(options) for name, options, _ in asked}
        responses: dict[str, list[Item]] = {name: [] for name in projections}
        unprocessed: dict[str, Any] = {}
        units: dict[str, float] = {}
        size = 0
        for (name, options, key), table, place in zip(asked, tables, places, strict=True):
            if size >= MAX_BATCH_GET_BYTES:
                unprocessed.setdefault(name, options | {"Keys": []})["Keys"].append(key)
                continue
            item = Store.get(self._store.reader, table, place)
            item_bytes = values.item_size(item or {})
            size += item_bytes
            units[name] = units.get(name, 0) + _read_units(item_bytes, options.get("ConsistentRead", False))
            if item is not None:
                responses[name].append(projections[name].project(item))
        return {"Responses": responses, "UnprocessedKeys": unprocessed} | _capacities(request, units)

    def batch_writer(self, request: Request) -> Callable[[sqlite3.Connection], Answer]:
        """BatchWriteItem as a job for the writer. Raises: ApiError."""
        writes = []
        for name, asked in request.get("RequestItems", {}).items():
            if not isinstance(asked, list):
                raise malformed("RequestItems maps tables to lists")
            for each in asked:
                if not isinstance(each, dict) or len(each) != 1 or not each.keys() <= {"PutRequest", "DeleteRequest"}:
                    raise invalid("Supplied WriteRequest must have exactly one of PutRequest and DeleteRequest")
                ((kind, body),) = each.items()
                body = parameters.check(kind, body)
                writes.append(Write.of(self._store, kind.removesuffix("Request"), {"TableName": name, **body}))
        if not 1 <= len(writes) <= MAX_BATCH_WRITE:
            raise invalid("Too many items requested for the BatchWriteItem call" if writes else "Nothing is asked for")
        if len({(write.table.name, write.place) for write in writes}) != len(writes):
            raise invalid("Provided list of item keys contains duplicates")

        def job(connection: sqlite3.Connection) -> Answer:
            units: dict[str, float] = {}
            for write in writes:
                old, new = write.decide(connection)
                Store.put(connection, write.table, write.place, old, new)
                units[write.table.name] = units.get(write.table.name, 0) + _write_units(_larger(old, new))
            return {"UnprocessedItems": {}} | _capacities(request, units)

        return job

    # --- transactions ---------------------------------------------------------------------------------------------

    def transaction(self, request: Request) -> Callable[[sqlite3.Connection], Answer]:
        """TransactWriteItems as a job for the writer. Raises: ApiError."""
        asked = request.get("TransactItems", [])
        if not 1 <= len(asked) <= MAX_TRANSACTION:
            raise invalid(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MAX_TRANSACTION}, and at least 1"
            )
        writes = []
        for each in asked:
            kinds = {"Put", "Update", "Delete", "ConditionCheck"}
            if not isinstance(each, dict) or len(each) != 1 or not each.keys() <= kinds:
                raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
            ((kind, body),) = each.items()
            body = parameters.check(kind, body)
            needed = {"ConditionCheck": "ConditionExpression", "Update": "UpdateExpression"}.get(kind)
            if needed is not None and needed not in body:
                raise invalid(f"The parameter '{needed}' is required but was not present in the request")
            writes.append(Write.of(self._store, kind, body))
        if len({(write.table.name, write.place) for write in writes}) != len(writes):
            raise invalid("Transaction request cannot include multiple operations on one item")
        token = request.get("ClientRequestToken")
        if token is not None and not 1 <= len(token) <= 36:
            raise invalid("ClientRequestToken must have 1 to 36 characters")
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest() if token is not None else ""

        def job(connection: sqlite3.Connection) -> Answer:
            if token is not None and _seen(connection, token, digest):
                return {}
            units = _carry_out(connection, writes)
            return _capacities(request, units)

        return job

    def transact_get(self, request: Request) -> Answer:
        """TransactGetItems"""
        asked = request.get("TransactItems", [])
        if not 1 <= len(asked) <= MAX_TRANSACTION:
            raise invalid(f"TransactItems must have 1 to {MAX_TRANSACTION} members")
        responses, seen = [], set()
        units: dict[str, float] = {}
        for each in asked:
            if not isinstance(each, dict) or set(each) != {"Get"}:
                raise invalid("TransactItems can only contain Get")
            get = parameters.check("Get", each["Get"])
            table, place, item, projected = self._get(get)
            if (table.name, place) in seen:
                raise invalid("Transaction request cannot include multiple operations on one item")
            seen.add((table.name, place))
            responses.append({"Item": projected} if item is not None else {})
            units[table.name] = units.get(table.name, 0) + 2 * _read_units(values.item_size(item or {}), True)
        return {"Responses": responses} | _capacities(request, units)


def _seen(connection: sqlite3.Connection, token: str, digest: str) -> bool:
    """Whether this transaction was carried out in the last ten minutes.

    Raises: ApiError IdempotentParameterMismatchException when its token was another's.
    """
    now = time.time()
    row = connection.execute("SELECT digest, at FROM tokens WHERE token = ?", (token,)).fetchone()
    if row is not None and now - row[1] < TOKEN_S:
        if row[0] != digest:
            raise ApiError(
                "IdempotentParameterMismatchException",
                "DynamoDB rejected the request because you retried a request with a different payload but with an "
                "idempotent token that was already used.",
            )
        return True
    connection.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", (token, digest, now))
    return False


def _carry_out(connection: sqlite3.Connection, writes: list[Write]) -> dict[str, float]:
    """All writes of a transaction, or none. Raises: ApiError TransactionCanceledException with a reason for each."""
    decided = []
    reasons: list[dict[str, Any]] = []
    units: dict[str, float] = {}
    size = 0
    for write in writes:
        try:
            old, new = write.decide(connection)
        except ApiError as error:
            code = {"ConditionalCheckFailedException": "ConditionalCheckFailed"}.get(error.code, "ValidationError")
            reasons.append({"Code": code, "Message": error.message, **error.extra})
            continue
        reasons.append({"Code": "None"})
        decided.append((write, old, new))
        item_bytes = _larger(old, new)
        size += item_bytes
        units[write.table.name] = units.get(write.table.name, 0) + 2 * _write_units(item_bytes)
    if len(decided) < len(writes):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise ApiError(
            "TransactionCanceledException",
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            CancellationReasons=reasons,
        )
    if size > MAX_TRANSACTION_BYTES:
        raise invalid("Total size of transaction items exceeds 4 MB")
    for write, old, new in decided:
        Store.put(connection, write.table, write.place, old, new)
    return units


def _key_condition(table: Table, expressions: Expressions) -> tuple[str, list[Any], bytes]:
    """The SQL of a KeyConditionExpression, what is bound in it, and the hash key: it must be one.

    The range key may have one test. Raises: ApiError ValidationException.
    """
    tests: list[Any] = []
    _conjuncts(expressions.tree("KeyConditionExpression"), tests)
    where = ""
    bound: list[Any] = []
    used: set[str] = set()
    partition = b""
    columns = {name: column for (name, _), column in zip(table.keys, ("hash", "range"), strict=False)}
    kinds = dict(table.keys)
    for test in tests:
        operands = test[1:] if test[0] in ("begins_with", "between") else test[2:]
        if operands[0][0] != "path" or any(operand[0] != "value" for operand in operands[1:]):
            raise invalid("Invalid KeyConditionExpression: a key must be compared with values")
        path = expressions.path(operands[0][1])
        column = columns.get(str(path[0])) if len(path) == 1 else None
        if column is None or column in used:
            raise invalid(
                "Query condition missed key schema element"
                if column is None
                else "KeyConditionExpressions must only contain one condition per key"
            )
        used.add(column)
        limit = values.MAX_HASH_BYTES if column == "hash" else values.MAX_RANGE_BYTES
        raw = [
            values.key_bytes(expressions.constant(operand), kinds[str(path[0])], limit, str(path[0]))
            for operand in operands[1:]
        ]
        if column == "hash" and test[:2] != ("compare", "="):
            raise invalid("Query key condition not supported")
        if column == "hash":
            partition = raw[0]
        if test[0] == "compare":
            if test[1] == "<>":
                raise invalid("Unsupported operator on KeyCondition: <>")
            where += f" AND {column} {test[1]} ?"
            bound += raw
        elif test[0] == "between":
            where += f" AND {column} BETWEEN ? AND ?"
            bound += raw
        else:
            if kinds[str(path[0])] == "N":
                raise invalid(
                    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
                    "operator or function: begins_with, operand type: N"
                )
            where += f" AND {column} >= ? AND substr({column}, 1, ?) = ?"
            bound += [raw[0], len(raw[0]), raw[0]]
            after = _after_prefix(raw[0])
            if after:
                where += f" AND {column} < ?"
                bound.append(after)
    if "hash" not in used:
        raise invalid(f"Query condition missed key schema element: {table.keys[0][0]}")
    return where, bound, partition


def _conjuncts(tree: Any, found: list[Any]) -> None:
    if tree[0] == "and":
        _conjuncts(tree[1], found)
        _conjuncts(tree[2], found)
    elif tree[0] in ("compare", "between", "begins_with"):
        found.append(tree)
    else:
        raise invalid(f"Invalid operator used in KeyConditionExpression: {tree[0].upper()}")


def _after_prefix(prefix: bytes) -> bytes:
    """The first bytes behind all that begin with the prefix; none when there are none."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else b""


def _returned(what: str, old: Item | None, new: Item | None, touched: list[Path]) -> Item:
    if what == "ALL_OLD":
        return old or {}
    if what == "ALL_NEW":
        return new or {}
    if what == "NONE":
        return {}
    source = (old if what == "UPDATED_OLD" else new) or {}
    return pick(source, [path for path in touched if look_up(source, path) is not None])


def _larger(old: Item | None, new: Item | None) -> int:
    """Bytes of the larger image: what a write costs by."""
    return max(values.item_size(old or {}), values.item_size(new or {}))


def _read_units(size: int, consistent: bool) -> float:
    return max(1, -(-size // 4096)) * (1.0 if consistent else 0.5)


def _write_units(size: int) -> float:
    return float(max(1, -(-size // 1024)))


def _capacity(request: Request, table: Table, units: Callable[[], float]) -> Answer:
    if request.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return {}
    return {"ConsumedCapacity": _capacities(request, {table.name: units()})["ConsumedCapacity"][0]}


def _capacities(request: Request, units: dict[str, float]) -> Answer:
    wanted = request.get("ReturnConsumedCapacity", "NONE")
    if wanted == "NONE":
        return {}
    consumed: list[dict[str, Any]] = [{"TableName": name, "CapacityUnits": count} for name, count in units.items()]
    if wanted == "INDEXES":
        for each in consumed:
            each["Table"] = {"CapacityUnits": each["CapacityUnits"]}
    return {"ConsumedCapacity": consumed}
