"""Turns at something scarce: one after the other, fair between addresses, and between the accounts of one address.

Whoever asks often waits for themselves. A queue that is full takes a newcomer in the place of whoever has most in it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from gevent.event import Event

from chat.errors import ChatError

Who = tuple[str, str]  # an address, an account


@dataclass(eq=False)
class Waiting:
    """Somebody who waits, until `called`; `displaced` says that they are to come another time."""

    who: Who
    number: int
    called: Event = field(default_factory=Event)
    displaced: bool = False


class Turns:
    """So many `slots`, and turns at them. For a process with greenlets."""

    def __init__(self, slots: int):
        self._free = slots
        self._waiting: list[Waiting] = []
        self._numbers = count(1)
        self._had: dict[str | Who, int] = {}  # who had a turn while they, or others of their address, wait → when

    def take(self, who: Who, full: bool = False) -> None:
        """Returns when it is their turn; `end` ends it. With `full`, somebody who waits has to give way.

        Raises: ChatError `busy` when they have to give way themselves.
        """
        if full:
            self._displace(who)
        waiting = Waiting(who, next(self._numbers))
        self._waiting.append(waiting)
        self._call()
        try:
            waiting.called.wait()
        except BaseException:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif not waiting.displaced:
                self.end()
            raise
        if waiting.displaced:
            raise busy()

    def end(self) -> None:
        """Somebody's turn is over."""
        self._free += 1
        self._call()

    def would_displace(self, who: Who) -> bool:
        """Whether a newcomer of that account and address has a right to the place of somebody who waits."""
        return self._last_of_most(who) is not None

    def _call(self) -> None:
        while self._free and self._waiting:
            chosen = min(self._waiting, key=self._order)
            self._waiting.remove(chosen)
            self._free -= 1
            self._note(chosen)
            chosen.called.set()

    def _order(self, waiting: Waiting) -> tuple[int, int, int]:
        address, _ = waiting.who
        return self._had.get(address, 0), self._had.get(waiting.who, 0), waiting.number

    def _note(self, chosen: Waiting) -> None:
        here = {waiting.who[0] for waiting in self._waiting}
        self._had = {key: at for key, at in self._had.items() if (key if isinstance(key, str) else key[0]) in here}
        self._had[chosen.who[0]] = self._had[chosen.who] = next(self._numbers)

    def _displace(self, who: Who) -> None:
        last = self._last_of_most(who)
        if last is None:
            raise busy()
        self._waiting.remove(last)
        last.displaced = True
        last.called.set()

    def _last_of_most(self, who: Who) -> Waiting | None:
        """The last to come of the account that has most waiting, at the address that has; None when a newcomer would
        have as many."""
        if not self._waiting:
            return None
        by_address = Counter(waiting.who[0] for waiting in self._waiting)
        address, most = by_address.most_common(1)[0]
        by_account = Counter(waiting.who for waiting in self._waiting if waiting.who[0] == address)
        account, most_of_account = by_account.most_common(1)[0]
        fairer = most > by_address[who[0]] + 1 or (who[0] == address and most_of_account > by_account[who] + 1)
        return next(waiting for waiting in reversed(self._waiting) if waiting.who == account) if fairer else None


def busy() -> ChatError:
    """What those hear for whom there is no place."""
    return ChatError("busy", retry_after_s=2)
