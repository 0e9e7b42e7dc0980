"""One schedule: a storm over a few workers and pages, then quiet, then judgement. One seed decides every detail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chat.models import Person
from chat.services import dynamodb, followers, log, messages, numbers, rows
from chat.services.dynamodb import pack, unpack
from tests.model.browser import Browser
from tests.model.network import Network, Redis, Weather, Wire
from tests.model.scheduler import Scheduler
from tests.model.standins import standing_in
from tests.model.tables import Tables
from tests.model.truth import Broken, Truth
from tests.model.worker import Worker

ALICE, BOB, CAROL, DAVE = (Person(name.lower(), name) for name in ("Alice", "Bob", "Carol", "Dave"))
PEOPLE = (ALICE, BOB, CAROL, DAVE)
QUIET_WITHIN_S, LOOK_EVERY_S = 200.0, 0.5
STRAGGLERS_S = 10.0  # so long requests of the storm may still arrive
TALK = {"send": 6, "edit": 2, "delete": 1, "read": 1, "page": 1}
THEMES = (
    TALK,
    {"send": 3, "edit": 5, "delete": 2, "page": 1},
    {"send": 3, "invite": 3, "remove": 3, "leave": 2, "join": 2, "page": 3},
    TALK | {"invite": 1, "remove": 1, "leave": 1, "join": 1, "page": 3},
)
OWNERS_OWN = ("invite", "remove")
# What is thousands in the product is a few here in some schedules, so that its edges are met.
SIZES = (
    (rows, "BUCKET_SIZE", 8),
    (dynamodb, "MAX_AHEAD", 4),
    (numbers, "MAX_AHEAD", 4),
    (log, "FIRST_OF_BUCKET", 2),
    (followers, "REPLAY", 3),
    (followers, "PAGE", 3),
    (messages, "MAX_BEHIND", 12),
    (messages, "MAX_PAGE", 6),
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
    """Everything that one seed decides."""

    def __init__(self, seed: int):
        self.scheduler = Scheduler(seed)
        self.rng = self.scheduler.rng
        self.network = Network(self.scheduler)
        self.tables = Tables()
        self.redis = Redis()
        self.wire = Wire(self.network, self.redis)
        self.truth = Truth(self.scheduler, self.tables)
        self.workers: list[Worker] = []
        self.browsers: list[Browser] = []
        self.figures = Figures(seed)
        self.room = ""
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
            self._storm()
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
        worker = Worker(f"worker-{self._started}", self.scheduler, self.network, self.tables, self.redis, self.wire)
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
        self.room = worker.rooms.create(ALICE, "make", "The Room", "public" if public else "private")["room"]
        if public:
            self.truth.public.add(self.room)
        for person in (BOB, CAROL):
            worker.rooms.invite(ALICE, f"invite-{person.username}", self.room, person.username)

    # --- the storm ------------------------------------------------------------------------------------------------

    def _storm(self) -> None:
        theme = self.rng.choice(THEMES)
        hurry = self.rng.random() < 0.5
        for tab, person in enumerate(self.rng.choice((PEOPLE[:3], PEOPLE, (ALICE, ALICE, BOB), (*PEOPLE, BOB)))):
            acts = [act for act in theme if (act in OWNERS_OWN) <= (person is ALICE)]
            plan = self.rng.choices(acts, [theme[act] for act in acts], k=self.rng.randrange(1, 7))
            browser = Browser(self, person, tab, plan, hurry)
            self.browsers.append(browser)
            browser.start()
        self.network.weather = self._weather()
        length_s = self.rng.choice((2.0, 6.0, 15.0))
        for _ in range(self.rng.choice((0, 1, 2, 4))):
            when = self.scheduler.now + self.rng.random() * length_s
            self.scheduler.at(when, self.rng.choice(self._faults()))
        self.scheduler.run(within_s=length_s)

    def _weather(self) -> Weather:
        hard = self.rng.choice((0.0, 0.3, 1.0))
        share = lambda most: hard * self.rng.random() * most  # noqa: E731
        return Weather(
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
            self._note("stop", worker.name)
            worker.stopped_until = self.scheduler.now + self.rng.choice((0.3, 3.0, 12.0)) * self.rng.random()

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
        self.network.weather = Weather()
        self.redis.down = False
        for worker in self.workers:
            worker.stopped_until = 0.0
        began = self.scheduler.now
        self.scheduler.run(within_s=STRAGGLERS_S)
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
        for room in self._rooms:
            head = self.truth.head(room)
            for worker in self.workers:
                follower = worker.followers.get(room)
                if follower is not None and follower.cursor != head:
                    return f"{worker.name} is at {room}/{follower.cursor} of {head}"
            for browser in self.browsers:
                view = browser.views.get(room)
                if self._inside(room, browser.person) and (view is None or view.cursor != head):
                    return f"{browser.name} is at {room}/{view.cursor if view else None} of {head}"
        return ""

    def _inside(self, room: str, person: Person) -> bool:
        key = rows.user_room_key(person.username, room)
        row = self.tables.get(("chat", key["pk"], key["sk"]))
        return row is not None and rows.read_membership(unpack(row)).inside

    def _judge(self, worker: Worker) -> None:
        followed = {room for room in self._rooms for b in self.browsers if self._inside(room, b.person)}
        self.truth.check(self._rooms, followed)
        for browser in self.browsers:
            for room in self._rooms:
                if self._inside(room, browser.person):
                    self._judge_view(browser, room)
                    self._judge_pages(worker, browser.person, room)

    def _judge_view(self, browser: Browser, room: str) -> None:
        view = browser.views[room]
        if sorted(view.kinds) != list(range(view.first, view.cursor + 1)):
            raise Broken(f"{browser.name} has {sorted(view.kinds)} of {room} from {view.first}")
        for entry in self.truth.log(room):
            image = self.truth.image(room, entry.seq)
            if image is None or entry.seq < view.first:
                continue
            if view.images.get(entry.seq) != (image.rev, image.text, image.deleted):
                raise Broken(f"{browser.name} shows {view.images.get(entry.seq)} for {image}")

    def _judge_pages(self, worker: Worker, person: Person, room: str) -> None:
        """Somebody who has nothing yet reads the same log."""
        page = worker.messages.page(person, room, limit=5, after=0)
        self.truth.paged(person.username, page, room)
        start = page.start
        numbers = [entry.seq for entry in page.entries]
        while page.more:
            page = worker.messages.page(person, room, limit=5, after=numbers[-1])
            numbers += [entry.seq for entry in page.entries]
        if numbers != list(range(start, self.truth.head(room) + 1)):
            raise Broken(f"the pages of {room} for {person.username} have {numbers}")


@contextmanager
def _small(small: bool) -> Iterator[None]:
    """Edges everywhere, if told so."""
    before = [(module, name, getattr(module, name)) for module, name, _ in SIZES]
    for module, name, value in SIZES if small else before:
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


def run(seed: int) -> Figures:
    """Runs the schedule of that seed. Raises: Broken with the seed; `python -m tests.model.run --seed` tells how it
    came to it."""
    schedule = Schedule(seed)
    try:
        return schedule.run()
    except Exception as error:
        raise Broken(f"seed {seed}: {type(error).__name__}: {error}") from error
