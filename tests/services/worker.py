"""A worker's services without its sockets, wired to others by a bus that the test controls."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Collection
from typing import Any

import gevent
from msgspec import to_builtins

from chat.config import Config
from chat.models import Person
from chat.services.bus.events import Event
from chat.services.log.append import Log
from chat.services.log.checks import Checks
from chat.services.log.follower import Follower
from chat.services.log.followers import Followers
from chat.services.log.sequence import Sequences
from chat.services.messages.history import History
from chat.services.messages.writing import Messages
from chat.services.presence.read_position import ReadPositions
from chat.services.presence.typing import Typing
from chat.services.rooms.membership import Memberships
from chat.services.rooms.overview import Overview
from chat.services.rooms.rooms import Rooms
from chat.services.storage import redis_client
from chat.services.storage.storage import Storage


class Wire:
    """Stands for the bus: a worker's own events reach it at once, the others when the test lets them through."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self.waiting: deque[tuple[Worker, dict[str, Any]]] = deque()

    def carry(self, rng: random.Random | None = None, lose: float = 0.0) -> None:
        """Delivers what waits, in a random order and losing a share of it when told so."""
        events = list(self.waiting)
        self.waiting.clear()
        if rng is not None:
            rng.shuffle(events)
        for worker, event in events:
            if rng is None or rng.random() >= lose:
                worker.hear(event)


class Plug:
    """One worker's end of the wire; takes the place of chat.services.bus.bus.Bus."""

    def __init__(self, wire: Wire, worker: Worker):
        self._wire = wire
        self._worker = worker

    def publish(self, published: Event) -> None:
        event = to_builtins(published)
        self._worker.hear(event)
        self._wire.waiting.extend((other, event) for other in self._wire.workers if other is not self._worker)


class Broadcaster:
    """Records what each socket was sent, in order."""

    def __init__(self) -> None:
        self.inside: dict[str, list[str]] = {}
        self.sent: dict[str, list[tuple[str, dict[str, Any]]]] = {}

    def emit(self, room: str, event: str, payload: dict[str, Any], skip: Collection[str] = ()) -> None:
        for sid in self.inside.get(room, ()):
            if sid not in skip:
                self.tell(sid, event, payload)

    def tell(self, sid: str, event: str, payload: dict[str, Any]) -> None:
        self.sent.setdefault(sid, []).append((event, payload))

    def admit(self, room: str, sid: str) -> None:
        self.inside.setdefault(room, []).append(sid)

    def expel(self, room: str, sid: str) -> None:
        if sid in self.inside.get(room, ()):
            self.inside[room].remove(sid)


class Worker:
    """The services of one worker process."""

    def __init__(self, config: Config, wire: Wire, storage: Storage | None = None):
        self.storage = storage or Storage.connect(config)
        self.redis = redis_client.connect(config.redis_url)
        self.bus = Plug(wire, self)
        self.heard: list[dict[str, Any]] = []
        self.sequences = Sequences(self.redis, self.storage)
        self.log = Log(self.storage, self.sequences, self.bus)
        self.broadcaster = Broadcaster()
        self.followers = Followers(self.storage, self.sequences, self.log, self.broadcaster)
        self.checks = Checks(self.followers, self.sequences)
        self.rooms = Rooms(self.storage, self.sequences, self.log, self.bus, self.followers.member)
        self.overview = Overview(self.storage, self.sequences, self.rooms)
        self.memberships = Memberships(self.storage, self.rooms, self.overview, self.log, self.bus)
        self.messages = Messages(self.storage, self.rooms, self.log, self.bus)
        self.history = History(self.storage, self.rooms, self.log, self.sequences, self.followers)
        self.read_positions = ReadPositions(self.storage, self.rooms, self.followers, self.bus)
        self.typing = Typing(self.rooms, self.bus)
        wire.workers.append(self)

    def hear(self, event: dict[str, Any]) -> None:
        """One event of the bus, as chat.sockets.bus_listener passes it on."""
        self.heard.append(event)
        if event["kind"] == "entry":
            self.followers.offer(event["room"], event["generation"], event["entry"], event["image"])
        elif event["kind"] == "decided":
            self.followers.decided(event["room"], event["seq"])

    def connect(self, person: Person, sid: str | None = None) -> str:
        """A socket of that person in all their rooms."""
        sid = self.wait(person, sid)
        for room in list(self.followers.dormant.of(sid)):
            self.followers.follow(self.rooms.get(room))
        return sid

    def wait(self, person: Person, sid: str | None = None) -> str:
        """The same in rooms that are dormant for as long as nobody has said anything."""
        sid = sid or f"socket-{person.username}"
        self.followers.attend([room for room, _ in self.rooms.memberships(person)])
        asked_at = time.monotonic()
        for room, membership in self.rooms.memberships(person):
            assert self.followers.subscribe(sid, room, membership, asked_at)
        return sid

    def follower(self, room: str = "general") -> Follower:
        found = self.followers.get(room)
        assert found is not None
        return found

    def catch_up(self, room: str = "general", seq: int | None = None, within_s: float = 10.0) -> None:
        """Waits until the follower has come as far as `seq`, or as the table."""
        follower = self.follower(room)
        target = seq if seq is not None else self.sequences.read_head(follower.room)
        follower.repair(upto=target)
        with gevent.Timeout(within_s):
            while follower.cursor < target:
                gevent.sleep(0.005)

    def numbers_sent(self, sid: str, room: str | None = None) -> list[int]:
        """The entry numbers that a socket was sent, of one room or all, in the order it was sent them."""
        sent = [(event, p) for event, p in self.broadcaster.sent.get(sid, []) if room in (None, p["room"])]
        return [p["seq"] if event == "message:sent" else p["entry"] for event, p in sent]
