"""The chat, which counts how many packets the hub answered: `tests.sockets.inline_app:app`."""

from wsgi import app  # isort: skip  # patches first

from collections import Counter

told: Counter[str] = Counter()
engine = app.extensions["socketio"].server.eio
answer_inline = engine.handle_inline


def count(sid: str, data: str) -> bool:
    answered = answer_inline(sid, data)
    told["hub" if answered else "greenlet"] += "typing" in data
    return answered


engine.handle_inline = count


@app.get("/healthz/inline")
def inline() -> dict[str, int]:
    return dict(told)
