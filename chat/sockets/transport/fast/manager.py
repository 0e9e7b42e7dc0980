"""The rooms of this worker's sockets: a broadcast is framed once, leaving costs what one is in.

python-socketio's manager looks through every room when a socket leaves, keeps a room for every socket, and hands each
member a packet of its own. Here a room is a table of connections, and a socket knows its rooms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import socketio

from chat.sockets.transport.encoding import encode
from chat.sockets.transport.fast.connection import Connection
from chat.sockets.transport.frames import TEXT, frame


class Manager(socketio.Manager):
    """Takes the place of python-socketio's bookkeeping. `rooms`, as it reads it, holds only who is connected."""

    def __init__(self) -> None:
        super().__init__()
        self._members: dict[str, dict[str, Connection]] = {}
        self._all: dict[str, Connection] = {}
        self._joined: dict[str, set[str]] = {}

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **_: Any,
    ) -> None:
        """Queues an event for one socket, a room, or everybody; what cannot be told in JSON raises TypeError. Asks for
        no acks: the chat has no use for them."""
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        if any(isinstance(each, bytes) for each in args):  # as text they would be something else
            raise TypeError("the chat sends text only")
        self._write(frame(TEXT, b"42" + encode([event, *args])), self._to(to or room), skip_sid)

    def _to(self, room: str | None) -> dict[str, Connection]:
        if room is None:
            return self._all
        if room in self._all:
            return {room: self._all[room]}
        return self._members.get(room, {})

    def _write(self, data: bytes, members: dict[str, Connection], skip_sid: Any) -> None:
        """The same bytes to all of them: Connection.write, written out, because it runs once for every delivery."""
        chosen: Iterable[Connection] = members.values()
        if skip_sid:
            skip = {skip_sid} if isinstance(skip_sid, str) else set(skip_sid)
            chosen = [connection for sid, connection in members.items() if sid not in skip]
        flush = self.server.eio.flush
        dirty = flush.dirty
        for connection in chosen:
            pending = connection.pending
            if pending is None:
                if not connection.ended:
                    connection.pending = data
                    dirty.append(connection)
            elif isinstance(pending, bytes):
                connection.pending = [pending, data]
            else:
                pending.append(data)
        if dirty:
            flush.schedule()

    def get_participants(self, namespace: str, room: str | None) -> Iterator[tuple[str, str]]:
        """(sid, engine's sid) of each."""
        for sid, connection in list(self._to(room).items()):
            yield sid, connection.sid

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms a socket is in; its own is one."""
        return [sid, *self._joined.get(sid, ())] if sid in self._all else []

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Raises: ValueError for a socket that is not connected, KeyError when the engine has forgotten it."""
        if room is None:
            super().basic_enter_room(sid, namespace, None, eio_sid=eio_sid)
            self._all[sid] = self.server.eio.sockets[eio_sid]
        elif room == sid:
            return
        elif sid not in self._all:
            raise ValueError("sid is not connected to requested namespace")
        else:
            self._members.setdefault(room, {})[sid] = self._all[sid]
            self._joined.setdefault(sid, set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Nothing happens when it is not in there."""
        if room is None:
            super().basic_leave_room(sid, namespace, None)
            self._all.pop(sid, None)
        elif (members := self._members.get(room)) is not None and members.pop(sid, None) is not None:
            self._joined[sid].discard(room)
            if not members:
                del self._members[room]

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Takes a socket out of its rooms, and of what is pending."""
        for room in list(self._joined.get(sid, ())):
            self.basic_leave_room(sid, namespace, room)
        self._joined.pop(sid, None)
        self.basic_leave_room(sid, namespace, None)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Takes everybody out."""
        for sid in list(self._members.get(room, ())):
            self.basic_leave_room(sid, namespace, room)
