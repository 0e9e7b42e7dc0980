"""One schedule: a storm over a few workers and pages, then quiet, then judgement. One seed decides every detail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chat.errors import ChatError
from chat.models import Person
from chat.services.jobs import retention
from chat.services.log import append as log
from chat.services.log import checks, follower, followers
from chat.services.log import sequence as numbers
from chat.services.messages import history
from chat.services.rooms import rooms
from chat.services.runtime import outages
from chat.services.storage import entries
from chat.services.storage.rooms import read_membership, user_room_key
from chat.services.storage.values import pack, unpack
from tests.model.browser import Browser
from tests.model.network import Network, Redis, Weather, Wire
from tests.model.producer import Producer
from tests.model.scenes import ALICE, BOB, CAROL, OWNERS_OWN, PEOPLE, SCENES, Scene
from tests.model.scheduler import Scheduler, Task
from tests.model.standins import standing_in
from tests.model.stream import SHARD, Stream
from tests.model.tables import Tables
from tests.model.truth import Broken, Truth
from tests.model.worker import Worker

QUIET_WITHIN_S, LOOK_EVERY_S = 200.0, 0.5
NIGHT_S, CALM_S = 12_000.0, 16.0
STRAGGLERS_S = 10.0  # so long requests of the storm may still arrive
# What is thousands in the product is a few here in some schedules, so that its edges are met.
SIZES = (
    (entries, "BUCKET_SIZE", 8),
    (entries, "MAX_AHEAD", 4),
    (numbers, "MAX_AHEAD", 4),
    (log, "FIRST_OF_BUCKET", 2),
    (followers, "REPLAY", 3),
    (follower, "PAGE", 3),
    (history, "MAX_BEHIND", 12),
    (history, "MAX_PAGE", 6),
    (retention, "PAGE", 3),
)
WAITS = (
    (rooms, "META_FRESH_S", 1.5),
    (retention, "META_FRESH_S", 1.5),
    (retention, "SLACK_S", 1.0),
    (checks, "QUIET_S", 1.5),
    (checks, "IDLE_S", 5.0),
)


@dataclass
class Figures:
    """What a schedule was made of."""

    seed: int
    entries: int = 0
    acked: int = 0
    refused: int = 0
    tombstones: int = 0
    shown: int = 0
    faults: int = 0
    virtual_s: float = 0.0


class Schedule:
    """Everything that one seed decides; the scene too, unless it is given."""

    def __init__(self, seed: int, scene: Scene | None = None):
        self.scheduler = Scheduler(seed)
        self.rng = self.scheduler.rng
        self.scene = scene or self.rng.choice(SCENES)
        self.network = Network(self.scheduler)
        self.tables = Tables()
        self.stream = Stream(self.tables)
        self.redis = Redis(lambda: self.scheduler.now)
        self.wire = Wire(self.network, self.redis)
        self.truth = Truth(self.scheduler, self.tables)
        self.workers: list[Worker] = []
        self.browsers: list[Browser] = []
        self.producer = Producer(self, self.scene.rows)
        self.sweeps: list[Task] = []
        self.figures = Figures(seed)
        self.room = ""
        self.quiet = False
        self._stops_end_at = 0.0
        self._started = 0

    def run(self) -> Figures:
        """Runs it. Raises: Broken, or what a task failed with."""
        with standing_in(self.scheduler), _listening(self.scheduler), _small(self.rng.random() < 0.5):
            for person in PEOPLE:
                self.tables.set(
                    ("users", person.username, ""), pack({"username": person.username, "name": person.name})
                )
            for _ in range(self.rng.choice((2, 2, 3))):
                self._start_worker()
            self._in_a_task(self._set_up)
            self._begin_storm()
            self._storm(self.rng.choice((1.0, 3.0)) if self.scene.night else self.rng.choice((2.0, 6.0, 15.0)))
            if self.scene.night:
                self._night()
                self._storm(self.rng.choice((3.0, 6.0)))
            self._quiet()
            self._in_a_task(self._judge)
        return self._counted()

    def _counted(self) -> Figures:
        figures = self.figures
        figures.entries = len(self.truth.decided_at)
        figures.acked = sum(request.outcome == "ok" for request in self.truth.requests)
        figures.refused = sum(request.outcome not in ("ok", "unknown") for request in self.truth.requests)
        figures.shown = len(self.truth.shown)
        figures.tombstones = sum(entry.kind == "tombstone" for room in self._rooms for entry in self.truth.log(room))
        figures.virtual_s = self.scheduler.now
        return figures

    @property
    def _rooms(self) -> list[str]:
        return ["general", self.room]

    def some_worker(self) -> Worker | None:
        """A worker that is alive; it may be stopped."""
        alive = [worker for worker in self.workers if not worker.dead]
        return self.rng.choice(alive) if alive else None

    def others(self, person: Person) -> list[Person]:
        """Everybody else."""
        return [other for other in PEOPLE if other != person]

    def _start_worker(self) -> None:
        self._started += 1
        world = (self.scheduler, self.network, self.tables, self.redis, self.wire)
        worker = Worker(f"worker-{self._started}", *world, self.stream if self.scene.rows else None)
        self.workers.append(worker)
        worker.start()

    def _in_a_task(self, work: Callable[[Worker], None]) -> None:
        worker = Worker("bystander", self.scheduler, self.network, self.tables, self.redis, self.wire)
        task = self.scheduler.spawn(worker, work, worker)
        if not self.scheduler.run(lambda: task.ended, 60.0):
            raise Broken(f"{work.__name__} did not end in a quiet minute")

    # --- before ---------------------------------------------------------------------------------------------------

    def _set_up(self, worker: Worker) -> None:
        public = self.rng.random() < 0.4
        self.room = worker.memberships.create(ALICE, "make", "The Room", "public" if public else "private")["room"]
        if public:
            self.truth.public.add(self.room)
        for person in (BOB, CAROL):
            worker.memberships.invite(ALICE, f"invite-{person.username}", self.room, person.username)

    # --- the storm ------------------------------------------------------------------------------------------------

    def _begin_storm(self) -> None:
        scene, hurry = self.scene, self.rng.random() < 0.5
        people = scene.people or self.rng.choice((PEOPLE[:3], PEOPLE, (ALICE, ALICE, BOB), (*PEOPLE, BOB)))
        for tab, person in enumerate(people):
            browser = Browser(self, person, tab, self._plan(person), hurry)
            self.browsers.append(browser)
            browser.start()
        self.producer.start()

    def _plan(self, person: Person) -> list[str]:
        scene = self.scene
        acts = [act for act in scene.acts if (act in OWNERS_OWN) <= (person is ALICE)]
        return self.rng.choices(acts, [scene.acts[act] for act in acts], k=self.rng.randrange(1, scene.longest + 1))

    def _storm(self, length_s: float) -> None:
        self.network.weather = self._weather()
        scene = self.scene
        for _ in range(self.rng.choice((0, 1, 2, 4))):
            when = self.scheduler.now + self.rng.random() * length_s
            self.scheduler.at(when, self.rng.choice(self._faults()))
        for _ in range(scene.cuts):
            self.scheduler.at(self.scheduler.now + self.rng.random() * length_s, self._cut_socket)
        self.scheduler.run(within_s=length_s)

    def _night(self) -> None:
        """Hours pass in which nothing happens, and a worker may have heard nothing since some time before."""
        cut_off = self.some_worker() if self.rng.random() < 0.7 else None
        if cut_off is not None:
            self._note("cut off", cut_off.name)
            self.network.cut.add(cut_off)
            self.scheduler.run(within_s=self.rng.random() * 3)
        self._calm_down()
        self.scheduler.run(within_s=CALM_S)
        self.network.nights += 1
        self.scheduler.now += NIGHT_S
        self._note("night")
        self.scheduler.at(self.scheduler.now + self.rng.random() * 8, self._join_again)
        for browser in self.browsers:
            browser.go_on(self._plan(browser.person))
        for _ in range(self.rng.choice((1, 2, 3))):
            self.scheduler.at(self.scheduler.now + self.rng.random() * 3, self._begin_sweep)

    def _join_again(self) -> None:
        self.network.cut.clear()
        self._doubt_soon()

    def _begin_sweep(self) -> None:
        worker = self.some_worker()
        if worker is not None:
            self.sweeps.append(self.scheduler.spawn(worker, worker.sweep))

    def _calm_down(self) -> None:
        self.network.weather = Weather()
        self.redis.down = False
        for worker in self.workers:
            worker.stopped_until = 0.0

    def _weather(self) -> Weather:
        hard = self.rng.choice((0.0, 0.3, 1.0))
        share = lambda most: hard * self.rng.random() * most  # noqa: E731
        weather = Weather(
            lost=share(0.1),
            unanswered=share(0.15),
            late=share(0.08),
            throttled=share(0.1),
            torn=self.rng.random() * 0.7,
            slow=share(0.5),
            bus_lost=share(0.4),
            bus_doubled=share(0.2),
            bus_late=share(0.4),
        )
        for name, least in self.scene.weather.items():
            setattr(weather, name, max(getattr(weather, name), least))
        return weather

    def _faults(self) -> list[Callable[[], None]]:
        return [
            self._kill_worker,
            self._stop_worker,
            self._flush_redis,
            self._take_redis_away,
            self._roll_redis_back,
            self._jump_clock,
            self._cut_socket,
            self._cut_socket,
        ]

    def _kill_worker(self) -> None:
        worker = self.some_worker()
        if worker is not None:
            self._note("kill", worker.name)
            self.scheduler.kill(worker)
            self.workers.remove(worker)
            self.scheduler.at(self.scheduler.now + self.rng.random() * 3, self._start_worker)

    def _stop_worker(self) -> None:
        worker = self.some_worker()
        if worker is not None:
            self._stop(worker, self.rng.choice((0.3, 3.0, 12.0)) * self.rng.random())

    def _stop(self, worker: Worker, seconds: float) -> None:
        self._note("stop", worker.name)
        worker.stopped_until = self.scheduler.now + seconds
        self._stops_end_at = max(self._stops_end_at, worker.stopped_until)

    def connecting(self, worker: Worker) -> None:
        """Somebody connects to that worker; it may stand still somewhere on the way."""
        if not self.quiet and self.rng.random() < self.scene.stops:
            when = self.scheduler.now + self.rng.random() * 0.05
            self.scheduler.at(when, lambda: self._stop(worker, 5 + self.rng.random() * 10))

    def _flush_redis(self) -> None:
        self._note("flushall")
        self.redis.flush()
        self._doubt_soon()

    def _take_redis_away(self) -> None:
        self._note("redis down")
        self.redis.down = True
        self.scheduler.at(self.scheduler.now + self.rng.random() * 6, self._bring_redis_back)

    def _bring_redis_back(self) -> None:
        self.redis.down = False
        if self.rng.random() < 0.5:
            self.redis.flush()
        self._doubt_soon()

    def _roll_redis_back(self) -> None:
        self.redis.save()

        def restart() -> None:
            self._note("redis rolled back")
            self.redis.roll_back()
            self._doubt_soon()

        self.scheduler.at(self.scheduler.now + self.rng.random() * 4, restart)

    def _doubt_soon(self) -> None:
        """The workers' buses notice after a while."""
        for worker in self.workers:
            self.scheduler.at(
                self.scheduler.now + self.rng.random() * 3,
                lambda worker=worker: self.scheduler.spawn(worker, worker.doubt),
                worker,
            )

    def _jump_clock(self) -> None:
        worker = self.some_worker()
        if worker is not None:
            worker.skew_s = self.rng.choice((-3600.0, -5.0, 5.0, 3600.0))
            self._note("clock of", worker.name, worker.skew_s)

    def _cut_socket(self) -> None:
        browser = self.rng.choice(self.browsers)
        if browser.socket is not None:
            self._note("cut", browser.socket.sid)
            browser.close(browser.socket)

    def _note(self, *words: object) -> None:
        self.figures.faults += 1
        self.scheduler.note("***", *words)

    # --- after ----------------------------------------------------------------------------------------------------

    def _quiet(self) -> None:
        self.scheduler.note("*** quiet")
        self.quiet = True
        self._calm_down()
        self.network.cut.clear()
        began = self.scheduler.now
        # What came to a worker that stood still was put off to the end of that.
        self.scheduler.run(within_s=max(0.0, self._stops_end_at - began) + STRAGGLERS_S)
        if self.scene.night:
            self._in_a_task(Worker.sweep)
        while self._behind():
            if self.scheduler.now > began + QUIET_WITHIN_S:
                raise Broken(f"not in sync after {QUIET_WITHIN_S} s of quiet: {self._behind()}")
            self.scheduler.run(within_s=LOOK_EVERY_S)

    def _behind(self) -> str:
        """Who is not where the log is; empty when all are."""
        for browser in self.browsers:
            if not browser.done:
                return f"{browser.name} still has {browser.plan}"
        if not self.workers or self.tables.busy:
            return "a worker or a transaction"
        if not all(sweep.ended for sweep in self.sweeps):
            return "a sweep"
        if self.scene.rows and not self._stream_is_read():
            return f"the stream is not read to {self.stream.end}"
        for room in self._rooms:
            head = self.truth.head(room)
            for worker in self.workers:
                attended = worker.followers.get(room) or worker.followers.dormant.get(room)
                if attended is not None and attended.head != head:
                    return f"{worker.name} is at {room}/{attended.head} of {head}"
            for browser in self.browsers:
                view = browser.views.get(room)
                if self._inside(room, browser.person) and (view is None or view.cursor != head):
                    return f"{browser.name} is at {room}/{view.cursor if view else None} of {head}"
        return ""

    def _was_followed(self, room: str) -> bool:
        """Whether something moved in it since workers came to it; else it was dormant all the time."""
        dormant = [found for worker in self.workers if (found := worker.followers.dormant.get(room))]
        return any(worker.followers.get(room) for worker in self.workers) or any(each.settled for each in dormant)

    def _stream_is_read(self) -> bool:
        pollers = [worker.poller for worker in self.workers if worker.poller is not None]
        return self.producer.done and any(poller._positions.get(SHARD) == self.stream.end for poller in pollers)

    def _inside(self, room: str, person: Person) -> bool:
        key = user_room_key(person.username, room)
        row = self.tables.get(("chat", key["pk"], key["sk"]))
        return row is not None and read_membership(unpack(row)).inside

    def _judge(self, worker: Worker) -> None:
        followed = {room for room in self._rooms for b in self.browsers if self._inside(room, b.person)}
        self.truth.check(self._rooms, {room for room in followed if self._was_followed(room)})
        for browser in self.browsers:
            for room in self._rooms:
                if self._inside(room, browser.person):
                    self._judge_view(browser, room)
                    try:
                        self._judge_pages(worker, browser.person, room)
                    except ChatError:
                        if self._inside(room, browser.person):  # else a request of the storm has put them out just now
                            raise

    def _judge_view(self, browser: Browser, room: str) -> None:
        view = browser.views[room]
        if sorted(view.kinds) != list(range(view.first, view.cursor + 1)):
            raise Broken(f"{browser.name} has {sorted(view.kinds)} of {room} from {view.first}")
        for entry in self.truth.log(room):
            snapshot = self.truth.snapshot(room, entry.seq)
            if snapshot is None or entry.seq < view.first:
                continue
            if view.snapshots.get(entry.seq) != (snapshot.rev, snapshot.text, snapshot.deleted):
                raise Broken(f"{browser.name} shows {view.snapshots.get(entry.seq)} for {snapshot}")

    def _judge_pages(self, worker: Worker, person: Person, room: str) -> None:
        """Somebody who has nothing yet reads the same log."""
        page = worker.history.page(person, room, limit=5, after=0)
        self.truth.paged(person.username, page, room)
        start = max(page.start, page.floor)
        numbers = [entry.seq for entry in page.entries]
        while page.more:
            page = worker.history.page(person, room, limit=5, after=numbers[-1])
            numbers += [entry.seq for entry in page.entries]
        if numbers != list(range(start, self.truth.head(room) + 1)):
            raise Broken(f"the pages of {room} for {person.username} have {numbers}")


@contextmanager
def _small(small: bool) -> Iterator[None]:
    """Edges everywhere, if told so; short waits before the old goes in any case."""
    before = [(module, name, getattr(module, name)) for module, name, _ in (*SIZES, *WAITS)]
    for module, name, value in (*SIZES, *WAITS) if small else WAITS:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


@contextmanager
def _listening(scheduler: Scheduler) -> Iterator[None]:
    """What the product logs as an error ends the schedule; its warnings are nobody's business."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == outages.__name__:
                return  # a store that is away is said once: the schedule has taken it away
            scheduler.fail((record.exc_info and record.exc_info[1]) or Broken(record.getMessage()))

    logger, listener = logging.getLogger("chat"), Listener(logging.ERROR)
    before = logger.level, logger.propagate, logger.handlers
    logger.level, logger.propagate, logger.handlers = logging.ERROR, False, [listener]
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        logger.level, logger.propagate, logger.handlers = before
        logger.manager._clear_cache()  # type: ignore[attr-defined]


def run(seed: int, scene: Scene | None = None) -> Figures:
    """Runs the schedule of that seed, in that scene if one is given. Raises: Broken with the seed; `python -m
    tests.model.run --replay` tells how it came to it."""
    schedule = Schedule(seed, scene)
    try:
        return schedule.run()
    except Exception as error:
        raise Broken(f"seed {seed}: {type(error).__name__}: {error}") from error
