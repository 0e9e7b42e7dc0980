"""How often one may try: the numbers of the settings, kept in Redis, so that all workers and functions obey.

A try is counted right before it is made, in one step with the look whether it may be, and given back when it turns out
to be none: so many tries at once pass a limit no further than one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import limits
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis

from chat.config import Config
from chat.errors import ChatError
from chat.services.storage.redis_client import answering

QUARTER_S, HOUR_S = 15 * 60, 60 * 60


class Limits:
    """Every limit on accounts, by its name."""

    def __init__(self, redis: Redis, config: Config):
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix="limit")
        window = MovingWindowRateLimiter(storage)

        def limit(kind: str, amount: int, seconds: int) -> Limit:
            return Limit(redis, storage, window, kind, amount, seconds)

        per_account, per_address = config.login_failures_per_account, config.login_failures_per_address
        self.account = limit("login", per_account, QUARTER_S)
        self.address = limit("from", per_address, QUARTER_S)
        self.browsers = limit("browsers", per_account, QUARTER_S)  # all that are known to an account, together
        self.browsers_address = limit("browsers-from", per_address, QUARTER_S)
        self.logins = limit("logins", config.logins_per_account, QUARTER_S)
        self.password = limit("password", per_account, QUARTER_S)
        self.registrations = limit("register", config.registrations_per_address, HOUR_S)
        self.invitations = limit("invite", config.invitations_per_user, HOUR_S)


class Limit:
    """So many acts of one kind in a window of `seconds`. Redis that does not answer refuses: never unlimited."""

    def __init__(
        self,
        redis: Redis,
        storage: RedisStorage,
        window: MovingWindowRateLimiter,
        kind: str,
        amount: int,
        seconds: int,
    ):
        self._redis = redis
        self._storage = storage
        self._window = window
        self._item = limits.RateLimitItemPerSecond(amount, seconds, namespace=kind)

    def refuse_if_over(self, key: str) -> None:
        """Counts nothing. Raises: ChatError `rate_limited`, `unavailable`."""
        with answering():
            is_open = self._window.test(self._item, key)
        if not is_open:
            raise self._refusal(key)

    def spend(self, key: str) -> None:
        """Counts an act, unless it is one too many. Raises: ChatError `rate_limited`, `unavailable`."""
        with answering():
            counted = self._window.hit(self._item, key)
        if not counted:
            raise self._refusal(key)

    def give_back(self, key: str) -> None:
        """What was counted last was none. Raises: ChatError `unavailable`: then it stays counted."""
        with answering():
            self._redis.ltrim(self._storage.prefixed_key(self._item.key_for(key)), 1, -1)

    def _refusal(self, key: str) -> ChatError:
        """The error that says when to come back."""
        with answering():
            reset_at = self._window.get_window_stats(self._item, key).reset_time
        return ChatError("rate_limited", retry_after_s=max(1, int(reset_at - time.time()) + 1))


class Tries:
    """A try that counts in several limits at once."""

    def __init__(self, counted_in: Iterable[tuple[Limit, str]]):
        self._counted_in = tuple(counted_in)

    def refuse_if_over(self) -> None:
        """Before anything is done for it. Raises: ChatError `rate_limited`, `unavailable`."""
        for limit, key in self._counted_in:
            limit.refuse_if_over(key)

    def count(self) -> None:
        """Counts it in all of them, or in none. Raises: ChatError `rate_limited`, `unavailable`."""
        counted: list[tuple[Limit, str]] = []
        try:
            for limit, key in self._counted_in:
                limit.spend(key)
                counted.append((limit, key))
        except ChatError:
            _give_back(counted)
            raise

    def give_back(self) -> None:
        """It was none. What cannot be given back now stays counted."""
        _give_back(self._counted_in)


def _give_back(counted: Iterable[tuple[Limit, str]]) -> None:
    for limit, key in counted:
        try:
            limit.give_back(key)
        except ChatError:
            return
