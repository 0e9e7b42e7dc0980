"""Whether DynamoDB does what the chat asks of it: each kind of request once, on rows that are nobody's and gone
afterwards (at the latest by TTL), and whether a row that is put comes out of the table's stream."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chat.config import Config
from chat.errors import ChatError
from chat.services.health.findings import Finding
from chat.services.health.movement import Movement
from chat.services.health.workers import BEAT_EVERY_S
from chat.services.runtime.budget import budget
from chat.services.runtime.outages import words
from chat.services.storage import redis_client, schema
from chat.services.storage.facts import Write
from chat.services.storage.rows import KEYS, Row
from chat.services.storage.storage import Storage
from chat.services.storage.stream import Expired, Streams
from chat.services.storage.values import pack

ASKED_WITHIN_S = 4.0
SEEN_WITHIN_S = 4.0
KEPT_S = 3600
NOBODY = "#doctor"  # of no room, and of no person: the key of a log's row begins with R#, a name has no #
SHARDS = 20
CREATE = "run `flask --app wsgi create-tables`"
# What AWS says → what to do about it.
REMEDIES = {
    "AccessDeniedException": "let the role do that: the README lists what it needs",
    "ExpiredTokenException": "sign in to AWS anew: these credentials have had their time",
    "IncompleteSignatureException": "give the credentials of the account (AWS_PROFILE, AWS_ACCESS_KEY_ID …)",
    "InvalidSignatureException": "mend AWS_SECRET_ACCESS_KEY, or set this machine's clock",
    "MissingAuthenticationTokenException": "give the credentials of the account (AWS_PROFILE, AWS_ACCESS_KEY_ID …)",
    "UnrecognizedClientException": "give the credentials of the account (AWS_PROFILE, AWS_ACCESS_KEY_ID …)",
    "ResourceNotFoundException": CREATE,
    "Unable to locate credentials": "give the credentials of the account (AWS_PROFILE, AWS_ACCESS_KEY_ID …)",
}
ELSE = "look whether DynamoDB is reached from here, and whether DYNAMODB_ENDPOINT and AWS_REGION are right"


@dataclass
class TablesExamined:
    """One examination of the tables of that configuration. `urls` are, once `run` has ended, where the workers say that
    they answer which were seen to live; None as long as that is not known."""

    config: Config
    urls: set[str] | None = None
    _id: str = field(default_factory=lambda: f"doctor-{secrets.token_hex(8)}")

    def run(self) -> Iterator[Finding]:
        """Ends early when DynamoDB does not answer at all."""
        self._storage = Storage.connect(self.config)
        answers = self._tried("dynamodb answers", self._read)
        if not answers.ok and CREATE not in answers.do:
            yield answers
            return
        yield Finding("dynamodb answers", True)
        tables = list(self._tables())
        yield from tables
        if not all(table.ok for table in tables):
            return
        began, beats = time.monotonic(), self._beats()
        writes = self._tried("dynamodb takes writes", self._write)
        yield writes
        if writes.ok and self.config.ingest_mode == "poller":
            yield self._tried("the table's stream moves", self._follow)
        self.urls = self._living(began, beats)
        if self.urls and self.config.ingest_mode == "poller":
            yield self._taken_over()

    def _tried(self, check: str, attempt: Callable[[], object]) -> Finding:
        try:
            with budget(ASKED_WITHIN_S):
                attempt()
        except Exception as error:
            return _broken(check, error)
        return Finding(check, True)

    def _read(self) -> None:
        self._storage.client.get("users", {"username": NOBODY})

    def _tables(self) -> Iterator[Finding]:
        check = "the tables are there"
        try:
            with budget(ASKED_WITHIN_S):
                problems = schema.problems(self._storage)
        except Exception as error:
            yield _broken(check, error)
            return
        if not problems:
            yield Finding(check, True)
        for problem in problems:
            cause, run, do = problem.partition(": run ")
            yield Finding(check, not problem.startswith("table "), cause, f"run {do}" if run else "tell its owner")

    def _write(self) -> None:
        """All that a message and an account ask for. Nothing can be put into `users` that a server may take away again,
        so there the condition of the put fails."""
        client, rows = self._storage.client, self._rows()
        absent = {"ConditionExpression": "attribute_exists(nothing)"}
        client.write_if(Write("users", "Put", {"Item": pack({"username": NOBODY}), **absent}))
        try:
            client.transact(Write(table, "Put", {"Item": pack(row)}) for table, row in rows.items())
            for table, row in rows.items():
                client.get(table, _key(table, row))
                client.partition(table, NOBODY)
                client.update_if(table, _key(table, row), "SET #n = :n", "attribute_exists(#n)", {"#n": "n"}, {":n": 2})
            list(client.get_each("chat", [_key("chat", rows["chat"])]))
        finally:
            for table, row in rows.items():
                client.write(Write(table, "Delete", {"Key": pack(_key(table, row))}))

    def _follow(self) -> None:
        """Raises: TimeoutError when a row that is put does not come out of the stream."""
        client, row = self._storage.client, self._rows()["messages"]
        arn = self._storage.external.stream_arn() or ""
        streams = Streams.connect(self.config)
        shards = streams.shards(arn)
        parents = {shard.parent for shard in shards}
        open_ones = [shard.id for shard in shards if shard.id not in parents][-SHARDS:]
        iterators = {shard: streams.newest(arn, shard) for shard in open_ones}
        try:
            client.write(Write("messages", "Put", {"Item": pack(row)}))
            until = time.monotonic() + SEEN_WITHIN_S
            while not self._seen(streams, arn, iterators):
                if time.monotonic() > until:
                    raise TimeoutError(f"a row that was put did not come out of it within {SEEN_WITHIN_S:.0f} seconds")
                time.sleep(0.2)
        finally:
            client.write(Write("messages", "Delete", {"Key": pack(_key("messages", row))}))

    def _seen(self, streams: Streams, arn: str, iterators: dict[str, str]) -> bool:
        for shard, iterator in list(iterators.items()):
            try:
                batch = streams.read(arn, iterator)
            except Expired:
                continue
            if any(change.room == NOBODY and change.id == self._id for change in batch.changes):
                return True
            if batch.iterator is not None:
                iterators[shard] = batch.iterator
        return False

    def _taken_over(self) -> Finding:
        check = "a worker takes rows over"
        redis = redis_client.connect(self.config.redis_url)
        try:
            problem = Movement(redis, self._storage.client.table("messages")).problem()
        except ChatError:
            return Finding(check, True)  # Redis has lines of its own
        finally:
            redis.close()
        if problem is None:
            return Finding(check, True)
        return Finding(check, False, problem, "read the log of the workers: it says what stops them")

    def _beats(self) -> dict[str, int]:
        try:
            return {worker.id: worker.beats for worker in self._storage.workers.all()}
        except ChatError:
            return {}

    def _living(self, began: float, beats: dict[str, int]) -> set[str] | None:
        """Where those answer whose row has moved since."""
        if beats:
            time.sleep(max(0.0, began + 1.25 * BEAT_EVERY_S - time.monotonic()))
        try:
            return {w.url for w in self._storage.workers.all() if w.beats > beats.get(w.id, 0)}
        except ChatError:
            return None

    def _rows(self) -> dict[str, Row]:
        more = {"n": 1, "expires_at": int(time.time()) + KEPT_S}
        return {
            "messages": {"room": NOBODY, "id": self._id, **more},
            "chat": {"pk": NOBODY, "sk": self._id, **more},
        }


def _broken(check: str, error: Exception) -> Finding:
    cause = " ".join(words(error.__cause__ if isinstance(error.__cause__, Exception) else error).split())
    return Finding(check, False, cause, next((do for code, do in REMEDIES.items() if code in cause), ELSE))


def _key(table: str, row: Row) -> Row:
    return {name: row[name] for name in KEYS[table]}
