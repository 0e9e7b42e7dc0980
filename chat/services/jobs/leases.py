"""A lease in Redis: one process of all does a work, and another takes over when it is gone."""

from __future__ import annotations

import secrets

from redis import Redis

from chat.services.storage.redis_client import answering

# KEYS[1] the lease, KEYS[2] what the holder notes. ARGV: the holder, milliseconds. Answers 1 when it holds.
TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# ARGV further: a field, its value. Nothing is noted for who no longer holds.
NOTE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
return 1
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class Lease:
    """A named lease of `ttl_ms` milliseconds with notes that only its holder may write. Every method raises ChatError
    `unavailable` when Redis does not answer."""

    def __init__(self, redis: Redis, name: str, ttl_ms: int):
        self._redis = redis
        self._keys = [f"lease:{name}", f"lease_notes:{name}"]
        self._ttl_ms = ttl_ms
        self._holder = secrets.token_hex(8)
        self._take = redis.register_script(TAKE)
        self._note = redis.register_script(NOTE)
        self._release = redis.register_script(RELEASE)

    def take(self) -> bool:
        """Takes the lease if it is free, or holds on to it; whether it is held now."""
        with answering():
            return bool(self._take(keys=self._keys, args=[self._holder, self._ttl_ms]))

    def note(self, field: str, value: str) -> bool:
        """Notes something, and holds on; False, and nothing noted, when another one holds the lease."""
        with answering():
            return bool(self._note(keys=self._keys, args=[self._holder, self._ttl_ms, field, value]))

    def notes(self) -> dict[str, str]:
        """What holders have noted."""
        with answering():
            return {str(field): str(value) for field, value in self._redis.hgetall(self._keys[1]).items()}

    def release(self) -> None:
        """Gives the lease up, if it is held."""
        with answering():
            self._release(keys=self._keys, args=[self._holder])
