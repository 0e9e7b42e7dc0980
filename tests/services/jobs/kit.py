"""What every projection must bear, whatever it does: the scenes of scenes.py, on real tables and a real Redis.

A subject says how another worker makes the projection anew, and what its world says that the logs do not (`wrong`). A
scene ends, whatever was done to the workers, with a world in which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from chat.config import Config
from chat.models import Room
from chat.services.jobs.leases import Lease
from chat.services.jobs.projection import Projection
from chat.services.jobs.projections import NOTE_EVERY_S, PROPOSED_EVERY_S, Projections
from chat.services.storage.projections import ProjectionRows
from tests.services.conftest import ALICE
from tests.services.worker import Wire, Worker

ROUNDS = 400
DAY_S = 24 * 3600.0


class Subject(Protocol):
    """A projection and its world."""

    def make(self, worker: Worker) -> Projection:
        """The projection, as a worker makes it; what it asks of the world outside passes `worker.outside`."""

    def wrong(self, worker: Worker, rooms: Sequence[str], again: bool) -> list[str]:
        """What the world says that the logs of these rooms do not. `again`: somebody died, or two did it at once, so
        what cannot be taken back may have been done twice, if it can be known as the same."""


class Clock:
    """All time in a scene: the test moves it."""

    def __init__(self) -> None:
        self.s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.s


@dataclass
class Scene:
    """A worker on which people write, and others that follow the logs."""

    config: Config
    wire: Wire
    worker: Worker
    subject: Subject
    clock: Clock = field(default_factory=Clock)
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self._tell_time(self.worker)

    def _tell_time(self, worker: Worker) -> None:
        worker.log._now = self.clock
        worker.log._pause = lambda seconds: self.pass_s(seconds)

    def pass_s(self, seconds: float) -> None:
        self.clock.s += seconds

    # --- who follows ----------------------------------------------------------------------------------------------

    def follower(self, worker: Worker | None = None, *beside: Projection) -> Projections:
        """The projections of a worker, another one when none is named."""
        worker = worker or Worker(self.config, self.wire)
        self._tell_time(worker)
        lease = Lease(worker.redis, "projections", 60_000)
        made = [*beside, self.subject.make(worker)]
        rows = ProjectionRows(worker.storage.client)
        time = {"now": self.clock, "clock": self.clock, "pause": self.pass_s}
        return Projections(worker.storage, rows, worker.sequences, worker.log, lease, made, **time)

    def free_the_lease(self) -> None:
        """The lease of one that is gone runs out."""
        self.worker.redis.delete("lease:projections")

    def follow(self, projections: Projections, for_s: float = 10.0) -> Projections:
        """Lets it follow for so long, in some five rounds, and for as long as there is more to take at once."""
        assert projections._progress is not None or projections.begin()
        until = self.clock.s + for_s
        for _ in range(ROUNDS):
            if not projections.round() and self.clock.s > until:
                return projections
            self.pass_s(for_s / 5)
        raise AssertionError("it never comes to an end")

    def made(self) -> None:
        """The projection exists, and has come to the end of what is said."""
        self.follow(self.follower()).stop()

    def settled(self, again: bool, rooms: Sequence[str] = ("general",)) -> None:
        """Another one goes on to the end of all logs, by itself; then nothing is wrong."""
        self.free_the_lease()
        self.follow(self.follower(), 2 * PROPOSED_EVERY_S + NOTE_EVERY_S).stop()
        wrong = self.subject.wrong(self.worker, rooms, again)
        assert not wrong, "\n".join(wrong)

    # --- who writes -----------------------------------------------------------------------------------------------

    def say(self, times: int = 1, room: str = "general") -> list[int]:
        """Somebody says something, so many times; a minute apart."""
        said = []
        for _ in range(times):
            self.pass_s(60)
            said.append(self.worker.messages.send(ALICE, room, f"c{next(self.numbers)}", "words")["seq"])
        return said

    def everything(self) -> None:
        """A bit of all that may happen in a room."""
        first, *_ = self.say(3)
        self.worker.messages.edit(ALICE, "general", f"c{next(self.numbers)}", first, "other words")
        self.worker.messages.delete(ALICE, "general", f"c{next(self.numbers)}", self.say()[0])
        self.worker.log.settle(self.room(), self.worker.sequences.propose(self.room()))
        self.pass_s(DAY_S)
        self.say(2)

    def room(self, name: str = "general") -> Room:
        room = self.worker.storage.rooms.get(name)
        assert room is not None
        return room
