"""Sockets end when their session does, and get nothing while nobody can tell whether it has.

A sweep over all sessions with a socket here, every second, is the guarantee; key events and the bus make it faster.
What a socket may get is decided at each delivery, against the clock: its session was found alive within PAUSE_S, or
nothing of a room goes out. So a Redis that is silent, or a process that was stopped, delivers nothing to an ended
session; when the next sweep is good, the sockets are told how far their rooms have come, and catch up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import cast

import gevent
from flask_socketio import SocketIO
from gevent.event import Event

from chat.errors import ChatError
from chat.services.runtime.background import Background
from chat.services.sessions.key_events import KeyEvents
from chat.services.sessions.sessions import AT_ONCE, EXPIRED, Sessions
from chat.sockets.client_sockets import ClientSocket, ClientSockets, clock
from chat.wire.events import Reason, SessionEnded, SessionExpiring

SWEEP_S = 1.0
RETRY_S = 0.25
FRESH_S = 1.0
MOMENT_S = 0.05
WARN_S = 120
WARN_EVERY_S = 15.0

log = logging.getLogger(__name__)


class SessionWatch:
    """Checks the sessions of this worker's sockets. Redis that does not answer ends nobody's session."""

    def __init__(self, socketio: SocketIO, clients: ClientSockets, sessions: Sessions, key_events: KeyEvents):
        self._socketio = socketio
        self._clients = clients
        self._sessions = sessions
        self._key_events = key_events
        self._suspects: dict[str, str] = {}
        self._wake = Event()
        self._silent = False
        self.on_resume: Callable[[ClientSocket], None] = lambda client: None

    def start(self, background: Background) -> None:
        """Sweeps, listens and warns from now on."""
        background.forever(self._sweep_on)
        background.forever(partial(self._key_events.run, self.suspect), "KeyEvents.run")
        background.every(WARN_EVERY_S, self.warn)

    def watch(self, client: ClientSocket) -> None:
        """From now on the socket gets content only while its session is known to be alive."""
        self._socketio.server.guard(client.sid, lambda: client.deliverable)

    def suspect(self, session_id: str) -> None:
        """A session may be over: it is looked up at once if it has a socket here."""
        for client in self._clients.of_session(session_id)[:1]:
            self._suspects[session_id] = client.person.username
            self._wake.set()

    def sweep(self) -> None:
        """Looks up every session with a socket here. In parts, each of which counts from its own start: a slow Redis
        shall not make them all stale. Raises: ChatError `unavailable`."""
        rest = iter(self._clients.owners().items())
        while part := dict(islice(rest, AT_ONCE)):
            self._look(part)

    def end(self, client: ClientSocket, reason: str) -> None:
        """Tells a socket, once, that its session is over, and closes it; nothing else reaches it any more."""
        if client.ended:
            return
        client.ended = True
        self._socketio.server.emit("session:ended", SessionEnded(cast(Reason, reason)), to=client.sid)
        gevent.spawn(self._socketio.server.expel, client.sid)

    def check(self, client: ClientSocket) -> None:
        """Returns when the session was alive within the last second, looking it up if need be.

        Raises: ChatError `unauthenticated` when it is over, `unavailable` when nobody can tell.
        """
        if not client.ended and clock() - client.checked_at > FRESH_S:
            if self._silent and not client.deliverable:
                raise ChatError("unavailable", retry_after_s=1)  # a sweep asks on; more asking would only queue
            self._look({client.session_id: client.person.username})
        if client.ended:
            raise ChatError("unauthenticated")

    def is_fresh(self, client: ClientSocket) -> bool:
        """Whether `check` would return without looking anything up, now and in a moment."""
        return not client.ended and clock() - client.checked_at < FRESH_S - MOMENT_S

    def act(self, client: ClientSocket) -> None:
        """A person did something: their session lives on from now, noted at most once a minute."""
        try:
            session = self._sessions.slide_if_due(client.session)
        except ChatError:
            return  # what they did is done; their next act slides it
        for each in self._clients.of_session(client.session_id):
            each.session = session
            each.warned = False

    def warn(self) -> None:
        """Tells people whose session ends within two minutes. Raises: ChatError `unavailable`."""
        now = time.time()
        for session_id, expires_at in self._sessions.expiries(self._clients.owners()).items():
            for client in self._clients.of_session(session_id):
                if expires_at - now > WARN_S:
                    client.warned = False
                elif not client.warned:
                    client.warned = True
                    self._socketio.server.emit("session:expiring", SessionExpiring(expires_at), to=client.sid)

    def _sweep_on(self) -> None:
        due = clock()
        while True:
            self._wake.wait(max(0.0, due - clock()))
            self._wake.clear()
            try:
                if clock() >= due:
                    due = clock() + SWEEP_S
                    self.sweep()
                suspects, self._suspects = self._suspects, {}
                self._look(suspects)
                self._silent = False
            except ChatError as error:
                if not self._silent:
                    log.warning("sessions cannot be looked up (%s): deliveries wait", error.code)
                self._silent = True
                due = clock() + RETRY_S

    def _look(self, owners: Mapping[str, str]) -> None:
        """Looks up these sessions, id → username, and acts on what is found. Raises: ChatError `unavailable`."""
        began = clock()
        alive = self._sessions.alive(owners)
        for session_id in alive:
            for client in self._clients.of_session(session_id):
                paused = not client.deliverable
                client.checked_at = max(client.checked_at, began)
                if paused and not client.ended:
                    self.on_resume(client)
        dead = owners.keys() - alive
        reasons = self._reasons(dead)
        for session_id in dead:
            for client in self._clients.of_session(session_id):
                self.end(client, reasons.get(session_id, EXPIRED))

    def _reasons(self, dead: set[str]) -> dict[str, str]:
        try:
            return self._sessions.reasons(dead)
        except ChatError:
            return {}
