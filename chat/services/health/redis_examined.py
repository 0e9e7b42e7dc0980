"""Whether Redis does what the chat asks of it: each kind of request once, under keys of the chat's own kinds, which are
gone afterwards (at the latest a minute later, by themselves)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import redis

from chat.services.bus import events
from chat.services.bus.events import Beat
from chat.services.bus.publisher import STREAM
from chat.services.health.findings import Finding
from chat.services.sessions.key_events import FLAGS
from chat.services.sessions.record import KEY_PREFIX
from chat.services.storage import redis_client

KEPT_MS = 60_000
EVENT_WITHIN_S = 1.5
NEARLY_FULL = 0.9
# As the chat's own have them: two keys, which a cluster keeps apart, a look and a write.
SCRIPT = """
if redis.call('GET', KEYS[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
"""
# What Redis says → what to do about it.
REMEDIES = {
    "OOM": "give Redis more memory (maxmemory), or make room in it",
    "MISCONF": "make room on the disk of Redis: it cannot save, and takes no writes",
    "READONLY": "let REDIS_URL lead to the primary: a replica takes no writes",
    "CROSSSLOT": "take a Redis that is no cluster (cluster mode off): the chat asks for several keys at once",
    "CLUSTERDOWN": "take a Redis that is no cluster (cluster mode off): the chat asks for several keys at once",
    "MOVED": "take a Redis that is no cluster (cluster mode off): the chat asks for several keys at once",
    "WRONGPASS": "mend the name or the password in REDIS_URL",
    "NOAUTH": "put the password into REDIS_URL: redis://default:password@host:6379/0",
    "NOPERM": "let the chat's Redis user do that: docs/operations.md lists what it needs",
    "LOADING": "wait: Redis is reading what it kept",
}
ELSE = "look whether Redis runs, and whether REDIS_URL leads to it"


@dataclass
class RedisExamined:
    """One examination of the Redis at that address. `run` gives what it finds, and removes what it wrote."""

    url: str
    _id: str = field(default_factory=lambda: f"doctor-{secrets.token_hex(8)}")
    _written: list[str] = field(default_factory=list)

    def run(self) -> Iterator[Finding]:
        """Ends early when Redis does not answer at all."""
        self._redis = redis_client.connect(self.url)
        answers = self._tried("redis answers", self._redis.ping)
        yield answers
        if not answers.ok:
            return
        try:
            yield self._tried("redis takes writes", self._write)
            yield self._tried("redis runs scripts", self._run_scripts)
            yield self._tried("redis carries the bus", self._publish)
            yield self._key_events()
            yield from self._server()
        finally:
            self._remove()

    def _tried(self, check: str, attempt: Callable[[], Any]) -> Finding:
        try:
            attempt()
        except redis.RedisError as error:
            return _broken(check, error)
        return Finding(check, True)

    def _write(self) -> None:
        self._redis.set(self._key(KEY_PREFIX), "{}", px=KEPT_MS)

    def _run_scripts(self) -> None:
        keys = [self._key("lease:"), self._key("lease_notes:")]
        self._redis.eval(SCRIPT, 2, *keys, self._id, KEPT_MS)
        self._redis.register_script(SCRIPT)(keys=keys, args=[self._id, KEPT_MS])
        self._redis.time()

    def _publish(self) -> None:
        """A heartbeat, which nobody but its own worker takes notice of; on the bus itself when there is one."""
        there = self._redis.exists(STREAM)
        bus = STREAM if there else self._key("bus:")
        entry = {"from": self._id, "e": events.encode(1, Beat(time.monotonic()))}
        number: Any = self._redis.xadd(bus, entry)  # type: ignore[arg-type]
        try:
            self._redis.xrevrange(bus, count=1)
            self._redis.xread({bus: "0-0"}, count=1)
        finally:
            self._redis.xdel(bus, number)

    def _key_events(self) -> Finding:
        """Whether the end of a session is told at once: listens as a worker does, and ends one that never was one."""
        check, late = "redis tells of ended sessions", "an ended session is noticed a second later, by asking"
        allow = "let the chat's Redis user PSUBSCRIBE and set notify-keyspace-events, or set it to Kgxe yourself"
        try:
            told = self._hears_an_end()
        except redis.RedisError as error:
            return Finding(check, True, f"{redis_client.cause(error)}: {late}", allow)
        if told or self._may_turn_on():
            return Finding(check, True)
        return Finding(check, True, f"its key events are off: {late}", allow)

    def _hears_an_end(self) -> bool:
        client: Any = self._redis  # its pubsub has no types
        with client.pubsub() as listening:
            database = self._redis.connection_pool.connection_kwargs.get("db", 0)
            listening.psubscribe(f"__keyspace@{database}__:{KEY_PREFIX}*")
            listening.get_message(timeout=EVENT_WITHIN_S)  # the answer to that
            if not self._redis.delete(self._key(KEY_PREFIX)):
                return True  # it was never written, which has a line of its own
            until = time.monotonic() + EVENT_WITHIN_S
            while (left_s := until - time.monotonic()) > 0:
                message: dict[str, Any] | None = listening.get_message(timeout=left_s)
                if message is not None and str(message["channel"]).endswith(self._id):
                    return True
        return False

    def _may_turn_on(self) -> bool:
        """Whether key events are off, and a worker will turn them on: sets what is set already."""
        try:
            held = str(self._redis.config_get("notify-keyspace-events").get("notify-keyspace-events", ""))
            self._redis.config_set("notify-keyspace-events", held)
        except redis.RedisError:
            return False
        return not all(flag in held or (flag != "K" and "A" in held) for flag in FLAGS)

    def _server(self) -> Iterator[Finding]:
        try:
            told: dict[str, Any] = self._redis.info()
        except redis.RedisError as error:
            why = f"{redis_client.cause(error)}: after a failover, sessions that ended just before may come back"
            yield Finding("redis tells of itself", True, why, "let the chat's Redis user INFO")
            return
        yield _cluster(told)
        yield from _memory(told)

    def _key(self, kind: str) -> str:
        key = kind + self._id
        self._written.append(key)
        return key

    def _remove(self) -> None:
        for key in dict.fromkeys(self._written):
            try:
                self._redis.delete(key)
            except redis.RedisError:
                continue  # it goes by itself
        self._redis.close()


def _cluster(told: dict[str, Any]) -> Finding:
    if told.get("cluster_enabled"):
        return Finding("redis is one server", False, "it runs in cluster mode", REMEDIES["CROSSSLOT"])
    return Finding("redis is one server", True)


def _memory(told: dict[str, Any]) -> Iterator[Finding]:
    policy, most, used = told.get("maxmemory_policy"), int(told.get("maxmemory", 0)), int(told.get("used_memory", 0))
    if policy not in (None, "noeviction"):
        why = f"Redis may throw sessions away when it is full (maxmemory-policy {policy})"
        yield Finding("redis keeps what it has", True, why, "set it to noeviction")
    else:
        yield Finding("redis keeps what it has", True)
    if most and used > NEARLY_FULL * most:
        why = f"{used * 100 // most} % of its memory is taken ({used >> 20} of {most >> 20} MB)"
        yield Finding("redis has room", True, why, REMEDIES["OOM"])
    else:
        yield Finding("redis has room", True)


def _broken(check: str, error: redis.RedisError) -> Finding:
    cause = redis_client.cause(error)
    code = next((code for code in REMEDIES if code in cause.split()), None)
    return Finding(check, False, cause, REMEDIES[code] if code else ELSE)
