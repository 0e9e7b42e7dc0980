"""How many sockets there may be: in this worker, and from one address."""

from __future__ import annotations

from collections import Counter

from chat.config import Config
from chat.errors import ChatError


class Place:
    """One socket's place, until it is freed. `kept` says that the socket outlives the request that opened it."""

    __slots__ = ("_address", "_places", "kept")

    def __init__(self, places: Places, address: str):
        self._places: Places | None = places
        self._address = address
        self.kept = False

    def free(self) -> None:
        """Makes room for another. More than once does no harm."""
        if self._places is not None:
            self._places.leave(self._address)
            self._places = None


class Places:
    """The places of one worker."""

    def __init__(self, config: Config):
        self.taken = 0
        self.by_address: Counter[str] = Counter()
        self._config = config

    def take(self, address: str) -> Place:
        """A place for a socket from there. Raises: ChatError `busy` when all are taken, `rate_limited` when that
        address has its share."""
        if self.taken >= self._config.sockets_per_worker:
            raise ChatError("busy", retry_after_s=5)
        if self.by_address[address] >= self._config.sockets_per_address:
            raise ChatError("rate_limited", retry_after_s=30)
        self.taken += 1
        self.by_address[address] += 1
        return Place(self, address)

    def leave(self, address: str) -> None:
        """For Place."""
        self.taken -= 1
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]
