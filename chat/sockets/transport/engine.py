"""Engine.IO for the chat: websocket only, one packet after the other, an end for whoever does not take part."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import engineio
import gevent
from engineio import packet
from engineio.socket import Socket

from chat.sockets.transport.frames import GOING_AWAY, POLICY, Refused
from chat.sockets.transport.outbox import Outbox
from chat.sockets.transport.slots import ConnectionSlot
from chat.sockets.transport.websocket import LINGER_S, SEND_TIMEOUT_S, WebSocket

CONNECT_WITHIN_S = 10.0
GRACE_S = 0.5  # after a stopped process goes on, its timers are due before what arrived meanwhile is read
TOO_SLOW = "too slow"
MALFORMED = "malformed"
NOT_CONNECTED = "not connected"


class EngineSocket(Socket):
    """One client. The greenlet that accepted it reads and handles; another writes; a third keeps watch."""

    def __init__(self, server: Engine, sid: str):
        super().__init__(server, sid)
        self.last_ping = None  # engineio measures by the wall clock, which may jump: `_keep` does it instead
        self.queue.overflow = lambda: self.cut(TOO_SLOW)
        self.busy = False
        self.expelled = False  # then what the client has not taken when it ends is taken back, also from the kernel
        self._heard_at = time.monotonic()
        self._websocket: WebSocket | None = None
        self._goodbye: tuple[int, str] = (GOING_AWAY, "")
        self.slot: ConnectionSlot | None = None

    def serve(self, websocket: WebSocket) -> None:
        """Handles what the client sends, one packet after the other, until either side ends it."""
        self._websocket = websocket
        self.connected = self.upgraded = True
        writer, keeper = gevent.spawn(self._write, websocket), gevent.spawn(self._keep)
        doorkeeper = gevent.spawn_later(CONNECT_WITHIN_S, self._look_whether_connected)
        try:
            while not self.closing and (text := websocket.receive()) is not None:
                self._heard_at = time.monotonic()
                self._receive(text)
        except Refused as refusal:
            self.refuse(refusal.code, refusal.reason)
        finally:
            gevent.killall([keeper, doorkeeper], block=False)
            self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
            writer.join(0 if self.expelled else SEND_TIMEOUT_S)
            if self.expelled or not writer.ready():
                websocket.abort()
            websocket.finish()

    def guard(self, may_deliver: Callable[[], bool]) -> None:
        """From now on content goes out only while `may_deliver` says so."""
        self.queue.may_deliver = may_deliver
        self.settle()

    def settle(self) -> None:
        """Its client has shown a session, or connected."""
        if self.slot is not None:
            self.slot.settle()

    def refuse(self, code: int = POLICY, reason: str = MALFORMED) -> None:
        """Closes the socket of a client that sent what we do not take; `code` and `reason` are told to it."""
        self._goodbye = (code, reason)
        self.close(wait=False, abort=True, reason=reason)

    def cut(self, reason: str) -> None:
        """Ends the socket at once; what waits for it is dropped. Its client catches up when it is back."""
        self.close(wait=False, abort=True, reason=reason)
        if self._websocket is not None:
            self._websocket.abort()

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """Tells the handlers, sends what waits, closes. A client that does not go then is left."""
        if not self.closing:
            super().close(wait=False, abort=abort, reason=reason)
            if self._websocket is not None:
                gevent.spawn_later(LINGER_S, self._websocket.stop_reading)

    def schedule_ping(self) -> None:
        """Nothing: `_keep` sends the pings."""

    def _receive(self, text: str) -> None:
        kind = text[:1]
        if kind == "4":
            self.busy = True
            try:
                self.server._trigger_event("message", self.sid, text[1:], run_async=False)
            finally:
                self.busy = False
                self._heard_at = time.monotonic()
        elif kind == "1":
            self.close(wait=False, abort=True, reason=self.server.reason.CLIENT_DISCONNECT)
        elif kind != "3":
            raise Refused(POLICY, MALFORMED)

    def _write(self, websocket: WebSocket) -> None:
        try:
            while (frames := self.queue.take()) is not None:
                websocket.send(frames, self.queue.may_deliver)
        except OSError:
            self.cut(TOO_SLOW)
        else:
            websocket.close(*self._goodbye)

    def _look_whether_connected(self) -> None:
        if not self.server.is_connected(self.sid):
            self.close(wait=False, reason=NOT_CONNECTED)

    def _keep(self) -> None:
        """Closes a client that does not answer pings."""
        gevent.sleep(self.server.ping_interval)
        while not self.closing:
            asked_at = time.monotonic()
            self.send(packet.Packet(packet.PING))
            gevent.sleep(self.server.ping_timeout)
            if self._silent_since(asked_at):
                gevent.sleep(GRACE_S)
                if self._silent_since(asked_at):
                    self.cut(self.server.reason.PING_TIMEOUT)
            # A client gives up when no ping comes for the interval and the time-out together.
            gevent.sleep(max(0.0, asked_at + self.server.ping_interval - time.monotonic()))

    def _silent_since(self, asked_at: float) -> bool:
        return not self.busy and self._heard_at < asked_at


class Engine(engineio.Server):
    """All clients of this worker. Admission refuses new ones when it is `draining`, for good, or `deaf`, for a while.
    `is_connected` says whether a client has gone on from opening to connecting: Socket.IO knows."""

    draining = False
    deaf = False
    is_connected: Callable[[str], bool] = staticmethod(lambda sid: True)

    def create_queue(self, *args: Any, **kwargs: Any) -> Outbox:
        """The queue of one socket."""
        return Outbox()

    def _handle_connect(self, environ: Any, start_response: Any, transport: str, jsonp_index: Any = None) -> Any:
        """Accepts a websocket and serves it for as long as it lives: Engine.IO's only way in."""
        sid = self.generate_id()
        socket = self.sockets[sid] = EngineSocket(self, sid)
        socket.slot = environ.get("parley.slot")
        try:
            websocket = WebSocket.accept(environ)
            if socket.slot is not None:
                socket.slot.give_way = partial(socket.cut, NOT_CONNECTED)
            socket.send(packet.Packet(packet.OPEN, self._opening(sid)))
            self._trigger_event("connect", sid, environ, run_async=False)
            socket.serve(websocket)
        except (Refused, OSError):
            pass
        finally:
            socket.close(wait=False, abort=True)
            self._trigger_event("disconnect", sid, self.reason.TRANSPORT_CLOSE, run_async=False)
            self.sockets.pop(sid, None)
        raise StopIteration  # tells gunicorn that the connection was ours, and is over

    def _opening(self, sid: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "upgrades": [],
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
