"""Every socket is in the rooms of its person, and knows how far they have come."""

from __future__ import annotations

import random
import time

import gevent

from chat.errors import ChatError
from chat.models import Membership, Person, Room
from chat.services.log.followers import Followers
from chat.services.rooms.rooms import Rooms
from chat.services.runtime.background import Background
from chat.services.runtime.coalesce import Coalescer
from chat.sockets.broadcaster import SocketBroadcaster
from chat.sockets.client_sockets import ClientSocket, ClientSockets
from chat.sockets.session_watch import SessionWatch
from chat.wire.events import RoomsChanged

HEADS_EVERY_S = 60.0
HEADS_AT_ONCE = 200
ROOMS_EVERY_S = 180.0
RESUME_WITHIN_S = 5.0
AGAIN_AFTER_S = 1.0  # rooms that were read beside a change of them
LONG_AGO = float("-inf")
SUBSCRIBE_TRIES = 3


class Subscriptions:
    """Keeps every socket subscribed to the rooms of its person."""

    def __init__(
        self,
        broadcaster: SocketBroadcaster,
        clients: ClientSockets,
        sessions: SessionWatch,
        followers: Followers,
        rooms: Rooms,
    ):
        self._broadcaster = broadcaster
        self._clients = clients
        self._sessions = sessions
        self._followers = followers
        self._rooms = rooms
        self._coalesce = Coalescer()

    def start(self, background: Background) -> None:
        """Follows the rooms, and reads again what may have changed unheard."""
        self._sessions.on_resume = self.resume
        self._followers.on_refused = self._read_again
        background.every(1.0, self._read_rooms)
        background.every(HEADS_EVERY_S, self._tell_heads)

    def doubt(self) -> None:
        """Something may have happened that nobody was told of: everybody's rooms are read again."""
        for client in self._clients:
            client.rooms_read_at = LONG_AGO

    def subscribe(self, client: ClientSocket) -> bool:
        """Subscribes a socket to every room of its person; whether that added one. Raises: ChatError `unavailable`.

        Memberships count only when read since their rooms are attended: else a removal could pass between the two.
        """
        client.rooms_read_at = time.monotonic()
        left_out: set[str] = set()
        for _ in range(SUBSCRIBE_TRIES):
            asked_at = time.monotonic()
            mine = [(room, m) for room, m in self._memberships(client.person) if room.id not in left_out]
            unattended = [room for room, _ in mine if not self._attended(room, asked_at)]
            if not unattended:
                break
            left_out |= self._followers.attend(unattended)
        else:
            client.rooms_read_at = LONG_AGO  # those that are missing come with the next reading
        added = False
        for room, membership in mine:
            connected = self._clients.get(client.sid) is client
            if connected and self._attended(room, asked_at) and not self._followers.has(client.sid, room.id):
                if self._followers.subscribe(client.sid, room, membership, asked_at):
                    added = True
                else:
                    self._read_again(client.sid)
        return added

    def _attended(self, room: Room, asked_at: float) -> bool:
        since = self._followers.attended_since(room)
        return since is not None and since <= asked_at

    def _read_again(self, sid: str) -> None:
        """A membership is no longer what it was when it was read."""
        client = self._clients.get(sid)
        if client is not None:
            client.rooms_read_at = time.monotonic() - ROOMS_EVERY_S + AGAIN_AFTER_S

    def _memberships(self, person: Person) -> list[tuple[Room, Membership]]:
        """Read now, once for all sockets of a person that ask in one turn."""
        return self._coalesce(person.username, person, lambda _: self._rooms.memberships(person))

    def unsubscribe(self, client: ClientSocket) -> None:
        """Takes a closed socket out of every room."""
        self._followers.forget(client.sid)

    def heads(self, client: ClientSocket) -> None:
        """Tells a socket how far each of its rooms has come."""
        self._broadcaster.tell(client.sid, "room:heads", self._followers.heads(client.sid))

    def resume(self, client: ClientSocket) -> None:
        """For a socket that got nothing for a while: its page compares the heads and, each at its own moment, soon its
        list of rooms."""
        self.heads(client)
        gevent.spawn_later(random.uniform(0, RESUME_WITHIN_S), self._tell_rooms, client)

    def refresh(self, client: ClientSocket) -> None:
        """The person's rooms may be others than before."""
        try:
            self.subscribe(client)
        except ChatError:
            client.rooms_read_at = LONG_AGO
        else:
            self._tell_rooms(client)

    def _tell_rooms(self, client: ClientSocket) -> None:
        self._broadcaster.tell(client.sid, "rooms:changed", RoomsChanged())
        self.heads(client)

    def _read_rooms(self) -> None:
        """Reads again which rooms people are in whose list is old or in doubt: a lost push must not hide a room."""
        now = time.monotonic()
        for client in self._clients:
            if now - client.rooms_read_at > ROOMS_EVERY_S and self.subscribe(client):
                self._tell_rooms(client)

    def _tell_heads(self) -> None:
        for number, client in enumerate(self._clients):
            if number % HEADS_AT_ONCE == 0:
                gevent.sleep(0)  # lets others run
            if self._clients.get(client.sid) is client:
                self.heads(client)
