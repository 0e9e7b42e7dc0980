"""A worker process of the model: the product's services and its fan-out, on a network that the scheduler runs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from msgspec import to_builtins

from chat.errors import ChatError
from chat.models import Person
from chat.services.bus.events import Event
from chat.services.ingest.ingest import Ingest
from chat.services.jobs.leases import Lease
from chat.services.jobs.poller import LEASE_MS, Poller
from chat.services.jobs.retention import Retention
from chat.services.log.append import Log
from chat.services.log.checks import Checks
from chat.services.log.followers import Followers
from chat.services.log.group_commit import GroupCommit
from chat.services.log.sequence import Sequences
from chat.services.messages.history import History
from chat.services.messages.writing import Messages
from chat.services.presence.read_position import ReadPositions
from chat.services.rooms.membership import Memberships
from chat.services.rooms.overview import Overview
from chat.services.rooms.rooms import Rooms
from chat.services.runtime.background import Background
from chat.services.runtime.deadline import deadline
from chat.services.storage.client import Client
from chat.services.storage.storage import Storage
from chat.sockets.broadcaster import SocketBroadcaster
from chat.sockets.bus_listener import BusListener
from chat.sockets.client_sockets import ClientSocket, ClientSockets
from chat.sockets.subscriptions import Subscriptions
from tests.model import standins
from tests.model.network import Dynamodb, Network, Redis, RedisClient, Wire
from tests.model.scheduler import Process, Scheduler
from tests.model.stream import Reader, Stream
from tests.model.tables import Tables

CONNECT_WITHIN_S = 10.0
PLENTY = 1_000_000
KEEP_S = 7_500.0  # longer than clocks differ, twice
Push = Callable[[str, dict[str, Any]], None]


class Plug:
    """A worker's end of the wire; takes the place of chat.services.bus.bus.Bus."""

    def __init__(self, worker: Worker, wire: Wire):
        self._worker = worker
        self._wire = wire
        self._listener: Callable[[Event], None] = lambda event: None

    def publish(self, event: Event) -> None:
        self._worker.scheduler.alive()
        self._wire.publish(self._worker, event)
        self._listener(event)

    def start(self, listener: Callable[[Event], None], on_doubt: Callable[[], None]) -> None:
        self._listener = listener
        self._worker.doubt = on_doubt
        self._wire.join(self._worker, listener)


class Server:
    """What fan-out asks of Socket.IO: rooms of sockets, and sending to them."""

    def __init__(self) -> None:
        self.pushes: dict[str, Push] = {}
        self._rooms: dict[str, dict[str, None]] = {}

    def emit(
        self, event: str, payload: Any, room: str | None = None, to: str | None = None, skip_sid: Any = ()
    ) -> None:
        for sid in [to] if to is not None else list(self._rooms.get(room or "", ())):
            if sid in self.pushes and sid not in skip_sid:
                self.pushes[sid](event, to_builtins(payload))

    def enter_room(self, sid: str, room: str) -> None:
        self._rooms.setdefault(room, {})[sid] = None

    def leave_room(self, sid: str, room: str) -> None:
        self._rooms.get(room, {}).pop(sid, None)


class Worker(Process):
    """One worker. `doubt` is what its bus calls when it may have lost events."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        network: Network,
        tables: Tables,
        redis: Redis,
        wire: Wire,
        stream: Stream | None = None,
    ):
        super().__init__(name)
        self.scheduler = scheduler
        self.doubt: Callable[[], None] = lambda: None
        self.storage = Storage(Client(Dynamodb(network, tables)))
        bus = Plug(self, wire)
        client = RedisClient(network, redis)
        self.sequences = Sequences(client, self.storage)
        self.log = Log(
            self.storage,
            self.sequences,
            bus,
            now=standins.now,
            pause=standins.GEVENT.sleep,
            defer=standins.GEVENT.spawn,
            appender=GroupCommit(self.storage),
        )
        self.server = Server()
        broadcaster = SocketBroadcaster(SimpleNamespace(server=self.server))
        self.followers = Followers(self.storage, self.sequences, self.log, broadcaster)
        self.checks = Checks(self.followers, self.sequences)
        self.rooms = Rooms(self.storage, self.sequences, self.log, bus, self.followers.member)
        self.overview = Overview(self.storage, self.sequences, self.rooms)
        self.memberships = Memberships(self.storage, self.rooms, self.overview, self.log, bus)
        self.messages = Messages(self.storage, self.rooms, self.log, bus)
        self.history = History(self.storage, self.rooms, self.log, self.sequences, self.followers)
        self.read_positions = ReadPositions(self.storage, self.rooms, self.followers, bus)
        self.retention = Retention(self.storage, self.log, KEEP_S, standins.GEVENT.sleep)
        self.poller: Poller | None = None
        if stream is not None:
            ingest = Ingest(self.storage, self.rooms, self.log, bus)
            lease = Lease(client, "ingest", LEASE_MS)
            self.poller = Poller(self.storage, lambda: Reader(network, stream), ingest, lease, standins.TIME.monotonic)
        self.clients, sessions = ClientSockets(PLENTY), SimpleNamespace()
        self.subscriptions = Subscriptions(broadcaster, self.clients, sessions, self.followers, self.rooms)
        self.listener = BusListener(
            broadcaster, self.clients, sessions, self.subscriptions, self.followers, self.checks, self.rooms, bus
        )

    def start(self) -> None:
        """Begins to listen and to check."""
        self.scheduler.spawn(self, self._begin)

    def _begin(self) -> None:
        background = Background(standins.TIME.monotonic)
        self.listener.start()
        self.checks.start(background)
        self.subscriptions.start(background)
        if self.poller is not None:
            self.poller.start(background)

    def sweep(self) -> None:
        """Lets the old go, however often it takes."""
        while True:
            try:
                self.retention.sweep()
                return
            except ChatError:
                standins.GEVENT.sleep(0.5)

    def connect(self, sid: str, person: Person, push: Push) -> None:
        """What the connection of a socket does. Raises: ChatError."""
        now = standins.TIME.monotonic()
        session = SimpleNamespace(sid=sid, person=person)
        client = ClientSocket(sid, session, now)
        self.server.pushes[sid] = push
        self.clients.add(client)
        try:
            with deadline(CONNECT_WITHIN_S):
                self.subscriptions.subscribe(client)
        except BaseException:
            self.disconnect(sid)
            raise
        self.subscriptions.heads(client)

    def disconnect(self, sid: str) -> None:
        """What the end of a socket does."""
        self.server.pushes.pop(sid, None)
        client = self.clients.remove(sid)
        if client is not None:
            self.subscriptions.unsubscribe(client)

    def answer(self, request: Callable[[Worker], Any]) -> Any:
        """What a request is answered, within the time that the sockets' handlers have: a value or a ChatError."""
        try:
            with deadline():
                return request(self)
        except ChatError as error:
            return error
