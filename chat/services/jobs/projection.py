"""What a projection is: something derived from the logs that may lag (docs/decisions/0029-projections.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chat.models import Room
from chat.services.jobs.reading import Told


class Projection(Protocol):
    """What follows the logs. Delivery is at least once: to be told the same (room, generation, number) again, by
    another worker, or by two at once, must do no harm.

    An `effect` (mail, push, hooks: what nobody can take back) begins at the heads of when it was made, and is not told
    what is older than `stale_after_s`; any other begins at the floors. `snapshots`: whether it is told what a change
    made of its message.

    What a method raises holds this projection back in this room, and is tried again. A ChatError `unavailable` is of
    our own stores, and holds all of them back.
    """

    name: str
    effect: bool
    snapshots: bool
    stale_after_s: float

    def take(self, room: Room, told: Sequence[Told]) -> None:
        """Takes entries: decided, in order, none left out but stale ones. They count as taken when this returns."""

    def forget(self, room: str) -> None:
        """The room began anew, or is gone: what is kept of it holds no longer."""

    def floor(self, room: Room) -> None:
        """What lies below the room's floor is no longer kept."""
