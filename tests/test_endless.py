"""No endless greenlet but those that are watched (chat/services/runtime/background.py): what is spawned elsewhere ends
by itself, and stands here with why."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.test_layers import TREE, is_of

WATCHED = ("chat.services.runtime.background",)
APART = ("chat.embedded",)  # no greenlet there is a worker's
ENDS = {
    ("chat.services.assembly", "leave"): "with the worker",
    ("chat.services.health.readiness", "self._redis_writes"): "is killed after a second and a half",
    ("chat.services.health.readiness", "self._dynamodb_writes"): "likewise",
    ("chat.services.health.readiness", "self._stream_moves"): "likewise",
    ("chat.services.log.follower", "self._repair"): "when nothing is missing; what fails is asked for again later",
    ("chat.services.log.follower", "self.repair"): "at once: it begins a repair",
    ("chat.services.log.follower", "self._settle"): "with one number",
    ("chat.services.log.followers", "self._wake"): "when the room is followed; what fails is tried again later",
    ("chat.services.log.followers", "self.wake"): "at once: it begins to wake a room",
    ("chat.services.log.group_commit", "self._commit_waiting"): "with one transaction",
    ("chat.sockets.bus_listener", "self._subscriptions.refresh"): "with one reading",
    ("chat.sockets.session_watch", "self._socketio.server.expel"): "with one socket's goodbye",
    ("chat.sockets.subscriptions", "self._tell_rooms"): "with one event",
    ("chat.sockets.transport.engine", "self._write"): "with its socket",
    ("chat.sockets.transport.engine", "self._keep"): "with its socket",
    ("chat.sockets.transport.engine", "self._look_whether_connected"): "at once",
    ("chat.sockets.transport.engine", "self._websocket.stop_reading"): "at once",
    ("chat.sockets.transport.fast.connection", "self._handle"): "with what one client asked",
    ("chat.sockets.transport.fast.connection", "self._tell"): "with one event",
    ("chat.sockets.transport.outbox", "self._judge"): "at once",
    ("chat.sockets.transport.outbox", "self.overflow"): "with its socket",
    ("chat.sockets.transport.worker", "watch"): "with the worker: it is its end",
}
SPAWNS = {"spawn": 0, "spawn_raw": 0, "spawn_later": 1}  # which argument is what runs


def spawned(tree: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Where what is spawned."""
    for module, source in tree.items():
        for node in ast.walk(ast.parse(source)) if not is_of(module, WATCHED + APART) else ():
            called = ast.unparse(node.func).removeprefix("gevent.") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and called in SPAWNS and isinstance(node.func, ast.Attribute):
                yield module, ast.unparse(node.args[SPAWNS[called]])


def test_whatever_is_spawned_is_watched_or_ends_by_itself():
    unknown = [(m, what) for m, what in spawned(TREE) if (m, what) not in ENDS]
    assert unknown == []


def test_the_table_names_nothing_that_is_gone():
    assert ENDS.keys() - set(spawned(TREE)) == set()


def test_what_is_spawned_anew_is_found():
    new = TREE | {"chat.sockets.newcomer": "import gevent\ngevent.spawn_later(1, self._for_ever)"}
    assert ("chat.sockets.newcomer", "self._for_ever") in set(spawned(new))
