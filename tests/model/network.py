"""What lies between a worker and the rest of the world, and how it fails: DynamoDB, Redis and the bus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from botocore.exceptions import ClientError, ReadTimeoutError

from chat.embedded.dynamodb.errors import ApiError
from chat.services.bus.events import Event
from chat.services.jobs import leases
from chat.services.log import sequence as numbers
from tests.model.scheduler import Process, Scheduler
from tests.model.tables import Tables

DYNAMODB_TIMEOUT_S, REDIS_TIMEOUT_S = 2.0, 1.0
LOST = object()
Reply = Callable[[Any], None]


@dataclass
class Weather:
    """How likely each fault is. Zero everywhere: nothing fails, and everything answers within milliseconds."""

    lost: float = 0.0  # a request that never arrives
    unanswered: float = 0.0  # one that is carried out, and the answer is lost
    late: float = 0.0  # one that arrives when nobody waits for it any more
    throttled: float = 0.0
    torn: float = 0.0  # a transaction whose writes become visible one after the other
    slow: float = 0.0  # up to seconds
    bus_lost: float = 0.0
    bus_doubled: float = 0.0
    bus_late: float = 0.0


class Network:
    """Carries requests and answers; draws from the schedule's seed what becomes of each."""

    def __init__(self, scheduler: Scheduler):
        self.scheduler = scheduler
        self.weather = Weather()
        self.cut: set[Process] = set()  # nothing they ask for arrives
        self.nights = 0  # what is on its way when one falls is lost

    def chance(self, probability: float) -> bool:
        """Whether something of that probability happens now."""
        return probability > 0 and self.scheduler.rng.random() < probability

    def latency(self, slow: float | None = None) -> float:
        """Seconds on the way."""
        rng = self.scheduler.rng
        if self.chance(self.weather.slow if slow is None else slow):
            return rng.choice((0.05, 0.3, 1.5, 4.0)) * rng.random()
        return 0.0002 + rng.random() * 0.003

    def exchange(self, work: Callable[[Reply], None], timeout_s: float) -> Any:
        """What `work`, carried out on the other side, replies; LOST when the time is over before it is heard."""
        running = self.scheduler
        running.alive()
        task = running.task
        wait = task.waiting = object()
        began = running.now
        heard: list[Any] = []
        give_up = began + timeout_s

        def wake() -> None:
            running.wake(task, wait)

        def hear(answer: Any) -> None:
            heard.append(answer)
            wake()

        def reply(answer: Any) -> None:
            task.heard_at = running.now
            arrives = running.now + self.latency()
            if arrives < give_up and not unanswered:
                running.at(arrives, lambda: hear(answer), task.process)
            else:
                running.at(max(give_up, running.now), wake, task.process)

        nights = self.nights
        lost, unanswered = self.chance(self.weather.lost), self.chance(self.weather.unanswered)
        lost = lost or task.process in self.cut
        late = self.chance(self.weather.late)
        if lost or late:
            running.at(give_up, wake, task.process)
        if not lost:
            delay = timeout_s + running.rng.random() * 6 if late else self.latency()
            running.at(began + delay, lambda: work(reply) if self.nights == nights else wake())
        running.switch()
        return heard[0] if heard else LOST


class Dynamodb:
    """A boto3 client of one process."""

    def __init__(self, network: Network, tables: Tables):
        self._network = network
        self._tables = tables
        self._carried_out: dict[object, Any] = {}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **request: self._ask(operation, request)

    def _ask(self, operation: str, request: dict[str, Any]) -> Any:
        scheduler = self._network.scheduler
        token = object()  # botocore gives each transaction one, so that its own retries are carried out once
        nights = self._network.nights
        for _ in range(1 + scheduler.rng.randrange(2)):
            if self._network.nights != nights:
                break
            answer = self._network.exchange(
                lambda reply: self._arrive(operation, request, token, reply), DYNAMODB_TIMEOUT_S
            )
            if scheduler.tracing:
                scheduler.note(operation, _brief(request), "→", "lost" if answer is LOST else _outcome(answer))
            if isinstance(answer, ApiError):
                raise ClientError(
                    {
                        "Error": {"Code": answer.code, "Message": answer.message},
                        "ResponseMetadata": {"HTTPStatusCode": answer.status},
                        **answer.extra,
                    },
                    operation,
                )
            if answer is not LOST:
                return answer
        raise ReadTimeoutError(endpoint_url="dynamodb")

    def _arrive(self, operation: str, request: dict[str, Any], token: object, reply: Reply) -> None:
        try:
            if self._network.chance(self._network.weather.throttled):
                raise ApiError("ProvisionedThroughputExceededException", "Throttled")
            if operation == "transact_write_items":
                self._transact(request, token, reply)
            else:
                reply(getattr(self._tables, operation)(request))
        except ApiError as error:
            reply(error)

    def _transact(self, request: dict[str, Any], token: object, reply: Reply) -> None:
        if token in self._carried_out:
            return reply(self._carried_out[token])
        writes = self._tables.prepare(request)
        self._carried_out[token] = {}
        scheduler = self._network.scheduler
        left = list(writes)
        scheduler.rng.shuffle(left)
        torn = self._network.chance(self._network.weather.torn)

        def commit_next() -> None:
            while left:
                self._tables.set(*left.pop())
                if torn and left:
                    return scheduler.at(scheduler.now + self._network.latency(0.3), commit_next)
            self._tables.release(writes)
            reply({})

        commit_next()


class Redis:
    """The Redis of a schedule: counters and leases, and the scripts of chat.services.log.sequence and
    chat.services.jobs.leases written in Python. `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self.counters: dict[str, int] = {}
        self.leases: dict[str, tuple[str, float]] = {}  # → the holder, and until when
        self.notes: dict[str, dict[str, str]] = {}
        self._now = now
        self.down = False
        self._saved: dict[str, int] = {}

    def flush(self) -> None:
        """FLUSHALL"""
        self.counters.clear()
        self.leases.clear()
        self.notes.clear()

    def save(self) -> None:
        """What a restart would bring back."""
        self._saved = dict(self.counters)

    def roll_back(self) -> None:
        """A restart that brings back what was saved last."""
        self.counters = dict(self._saved)

    def mget(self, *keys: str) -> list[str | None]:
        """MGET"""
        return [str(self.counters[key]) if key in self.counters else None for key in keys]

    def hgetall(self, key: str) -> dict[str, str]:
        """HGETALL"""
        return dict(self.notes.get(key, {}))

    def _holder(self, lease: str) -> str | None:
        holder, until = self.leases.get(lease, (None, 0.0))
        return holder if self._now() < until else None

    def take(self, lease: str, notes: str, holder: str, ttl_ms: int) -> int:
        """leases.TAKE"""
        if self._holder(lease) not in (None, holder):
            return 0
        self.leases[lease] = holder, self._now() + ttl_ms / 1000
        return 1

    def note(self, lease: str, notes: str, holder: str, ttl_ms: int, field: str, value: str) -> int:
        """leases.NOTE"""
        if self._holder(lease) != holder:
            return 0
        self.leases[lease] = holder, self._now() + ttl_ms / 1000
        self.notes.setdefault(notes, {})[field] = value
        return 1

    def release(self, lease: str, notes: str, holder: str) -> int:
        """leases.RELEASE"""
        if self._holder(lease) == holder:
            del self.leases[lease]
        return 1

    def propose(self, key: str, seen: int, highest: int, count: int) -> int:
        """numbers.PROPOSE"""
        last = self.counters.get(key)
        if last is None or last + 1 <= seen or last + count > highest:
            return 0
        self.counters[key] = last + count
        return last + 1

    def raise_to(self, key: str, head: int, highest: int) -> int:
        """numbers.RAISE"""
        last = self.counters.get(key)
        if last is None or last < head or last >= highest:
            self.counters[key] = head
        return 1


class RedisClient:
    """The redis-py client of one process."""

    def __init__(self, network: Network, server: Redis):
        self._network = network
        self._server = server

    def register_script(self, script: str) -> Callable[..., Any]:
        run = {
            numbers.PROPOSE: self._server.propose,
            numbers.RAISE: self._server.raise_to,
            leases.TAKE: self._server.take,
            leases.NOTE: self._server.note,
            leases.RELEASE: self._server.release,
        }[script]

        def call(keys: list[str], args: list[Any]) -> Any:
            return self._ask(run, *keys, *args)

        return call

    def mget(self, keys: list[str]) -> list[str | None]:
        return self._ask(self._server.mget, *keys)

    def hgetall(self, key: str) -> dict[str, str]:
        return self._ask(self._server.hgetall, key)

    def _ask(self, command: Callable[..., Any], *args: Any) -> Any:
        def arrive(reply: Reply) -> None:
            if not self._server.down:
                reply(command(*args))
            else:
                reply(redis.ConnectionError("Redis is down"))

        answer = self._network.exchange(arrive, REDIS_TIMEOUT_S)
        self._network.scheduler.note(command.__name__, *args, "→", "lost" if answer is LOST else answer)
        if answer is LOST:
            raise redis.TimeoutError("Redis did not answer")
        if isinstance(answer, redis.RedisError):
            raise answer
        return answer


class Wire:
    """The bus between workers, on the worst of days: events are lost without a word, doubled, late, out of order."""

    def __init__(self, network: Network, redis: Redis):
        self._network = network
        self._redis = redis
        self._ends: list[tuple[Process, Callable[[Event], None]]] = []

    def join(self, process: Process, hear: Callable[[Event], None]) -> None:
        """A process that listens."""
        self._ends = [end for end in self._ends if not end[0].dead]
        self._ends.append((process, hear))

    def publish(self, origin: Process, event: Event) -> None:
        """Brings an event to everybody else."""
        scheduler, weather = self._network.scheduler, self._network.weather
        for process, hear in self._ends:
            if process is origin or process.dead or self._redis.down or self._network.chance(weather.bus_lost):
                continue
            if {process, origin} & self._network.cut:
                continue
            for _ in range(2 if self._network.chance(weather.bus_doubled) else 1):
                late = scheduler.rng.random() * 3 if self._network.chance(weather.bus_late) else 0.0
                scheduler.at(
                    scheduler.now + self._network.latency() + late,
                    lambda process=process, hear=hear: scheduler.spawn(process, hear, event),
                    process,
                )


def _brief(request: dict[str, Any]) -> str:
    """The keys that a request is about."""
    if "TransactItems" in request:
        return " + ".join(_brief(body) for each in request["TransactItems"] for body in each.values())
    if "RequestItems" in request:
        (asked,) = request["RequestItems"].values()
        keys = [each["DeleteRequest"]["Key"] for each in asked] if isinstance(asked, list) else asked["Keys"]
        return " ".join(_key(key) for key in keys)
    if "KeyConditionExpression" in request:
        return request["KeyConditionExpression"] + " " + _key(request["ExpressionAttributeValues"])
    item = request.get("Item") or request.get("Key") or {}
    kind = item.get("kind", {}).get("S", "")
    rev = f" rev {item['rev']['N']}" if "rev" in item else ""
    key = {name: value for name, value in item.items() if name in ("room", "id", "pk", "sk", "username")}
    if "pk" in key:
        key = {name: value for name, value in key.items() if name in ("pk", "sk")}
    return f"{_key(key)} {kind}{rev}".strip()


def _key(key: dict[str, Any]) -> str:
    return "/".join(next(iter(value.values())).lstrip("0") or "0" for value in key.values())


def _outcome(answer: Any) -> str:
    if isinstance(answer, ApiError):
        reasons = [reason["Code"] for reason in answer.extra.get("CancellationReasons", [])]
        return f"{answer.code} {reasons or ''}"
    if "Items" in answer:
        return f"{len(answer['Items'])} items"
    return "ok" if not answer or "Responses" in answer else "found"
