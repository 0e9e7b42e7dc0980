"""A socket comes, asks and goes: every door of chat/sockets/protocol.py leads through here."""

from __future__ import annotations

import logging
import secrets
from functools import partial
from typing import Any

from flask_socketio import ConnectionRefusedError, SocketIO
from gevent.lock import BoundedSemaphore
from msgspec import Struct

from chat import names
from chat.errors import ChatError
from chat.services.accounts import cookies
from chat.services.accounts.addresses import client_address
from chat.services.accounts.audit import refusals
from chat.services.assembly import Services
from chat.services.runtime.coalesce import Coalescer
from chat.services.runtime.deadline import deadline
from chat.services.sessions.record import Session
from chat.sockets.bus_listener import BusListener
from chat.sockets.client_sockets import ClientSocket, ClientSockets, clock
from chat.sockets.isolation import Isolation
from chat.sockets.protocol import PING, REQUESTS
from chat.sockets.session_watch import SessionWatch
from chat.sockets.subscriptions import Subscriptions
from chat.sockets.transport import WOULD_BLOCK
from chat.wire.reading import read

CONNECT_WITHIN_S = 10.0  # the first socket of a worker waits until the heads of all its rooms are read
READING = 16  # who connects and reads their rooms: when everybody comes back, the first are in soon, not all late

log = logging.getLogger(__name__)


class Sockets:
    """Connects, dispatches and disconnects the sockets of one app."""

    def __init__(
        self,
        clients: ClientSockets,
        subscriptions: Subscriptions,
        listener: BusListener,
        sessions: SessionWatch,
        isolation: Isolation,
        services: Services,
    ):
        self._clients = clients
        self._subscriptions = subscriptions
        self._listener = listener
        self._sessions = sessions
        self._isolation = isolation
        self._services = services
        self._coalesce = Coalescer()
        self._running = False
        self._places = BoundedSemaphore(READING)

    def register(self, socketio: SocketIO) -> None:
        """Makes the table true for this app's sockets."""
        # On the server itself: none of these needs Flask's contexts.
        socketio.server.on("connect", self.on_connect)
        socketio.server.on("disconnect", self.on_disconnect)
        for event in REQUESTS:
            socketio.server.on(event, partial(self.on_request, event))
        socketio.server.on("*", self.on_request)
        for event, request in REQUESTS.items():
            if request.inline is not None:
                socketio.server.on_inline(event, partial(self.on_inline, event))
        socketio.server.on_inline(PING, self.on_ping)

    def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """Lets a socket in that carries a live session. Any failure refuses it: an error here must never let it in."""
        try:
            with deadline(CONNECT_WITHIN_S):
                self._connect(sid, environ, auth)
        except ChatError as error:
            refusals.note(error, "connect", address=self._address(environ))
            raise ConnectionRefusedError(error.message, error.to_dict()) from error
        except ConnectionRefusedError:
            raise
        except Exception as error:
            internal = _unexpected("connect")
            raise ConnectionRefusedError(internal.message, internal.to_dict()) from error

    def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        began = clock()
        session = self._session(environ)
        if session is None:
            raise ChatError("unauthenticated")
        expected = auth.get("user") if isinstance(auth, dict) else None
        if expected is not None and expected != session.person.username:
            raise ChatError("user_mismatch")
        self._run()
        client = ClientSocket(sid, session, began, address=self._address(environ))
        self._sessions.watch(client)
        self._clients.add(client)
        try:
            with self._places:
                self._subscriptions.subscribe(client)
            if client.ended:  # the sweep has covered it since it was added
                raise ChatError("unauthenticated")
        except BaseException:
            self._forget(sid)
            raise
        self._subscriptions.heads(client)

    def _address(self, environ: dict[str, Any]) -> str:
        hops = self._services.config.trusted_proxy_hops
        return client_address(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR"), hops)

    def _session(self, environ: dict[str, Any]) -> Session | None:
        """The live session whose cookie a handshake carries; those who come in one turn are looked up together."""
        session_id = cookies.session_id(environ.get("HTTP_COOKIE", ""), self._services.config.cookie_name)
        if session_id is None:
            return None
        return self._coalesce("sessions", session_id, self._services.sessions.read_all).get(session_id)

    def _run(self) -> None:
        """Starts this worker's background work with its first socket; commands that make an app start none."""
        if not self._running:
            self._running = True
            self._listener.start()
            self._services.checks.start(self._services.background)
            self._subscriptions.start(self._services.background)
            self._sessions.start(self._services.background)
            self._isolation.start(self._services.background)

    def on_disconnect(self, sid: str, reason: str) -> None:
        """Forgets a socket."""
        self._forget(sid)

    def _forget(self, sid: str) -> None:
        client = self._clients.remove(sid)
        if client is not None:
            self._subscriptions.unsubscribe(client)

    def on_inline(self, event: str, sid: str, *args: Any) -> Any:
        """Answers one request at once, or returns WOULD_BLOCK."""
        client, request = self._clients.get(sid), REQUESTS[event]
        if client is None or request.inline is None or not self._sessions.is_fresh(client):
            return WOULD_BLOCK
        try:
            asked = read(request.payload, _payload(args))
        except ChatError:
            return WOULD_BLOCK
        known = request.inline(self._services, client, asked)
        return self.on_request(event, sid, *args, asked=asked) if known else WOULD_BLOCK

    def on_ping(self, sid: str, *args: Any) -> Any:
        """Tells that the line is alive, which holds while nobody can say whether the session is."""
        client = self._clients.get(sid)
        if client is None:
            return WOULD_BLOCK
        try:
            self._services.requests.take(client.person.username)
        except ChatError as error:
            return {"ok": False, "error": error.to_dict()}
        return None

    def on_request(self, event: str, sid: str, *args: Any, asked: Struct | None = None) -> dict[str, Any]:
        """Answers one request; `asked` is its payload where that was read before."""
        try:
            return {"ok": True} | self._dispatch(event, sid, args, asked)
        except ChatError as error:
            self._note(error, event, sid, args)
            return {"ok": False, "error": error.to_dict()}
        except Exception:
            return {"ok": False, "error": _unexpected(event).to_dict()}

    def _note(self, error: ChatError, event: str, sid: str, args: tuple[Any, ...]) -> None:
        client, room = self._clients.get(sid), args[0].get("room") if args and isinstance(args[0], dict) else None
        if client is not None:
            room = room[: names.ROOM_ID_CHARS] if isinstance(room, str) else None
            refusals.note(error, event, user=client.person.username, address=client.address, room=room)

    def _dispatch(self, event: str, sid: str, args: tuple[Any, ...], asked: Struct | None) -> dict[str, Any]:
        client = self._clients.get(sid)
        if client is None:
            raise ChatError("unauthenticated")
        self._services.requests.take(client.person.username)
        request = REQUESTS.get(event)
        if request is None:
            raise ChatError("unknown_event")
        payload = {} if asked is not None else _payload(args)
        with deadline():
            self._sessions.check(client)
            answer = request.handler(self._services, client, asked or read(request.payload, payload))
            if request.acts:
                self._sessions.act(client)
            self._sessions.check(client)  # the answer is a delivery too
        return answer


def _payload(args: tuple[Any, ...]) -> dict[str, Any]:
    """What a request carries: one object. Raises: ChatError `body_invalid`."""
    if len(args) != 1 or not isinstance(args[0], dict):
        raise ChatError("body_invalid")
    return args[0]


def _unexpected(event: str) -> ChatError:
    """Logs what went wrong under an id that the person can quote."""
    incident = secrets.token_hex(4)
    log.exception("unexpected error in %.40r, incident %s", event, incident)
    return ChatError("internal", f"Something went wrong on the server (incident {incident}).")
