"""How often one may try: the numbers of the settings, kept in Redis, so that all workers and functions obey."""

from __future__ import annotations

import time

import limits
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis

from chat.config import Config
from chat.errors import ChatError
from chat.services.redis import answering


class Limits:
    """Every limit on accounts, by its name."""

    def __init__(self, redis: Redis, config: Config):
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix="limit")
        window = MovingWindowRateLimiter(storage)
        self.account = Limit(window, "login", config.login_failures_per_account, 15 * 60)
        self.address = Limit(window, "from", config.login_failures_per_address, 15 * 60)
        self.browser = Limit(window, "browser", config.login_failures_per_account, 15 * 60)
        self.password = Limit(window, "password", config.login_failures_per_account, 15 * 60)
        self.registrations = Limit(window, "register", config.registrations_per_address, 60 * 60)


class Limit:
    """So many acts of one kind in a window of `seconds`. Redis that does not answer refuses: never unlimited."""

    def __init__(self, window: MovingWindowRateLimiter, kind: str, amount: int, seconds: int):
        self._window = window
        self._item = limits.RateLimitItemPerSecond(amount, seconds, namespace=kind)

    def open(self, key: str) -> bool:
        """Whether another act is allowed. Raises: ChatError `unavailable`."""
        with answering():
            return self._window.test(self._item, key)

    def count(self, key: str) -> bool:
        """Counts an act; False when it is one too many. Raises: ChatError `unavailable`."""
        with answering():
            return self._window.hit(self._item, key)

    def spend(self, key: str) -> None:
        """Counts an act. Raises: ChatError `rate_limited`, `unavailable`."""
        if not self.count(key):
            raise self.refusal(key)

    def refusal(self, key: str) -> ChatError:
        """The error that says when to come back."""
        with answering():
            reset_at = self._window.get_window_stats(self._item, key).reset_time
        return ChatError("rate_limited", retry_after_s=max(1, int(reset_at - time.time()) + 1))
