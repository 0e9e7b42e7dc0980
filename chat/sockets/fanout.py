"""From the bus to the sockets: hands each event to the followers, and what they deliver to the sockets of this
worker."""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from typing import Any

import gevent
from flask_socketio import SocketIO

from chat.errors import ChatError
from chat.models import Membership, Person, Room
from chat.services.bus.bus import Bus
from chat.services.log.followers import Followers
from chat.services.rooms.rooms import Rooms
from chat.services.runtime.background import run_every
from chat.services.runtime.coalesce import Together
from chat.sockets.connections import Connection, Connections
from chat.sockets.sessions import SocketSessions

HEADS_EVERY_S = 60.0
HEADS_AT_ONCE = 200
ROOMS_EVERY_S = 180.0
RESUME_WITHIN_S = 5.0
AGAIN_AFTER_S = 1.0  # rooms that were read beside a change of them
LONG_AGO = float("-inf")
SUBSCRIBE_TRIES = 3


class SocketOutlet:
    """The followers' way to this worker's sockets (chat.services.log.subscribers.Outlet)."""

    def __init__(self, socketio: SocketIO):
        self._socketio = socketio

    def emit(self, room: str, event: str, payload: dict[str, Any], skip: Collection[str] = ()) -> None:
        """Queues an event for every admitted socket of the room but those."""
        self._socketio.server.emit(event, payload, room=f"room:{room}", skip_sid=skip)

    def tell(self, sid: str, event: str, payload: dict[str, Any]) -> None:
        """Queues an event for one socket."""
        self._socketio.server.emit(event, payload, to=sid)

    def admit(self, room: str, sid: str) -> None:
        """From the next event on, this socket gets the room's."""
        self._socketio.server.enter_room(sid, f"room:{room}")

    def expel(self, room: str, sid: str) -> None:
        """From the next event on, it does not."""
        self._socketio.server.leave_room(sid, f"room:{room}")


class Fanout:
    """Keeps every socket subscribed to the rooms of its person, and passes on what the bus brings."""

    def __init__(
        self,
        socketio: SocketIO,
        connections: Connections,
        sessions: SocketSessions,
        followers: Followers,
        rooms: Rooms,
        bus: Bus,
    ):
        self._socketio = socketio
        self._connections = connections
        self._sessions = sessions
        self._followers = followers
        self._rooms = rooms
        self._bus = bus
        self._together = Together()

    def start(self) -> None:
        """Begins to listen, in greenlets of this worker."""
        self._sessions.on_resume = self.resume
        self._bus.start(self.on_event, self.on_doubt)
        self._followers.run()
        gevent.spawn(run_every, 1.0, self._read_rooms)
        gevent.spawn(run_every, HEADS_EVERY_S, self._tell_heads)

    def on_event(self, event: dict[str, Any]) -> None:
        """One event of the bus."""
        kind = event["kind"]
        if kind == "entry":
            self._followers.offer(event["room"], event["generation"], event["entry"], event["image"])
        elif kind == "decided":
            self._followers.decided(event["room"], event["seq"])
        elif kind == "membership":
            for connection in self._connections.of_user(event["user"]):
                gevent.spawn(self.refresh, connection)
        elif kind == "read":
            self._to_user(event["user"], "room:read", {"room": event["room"], "seq": event["seq"]})
        elif kind == "reacted":
            where = {key: event[key] for key in ("room", "generation", "seq", "rev")}
            for username, mine in event["mine"].items():
                self._to_user(username, "reaction:mine", where | {"mine": mine})
        elif kind == "session_ended":
            for connection in self._connections.of_session(event["session"]):
                self._sessions.end(connection, event["reason"])
        elif kind == "typing":
            self._typing(event)
        elif kind == "restored":
            self.on_restored()

    def on_doubt(self) -> None:
        """The bus may have lost events: read the heads, and everybody's rooms, again."""
        self._followers.doubt()
        for connection in self._connections:
            connection.rooms_read_at = LONG_AGO

    def on_restored(self) -> None:
        """The tables were put back to an earlier state: everything is read anew, the rooms of every socket first."""
        self._rooms.forget_all()
        self._followers.restored()
        self.on_doubt()

    def subscribe(self, connection: Connection) -> bool:
        """Subscribes a socket to every room of its person; whether that added one. Raises: ChatError `unavailable`.

        Memberships count only when read after the follower existed: else a removal could pass between the two.
        """
        connection.rooms_read_at = time.monotonic()
        for _ in range(SUBSCRIBE_TRIES):
            before, asked_at = self._followers.all(), time.monotonic()
            mine = self._memberships(connection.person)
            followers = [(self._followers.follow(room), membership) for room, membership in mine]
            if all(before.get(follower.room.room) is follower for follower, _ in followers):
                break
        else:
            connection.rooms_read_at = LONG_AGO  # those that are missing come with the next reading
        added, now = False, self._followers.all()
        for follower, membership in followers:
            existed = before.get(follower.room.room) is follower is now.get(follower.room.room)
            connected = self._connections.get(connection.sid) is connection
            if existed and connected and not follower.subscribers.has(connection.sid):
                if follower.subscribe(connection.sid, membership, asked_at):
                    added = True
                else:
                    connection.rooms_read_at = time.monotonic() - ROOMS_EVERY_S + AGAIN_AFTER_S  # it is no longer so
        return added

    def _memberships(self, person: Person) -> list[tuple[Room, Membership]]:
        """Read now, once for all sockets of a person that ask in one turn."""
        return self._together(person.username, person, lambda _: self._rooms.memberships(person))

    def unsubscribe(self, connection: Connection) -> None:
        """Takes a closed socket out of every room."""
        self._followers.forget(connection.sid)

    def heads(self, connection: Connection) -> None:
        """Tells a socket how far each of its rooms has come."""
        heads = self._followers.heads(connection.sid)
        self._socketio.server.emit("room:heads", heads, to=connection.sid)

    def resume(self, connection: Connection) -> None:
        """For a socket that got nothing for a while: its page compares the heads and, each at its own moment, soon its
        list of rooms."""
        self.heads(connection)
        gevent.spawn_later(random.uniform(0, RESUME_WITHIN_S), self._tell_rooms, connection)

    def refresh(self, connection: Connection) -> None:
        """The person's rooms may be others than before."""
        try:
            self.subscribe(connection)
        except ChatError:
            connection.rooms_read_at = LONG_AGO
        else:
            self._tell_rooms(connection)

    def _tell_rooms(self, connection: Connection) -> None:
        self._socketio.server.emit("rooms:changed", {}, to=connection.sid)
        self.heads(connection)

    def _typing(self, event: dict[str, Any]) -> None:
        follower = self._followers.get(event["room"])
        if follower is not None:
            payload = {key: event[key] for key in ("room", "user", "name", "typing")}
            self._socketio.server.emit(
                "typing", payload, room=f"room:{event['room']}", skip_sid=follower.subscribers.sids(event["user"])
            )

    def _to_user(self, username: str, event: str, payload: dict[str, Any]) -> None:
        for connection in self._connections.of_user(username):
            self._socketio.server.emit(event, payload, to=connection.sid)

    def _read_rooms(self) -> None:
        """Reads again which rooms people are in whose list is old or in doubt: a lost push must not hide a room."""
        now = time.monotonic()
        for connection in self._connections:
            if now - connection.rooms_read_at > ROOMS_EVERY_S and self.subscribe(connection):
                self._tell_rooms(connection)

    def _tell_heads(self) -> None:
        for number, connection in enumerate(self._connections):
            if number % HEADS_AT_ONCE == 0:
                gevent.sleep(0)  # lets others run
            if self._connections.get(connection.sid) is connection:
                self.heads(connection)
