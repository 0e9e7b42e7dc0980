"""From the bus to the sockets: entries to the followers, what people are told at once, sessions that are over."""

from __future__ import annotations

from typing import Any

import gevent
from flask_socketio import SocketIO

from chat.services.bus.bus import Bus
from chat.services.log.followers import Followers
from chat.services.rooms.rooms import Rooms
from chat.sockets.client_sockets import ClientSockets
from chat.sockets.session_watch import SessionWatch
from chat.sockets.subscriptions import Subscriptions


class BusListener:
    """What this worker does when something happened in any."""

    def __init__(
        self,
        socketio: SocketIO,
        clients: ClientSockets,
        sessions: SessionWatch,
        subscriptions: Subscriptions,
        followers: Followers,
        rooms: Rooms,
        bus: Bus,
    ):
        self._socketio = socketio
        self._clients = clients
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._followers = followers
        self._rooms = rooms
        self._bus = bus

    def start(self) -> None:
        """Begins to listen, in greenlets of this worker."""
        self._bus.start(self.on_event, self.on_doubt)

    def on_event(self, event: dict[str, Any]) -> None:
        """One event of the bus."""
        kind = event["kind"]
        if kind == "entry":
            self._followers.offer(event["room"], event["generation"], event["entry"], event["image"])
        elif kind == "decided":
            self._followers.decided(event["room"], event["seq"])
        elif kind == "membership":
            for client in self._clients.of_user(event["user"]):
                gevent.spawn(self._subscriptions.refresh, client)
        elif kind == "read":
            self._to_user(event["user"], "room:read", {"room": event["room"], "seq": event["seq"]})
        elif kind == "reacted":
            where = {key: event[key] for key in ("room", "generation", "seq", "rev")}
            for username, mine in event["mine"].items():
                self._to_user(username, "reaction:mine", where | {"mine": mine})
        elif kind == "session_ended":
            for client in self._clients.of_session(event["session"]):
                self._sessions.end(client, event["reason"])
        elif kind == "typing":
            self._typing(event)
        elif kind == "restored":
            self.on_restored()

    def on_doubt(self) -> None:
        """The bus may have lost events: read the heads, and everybody's rooms, again."""
        self._followers.doubt()
        self._subscriptions.doubt()

    def on_restored(self) -> None:
        """The tables were put back to an earlier state: everything is read anew, the rooms of every socket first."""
        self._rooms.forget_all()
        self._followers.restored()
        self.on_doubt()

    def _typing(self, event: dict[str, Any]) -> None:
        follower = self._followers.get(event["room"])
        if follower is not None:
            payload = {key: event[key] for key in ("room", "user", "name", "typing")}
            self._socketio.server.emit(
                "typing", payload, room=f"room:{event['room']}", skip_sid=follower.sids(event["user"])
            )

    def _to_user(self, username: str, event: str, payload: dict[str, Any]) -> None:
        for client in self._clients.of_user(username):
            self._socketio.server.emit(event, payload, to=client.sid)
