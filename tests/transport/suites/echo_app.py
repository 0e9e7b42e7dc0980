"""The shipped websocket without Engine.IO: it says what it is told. LIFTED=1 lifts what the chat bounds: the size of
messages, the number of fragments, and what a client may send at once."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402

from chat.config import Config  # noqa: E402
from chat.sockets import transport  # noqa: E402
from chat.sockets.transport import create_socketio, engine, frames, outbox, token_bucket  # noqa: E402
from chat.sockets.transport.engine import EngineSocket  # noqa: E402
from chat.sockets.transport.fast import connection  # noqa: E402
from chat.sockets.transport.fast import engine as fast_engine  # noqa: E402
from chat.sockets.transport.fast.connection import Connection  # noqa: E402
from chat.sockets.transport.frames import TEXT, Refused, frame  # noqa: E402

END_OF_HEAD = b"\r\n\r\n"


class EchoConnection(Connection):
    """The fast transport's."""

    def write(self, data: bytes) -> None:
        head, end, _ = data.partition(END_OF_HEAD) if data.startswith(b"HTTP/1.1 101 ") else (data, b"", b"")
        super().write(head + end)  # Engine.IO's opening is left out

    def _on_text(self, payload: bytes) -> None:
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise Refused(frames.BAD_TEXT, "not UTF-8") from None
        self.write(frame(TEXT, payload))


class EchoSocket(EngineSocket):
    """The stock transport's."""

    def send(self, pkt: Any) -> None:
        """Nothing: the opening is left out."""

    def _receive(self, text: str) -> None:
        self.queue.put(SimpleNamespace(framed=(frame(TEXT, text.encode()), False)))


transport.PING_INTERVAL_S = 3_600
fast_engine.Connection, engine.EngineSocket = EchoConnection, EchoSocket  # type: ignore[misc]
if os.environ.get("LIFTED") == "1":
    frames.MAX_MESSAGE_BYTES = 32 * 1024 * 1024
    frames.MAX_FRAGMENTS = 1_000_000
    token_bucket.CAPACITY = token_bucket.REFILL_PER_S = 1_000_000_000
    connection.MAX_BYTES = outbox.MAX_BYTES = outbox.HARD_BYTES = 64 * 1024 * 1024
    outbox.MAX_PACKETS = outbox.HARD_PACKETS = 100_000

app = Flask(__name__)
socketio = create_socketio(app, Config.from_env())
socketio.server.eio.is_connected = lambda sid: True


@app.get("/healthz")
def health() -> dict[str, bool]:
    return {"ok": True}
