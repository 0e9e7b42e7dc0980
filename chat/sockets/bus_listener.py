"""From the bus to the sockets: entries to the followers, what people are told at once, sessions that are over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from chat.models import GENERAL
from chat.services.bus.bus import Bus
from chat.services.bus.events import (
    Decided,
    Event,
    Logged,
    MembershipChanged,
    PositionMoved,
    Reacted,
    Restored,
    RoomMade,
    SessionEnded,
    Typing,
)
from chat.services.log.checks import Checks
from chat.services.log.follower import Follower
from chat.services.log.followers import Followers
from chat.services.rooms.rooms import Rooms
from chat.sockets.broadcaster import Payload, SocketBroadcaster
from chat.sockets.client_sockets import ClientSockets
from chat.sockets.session_watch import SessionWatch
from chat.sockets.subscriptions import Subscriptions
from chat.wire import events as told


class BusListener:
    """What this worker does when something happened in any: a table, kind → function."""

    def __init__(
        self,
        broadcaster: SocketBroadcaster,
        clients: ClientSockets,
        sessions: SessionWatch,
        subscriptions: Subscriptions,
        followers: Followers,
        checks: Checks,
        rooms: Rooms,
        bus: Bus,
    ):
        self._broadcaster = broadcaster
        self._clients = clients
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._followers = followers
        self._checks = checks
        self._rooms = rooms
        self._bus = bus
        self._acts: dict[type[Event], Callable[[Any], None]] = {
            Logged: self._logged,
            Decided: self._decided,
            MembershipChanged: self._membership,
            RoomMade: self._room_made,
            PositionMoved: self._position,
            Reacted: self._reacted,
            SessionEnded: self._session_ended,
            Typing: self._typing,
            Restored: self._restored,
        }

    def start(self) -> None:
        """Begins to listen, in greenlets of this worker."""
        self._bus.start(self.on_event, self.on_doubt)

    def on_event(self, event: Event) -> None:
        """One event of the bus. Of a kind that is not in the table, nothing is done."""
        act = self._acts.get(type(event))
        if act is not None:
            act(event)

    def on_doubt(self) -> None:
        """The bus may have lost events: read the heads, and everybody's rooms, again."""
        self._checks.doubt()
        self._subscriptions.doubt()

    def _logged(self, event: Logged) -> None:
        if event.entry.get("successor"):
            self._rooms.forget(event.room)  # it has another owner
        self._followers.offer(event.room, event.generation, event.entry, event.image)

    def _decided(self, event: Decided) -> None:
        self._followers.decided(event.room, event.seq)

    def _membership(self, event: MembershipChanged) -> None:
        for client in self._clients.of_user(event.user):
            gevent.spawn(self._subscriptions.refresh, client)

    def _room_made(self, event: RoomMade) -> None:
        """Everybody is in `general`, so whoever is told of it is who it is for."""
        self._broadcaster.emit(GENERAL.id, "room:made", told.RoomMade(event.room, event.name))

    def _position(self, event: PositionMoved) -> None:
        self._to_user(event.user, "room:read", told.PositionMoved(event.room, event.seq))

    def _reacted(self, event: Reacted) -> None:
        for username, mine in event.mine.items():
            payload = told.MyReactions(event.room, event.generation, event.seq, event.rev, mine)
            self._to_user(username, "reaction:mine", payload)

    def _session_ended(self, event: SessionEnded) -> None:
        for client in self._clients.of_session(event.session):
            self._sessions.end(client, event.reason)

    def _typing(self, event: Typing) -> None:
        payload = told.Typing(event.room, event.user, event.name, event.typing)

        def tell(follower: Follower) -> None:
            self._broadcaster.emit(event.room, "typing", payload, skip=follower.subscribers.sids(event.user))

        self._followers.when_followed(event.room, tell)

    def _restored(self, event: Restored) -> None:
        """The tables were put back to an earlier state: everything is read anew, the rooms of every socket first."""
        self._rooms.forget_all()
        self._followers.restored()
        self.on_doubt()

    def _to_user(self, username: str, event: str, payload: Payload) -> None:
        for client in self._clients.of_user(username):
            self._broadcaster.tell(client.sid, event, payload)
