"""The sockets of this worker: who is behind each, and how much each may still do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from chat.errors import ChatError
from chat.models import Person
from chat.services.sessions.record import Session

PAUSE_S = 2.0  # for so long a session that was found alive counts as alive


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Seconds that never jump, and that go on while the process is stopped or the machine asleep."""
    return time.clock_gettime(_CLOCK)


@dataclass
class ClientSocket:
    """One socket and the session that opened it, which was known to be alive at `checked_at` (of `clock`)."""

    sid: str
    session: Session
    checked_at: float
    rooms_read_at: float = 0.0
    warned: bool = False
    ended: bool = False
    address: str = ""

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.session.sid

    @property
    def person(self) -> Person:
        """Who is behind it."""
        return self.session.person

    @property
    def deliverable(self) -> bool:
        """Whether anything of a room may go out to it now."""
        return not self.ended and clock() - self.checked_at <= PAUSE_S


class ClientSockets:
    """The registry of this worker's sockets, by socket, by session and by person."""

    def __init__(self, sockets_per_user: int):
        self._sockets_per_user = sockets_per_user
        self._by_sid: dict[str, ClientSocket] = {}
        self._by_user: dict[str, dict[str, ClientSocket]] = {}
        self._by_session: dict[str, dict[str, ClientSocket]] = {}

    def add(self, client: ClientSocket) -> None:
        """Registers a socket. Raises: ChatError `rate_limited` when the person has too many."""
        mine = self._by_user.setdefault(client.person.username, {})
        if len(mine) >= self._sockets_per_user:
            raise ChatError("rate_limited", "You have too many windows open.", retry_after_s=30)
        mine[client.sid] = client
        self._by_sid[client.sid] = client
        self._by_session.setdefault(client.session_id, {})[client.sid] = client

    def remove(self, sid: str) -> ClientSocket | None:
        """Forgets a socket; returns what it was."""
        client = self._by_sid.pop(sid, None)
        if client is not None:
            for index, key in (
                (self._by_user, client.person.username),
                (self._by_session, client.session_id),
            ):
                index[key].pop(sid, None)
                if not index[key]:
                    del index[key]
        return client

    def get(self, sid: str) -> ClientSocket | None:
        """The socket, or None when it is unknown."""
        return self._by_sid.get(sid)

    def of_user(self, username: str) -> list[ClientSocket]:
        """That person's sockets."""
        return list(self._by_user.get(username, {}).values())

    def of_session(self, session_id: str) -> list[ClientSocket]:
        """The sockets that one session opened."""
        return list(self._by_session.get(session_id, {}).values())

    def owners(self) -> dict[str, str]:
        """Every session with a socket here, id → username."""
        return {sid: next(iter(sockets.values())).person.username for sid, sockets in self._by_session.items()}

    def __iter__(self) -> Iterator[ClientSocket]:
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        return len(self._by_sid)
