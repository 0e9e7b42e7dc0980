"""Nothing but the shipped transport: `gunicorn -c gunicorn.conf.py bench.fanout.app:app`.

Ten sockets say what in a chat hundreds would, so what one of them may send is counted as ever but not limited.
"""

from gevent import monkey

monkey.patch_all()

from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402

from chat.config import Config  # noqa: E402
from chat.services.bus import events  # noqa: E402
from chat.services.bus.bus import Bus  # noqa: E402
from chat.services.storage.redis_client import connect  # noqa: E402
from chat.sockets.transport import check, create_socketio, token_bucket  # noqa: E402

token_bucket.CAPACITY = token_bucket.REFILL_PER_S = 10**9
config = Config.from_env()
app = Flask(__name__)
app.config.update(SESSION_COOKIE_NAME=config.cookie_name, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax")
socketio = create_socketio(app, config)


@app.get("/healthz")
def health() -> dict[str, bool]:
    return {"ok": True}


def on_join(sid: str, room: str) -> dict[str, Any]:
    socketio.server.enter_room(sid, room)
    return {}


def on_say(_: str, room: str, text: str) -> None:
    """Waits for nothing, as typing does not."""
    if bus is None:
        pass_on(room, text)
    else:
        bus.publish(Said(room, text))


def pass_on(room: str, text: str) -> None:
    socketio.server.emit("said", (room, text), room=room)


class Said(events.Event, frozen=True, tag="said"):
    """What the workers of this bench tell each other."""

    room: str
    text: str


events.KINDS["said"] = Said


def heard(event: events.Event) -> None:
    if isinstance(event, Said):
        pass_on(event.room, event.text)


bus: Bus | None = None
if config.workers > 1:
    bus = Bus(connect(config.redis_url), config.redis_url)
    bus.start(heard, lambda: None)
socketio.server.on("join", on_join)
socketio.server.on_inline("say", on_say)
check(socketio, config)
