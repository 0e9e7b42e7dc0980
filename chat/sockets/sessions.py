"""Sockets end when their session does: a sweep over all sessions with a socket here, every second."""

from __future__ import annotations

import time

import gevent
from flask_socketio import SocketIO

from chat.errors import ChatError
from chat.services.periodic import run_every
from chat.services.sessions import Sessions
from chat.sockets.connections import Connection, Connections

SWEEP_S = 1.0
FRESH_S = 1.0
SLIDE_EVERY_S = 60.0
WARN_S = 120
WARN_EVERY_S = 15.0


class SocketSessions:
    """Checks the sessions of this worker's sockets. Redis that does not answer ends nobody's session."""

    def __init__(self, socketio: SocketIO, connections: Connections, sessions: Sessions):
        self._socketio = socketio
        self._connections = connections
        self._sessions = sessions

    def run(self) -> None:
        """Sweeps and warns for ever, in greenlets."""
        gevent.spawn(run_every, SWEEP_S, self.sweep)
        gevent.spawn(run_every, WARN_EVERY_S, self.warn)

    def sweep(self) -> None:
        """Ends the sockets of every session that is no longer in Redis. Raises: ChatError `unavailable`."""
        began = time.monotonic()
        owners = self._connections.owners()
        alive = self._sessions.alive(owners)
        for session_id in owners:
            for connection in self._connections.of_session(session_id):
                if session_id in alive:
                    connection.checked_at = began
                elif connection.checked_at <= began:
                    self.end(connection, "expired")

    def end(self, connection: Connection, reason: str) -> None:
        """Tells a socket, once, that its session is over, and closes it."""
        if connection.ended:
            return
        connection.ended = True
        self._socketio.server.emit("session:ended", {"reason": reason}, to=connection.sid)
        gevent.spawn(self._socketio.server.disconnect, connection.sid)

    def check(self, connection: Connection) -> None:
        """Raises: ChatError `unauthenticated` when the session is over; looks it up when that is a second ago."""
        if connection.ended:
            raise ChatError("unauthenticated")
        if time.monotonic() - connection.checked_at > FRESH_S:
            began = time.monotonic()
            if connection.session_id not in self._sessions.alive({connection.session_id: connection.person.username}):
                self.end(connection, "expired")
                raise ChatError("unauthenticated")
            connection.checked_at = began

    def act(self, connection: Connection) -> None:
        """A person did something: their session lives on from now, noted at most once a minute. What they did is done,
        so Redis that does not answer is asked again at their next act."""
        before, now = connection.slid_at, time.monotonic()
        if now - before > SLIDE_EVERY_S:
            connection.slid_at, connection.warned = now, False
            try:
                self._sessions.slide(connection.session_id, connection.iat)
            except ChatError:
                connection.slid_at = before

    def warn(self) -> None:
        """Tells people whose session ends within two minutes. Raises: ChatError `unavailable`."""
        now = time.time()
        for session_id, expires_at in self._sessions.expiries(self._connections.owners()).items():
            for connection in self._connections.of_session(session_id):
                if expires_at - now > WARN_S:
                    connection.warned = False
                elif not connection.warned:
                    connection.warned = True
                    self._socketio.server.emit("session:expiring", {"expires_at": expires_at}, to=connection.sid)
