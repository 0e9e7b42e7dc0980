"""Where the services meet: made once for each process, and wired to each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from gevent.pool import Pool
from gevent.queue import LifoQueue
from redis import Redis

from chat.config import Config
from chat.errors import ChatError
from chat.services.accounts.accounts import Accounts
from chat.services.accounts.passwords import Passwords
from chat.services.accounts.registration import Registration
from chat.services.accounts.tickets import Tickets
from chat.services.bus.bus import Bus
from chat.services.health.movement import Movement
from chat.services.health.readiness import Readiness
from chat.services.health.workers import BEAT_EVERY_S, Workers
from chat.services.ingest.ingest import Ingest
from chat.services.jobs.days import Days
from chat.services.jobs.leases import Lease
from chat.services.jobs.leaving import APART_MS, leave
from chat.services.jobs.poller import LEASE_MS, Poller
from chat.services.jobs.projections import LEASE_MS as PROJECTIONS_LEASE_MS
from chat.services.jobs.projections import Projections
from chat.services.jobs.retention import LEASE_MS as SWEEP_LEASE_MS
from chat.services.jobs.retention import Retention, Sweeper
from chat.services.limits.allowance import Allowance
from chat.services.limits.limits import Limits
from chat.services.limits.tarpit import Tarpit
from chat.services.log.append import Log
from chat.services.log.checks import Checks
from chat.services.log.followers import Followers
from chat.services.log.group_commit import GroupCommit
from chat.services.log.sequence import Sequences
from chat.services.log.subscribers import Broadcaster
from chat.services.messages.history import History
from chat.services.messages.writing import Messages
from chat.services.presence.read_position import ReadPositions
from chat.services.presence.typing import Typing
from chat.services.rooms.membership import Memberships
from chat.services.rooms.overview import Overview
from chat.services.rooms.rooms import Bounds, Rooms
from chat.services.runtime.background import Background
from chat.services.runtime.deadline import deadline
from chat.services.runtime.gather import outcome, results
from chat.services.runtime.keyed_lock import KeyedLock
from chat.services.runtime.token_bucket import TokenBuckets
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.client import MAX_REQUESTS
from chat.services.storage.days import DayRows
from chat.services.storage.projections import ProjectionRows
from chat.services.storage.storage import Storage
from chat.services.storage.stream import Streams

log = logging.getLogger(__name__)

DAY_S = 24 * 3600
CLAIMS_LONGER_S = 7 * DAY_S  # than what they prove: what is sent again later than that is a new message
REQUESTS_PER_WRITE = 4  # so many requests of any kind, in one worker, for each that a person may write
REQUESTS_WINDOW_S = 10.0
REQUESTS_AT_ONCE = 2  # of one person by HTTP, in one worker; more wait for their turn, not in everybody's way
WATCHED_EVERY_S = 10.0
SIDE_BY_SIDE = 16  # requests to DynamoDB that one reading of many rooms may have under way


@dataclass(frozen=True)
class Services:
    """Every service of one app, for the edges: `chat.blueprints.guard.services()` finds it."""

    config: Config
    storage: Storage
    redis: Redis
    background: Background
    sessions: Sessions
    registration: Registration
    accounts: Accounts
    requests: TokenBuckets
    side_by_side: KeyedLock
    tarpit: Tarpit
    tickets: Tickets
    bus: Bus
    followers: Followers
    checks: Checks
    rooms: Rooms
    memberships: Memberships
    overview: Overview
    messages: Messages
    history: History
    read_positions: ReadPositions
    typing: Typing
    workers: Workers
    readiness: Readiness
    poller: Poller
    movement: Movement
    sweeper: Sweeper | None
    projections: Projections
    leaving: Lease

    def start(self, end: Callable[[], None]) -> None:
        """The first thing a worker does. It shows itself, and rows are taken over, also while nobody has a socket.
        `end` ends it, in good order: it is called when some of its endless work has failed for good."""
        self.background.on_death = lambda why: gevent.spawn(leave, self.leaving, end, why)
        self.bus.begin()
        self.background.every(BEAT_EVERY_S, self.workers.beat)
        if self.config.ingest_mode == "poller":
            self.poller.start(self.background)
            self.background.every(WATCHED_EVERY_S, self.movement.watch)
        if self.sweeper is not None:
            self.sweeper.start(self.background)
        self.projections.start(self.background)

    def stop(self) -> None:
        """The last thing a worker does: within a second, its events are on the bus, and others have its tasks."""
        self.bus.stop()
        try:
            with deadline(0.5):
                self.poller.stop()
                self.movement.end()
                if self.sweeper is not None:
                    self.sweeper.stop()
                self.workers.leave()
                self.projections.stop()  # last: it may have much to note, and what is not noted is done again
        except ChatError as error:
            log.warning("this worker stays on the list of workers: %s", error.code)


def create_services(config: Config, broadcaster: Broadcaster) -> Services:
    """The services of one process, wired to each other. Connects lazily: nothing is asked of Redis or DynamoDB yet."""
    storage = Storage.connect(config, BoundedSemaphore(MAX_REQUESTS))
    redis = redis_client.connect(config.redis_url, queue_class=LifoQueue)
    sessions = create_sessions(config, redis, storage)
    background = Background()
    bus = Bus(redis, config.redis_url, background)
    passwords, limits = Passwords(config.bcrypt_cost, config.bcrypt_queue), Limits(redis, config)
    registration = Registration(storage.users, passwords, limits.registrations)
    accounts = Accounts(storage.users, sessions, passwords, limits, bus, config)
    tickets = Tickets(redis, sessions, config.secret_key)
    allowance = Allowance(redis, config.sends_per_user, config.reads_per_user)
    sequences = Sequences(redis, storage, allowance)
    keep_s = config.retention_days * DAY_S
    claims_kept_s = keep_s + CLAIMS_LONGER_S if keep_s else None
    log = Log(
        storage,
        sequences,
        bus,
        pause=gevent.sleep,
        defer=gevent.spawn,
        claims_kept_s=claims_kept_s,
        appender=GroupCommit(storage),
    )
    followers = Followers(storage, sequences, log, broadcaster, _gather)
    bounds = Bounds(config.rooms_per_user, config.memberships_per_user, limits.invitations)
    rooms = Rooms(storage, sequences, log, bus, followers.member, bounds)
    overview = Overview(storage, sequences, rooms, _gather, allowance)
    memberships = Memberships(storage, rooms, overview, log, bus, allowance, bounds)
    history = History(storage, rooms, log, sequences, followers, allowance)
    workers = Workers(storage, bus, url=config.public_url)
    movement = Movement(redis, storage.client.table("messages"))
    readiness = Readiness(redis, workers, background, movement if config.ingest_mode == "poller" else None)
    ingest = Ingest(storage, rooms, log, bus)
    lease = Lease(redis, f"ingest:{storage.client.table('messages')}", LEASE_MS)
    poller = Poller(storage, partial(Streams.connect, config), ingest, lease, note=movement.note)
    sweeper = None
    if keep_s:
        retention = Retention(storage, log, keep_s, gevent.sleep)
        sweeper = Sweeper(retention, Lease(redis, f"retention:{storage.client.table('messages')}", SWEEP_LEASE_MS))
    lease = Lease(redis, f"projections:{storage.client.table('chat')}", PROJECTIONS_LEASE_MS)
    derived = [Days(DayRows(storage.client))]
    projections = Projections(storage, ProjectionRows(storage.client), sequences, log, lease, derived, bus.watch)
    return Services(
        config=config,
        storage=storage,
        redis=redis,
        background=background,
        sessions=sessions,
        registration=registration,
        accounts=accounts,
        requests=TokenBuckets(REQUESTS_PER_WRITE * config.sends_per_user, REQUESTS_WINDOW_S),
        side_by_side=KeyedLock(REQUESTS_AT_ONCE),
        tarpit=Tarpit(gevent.sleep),
        tickets=tickets,
        bus=bus,
        followers=followers,
        checks=Checks(followers, sequences, _gather),
        rooms=rooms,
        memberships=memberships,
        overview=overview,
        messages=Messages(storage, rooms, log, bus, allowance),
        history=history,
        read_positions=ReadPositions(storage, rooms, followers, bus),
        typing=Typing(rooms, bus),
        workers=workers,
        readiness=readiness,
        poller=poller,
        movement=movement,
        sweeper=sweeper,
        projections=projections,
        leaving=Lease(redis, f"leaving:{storage.client.table('chat')}", APART_MS),
    )


def create_sessions(config: Config, redis: Redis, storage: Storage) -> Sessions:
    """The sessions of a process that may read people's epochs."""
    lives_s = config.session_ttl_s, config.session_max_age_s
    return Sessions(redis, *lives_s, storage.users.epochs, kept_ttl_s=config.session_kept_ttl_s)


def _gather(jobs: Iterable[Callable[[], Any]]) -> list[Any]:
    return results(Pool(SIDE_BY_SIDE).map(outcome, jobs))
