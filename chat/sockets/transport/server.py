"""Socket.IO for the chat: what is malformed ends the socket, quietly; whoever is not connected does not stay."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import socketio
from socketio.packet import CONNECT_ERROR

from chat.sockets.transport import encoding
from chat.sockets.transport.engine import Engine
from chat.sockets.transport.packets import ACK, CONNECT, DISCONNECT, EVENT, ClientPacket, Malformed, decode

WOULD_BLOCK = object()  # what an inline handler returns when it would have to wait
NO_SUCH_NAMESPACE = {"message": "Invalid namespace"}  # python-socketio says a bare string, which clients cannot read
InlineHandler = Callable[..., Any]

log = logging.getLogger(__name__)


class Server(socketio.Server):
    """python-socketio's server over `Engine`, with a strict decoder."""

    def __init__(self, **options: Any):
        self._inline: dict[str, InlineHandler] = {}
        super().__init__(json=encoding, **options)
        self.eio.is_connected = lambda eio_sid: self.manager.sid_from_eio_sid(eio_sid, "/") is not None

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def on_inline(self, event: str, handler: InlineHandler) -> None:
        """`handler(sid, *args)` answers the event without waiting for anything, or returns WOULD_BLOCK: then the
        event's ordinary handler is asked. The fast transport calls it in the hub, where waiting for something is an
        error."""
        self._inline[event] = handler

    def handle_inline(self, eio_sid: str, data: str) -> bool:
        """Answers a packet if its event has an inline handler that can answer it. For the hub."""
        at = data.find('["') + 2
        if not data.startswith("2") or data[at : data.find('"', at)] not in self._inline:
            return False
        try:
            packet = decode(data)
        except Malformed:
            return False
        return self._answer_inline(eio_sid, packet)

    def _answer_inline(self, eio_sid: str, packet: ClientPacket) -> bool:
        handler = self._inline.get(packet.data[0]) if packet.kind == EVENT else None
        sid = self.manager.sid_from_eio_sid(eio_sid, packet.namespace)
        if handler is None or not self.manager.is_connected(sid, packet.namespace):
            return False
        try:
            answer = handler(sid, *packet.data[1:])
        except Exception:
            log.exception("a socket's inline handler failed")
            self._refuse(eio_sid)
            return True
        if answer is WOULD_BLOCK:
            return False
        if packet.id is not None and answer is None:
            self.eio.send(eio_sid, f"3{packet.id}[]")
        elif packet.id is not None:
            self._send_packet(eio_sid, self.packet_class(ACK, data=[answer], id=packet.id, binary=False))
        return True

    def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Tells a client that it is disconnected, and closes its connection behind what was sent before."""
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace or "/")
        super().disconnect(sid, namespace=namespace, ignore_queue=ignore_queue)
        self._leave(eio_sid)

    def guard(self, sid: str, may_deliver: Callable[[], bool]) -> None:
        """From now on content goes out to this client only while `may_deliver` says so; what it does not let through is
        dropped."""
        socket = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, "/"))
        if socket is not None:  # it may have gone while it connected
            socket.guard(may_deliver)

    def expel(self, sid: str) -> None:
        """Disconnects a client that may not read on: what it has not taken soon after is taken back."""
        socket = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, "/"))
        if socket is not None:
            socket.expelled = True
        self.disconnect(sid)

    def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        """One packet of a client. Never raises: engineio would log what a stranger may cause at will."""
        try:
            packet = decode(data)
        except Malformed:
            self._refuse(eio_sid)
            return
        try:
            self._handle(eio_sid, packet)
        except Exception:
            log.exception("a socket's handler failed")
            self._refuse(eio_sid)
        if packet.kind in (CONNECT, DISCONNECT):
            self._settle(eio_sid)

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """A socket that ends while its connect is being handled is forgotten after that: the engine calls again then.
        Now, its disconnect handler would be left out, because it is not connected yet."""
        if not self.manager.is_pre_connected(self.manager.sid_from_eio_sid(eio_sid, "/"), "/"):
            super()._handle_eio_disconnect(eio_sid, reason)

    def _handle(self, eio_sid: str, packet: ClientPacket) -> None:
        if packet.kind == CONNECT and packet.namespace != "/":
            refusal = self.packet_class(CONNECT_ERROR, data=NO_SUCH_NAMESPACE, namespace=packet.namespace)
            self._send_packet(eio_sid, refusal)
        elif packet.kind == CONNECT:
            self._handle_connect(eio_sid, packet.namespace, packet.data)
        elif self.manager.sid_from_eio_sid(eio_sid, packet.namespace) is None:
            self._refuse(eio_sid)
        elif packet.kind == DISCONNECT:
            self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        elif packet.kind != ACK and not self._answer_inline(eio_sid, packet):  # the chat asks for no acks
            self._handle_event(eio_sid, packet.namespace, packet.id, packet.data)

    def _settle(self, eio_sid: str) -> None:
        """Whoever was not let in, or has left, does not keep the connection."""
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if sid is not None and not self.manager.is_connected(sid, "/"):
            self.manager.disconnect(sid, "/", ignore_queue=True)
            sid = None
        if sid is None:
            self._leave(eio_sid)
        elif (socket := self.eio.sockets.get(eio_sid)) is not None:
            socket.settle()

    def _leave(self, eio_sid: str | None) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            socket.close(wait=False)

    def _refuse(self, eio_sid: str) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            socket.refuse()
