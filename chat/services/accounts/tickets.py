"""Tickets: how a session that was opened at one site gets a cookie of another one, the chat server's own.

The server that signs people in gives a ticket to whoever shows its cookie; the chat server takes it, once, for a
first-party cookie of the same session. A ticket holds no id that opens anything: `<username>|<hash of the id>|<when it
ends>|<nonce>` in base64, and an HMAC over it by the key that both servers share. Its 60 seconds are counted by Redis's
clock, the only one that both can ask.
"""

from __future__ import annotations

import base64
import hmac
import secrets

from redis import Redis

from chat.errors import ChatError
from chat.services.accounts.audit import note
from chat.services.sessions.record import Session
from chat.services.sessions.sessions import Sessions
from chat.services.storage.redis_client import answering

LIVES_S = 60
USED_PREFIX = "ticket:"
USED_KEPT_S = 2 * LIVES_S  # longer than a ticket lives, so that a failover to a slower clock frees none
MAX_CHARS = 512


class Tickets:
    """Gives tickets and takes them. To give one, Redis is asked for the time only."""

    def __init__(self, redis: Redis, sessions: Sessions, secret_key: str):
        self._redis = redis
        self._sessions = sessions
        self._secret = secret_key.encode()

    def issue(self, session: Session) -> str:
        """A ticket for that session, good for 60 seconds and one use. Raises: ChatError `unavailable`."""
        ends_at = self._now() + LIVES_S
        said = f"{session.person.username}|{session.public_id}|{ends_at}|{secrets.token_urlsafe(16)}"
        packed = base64.urlsafe_b64encode(said.encode()).decode()
        return f"{packed}.{self._mark(packed)}"

    def redeem(self, ticket: str, address: str = "") -> Session:
        """The live session that the ticket was given for. Of many who show it at once, one gets it; `address` is
        noted.

        Raises: ChatError `ticket_invalid` when it is made up, too old, used, or its session is over; `unavailable`.
        """
        packed, _, mark = ticket.partition(".")
        if len(ticket) > MAX_CHARS or not ticket.isascii() or not hmac.compare_digest(mark, self._mark(packed)):
            raise ChatError("ticket_invalid")
        username, public_id, ends_at, nonce = base64.urlsafe_b64decode(packed).decode().split("|")
        if self._now() >= int(ends_at):
            raise ChatError("ticket_invalid")
        with answering():
            first = self._redis.set(USED_PREFIX + nonce, "", nx=True, ex=USED_KEPT_S)
        found = next((each for each in self._sessions.of_user(username) if each.public_id == public_id), None)
        if not first or found is None:
            raise ChatError("ticket_invalid")
        note("ticket", user=username, address=address, outcome="ok")
        return found

    def _now(self) -> int:
        with answering():
            seconds, _ = self._redis.time()
        return int(seconds)

    def _mark(self, packed: str) -> str:
        return hmac.new(self._secret, f"ticket\0{packed}".encode("utf-8", "surrogatepass"), "sha256").hexdigest()
