"""The chat, which counts how many packets the hub answered: `tests.sockets.hot_app:app`."""

from wsgi import app  # isort: skip  # patches first

from collections import Counter

told: Counter[str] = Counter()
engine = app.extensions["socketio"].server.eio
answer_at_once = engine.handle_hot


def count(sid: str, data: str) -> bool:
    answered = answer_at_once(sid, data)
    told["hub" if answered else "greenlet"] += "typing" in data
    return answered


engine.handle_hot = count


@app.get("/healthz/hot")
def hot() -> dict[str, int]:
    return dict(told)
