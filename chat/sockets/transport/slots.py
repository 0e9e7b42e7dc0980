"""How many sockets there may be: in this worker, and from one address.

Whoever opened a socket has shown nothing yet; who connected has shown a session. So the first give way: when there is
no slot for a newcomer, the oldest of them goes. Those that carry no cookie can never connect: they have few slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from chat.config import Config
from chat.errors import ChatError

NAMELESS = 100  # slots of one worker for sockets without a cookie


class ConnectionSlot:
    """One socket's slot, until it is freed. `kept` says that the socket outlives the request that opened it, and
    `give_way` ends it."""

    __slots__ = ("_slots", "address", "give_way", "kept", "nameless")

    def __init__(self, slots: ConnectionSlots, address: str, nameless: bool):
        self._slots: ConnectionSlots | None = slots
        self.address = address
        self.nameless = nameless
        self.kept = False
        self.give_way: Callable[[], None] | None = None

    def settle(self) -> None:
        """Whoever has it has connected: it is theirs."""
        if self._slots is not None:
            self._slots.strangers.pop(self, None)

    def free(self) -> None:
        """Makes room for another. More than once does no harm."""
        if self._slots is not None:
            self._slots.leave(self)
            self._slots = None


class ConnectionSlots:
    """The slots of one worker. `strangers` are those that have not connected, the oldest first."""

    def __init__(self, config: Config):
        self.taken = 0
        self.by_address: Counter[str] = Counter()
        self.strangers: dict[ConnectionSlot, None] = {}
        self._config = config

    def take(self, address: str, nameless: bool = False) -> ConnectionSlot:
        """A slot for a socket from there. Raises: ChatError `busy` when all are taken, `rate_limited` when that
        address has its share; by such as have connected, that is, or are being let in."""
        if nameless and sum(each.nameless for each in self.strangers) >= NAMELESS:
            self._free_one(lambda each: each.nameless)
        share = self._config.sockets_per_address
        if self.by_address[address] >= share and not self._free_one(lambda each: each.address == address):
            raise ChatError("rate_limited", retry_after_s=30)
        if self.taken >= self._config.sockets_per_worker and not self._free_one(lambda each: True):
            raise ChatError("busy", retry_after_s=5)
        self.taken += 1
        self.by_address[address] += 1
        slot = ConnectionSlot(self, address, nameless)
        self.strangers[slot] = None
        return slot

    def _free_one(self, suits: Callable[[ConnectionSlot], bool]) -> bool:
        """Ends the oldest socket that has not connected; whether there was one."""
        oldest = next((each for each in self.strangers if each.give_way is not None and suits(each)), None)
        if oldest is None:
            return False
        oldest.free()
        if oldest.give_way is not None:
            oldest.give_way()
        return True

    def leave(self, slot: ConnectionSlot) -> None:
        """For ConnectionSlot."""
        self.strangers.pop(slot, None)
        self.taken -= 1
        self.by_address[slot.address] -= 1
        if not self.by_address[slot.address]:
            del self.by_address[slot.address]
