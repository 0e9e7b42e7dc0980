"""Engine.IO for the chat, with connections that the hub serves."""

from __future__ import annotations

from _socket import socket as RawSocket
from collections.abc import Callable
from typing import Any

from chat.sockets.transport.encoding import encode
from chat.sockets.transport.engine import Engine
from chat.sockets.transport.fast.connection import Connection
from chat.sockets.transport.fast.disconnect_queue import DisconnectQueue
from chat.sockets.transport.fast.flush import Flush
from chat.sockets.transport.fast.timer_wheel import TimerWheel
from chat.sockets.transport.frames import TEXT, frame
from chat.sockets.transport.slots import ConnectionSlot
from chat.sockets.transport.websocket import switching

OPEN = b"0"  # Engine.IO's packet with what the connection is told first


class FastEngine(Engine):
    """All clients of this worker; `sockets` holds a Connection for each. `handle_inline` answers what can be answered
    without waiting, or says that it did not: Socket.IO knows."""

    handle_inline: Callable[[str, str], bool] = staticmethod(lambda sid, data: False)

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.flush = Flush()
        self.timers = TimerWheel()
        self.disconnects = DisconnectQueue()

    def accept(self, environ: dict[str, Any], file: RawSocket) -> None:
        """Takes over the file of a handshake that Admission has let in, and answers it."""
        accept: str = environ.pop("parley.accept")
        slot: ConnectionSlot = environ.pop("parley.slot")
        slot.kept = True
        sid = self.generate_id()
        connection = self.sockets[sid] = Connection(self, sid, file, slot)
        self._trigger_event("connect", sid, environ, run_async=False)
        opening = OPEN + encode(self._opening(sid))
        connection.write(switching(accept) + frame(TEXT, opening))

    def _handle_connect(self, environ: Any, start_response: Any, transport: str, jsonp_index: Any = None) -> Any:
        """Takes the connection from gunicorn, whose greenlet ends."""
        self.accept(environ, RawSocket(fileno=environ["gunicorn.socket"].detach()))
        raise StopIteration  # tells gunicorn that the connection was ours
