"""A person's page: one socket at a time, a durable outbox, and a transcript that it keeps as docs/protocol.md says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from chat.errors import ChatError
from chat.models import Page, Person
from tests.model.network import LOST
from tests.model.scheduler import Process
from tests.model.truth import Request
from tests.model.worker import Worker

if TYPE_CHECKING:
    from tests.model.schedule import Schedule

ANSWER_S = 6.0
EMOJI = ("👍", "🎉")
RETRY_S = 0.5
PATIENT_S = (ANSWER_S, ANSWER_S, ANSWER_S, 0.3)  # how long before a person asks again
IMPATIENT_S = (0.005, 0.05, 0.3, 2.0)


@dataclass
class Socket:
    """A connection to a worker; what the worker sends arrives in order, or not at all when it is closed."""

    sid: str
    worker: Worker
    open: bool = True
    arrives_at: float = 0.0


@dataclass
class Attempt:
    """One asking of several, and when a worker began with it."""

    began_at: float = 0.0


@dataclass
class View:
    """What a page holds of a room: a stretch of the log up to `cursor`, and snapshots, each the newest it has met."""

    cursor: int
    first: int
    kinds: dict[int, str] = field(default_factory=dict)
    snapshots: dict[int, tuple[int, str, bool]] = field(default_factory=dict)  # message → (rev, text, deleted)

    def keep(self, seq: int, rev: int, text: str, deleted: bool) -> None:
        if rev > self.snapshots.get(seq, (0,))[0]:
            self.snapshots[seq] = (rev, text, deleted)

    def extend_up(self, before: int, page: Page) -> None:
        """Takes an older page, of which the protocol says that it ends right before what is held."""
        if before != self.first or not page.entries:
            return
        self.first = page.entries[0].seq
        self.kinds |= {entry.seq: entry.kind for entry in page.entries}
        for snapshot in page.messages:
            self.keep(snapshot.seq, snapshot.rev, snapshot.text, snapshot.deleted)


class Browser(Process):
    """One person at one page."""

    def __init__(self, schedule: Schedule, person: Person, tab: int, plan: list[str], hurry: bool):
        super().__init__(f"{person.username}-{tab}")
        self.person = person
        self.schedule = schedule
        self.scheduler = schedule.scheduler
        self.plan = plan
        self._number = 0
        self._writing = False
        self.hurry = hurry
        self.patience_s = self.scheduler.rng.choice(IMPATIENT_S if schedule.scene.impatient else PATIENT_S)
        self.views: dict[str, View] = {}
        self.socket: Socket | None = None
        self.acked: dict[str, int] = {}
        self.sockets = 0
        self._pulling: set[str] = set()
        self._listed: set[str] = set()

    def start(self) -> None:
        self.scheduler.spawn(self, self._stay_connected)
        self.go_on([])

    def go_on(self, plan: list[str]) -> None:
        """Does more, after what is planned."""
        self.plan += plan
        if not self._writing:
            self._writing = True
            self.scheduler.spawn(self, self._write)

    # --- the socket -----------------------------------------------------------------------------------------------

    def _stay_connected(self) -> None:
        while True:
            if self.socket is None or not self.socket.open or self.socket.worker.dead:
                self._connect()
            self.scheduler.sleep(0.1 + self.scheduler.rng.random() * 0.4)

    def _connect(self) -> None:
        worker = self.schedule.some_worker()
        if worker is None:
            return
        self.sockets += 1
        self.schedule.connecting(worker)
        socket = Socket(f"{self.name}-{self.sockets}", worker)

        def push(event: str, payload: Any) -> None:
            if event != "room:heads":
                self.schedule.truth.pushed(socket.sid, self.person.username, event, payload)
            self._send_down(socket, partial(self._receive, socket, event, payload))

        answer = self._ask(socket, lambda worker: worker.connect(socket.sid, self.person, push))
        if answer is None and socket.open:
            self.socket = socket
            for room in list(self.views):
                self._pull_soon(room)
        else:
            self.close(socket)

    def close(self, socket: Socket) -> None:
        """Cuts a connection; the worker learns of it a little later."""
        socket.open = False
        self.scheduler.at(
            self.scheduler.now + self.scheduler.rng.random(),
            lambda: self.scheduler.spawn(socket.worker, socket.worker.disconnect, socket.sid),
            socket.worker,
        )

    def _send_down(self, socket: Socket, arrive: Callable[[], None]) -> None:
        socket.arrives_at = max(socket.arrives_at, self.scheduler.now + self.schedule.network.latency())

        def arrived() -> None:
            if socket.open and not socket.worker.dead:
                arrive()

        self.scheduler.at(socket.arrives_at, arrived, self)

    def _ask(self, socket: Socket, request: Callable[[Worker], Any], within_s: float = ANSWER_S) -> Any:
        """The answer over that socket: a value, a ChatError, or LOST."""
        scheduler = self.scheduler
        task = scheduler.task
        wait = task.waiting = object()
        heard: list[Any] = []

        def hear(answer: Any) -> None:
            heard.append(answer)
            scheduler.wake(task, wait)

        def serve() -> None:
            answer = socket.worker.answer(request)
            self._send_down(socket, partial(hear, answer))

        def arrive() -> None:
            if socket.open:
                scheduler.spawn(socket.worker, serve)

        scheduler.at(scheduler.now + self.schedule.network.latency(), arrive, socket.worker)
        scheduler.at(scheduler.now + within_s, lambda: scheduler.wake(task, wait), self)
        scheduler.switch()
        return heard[0] if heard else LOST

    # --- the transcript -------------------------------------------------------------------------------------------

    def _receive(self, socket: Socket, event: str, payload: Any) -> None:
        if event == "room:heads":
            self._listed = set(payload)
            for room, (_, head) in payload.items():
                if room not in self.views or self.views[room].cursor < head:
                    self._pull_soon(room)
            return
        if event == "rooms:changed" or "room" not in payload:
            return
        room = payload["room"]
        view = self.views.get(room)
        snapshot = payload if event == "message:sent" else payload.get("message")
        seq = payload["seq"] if event == "message:sent" else payload.get("entry")
        if seq is None:
            return
        if view is None:
            self._pull_soon(room)
            return
        if snapshot is not None:
            view.keep(snapshot["seq"], snapshot["rev"], snapshot["text"], snapshot["deleted"])
        if seq == view.cursor + 1:
            view.cursor = seq
            view.kinds[seq] = event
        elif seq > view.cursor:
            self._pull_soon(room, 0.5 + self.scheduler.rng.random())
        if event in ("member:left", "member:removed") and payload["user"] == self.person.username:
            self.views.pop(room, None)

    def _pull_soon(self, room: str, delay_s: float = 0.0) -> None:
        if room not in self._pulling:
            self._pulling.add(room)
            self.scheduler.spawn(self, self._pull, room, delay_s=delay_s)

    def _pull(self, room: str) -> None:
        try:
            more = True
            while more and self.socket is not None and self.socket.open:
                view = self.views.get(room)
                after = view.cursor if view is not None else 0
                answer = self._ask(self.socket, partial(self._open, room, after))
                if isinstance(answer, Page):
                    more = self._take(room, after, answer)
                elif isinstance(answer, ChatError) and not answer.retry:
                    self.views.pop(room, None)
                    more = False
                else:
                    self.scheduler.sleep(RETRY_S)
        finally:
            self._pulling.discard(room)

    def _open(self, room: str, after: int, worker: Worker) -> Page:
        page = worker.history.open(self.person, room, after)
        self.schedule.truth.paged(self.person.username, page, room)
        return page

    def _take(self, room: str, after: int, page: Page) -> bool:
        """Takes a page in; whether there is more to ask for."""
        view = self.views.get(room)
        if view is None or page.gap or page.start > view.cursor + 1 or after == view.cursor == 0:
            first = page.entries[0].seq if page.entries else page.head + 1
            view = self.views[room] = View(first - 1, first)
        for snapshot in page.messages:
            view.keep(snapshot.seq, snapshot.rev, snapshot.text, snapshot.deleted)
        for entry in page.entries:
            if entry.seq == view.cursor + 1:
                view.cursor = entry.seq
                view.kinds[entry.seq] = entry.kind
        return page.more and after > 0

    # --- the outbox -----------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether everything planned was asked and answered."""
        return not self.plan

    def _write(self) -> None:
        rng = self.scheduler.rng
        while self.plan:
            self.scheduler.sleep(rng.random() * (0.02 if self.hurry else rng.choice((0.01, 0.3, 3.0))))
            self._number += 1
            request = self._drafted(self.plan[0], self._number)
            if request is not None:
                self.schedule.truth.requests.append(request)
                self._carry_out(request)
            self.plan.pop(0)
        self._writing = False

    def _drafted(self, kind: str, number: int) -> Request | None:
        rng = self.scheduler.rng
        request = Request(self.person.username, f"{self.name}-{number}", kind, self.schedule.room)
        if kind in ("send", "edit"):
            request.text = f"{kind} {number} by {self.name}"
        if kind in ("edit", "delete"):
            mine = self.schedule.truth.said_by(self.person.username)
            if not mine:
                return None
            request.room, request.about = rng.choice(mine[-1 if self.schedule.scene.latest else -3 :])
        if kind in ("react", "unreact"):
            said = self.schedule.truth.said()
            if not said:
                return None
            (request.room, request.about), request.text = rng.choice(said[-2:]), rng.choice(EMOJI)
        if kind == "send" and rng.random() < 0.2:
            request.room = "general"
        if kind in ("invite", "remove"):
            request.whom = rng.choice(self.schedule.others(self.person)).username
        if kind == "page" and request.room in self.views:
            view = self.views[request.room]
            request.place = rng.choice(("after", "before", "older", "around"))
            known = (rng.randrange(view.first, view.cursor + 2), self.acked.get(request.room, view.cursor))
            request.about = view.first if request.place == "older" else rng.choice(known)
        if kind == "read":
            request.about = self.views[request.room].cursor if request.room in self.views else 0
        return request

    def _carry_out(self, request: Request) -> None:
        """Asks until it is answered, by the socket or by HTTP, as the page's outbox does."""
        patience_s = self.patience_s
        view = self.views.get(request.room)
        while True:
            socket = self.socket
            if socket is None or not socket.open or self.scheduler.rng.random() < 0.2:
                worker = self.schedule.some_worker()
                socket = Socket("http", worker) if worker is not None else None
            if socket is not None:
                attempt = Attempt()
                answer = self._ask(socket, partial(self._attempt, request, attempt), patience_s)
                self.scheduler.note(request, "→", "lost" if answer is LOST else repr(answer))
                if answer is not LOST and not isinstance(answer, ChatError):
                    self._succeeded(request, answer, view)
                    return
                if isinstance(answer, ChatError) and not answer.retry:
                    self.schedule.truth.refused(request, answer.code, attempt.began_at)
                    return
                request.uncertain = True
            self.scheduler.sleep(min(RETRY_S, patience_s) * (0.5 + self.scheduler.rng.random()))
            patience_s = min(2 * patience_s, ANSWER_S)

    def _succeeded(self, request: Request, answer: Any, view: View | None) -> None:
        self.schedule.truth.acked(request, answer)
        if request.kind == "send":
            self.acked[request.room] = answer["seq"]
        if request.place == "older" and view is not None and view is self.views.get(request.room):
            view.extend_up(request.about, answer)

    def _attempt(self, request: Request, attempt: Attempt, worker: Worker) -> Any:
        attempt.began_at = self.scheduler.now
        return self._perform(request, worker)

    def _perform(self, request: Request, worker: Worker) -> Any:
        me, room, client_id = self.person, request.room, request.client_id
        if request.kind == "send":
            view = self.views.get(room)
            seen = max(self.acked.get(room, 0), view.cursor if view is not None else 0)
            return worker.messages.send(me, room, client_id, request.text, seen)
        if request.kind == "edit":
            return worker.messages.edit(me, room, client_id, request.about, request.text)
        if request.kind == "delete":
            return worker.messages.delete(me, room, client_id, request.about)
        if request.kind in ("react", "unreact"):
            return worker.messages.react(me, room, client_id, request.about, request.text, request.kind == "react")
        if request.kind == "page":
            return self._page(request, worker)
        if request.kind == "read":
            return worker.read_positions.move(me, room, request.about)
        if request.kind == "invite":
            return worker.memberships.invite(me, client_id, room, request.whom)
        if request.kind == "remove":
            return worker.memberships.remove(me, client_id, room, request.whom)
        if request.kind == "join":
            return worker.memberships.join(me, client_id, room)
        return worker.memberships.leave(me, client_id, room)

    def _page(self, request: Request, worker: Worker) -> Page:
        """Reads the history: after, before or around a number, or what is older than this page holds."""
        side = "before" if request.place == "older" else request.place
        decided = (request.room, request.about) in self.schedule.truth.decided_at
        page = worker.history.page(self.person, request.room, limit=5, **{side: request.about})
        before = request.about if side == "before" and decided else None
        self.schedule.truth.paged(self.person.username, page, request.room, before)
        return page
