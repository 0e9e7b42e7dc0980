"""The bus between workers: a Redis Stream that carries what happened to every worker, this one included.

It makes delivery fast; it does not make it certain. Followers find by the log's numbers what the bus lost, so an event
may be dropped, doubled or late without harm. Each origin counts its events: a number that is missing tells every reader
that something was lost (Redis emptied, failed over, trimmed, or an outbox that overflowed). A heartbeat every second
tells a deaf reader from a quiet bus.
"""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import Any

import gevent
import gevent.event
import redis
from msgspec import DecodeError

from chat.errors import ChatError
from chat.services.bus import events
from chat.services.bus.events import Beat, Event, Head
from chat.services.bus.publisher import MAX_ENTRY_BYTES, STREAM, Publisher
from chat.services.runtime.background import Background, Task
from chat.services.runtime.deadline import deadline
from chat.services.runtime.outages import REDIS
from chat.services.storage import redis_client

BEGINNING = "0-0"
MAX_OUTBOX = 20_000  # events waiting for Redis in this worker
MAX_OUTBOX_BYTES = 16 * 1024 * 1024  # and so long, all together
VOLATILE_OUTBOX = 1_000  # beyond so many, volatile ones are dropped
VOLATILE_LAG_S = 2.0  # and so is a volatile one that comes later than this
MAX_ORIGINS = 1_000
BATCH = 32  # events in an entry
READ = 50  # entries at once: between two reads others have their turn
BLOCK_MS = 2_000
BEAT_S = 1.0
RETRY_S = 0.2
STOP_WITHIN_S = 0.5
# What was said leaves Redis again, whether or not it is deleted: nobody is so late, and who is reads the table.
KEPT_S = 60
TRIM_EVERY_S = 5.0
LEFT_ALONE_S = 300  # the stream of a site without a worker is gone then
BEAT = events.kind_of(Beat)

log = logging.getLogger(__name__)
Listener = Callable[[Event], None]


class Bus(Publisher):
    """A worker's end: also hands the events of all workers to `listener`.

    An event published here reaches this worker's own listener at once, without Redis between.
    """

    def __init__(self, client: redis.Redis, url: str, background: Background | None = None):
        super().__init__(client)
        self._background = background or Background()
        self._url = url
        self._outbox: deque[bytes] = deque()
        self._outbox_bytes = 0
        self._filled = gevent.event.Event()
        self._begun = False
        self._listener: Listener | None = None
        self._on_doubt: Callable[[], None] = lambda: None
        self._watchers: list[tuple[Listener, Callable[[], None]]] = []
        self._reading = False
        self._tasks: list[Task] = []
        self._heard: OrderedDict[str, int] = OrderedDict()  # origin → the number of its last event heard
        self._heard_at = time.monotonic()
        self._lag_s = 0.0
        self._trim_at = 0.0
        self.dropped = 0

    @property
    def deaf_s(self) -> float:
        """For how many seconds this worker has not heard its own heartbeat: about one when all is well."""
        return time.monotonic() - self._heard_at

    def listen_again(self) -> None:
        """Counts `deaf_s` from now: this process was stopped, and it could hear nothing."""
        self._heard_at = time.monotonic()

    def publish(self, event: Event) -> None:
        """Sends an event to every worker; never blocks once this one has begun. A volatile one is dropped when Redis
        lags."""
        if not self._begun:
            super().publish(event)
            return
        self._post(event, event.volatile)
        self._hand_over(event)

    def begin(self) -> None:
        """From now on events wait in the outbox, and leave in the order they are published in: written by whoever
        publishes them, they would overtake each other. The first thing a worker does; commands do without."""
        if not self._begun:
            self._begun = True
            self._tasks = [self._background.forever(self._flush)]

    def start(self, listener: Listener, on_doubt: Callable[[], None]) -> None:
        """Begins to listen. `on_doubt` is called whenever events may have been missed."""
        self._listener = listener
        self._on_doubt = on_doubt
        if self._reading:
            on_doubt()
        self._listen()

    def watch(self, listener: Listener, on_doubt: Callable[[], None]) -> None:
        """Begins to listen, beside whoever else does or will: the same events go to this one too."""
        self._watchers.append((listener, on_doubt))
        self._listen()

    def _listen(self) -> None:
        if self._reading:
            return
        self._reading = True
        self.listen_again()
        self.begin()
        self._tasks += [self._background.forever(work) for work in (self._read, self._beat)]

    def _doubt(self) -> None:
        for on_doubt in (self._on_doubt, *(on_doubt for _, on_doubt in self._watchers)):
            on_doubt()

    def stop(self) -> None:
        """Writes what waits, as far as Redis takes it within half a second, and stops listening."""
        self._listener, self._begun, self._reading = None, False, False
        for task in self._tasks:
            task.stop()
        try:
            with deadline(STOP_WITHIN_S):
                while self._outbox:
                    self._write_some()
        except (redis.RedisError, ChatError):
            log.warning("%d events did not reach the bus", len(self._outbox))

    # --- writing --------------------------------------------------------------------------------------------------

    def _post(self, event: Event, volatile: bool) -> None:
        if volatile and len(self._outbox) >= VOLATILE_OUTBOX:
            return
        encoded = self._encode(event)  # numbered even when there is no room for it: the gap tells the others
        if len(self._outbox) >= MAX_OUTBOX or self._outbox_bytes >= MAX_OUTBOX_BYTES:
            self.dropped += 1
        else:
            self._outbox.append(encoded)
            self._outbox_bytes += len(encoded)
            self._filled.set()

    def _write_some(self) -> None:
        batch, size = [self._outbox[0]], len(self._outbox[0])
        for line in islice(self._outbox, 1, BATCH):
            size += len(line) + 1
            if size > MAX_ENTRY_BYTES:
                break
            batch.append(line)
        newest = self._write(batch)
        REDIS.succeeded()
        for _ in batch:
            self._outbox_bytes -= len(self._outbox.popleft())
        if time.monotonic() >= self._trim_at:
            self._trim(newest)

    def _trim(self, newest: str) -> None:
        """Takes what is old out of the stream, by the clock of Redis, which made the newest id. A Redis before 6.2
        knows no such way: there its length alone bounds it."""
        self._trim_at = time.monotonic() + TRIM_EVERY_S
        oldest = max(0, _order(newest)[0] - KEPT_S * 1_000)
        try:
            self._client.xtrim(STREAM, minid=str(oldest), approximate=False)
            self._client.expire(STREAM, LEFT_ALONE_S)
        except redis.ResponseError as error:
            log.warning("the bus keeps what is old: %s", error)
            self._trim_at = math.inf

    def _flush(self) -> None:
        while True:
            self._filled.wait()
            self._filled.clear()
            while self._outbox:
                try:
                    self._write_some()
                except redis.RedisError as error:
                    REDIS.failed(redis_client.cause(error))
                    gevent.sleep(RETRY_S)

    def _beat(self) -> None:
        while True:
            self._post(Beat(time.monotonic()), volatile=True)
            gevent.sleep(BEAT_S)

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        # Its own connection: it blocks in XREAD, and a time-out below BLOCK would look like a fault. Not tried again
        # below us: what another server never heard of was lost, and that is a doubt.
        client = redis_client.connect(self._url, timeout_s=BLOCK_MS / 1000 + 1, retries=0)
        last: str | None = None
        away = True
        while True:
            try:
                last = last or self._newest_id(client)
                if away:
                    self._doubt()
                    away = False
                found: Any = client.xread({STREAM: last}, count=READ, block=BLOCK_MS)
                if not found and _order(self._newest_id(client)) < _order(last):
                    last, away = BEGINNING, True  # Redis was emptied: its ids have begun anew below ours
                for _, entries in found:
                    for event_id, fields in entries:
                        last = event_id
                        self._receive(fields.get("from", ""), fields.get("e", ""))
            except redis.RedisError as error:
                REDIS.failed(redis_client.cause(error))
                away = True
                gevent.sleep(RETRY_S)

    @staticmethod
    def _newest_id(client: redis.Redis) -> str:
        newest = client.xrevrange(STREAM, count=1)
        return str(newest[0][0]) if newest else BEGINNING

    def _receive(self, origin: str, lines: str) -> None:
        """Takes an entry of the stream, the events of one origin. Of its own, all but the beats were heard already."""
        if origin == self._origin and BEAT not in lines:
            return
        for line in lines.split("\n"):
            head = events.read_head(line)
            if head is None:
                log.error("an event of the bus is not one")
            elif origin != self._origin:
                self._take(origin, head, line)
            elif head.kind == BEAT:
                self._heard_at = time.monotonic()
                self._lag_s = self._heard_at - events.beat(line).at

    def _take(self, origin: str, head: Head, line: str) -> None:
        if not self._is_new(origin, head.n) or head.kind == BEAT:
            return
        if head.volatile and self._lag_s > VOLATILE_LAG_S:
            return
        try:
            event = events.read(head, line)
        except DecodeError as error:
            log.error("an event of the bus could not be read: %s (%s)", head.kind, error)
            return
        if event is not None:
            self._hand_over(event)

    def _is_new(self, origin: str, number: int) -> bool:
        """Whether this event was not heard before. One that skips numbers says that others were lost."""
        last = self._heard.get(origin, 0)
        if number <= last:
            return False  # written twice: the answer to the first time was lost
        if number > last + 1:
            self._doubt()
        self._heard[origin] = number
        self._heard.move_to_end(origin)
        if len(self._heard) > MAX_ORIGINS:
            self._heard.popitem(last=False)
        return True

    def _hand_over(self, event: Event) -> None:
        """A listener that fails must not stop the bus, nor fail a send that is stored already."""
        for listener in (self._listener, *(listener for listener, _ in self._watchers)):
            try:
                if listener is not None:
                    listener(event)
            except Exception:
                log.exception("an event of the bus could not be handled: %s", events.kind_of(event))


def _order(event_id: str) -> tuple[int, int]:
    time_ms, _, counter = event_id.partition("-")
    return int(time_ms), int(counter)
