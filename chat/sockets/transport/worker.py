"""What a gunicorn gevent worker does beyond serving: patience with slow clients, and an orderly end. gunicorn.conf.py
calls this from its hooks."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import gevent
import gunicorn.util

from chat.errors import ChatError
from chat.sockets.transport.admission import refusal
from chat.sockets.transport.drain import drain
from chat.sockets.transport.fast.engine import FastEngine
from chat.sockets.transport.fast.handshake import take_handshake
from chat.sockets.transport.slow_clients import GuardedSocket, SlowClientGuard, said_already

POLL_S = 0.05
ENDING_S = 2.0  # of gunicorn's graceful_timeout, which begins with the signal, for noticing it and for saying goodbye
TOO_LARGE = (413, 414, 431)
GC_THRESHOLDS = (50_000, 50, 1_000)  # a look at all objects of ten thousand sockets takes 50 ms: seldom, then


class Listener:
    """A listening socket whose name is known also when it is closed: gunicorn asks for it with each connection, and one
    that was taken in a moment before the worker's end is still answered."""

    def __init__(self, listening: Any):
        self._listening = listening
        self._name = listening.getsockname()

    def getsockname(self) -> Any:
        """As it was while it was open."""
        return self._name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listening, name)


def install(worker: Any) -> None:
    """For `post_worker_init`: from now on slow clients are watched, and the end of the worker begins with its clients.

    `worker.handle` is what gunicorn runs for each connection, `worker.alive` what its signal handler clears, and
    `worker.run` what ends with the worker.
    """
    guard = SlowClientGuard(worker.worker_connections)
    handle = worker.handle
    listeners = {listening: Listener(listening) for listening in worker.sockets}

    app = worker.wsgi
    gunicorn.util.write_error = partial(refuse, app.wsgi_app.headers)
    fast = isinstance(app.extensions["socketio"].server.eio, FastEngine)

    def handle_guarded(listener: Any, client: Any, address: Any) -> None:
        guard.present += 1
        try:
            if fast and take_handshake(app, client, said_already(client), address):
                return
            client = GuardedSocket(client, guard)
            if not (fast and take_handshake(app, client, client.peek(), address)):
                handle(listeners[listener], client, address)
        except OSError:
            client.close()  # it said nothing
        finally:
            guard.present -= 1

    def watch() -> None:
        while worker.alive:
            gevent.sleep(POLL_S)
            guard.thin_out()
        drain(app.extensions["socketio"])

    worker.handle = handle_guarded
    watching = gevent.spawn(watch)
    if fast:
        run = worker.run

        def run_to_the_end() -> None:
            """gunicorn waits for its own connections only: the sockets, and what is being answered, are ours."""
            run()
            until = time.monotonic() + worker.cfg.graceful_timeout - ENDING_S
            watching.join(worker.cfg.graceful_timeout - ENDING_S)
            while app.extensions["socketio"].server.eio.sockets and time.monotonic() < until:
                gevent.sleep(POLL_S)

        worker.run = run_to_the_end
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)


def refuse(headers: Mapping[str, str], client: Any, status: int, reason: str, message: str) -> None:
    """What gunicorn says of what is no request, and of a fault in one, in the place of its own page: it has the headers
    of every other answer, and nothing of what was asked. Raises: OSError."""
    code = "internal" if status >= 500 else "too_large" if status in TOO_LARGE else "body_invalid"
    body = refusal(ChatError(code))
    lines = [f"HTTP/1.1 {status} {reason}", "Connection: close", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    gunicorn.util.write_nonblock(client, "\r\n".join(lines).encode() + body)


def request_began(request: Any) -> None:
    """For `pre_request`: its head has been read."""
    guarded = request.unreader.sock
    if isinstance(guarded, GuardedSocket):
        guarded.request_began()


def request_over(request: Any) -> None:
    """For `post_request`: it has been answered, or a websocket has ended."""
    guarded = request.unreader.sock
    if isinstance(guarded, GuardedSocket):
        guarded.request_over(_unread(request))


def _unread(request: Any) -> int | None:
    """How many bytes of a body are still to come; None when that cannot be known (chunked)."""
    reader = request.body.reader
    if hasattr(reader, "length"):
        return int(reader.length)
    return 0 if getattr(reader, "parser", None) is None else None
