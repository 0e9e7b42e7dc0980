"""Accounts: signing in and out, and passwords."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from chat.config import Config
from chat.errors import ChatError
from chat.services import names
from chat.services.addresses import address_bucket
from chat.services.audit import note
from chat.services.devices import device
from chat.services.limits import Limit, Limits
from chat.services.passwords import Passwords, check
from chat.services.sessions import EVERYWHERE, Session, Sessions

if TYPE_CHECKING:
    from chat.services.dynamodb import Storage
    from chat.services.publisher import Publisher


class Accounts:
    """Who may come in. `address` is the client's, for rate limits and the audit log.

    Without a `bus` (a Lambda function, which may open a session and no more) signing in leaves old hashes and a
    person's oldest sessions as they are, for the next time that they come by another door.
    """

    def __init__(
        self,
        storage: Storage,
        sessions: Sessions,
        passwords: Passwords,
        limits: Limits,
        bus: Publisher | None,
        config: Config,
    ):
        self._storage = storage
        self._bus = bus
        self._sessions = sessions
        self._passwords = passwords
        self._limits = limits
        self._sessions_per_user = config.sessions_per_user
        self._remembers = config.session_remember_days > 0
        self._secret = config.secret_key.encode()

    def login(
        self,
        username: str,
        password: str,
        address: str,
        user_agent: str = "",
        browser: str = "",
        remember: bool = False,
    ) -> Session:
        """Opens a session, which is kept if whoever signs in wants to be remembered.

        An unknown name and a wrong password take the same time and get the same answer.

        `browser` is what `known_browser` gave this browser when it last signed in. To that account it has tries of its
        own, so that strangers who guess can slow down strangers only.
        Raises: ChatError `bad_credentials`, `remember_refused`, `rate_limited`, `busy`, `unavailable`.
        """
        if remember and not self._remembers:
            raise ChatError("remember_refused")
        self._passwords.refuse_if_full()
        found = names.username(username)
        folded = found or username[: names.TYPED_CHARS]  # what is nobody's name is counted all the same
        tries = [(self._limits.account, folded), (self._limits.address, address_bucket(address))]
        if self._knows(browser, folded):
            tries = [(self._limits.browser, browser)]
        self._refuse_if_over("login", folded, address, tries)
        user = self._storage.get_user(found) if found else None
        if not self._passwords.matches(password, user.password_hash if user else None) or user is None:
            for limit, key in tries:
                limit.count(key)
            note("login", user=folded, address=address, outcome="bad_credentials")
            raise ChatError("bad_credentials")
        if self._bus is not None and self._passwords.is_weak(user.password_hash):
            stronger = self._passwords.hash(password.encode())
            self._storage.set_password_hash(folded, user.password_hash, stronger)
            user = replace(user, password_hash=stronger)
        session = self._sessions.create(user, device(user_agent), remember)
        if self._bus is not None:
            self._tell(self._sessions.end_oldest(folded, self._sessions_per_user, "elsewhere"), "elsewhere")
        note("login", user=folded, address=address, outcome="ok")
        return session

    def known_browser(self, username: str) -> str:
        """What a browser shows the next time that it signs in to this account; it says nothing, and opens nothing."""
        nonce = secrets.token_urlsafe(12)
        return f"{nonce}.{self._mark(nonce, username)}"

    def _knows(self, browser: str, username: str) -> bool:
        nonce, _, mark = browser.partition(".")
        return browser.isascii() and hmac.compare_digest(mark, self._mark(nonce, username))

    def _mark(self, nonce: str, username: str) -> str:
        said = f"known browser\0{nonce}\0{username}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, said, "sha256").hexdigest()

    def logout(self, session: Session | None, address: str) -> None:
        """Ends a session, if there is one. Raises: ChatError `unavailable`."""
        if session is not None:
            self._end([session.sid], "logout")
            note("logout", user=session.person.username, address=address, outcome="ok")

    def replace(self, sid: str) -> None:
        """Ends the session of a browser that has signed in again. Raises: ChatError `unavailable`."""
        self._end([sid], "replaced")

    def sessions(self, session: Session) -> list[Session]:
        """The sessions of whoever asks, the newest first. Raises: ChatError `unavailable`."""
        return self._sessions.of_user(session.person.username)

    def end_session(self, session: Session, public_id: str, address: str) -> None:
        """Ends one of one's own sessions, this one or another. Raises: ChatError `session_not_found`, `unavailable`."""
        mine = self._sessions.of_user(session.person.username)
        found = next((each for each in mine if each.public_id == public_id), None)
        if found is None:
            raise ChatError("session_not_found")
        self._end([found.sid], "logout" if found.sid == session.sid else "elsewhere")
        note("end_session", user=session.person.username, address=address, outcome="ok")

    def end_sessions(self, session: Session, address: str) -> None:
        """Logs out everywhere, here too: also the sessions that a failover or a backup of Redis may bring back.

        Raises: ChatError `unauthenticated` when the account is gone, `unavailable`.
        """
        username = session.person.username
        epoch = self._storage.raise_epoch(username)
        if epoch is None:
            raise ChatError("unauthenticated")
        self._tell(self._sessions.raise_epoch(username, epoch, EVERYWHERE), EVERYWHERE)
        note("end_sessions", user=username, address=address, outcome="ok")

    def change_password(self, session: Session, password: str, new_password: str, address: str) -> None:
        """Replaces the password, and ends all sessions but this one.

        The same request again is fine, so that a lost answer does not leave anybody guessing which password counts.
        Raises: ChatError `password_wrong`, `password_length`, `password_common`, `rate_limited`, `busy`, `unavailable`.
        """
        username = session.person.username
        raw = check(new_password, username)
        self._refuse_if_over("password", username, address, ((self._limits.password, username),))
        user = self._storage.get_user(username)
        stored = user.password_hash if user else None
        done = False
        if not self._passwords.matches(password, stored):
            done = self._passwords.matches(new_password, stored)
            if not done:
                self._limits.password.count(username)
                note("password", user=username, address=address, outcome="password_wrong")
                raise ChatError("password_wrong")
        new = stored if done else self._passwords.hash(raw)
        epoch = self._storage.raise_epoch(username, (stored or "", new or ""))
        if epoch is None:
            raise ChatError("busy", retry_after_s=1)  # it was changed elsewhere in this moment
        self._tell(self._sessions.raise_epoch(username, epoch, "password", keep=session), "password")
        note("password", user=username, address=address, outcome="ok")

    def _refuse_if_over(self, event: str, user: str, address: str, tries: Iterable[tuple[Limit, str]]) -> None:
        for limit, key in tries:
            if not limit.open(key):
                note(event, user=user, address=address, outcome="rate_limited")
                raise limit.refusal(key)

    def _end(self, sids: list[str], reason: str) -> None:
        for sid in sids:
            self._sessions.end(sid, reason)
        self._tell(sids, reason)

    def _tell(self, sids: list[str], reason: str) -> None:
        if self._bus is not None:
            for sid in sids:
                self._bus.publish("session_ended", session=sid, reason=reason)
