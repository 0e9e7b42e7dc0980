"""DynamoDB: every access to the tables. How rows lie in them is in `rows`, what an append writes in `appends`.

Three tables, no secondary index (an index is eventually consistent and unordered, so not lossless):

- `users`: `username`
- `messages`: `room`, `id`; stream of new and old images. The app's keys contain `#`; rows that anyone puts do not
- `chat`: `pk`, `sk`; rooms, memberships, claims
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chat.config import Config
from chat.errors import ChatError
from chat.models import Entry, Mark, Membership, Message, Room, SetAside, User, Worker
from chat.services.runtime.outages import DYNAMODB, words
from chat.services.storage import rows
from chat.services.storage.rows import Claim, Row
from chat.services.storage.transaction import Append, Proof, Writes, refusals
from chat.services.storage.values import pack, texts, unpack
from chat.services.storage.wire import endpoint

MAX_REQUESTS = 50  # under way at once, each with a connection: what an endpoint that hangs may hold of this process
WAIT_S = 1.0  # for one of them to end
MAX_DELETES = 25  # in one BatchWriteItem
MAX_AHEAD = 5_000  # how far ahead of a decided entry a number may be proposed
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


class Places(Protocol):
    """A semaphore of the kind that the process waits with. Not `threading`'s where greenlets are interrupted: a
    deadline within its condition leaves it locked for ever, or released twice."""

    def acquire(self, *, timeout: float) -> bool:
        """Whether there was a place within that many seconds."""

    def release(self) -> object:
        """Gives the place back."""


class Storage:
    """All access to the tables. Reads are strongly consistent. Any method raises ChatError `unavailable` when DynamoDB
    does not answer, throttles or fails; then the outcome of a write is unknown."""

    def __init__(self, client: Any, prefix: str = "", places: Places | None = None):
        self._client = client
        self._prefix = prefix
        self._places = places
        self._writes = Writes(self.table)

    @classmethod
    def connect(cls, config: Config, places: Places | None = None) -> Storage:
        """A storage on `config.dynamodb_endpoint`, or on AWS; credentials as boto3 finds them. A process that asks for
        many things at once has `places` for MAX_REQUESTS of them."""
        client = endpoint.connect(config.aws_region, config.dynamodb_endpoint or None, MAX_REQUESTS)
        return cls(client, config.table_prefix, places)

    def table(self, name: str) -> str:
        """The real name of `users`, `messages` or `chat`."""
        return self._prefix + name

    def wait_until(self, waiter: str, table: str) -> None:
        """Waits, at most two minutes, for `table_exists` (and ACTIVE) or `table_not_exists`; a real name."""
        self._client.get_waiter(waiter).wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

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
                raise _away(error) from error
            raise
        except BotoCoreError as error:
            raise _away(error) from error
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
        stored = self.unless(
            CONDITION_FAILED,
            "put_item",
            TableName=self.table("users"),
            Item=pack(row),
            ConditionExpression="attribute_not_exists(username)",
        )
        if stored is None:
            raise ChatError("username_taken")

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
        return self._update_if(
            "users",
            {"username": username},
            "SET #hash = :new",
            "#hash = :old",
            {"#hash": "hash"},
            {":new": new, ":old": old},
        )

    def epochs(self, usernames: Iterable[str]) -> dict[str, int]:
        """The epochs of these accounts, as they are now; who has none is left out."""
        return {row["username"]: row.get("epoch", 0) for row in self._users(usernames, "epoch")}

    def names(self, usernames: Iterable[str]) -> dict[str, str]:
        """What these people call themselves; who has no account is left out."""
        return {row["username"]: row.get("name") or row["username"] for row in self._users(usernames, "name")}

    def _users(self, usernames: Iterable[str], attribute: str) -> list[Row]:
        """The rows of these accounts, of which only that attribute and the username are read."""
        table = self.table("users")
        wanted = [pack({"username": username}) for username in usernames]
        found: list[Row] = []
        while wanted:
            request = {
                "Keys": wanted[:100],
                "ConsistentRead": True,
                "ProjectionExpression": "username, #attribute",
                "ExpressionAttributeNames": {"#attribute": attribute},
            }
            answer = self.call("batch_get_item", RequestItems={table: request})
            found += [unpack(item) for item in answer["Responses"].get(table, [])]
            wanted = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []) + wanted[100:]
        return found

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
        updated = self.unless(
            CONDITION_FAILED,
            "update_item",
            TableName=self.table("users"),
            Key=pack({"username": username}),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=pack(values),
            ReturnValues="UPDATED_NEW",
        )
        return unpack(updated["Attributes"])["epoch"] if updated else None

    # --- the log --------------------------------------------------------------------------------------------------

    def append(
        self,
        entry: Entry,
        proof: Proof,
        image: Message | None = None,
        replaces_rev: int | None = None,
        membership: Membership | None = None,
        new_room: Room | None = None,
        most_rooms: int | None = None,
    ) -> None:
        """Stores an entry with what belongs to it (see Append), or nothing. Raises: AppendRefused."""
        (refusal,) = self.append_each([Append(entry, proof, image, replaces_rev, membership, new_room, most_rooms)])
        if refusal is not None:
            raise refusal

    def append_each(self, appends: Sequence[Append]) -> list[Exception | None]:
        """Stores each of these or refuses it, on its own conditions: all in one transaction, and when some are refused,
        again without them. Says of each why not (AppendRefused, or what DynamoDB finds fault with), None when it is
        stored. No two of them may have an item in common.
        """
        writes = [self._writes.of(append) for append in appends]
        try:
            self.call("transact_write_items", TransactItems=[write for each in writes for _, write in each])
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("TransactionCanceledException", CONFLICT):
                return [error] if len(appends) == 1 else [self.append_each([append])[0] for append in appends]
            ends = refusals(writes, error.response.get("CancellationReasons", []))
            left = [index for index, end in enumerate(ends) if end is None]
            again = self.append_each([appends[index] for index in left]) if left else []
            for index, end in zip(left, again, strict=True):
                ends[index] = end
            return ends
        return [None] * len(appends)

    def put_claim(self, claim: Claim) -> Claim | None:
        """Records a request that changed nothing. Returns the claim that stood there already, if one did.

        Raises: ChatError `unavailable` also when the same request is being carried out just now.
        """
        try:
            self.call("put_item", **self._writes.put_new("chat", rows.claim_row(claim))["Put"])
        except ClientError as error:
            if error.response["Error"]["Code"] == CONFLICT:
                raise ChatError("unavailable", retry_after_s=1) from error
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return rows.read_claim(unpack(error.response["Item"]))
        return None

    def get_claim(self, user: str, client_id: str) -> Claim | None:
        """What a request of that user became, or None when it was never carried out."""
        item = self._get("chat", rows.claim_key(user, client_id))
        return rows.read_claim(item) if item else None

    def tombstone(self, room: str, seq: int, at_ms: int) -> bool:
        """Decides that nobody uses this number; False when somebody did."""
        row = rows.log_row(Entry(room, seq, "tombstone", at_ms), None)
        try:
            self.call("put_item", **self._writes.put_new("messages", row)["Put"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in (CONDITION_FAILED, CONFLICT):
                raise
            return False
        return True

    def get_entry(self, room: str, seq: int) -> tuple[Entry, Message | None] | None:
        """The entry with that number, with the image if it is a message; None when the number is undecided."""
        row = self._get("messages", rows.slot_key(room, seq))
        return (rows.read_entry(room, row), rows.read_image(room, row)) if row else None

    def entries_after(self, room: str, after: int, limit: int, head: int = 0) -> list[tuple[Entry, Message | None]]:
        """Up to `limit` decided entries after that number, in order; there may be holes among them.

        Goes on into the next bucket only over its edge, or when the `head` is known to be there: without it, entries
        behind a hole at the very edge are not seen.
        """
        found: list[tuple[Entry, Message | None]] = []
        position = after
        while len(found) < limit:
            bucket = rows.bucket_of(position + 1)
            last = (bucket + 1) * rows.BUCKET_SIZE - 1
            batch = self._log_query(room, bucket, ">", position, limit - len(found), forward=True)
            found += batch
            if (not batch or batch[-1][0].seq != last) and head <= last:
                break
            position = last
        return found

    def count_messages(self, room: str, after: int, head: int, limit: int, not_by: str) -> tuple[int, int]:
        """How many messages, not deleted and not by that author, are among the up to `limit` entries after that number
        up to the head; and how many entries that were. Counted where they lie: nothing but the numbers travels."""
        counted = seen = 0
        position = after
        while seen < limit and position < head:
            bucket = rows.bucket_of(position + 1)
            answer = self.call(
                "query",
                TableName=self.table("messages"),
                KeyConditionExpression="#room = :room AND #id > :id",
                FilterExpression="#kind = :message AND #author <> :author AND attribute_not_exists(#deleted)",
                ExpressionAttributeNames={
                    "#room": "room",
                    "#id": "id",
                    "#kind": "kind",
                    "#author": "author",
                    "#deleted": "deleted",
                },
                ExpressionAttributeValues=pack(
                    {
                        ":room": f"R#{room}#{bucket}",
                        ":id": f"{position:012d}",
                        ":message": rows.LETTERS["message"],
                        ":author": not_by,
                    }
                ),
                Select="COUNT",
                Limit=limit - seen,
                ConsistentRead=True,
            )
            counted += answer["Count"]
            seen += answer["ScannedCount"]
            last = answer.get("LastEvaluatedKey")
            position = int(unpack(last)["id"]) if last else (bucket + 1) * rows.BUCKET_SIZE - 1
        return counted, seen

    def entries_before(self, room: str, before: int, limit: int, floor: int = 1) -> list[tuple[Entry, Message | None]]:
        """The last `limit` decided entries before that number and not below `floor`, in ascending order."""
        found: list[tuple[Entry, Message | None]] = []
        bucket = rows.bucket_of(max(before - 1, 0))
        while len(found) < limit and (bucket + 1) * rows.BUCKET_SIZE > floor and bucket >= 0:
            found += self._log_query(room, bucket, "<", before, limit - len(found), forward=False)
            bucket -= 1
        return [pair for pair in reversed(found) if pair[0].seq >= floor]

    def _log_query(
        self, room: str, bucket: int, comparison: str, seq: int, limit: int, forward: bool
    ) -> list[tuple[Entry, Message | None]]:
        request: dict[str, Any] = {
            "TableName": self.table("messages"),
            "KeyConditionExpression": f"#room = :room AND #id {comparison} :id",
            "ExpressionAttributeNames": {"#room": "room", "#id": "id"},
            "ExpressionAttributeValues": pack({":room": f"R#{room}#{bucket}", ":id": f"{seq:012d}"}),
            "ScanIndexForward": forward,
            "ConsistentRead": True,
        }
        return [(rows.read_entry(room, row), rows.read_image(room, row)) for row in self._query(request, limit)]

    def head(self, room: str, bucket: int = 0) -> int:
        """The highest decided number of the room, 0 when it has none. `bucket` is one that has begun.

        Numbers are proposed at most 5,000 ahead of a decided one, so a later bucket can have begun only when this one
        is filled to its last 5,000.
        """
        head = self._bucket_head(room, bucket)
        while not head and bucket > 0:
            bucket -= 1
            head = self._bucket_head(room, bucket)
        while head >= (bucket + 1) * rows.BUCKET_SIZE - MAX_AHEAD:
            bucket += 1
            later = self._bucket_head(room, bucket)
            if not later:
                break
            head = later
        return head

    def _bucket_head(self, room: str, bucket: int) -> int:
        newest = self._log_query(room, bucket, "<", (bucket + 1) * rows.BUCKET_SIZE, 1, forward=False)
        return newest[0][0].seq if newest else 0

    def images(self, room: str, seqs: Iterable[int]) -> dict[int, Message]:
        """The current images of these messages, by number; one that is no message is left out."""
        wanted = [pack(rows.slot_key(room, seq)) for seq in sorted(set(seqs))]
        table = self.table("messages")
        images = {}
        while wanted:
            request = {table: {"Keys": wanted[:100], "ConsistentRead": True}}
            answer = self.call("batch_get_item", RequestItems=request)
            for item in answer["Responses"].get(table, []):
                image = rows.read_image(room, unpack(item))
                if image is not None:
                    images[image.seq] = image
            wanted = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []) + wanted[100:]
        return images

    def delete_entries(self, room: str, seqs: Iterable[int]) -> None:
        """Deletes these entries for good; what is gone already is no matter."""
        table = self.table("messages")
        wanted = [{"DeleteRequest": {"Key": pack(rows.slot_key(room, seq))}} for seq in seqs]
        while wanted:
            answer = self.call("batch_write_item", RequestItems={table: wanted[:MAX_DELETES]})
            wanted = answer.get("UnprocessedItems", {}).get(table, []) + wanted[MAX_DELETES:]

    # --- rooms and memberships ------------------------------------------------------------------------------------

    def get_room(self, room: str) -> Room | None:
        """A room's description, or None when there is no such room."""
        row = self._get("chat", rows.meta_key(room))
        return rows.read_meta(row) if row else None

    def put_room(self, room: Room) -> bool:
        """Stores a room without an entry in its log (`general`); False when it exists."""
        return (
            self.unless(CONDITION_FAILED, "put_item", **self._writes.put_new("chat", rows.meta_row(room))["Put"])
            is not None
        )

    def raise_bucket(self, room: str, bucket: int) -> None:
        """Notes that the room's log has begun this bucket; never lowers it, never makes a room."""
        names, values = {"#bucket": "bucket"}, {":bucket": bucket}
        self._update_if("chat", rows.meta_key(room), "SET #bucket = :bucket", "#bucket < :bucket", names, values)

    def rooms(self) -> Iterator[Room]:
        """Every room: reads the whole table `chat`, a page at a time."""
        names, values = {"#sk": "sk", "#pk": "pk"}, {":meta": "META", ":room": "ROOM#"}
        yield from map(rows.read_meta, self._scan("chat", "#sk = :meta AND begins_with(#pk, :room)", names, values))

    def raise_floor(self, room: str, floor: int) -> None:
        """Notes the oldest number that the room's log keeps; never lowers it."""
        names, values = {"#floor": "floor"}, {":floor": floor}
        self._update_if("chat", rows.meta_key(room), "SET #floor = :floor", "#floor < :floor", names, values)

    def set_generation(self, room: Room, generation: int) -> bool:
        """Gives a room another generation, if it still has the one that was read; False when it has not."""
        names, values = {"#generation": "generation"}, {":new": generation, ":old": room.generation}
        update, condition = "SET #generation = :new", "#generation = :old"
        return self._update_if("chat", rows.meta_key(room.room), update, condition, names, values)

    def disown(self, room: str) -> bool:
        """Takes a room's owner away; False when it had none."""
        names, values = {"#owner": "owner"}, {":nobody": ""}
        condition = "attribute_exists(#owner) AND #owner <> :nobody"
        return self._update_if("chat", rows.meta_key(room), "SET #owner = :nobody", condition, names, values)

    def note_swept(self, room: str, swept: int) -> None:
        """Notes that nothing of the room's log lies below that number any more; never lowers it."""
        condition = "attribute_exists(pk) AND (attribute_not_exists(#swept) OR #swept < :swept)"
        names, values = {"#swept": "swept"}, {":swept": swept}
        self._update_if("chat", rows.meta_key(room), "SET #swept = :swept", condition, names, values)

    def public_rooms(self, after: str = "", limit: int | None = None) -> list[tuple[str, str]]:
        """(room, name) of the first public rooms behind that one, by the room's id; `after` empty: of all."""
        request = {
            "TableName": self.table("chat"),
            "KeyConditionExpression": "#key = :key AND #sort > :after",
            "ExpressionAttributeNames": {"#key": "pk", "#sort": "sk"},
            "ExpressionAttributeValues": pack({":key": rows.PUBLIC, ":after": after or " "}),
            "ConsistentRead": True,
        }
        return [(row["room"], row["name"]) for row in self._query(request, limit)]

    def count_memberships(self, username: str) -> int:
        """In how many rooms the person is. Counted where they lie: nothing but the number travels."""
        request: dict[str, Any] = {
            "TableName": self.table("chat"),
            "KeyConditionExpression": "#key = :key AND begins_with(#sort, :prefix)",
            "FilterExpression": "#state = :in",
            "ExpressionAttributeNames": {"#key": "pk", "#sort": "sk", "#state": "state"},
            "ExpressionAttributeValues": pack({":key": f"USER#{username}", ":prefix": "ROOM#", ":in": "in"}),
            "Select": "COUNT",
        }
        counted = 0
        while True:
            answer = self.call("query", **request)
            counted += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return counted
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def memberships(self, username: str) -> list[Membership]:
        """Every room the person is or was in, with read positions."""
        return [rows.read_membership(row) for row in self._partition("chat", "pk", f"USER#{username}", "sk", "ROOM#")]

    def members(self, room: str) -> list[Membership]:
        """Everybody who is or was in the room."""
        return [rows.read_membership(row) for row in self._partition("chat", "pk", f"ROOM#{room}", "sk", "MEM#")]

    def membership(self, room: str, username: str) -> Membership | None:
        """That person's membership of that room with its read position, or None when there never was one."""
        row = self._get("chat", rows.user_room_key(username, room))
        return rows.read_membership(row) if row else None

    def put_membership(self, membership: Membership) -> bool:
        """Stores a first membership that has no entry in the log; False when there is or was one already."""
        keys = (
            rows.member_key(membership.room, membership.username),
            rows.user_room_key(membership.username, membership.room),
        )
        attributes = rows.membership_attributes(membership) | {"read": membership.read}
        puts = [self._writes.put_new("chat", key | attributes) for key in keys]
        return self.unless("TransactionCanceledException", "transact_write_items", TransactItems=puts) is not None

    def mark_read(self, username: str, room: str, seq: int) -> bool:
        """Moves a member's read position forward; False when it is there or beyond, or they are not in the room."""
        return self._update_if(
            "chat",
            rows.user_room_key(username, room),
            "SET #read = :seq",
            "attribute_exists(pk) AND #state = :in AND #read < :seq",
            {"#read": "read", "#state": "state"},
            {":seq": seq, ":in": "in"},
        )

    # --- rows that others put -------------------------------------------------------------------------------------

    def put_mark(self, mark: Mark) -> bool:
        """Notes a change that makes no entry; False when a later one was taken over before."""
        return self.unless(CONDITION_FAILED, "update_item", **self._writes.put_mark(mark)["Update"]) is not None

    def get_mark(self, room: str, row_id: str) -> Mark | None:
        """What has become of a row that somebody put, None when nothing has."""
        row = self._get("chat", rows.mark_key(room, row_id))
        return rows.read_mark(row) if row else None

    def foreign_row(self, room: str, row_id: str) -> dict[str, str | None] | None:
        """What a row that somebody put says now (`rows.SAID`), None when there is no such row."""
        item = self._get_item("messages", {"room": room, "id": row_id})
        return texts(item, rows.SAID) if item else None

    def foreign_rows(self) -> Iterator[tuple[str, str]]:
        """(room, id) of every row of `messages` that is not the app's own: reads the whole table, a page at a time."""
        for item in self._scan_items("messages", "NOT contains(#key, :key)", {"#key": "room"}, {":key": "#"}):
            yield item["room"]["S"], item["id"]["S"]

    def marks(self) -> Iterator[Mark]:
        """The marks of all rows that anybody ever put: reads the whole table `chat`, a page at a time."""
        found = self._scan("chat", "begins_with(#key, :key)", {"#key": "pk"}, {":key": rows.FOREIGN_PREFIX})
        yield from map(rows.read_mark, found)

    def set_aside(self, bad: SetAside, kept_s: int) -> None:
        """Lists a row that could not become a message, for so long."""
        row = rows.set_aside_row(bad) | {"expires_at": bad.at_ms // 1000 + kept_s}
        self.call("put_item", TableName=self.table("chat"), Item=pack(row))

    def forget_set_aside(self, room: str, row_id: str) -> None:
        """The row has become a message after all."""
        key = rows.set_aside_key(room, row_id)
        self.call("delete_item", TableName=self.table("chat"), Key=pack(key))

    def rows_set_aside(self) -> list[SetAside]:
        """The rows that could not become messages, lately."""
        return [rows.read_set_aside(row) for row in self._partition("chat", "pk", rows.SET_ASIDE)]

    def stream_arn(self) -> str | None:
        """The stream of `messages`, None when it has none. Raises: ChatError `unavailable`, also without the table."""
        described = self.unless("ResourceNotFoundException", "describe_table", TableName=self.table("messages"))
        if described is None:
            DYNAMODB.failed(f"there is no table {self.table('messages')}: run `flask create-tables`")
            raise ChatError("unavailable")
        return described["Table"].get("LatestStreamArn")

    def stream_positions(self, stream: str) -> dict[str, str]:
        """Shard → how far it has been read, as noted last."""
        found = self._partition("chat", "pk", rows.position_key(stream, "")["pk"])
        return {row["sk"]: row["position"] for row in found}

    def note_stream_position(self, stream: str, shard: str, position: str, kept_s: int) -> None:
        """Notes how far a shard has been read, for so long: shards are gone after a day."""
        row = rows.position_key(stream, shard) | {"position": position, "expires_at": int(time.time()) + kept_s}
        self.call("put_item", TableName=self.table("chat"), Item=pack(row))

    # --- workers --------------------------------------------------------------------------------------------------

    def put_worker(self, worker: Worker) -> None:
        """Shows a worker to the others. Raises: ChatError `unavailable`, also when the table does not exist."""
        try:
            self.call("put_item", TableName=self.table("chat"), Item=pack(rows.worker_row(worker)))
        except ClientError as error:
            raise _away(error) from error

    def workers(self) -> list[Worker]:
        """Every worker that shows itself, and those that ended without a word."""
        return [rows.read_worker(row) for row in self._partition("chat", "pk", rows.WORKERS)]

    def delete_worker(self, worker: str) -> None:
        """Takes a worker off the list."""
        self.call("delete_item", TableName=self.table("chat"), Key=pack(rows.worker_key(worker)))

    # --- shared ---------------------------------------------------------------------------------------------------

    def _get(self, table: str, key: Row) -> Row | None:
        item = self._get_item(table, key)
        return unpack(item) if item else None

    def _get_item(self, table: str, key: Row) -> dict[str, Any] | None:
        return self.call("get_item", TableName=self.table(table), Key=pack(key), ConsistentRead=True).get("Item")

    def _query(self, request: dict[str, Any], limit: int | None) -> list[Row]:
        found: list[Row] = []
        while True:
            if limit is not None:
                request["Limit"] = limit - len(found)
            answer = self.call("query", **request)
            found += [unpack(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer or len(found) == limit:
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _scan(self, table: str, condition: str, names: dict[str, str], values: Row) -> Iterator[Row]:
        yield from map(unpack, self._scan_items(table, condition, names, values))

    def _scan_items(self, table: str, condition: str, names: dict[str, str], values: Row) -> Iterator[dict[str, Any]]:
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

    def _partition(self, table: str, key: str, value: str, sort: str = "", prefix: str = "") -> list[Row]:
        condition, names, values = "#key = :key", {"#key": key}, {":key": value}
        if prefix:
            condition += " AND begins_with(#sort, :prefix)"
            names["#sort"] = sort
            values[":prefix"] = prefix
        return self._query(
            {
                "TableName": self.table(table),
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": pack(values),
                "ConsistentRead": True,
            },
            None,
        )

    def _update_if(self, table: str, key: Row, update: str, condition: str, names: dict[str, str], values: Row) -> bool:
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


def _away(error: Exception) -> ChatError:
    """What people are told of a DynamoDB that does not do its work; the log is told why."""
    DYNAMODB.failed(words(error))
    return ChatError("unavailable", retry_after_s=1)
