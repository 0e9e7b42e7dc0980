"""DynamoDB in memory: what Storage asks of it, with conditions evaluated by the embedded engine's own expressions.

Transactions do what AWS says of them and the embedded engine, which is atomic, cannot show: their writes become
visible one after the other, and until the last of them any other write to the same items meets a conflict.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from typing import Any

from chat.embedded.dynamodb.errors import ApiError, condition_failed, invalid
from chat.embedded.dynamodb.expressions import Expressions
from chat.services.storage.schema import TABLES

STREAM_ARN = "arn:aws:dynamodb:::table/messages/stream/2026-01-01T00:00:00.000"
SCAN_PAGE = 4

Item = dict[str, Any]
Place = tuple[str, str, str]  # table, hash key, range key ("" without one)
Watcher = Callable[[Place, Item | None, Item | None], None]


class Tables:
    """The three tables. Requests and answers are those of boto3, on items in DynamoDB's JSON."""

    def __init__(self) -> None:
        self._keys = {name: keys for name, (keys, _) in TABLES.items()}
        self._items: dict[str, dict[str, dict[str, Item]]] = {name: {} for name in TABLES}
        self._order: dict[tuple[str, str], list[str]] = {}
        self._locked: set[Place] = set()
        self.watchers: list[Watcher] = []  # told of every write: the place, the old item and the new one

    # --- items ---

    def place(self, table: str, key: Item) -> Place:
        """Where an item with this key lies."""
        names = self._keys[table]
        return table, key[names[0]]["S"], key[names[1]]["S"] if len(names) > 1 else ""

    def get(self, place: Place) -> Item | None:
        """The item at a place."""
        return self._items[place[0]].get(place[1], {}).get(place[2])

    def set(self, place: Place, new: Item | None) -> None:
        """Writes or, with None, deletes an item."""
        table, hash_key, range_key = place
        partition = self._items[table].setdefault(hash_key, {})
        old = partition.get(range_key)
        ranges = self._order.setdefault((table, hash_key), [])
        if new is None and old is not None:
            del partition[range_key]
            ranges.remove(range_key)
        elif new is not None:
            if old is None:
                insort(ranges, range_key)
            partition[range_key] = new
        if old != new:
            for watcher in self.watchers:
                watcher(place, old, new)

    def all(self, table: str) -> Iterator[tuple[Place, Item]]:
        """Every item of a table, in key order."""
        for hash_key in sorted(self._items[table]):
            for range_key in self._order[table, hash_key]:
                yield (table, hash_key, range_key), self._items[table][hash_key][range_key]

    # --- reads ---

    def get_item(self, request: Item) -> Item:
        """GetItem"""
        item = self.get(self.place(request["TableName"], request["Key"]))
        return {"Item": item} if item is not None else {}

    def batch_get_item(self, request: Item) -> Item:
        """BatchGetItem"""
        found = {
            table: [item for key in asked["Keys"] if (item := self.get(self.place(table, key))) is not None]
            for table, asked in request["RequestItems"].items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def query(self, request: Item) -> Item:
        """Query by the hash key and one condition on the range key; a filter takes nothing from the limit."""
        table = request["TableName"]
        expressions = Expressions(request)
        hash_key, conditions = self._key_condition(table, expressions)
        ranges = self._order.get((table, hash_key), [])
        low, high = 0, len(ranges)
        for operator, value in conditions:
            if operator == "begins_with":
                low = max(low, bisect_left(ranges, value))
                high = min(high, bisect_left(ranges, value + chr(0x10FFFF)))
            elif operator in (">", ">="):
                low = max(low, (bisect_right if operator == ">" else bisect_left)(ranges, value))
            else:
                high = min(high, (bisect_left if operator == "<" else bisect_right)(ranges, value))
        found = ranges[low:high]
        if not request.get("ScanIndexForward", True):
            found = found[::-1]
        start = request.get("ExclusiveStartKey")
        if start is not None:
            found = found[found.index(self.place(table, start)[2]) + 1 :]
        limit = request.get("Limit", len(found) + 1)
        partition = self._items[table].get(hash_key, {})
        items = [partition[range_key] for range_key in found[:limit]]
        kept = [item for item in items if expressions.holds("FilterExpression", item)]
        answer: Item = {"Count": len(kept), "ScannedCount": len(items)}
        if request.get("Select") != "COUNT":
            answer["Items"] = kept
        if items and len(found) >= limit:
            answer["LastEvaluatedKey"] = {name: items[-1][name] for name in self._keys[table]}
        return answer

    def _key_condition(self, table: str, expressions: Expressions) -> tuple[str, list[tuple[str, str]]]:
        hash_key, conditions = "", []
        todo = [expressions.tree("KeyConditionExpression")]
        while todo:
            tree = todo.pop()
            if tree[0] == "and":
                todo += tree[1:]
                continue
            if tree[0] == "between":
                path, *values = tree[1:]
                pairs = list(zip((">=", "<="), values, strict=True))
            elif tree[0] == "compare":
                path, pairs = tree[2], [(tree[1], tree[3])]
            else:
                path, pairs = tree[1], [(tree[0], tree[2])]
            texts = [(operator, expressions.constant(value)["S"]) for operator, value in pairs]
            if expressions.path(path[1])[0] == self._keys[table][0]:
                hash_key = texts[0][1]
            else:
                conditions += texts
        return hash_key, conditions

    def scan(self, request: Item) -> Item:
        """Scan, a few items at a time"""
        table = request["TableName"]
        expressions = Expressions(request)
        start = request.get("ExclusiveStartKey")
        after = self.place(table, start) if start is not None else ("", "", "")
        found = [(place, item) for place, item in self.all(table) if place > after]
        page = found[:SCAN_PAGE]
        answer: Item = {"Items": [item for _, item in page if expressions.holds("FilterExpression", item)]}
        if len(found) > len(page):
            answer["LastEvaluatedKey"] = {name: page[-1][1][name] for name in self._keys[table]}
        return answer

    def describe_table(self, request: Item) -> Item:
        """DescribeTable, as far as somebody asks"""
        return {"Table": {"TableName": request["TableName"], "LatestStreamArn": STREAM_ARN}}

    # --- writes ---

    def put_item(self, request: Item) -> Item:
        """PutItem"""
        return self._write("Put", request)

    def update_item(self, request: Item) -> Item:
        """UpdateItem"""
        return self._write("Update", request)

    def delete_item(self, request: Item) -> Item:
        """DeleteItem"""
        return self._write("Delete", request)

    def batch_write_item(self, request: Item) -> Item:
        """BatchWriteItem with deletions"""
        unprocessed: Item = {}
        for table, asked in request["RequestItems"].items():
            for each in asked:
                place = self.place(table, each["DeleteRequest"]["Key"])
                if place in self._locked:
                    unprocessed.setdefault(table, []).append(each)
                else:
                    self.set(place, None)
        return {"UnprocessedItems": unprocessed}

    def _write(self, kind: str, request: Item) -> Item:
        place, decide = self._decide(kind, request)
        if place in self._locked:
            raise ApiError("TransactionConflictException", "Transaction is ongoing for the item")
        self.set(place, decide())
        return {}

    def _decide(self, kind: str, request: Item) -> tuple[Place, Callable[[], Item | None]]:
        """Where a write goes, and what it makes of what lies there. Raises, when called: ApiError."""
        expressions = Expressions(request)
        place = self.place(request["TableName"], request["Item" if kind == "Put" else "Key"])

        def decide() -> Item | None:
            old = self.get(place)
            if not expressions.holds("ConditionExpression", old):
                wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                raise condition_failed(old if wanted else None)
            if kind == "Put":
                return dict(request["Item"])
            if kind == "Delete":
                return None
            if kind == "ConditionCheck":
                return old
            return expressions.update(old if old is not None else dict(request["Key"]))

        return place, decide

    def prepare(self, request: Item) -> list[tuple[Place, Item | None]]:
        """TransactWriteItems up to its commit: the writes, whose items stay locked until `release`. Raises: ApiError
        TransactionCanceledException with a reason for each."""
        writes = [self._decide(kind, body) for each in request["TransactItems"] for kind, body in each.items()]
        if len({place for place, _ in writes}) != len(writes):
            raise invalid("Transaction request cannot include multiple operations on one item")
        decided: list[tuple[Place, Item | None]] = []
        reasons: list[Item] = []
        for place, decide in writes:
            try:
                if place in self._locked:
                    raise ApiError("TransactionConflict", "Transaction is ongoing for the item")
                decided.append((place, decide()))
                reasons.append({"Code": "None"})
            except ApiError as error:
                reasons.append({"Code": error.code.removesuffix("Exception"), **error.extra})
        if len(decided) < len(writes):
            raise ApiError("TransactionCanceledException", "Transaction cancelled", CancellationReasons=reasons)
        self._locked |= {place for place, _ in decided}
        return decided

    @property
    def busy(self) -> bool:
        """Whether a transaction is under way."""
        return bool(self._locked)

    def release(self, writes: list[tuple[Place, Item | None]]) -> None:
        """Ends a transaction whose writes are all made."""
        self._locked -= {place for place, _ in writes}
