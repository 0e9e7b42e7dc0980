"""Nothing but the shipped transport: `gunicorn -c gunicorn.conf.py bench.fanout.app:app`."""

from gevent import monkey

monkey.patch_all()

from typing import Any  # noqa: E402

from flask import Flask, request  # noqa: E402

from chat.config import Config  # noqa: E402
from chat.sockets.transport import check, create_socketio  # noqa: E402

config = Config.from_env()
app = Flask(__name__)
app.config.update(SESSION_COOKIE_NAME=config.cookie_name, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax")
socketio = create_socketio(app, config)


@app.get("/healthz")
def health() -> dict[str, bool]:
    return {"ok": True}


def on_join(room: str) -> dict[str, Any]:
    socketio.server.enter_room(request.sid, room)  # type: ignore[attr-defined]
    return {}


def on_say(room: str, text: str) -> None:
    socketio.server.emit("said", (room, text), room=room)


socketio.on_event("join", on_join)
socketio.on_event("say", on_say)
check(socketio, config)
