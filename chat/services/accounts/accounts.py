"""Accounts: signing in and out, and passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from chat import names
from chat.config import Config
from chat.errors import ChatError
from chat.services.accounts.addresses import address_bucket
from chat.services.accounts.audit import note
from chat.services.accounts.browsers import Browsers
from chat.services.accounts.devices import device
from chat.services.accounts.passwords import Passwords, check
from chat.services.bus.events import SessionEnded
from chat.services.limits.limits import Limits, Tries
from chat.services.sessions.record import Session
from chat.services.sessions.sessions import EVERYWHERE, Sessions

if TYPE_CHECKING:
    from chat.models import User
    from chat.services.bus.publisher import Publisher
    from chat.services.runtime.turns import Who
    from chat.services.storage.users import UserRows


class Accounts:
    """Who may come in. `address` is the client's, for rate limits and the audit log.

    Without a `bus` (a Lambda function, which may open a session and no more) signing in leaves old hashes and a
    person's oldest sessions as they are, for the next time that they come by another door.
    """

    def __init__(
        self,
        users: UserRows,
        sessions: Sessions,
        passwords: Passwords,
        limits: Limits,
        bus: Publisher | None,
        config: Config,
    ):
        self._users = users
        self._bus = bus
        self._sessions = sessions
        self._passwords = passwords
        self._limits = limits
        self._sessions_per_user = config.sessions_per_user
        self._browsers = Browsers(config.secret_key)
        self._remembers = config.session_remember_days > 0

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

        `browser` is what `known_browser` gave this browser when it last signed in. The browsers that are known to an
        account have tries of their own, so that strangers who guess can slow down strangers only.
        Raises: ChatError `bad_credentials`, `remember_refused`, `rate_limited`, `busy`, `unavailable`.
        """
        if remember and not self._remembers:
            raise ChatError("remember_refused")
        found = names.username(username)
        folded = found or username[: names.TYPED_CHARS]  # what is nobody's name is counted all the same
        who = address_bucket(address), folded
        self._passwords.refuse_if_full(who)
        user = self._let_in(found, folded, password, address, browser, who)
        if self._bus is not None and self._passwords.is_weak(user.password_hash):
            stronger = self._passwords.hash(password.encode(), who)
            self._users.set_password_hash(folded, user.password_hash, stronger)
            user = replace(user, password_hash=stronger)
        session = self._sessions.create(user, device(user_agent), remember)
        if self._bus is not None:
            self._tell(self._sessions.end_oldest(folded, self._sessions_per_user, "elsewhere"), "elsewhere")
        note("login", user=folded, address=address, outcome="ok")
        return session

    def _let_in(self, found: str | None, folded: str, password: str, address: str, browser: str, who: Who) -> User:
        """The account, if that is its password. Right ones count too, so that nobody keeps the hashing for themselves.

        A try is counted when its turn comes, before it is made, and taken from the wrong or the right ones afterwards:
        logins that wait are no tries yet, or a crowd from one address would be sent away for a quarter of an hour.
        Raises: as `login`.
        """
        bucket, _ = who
        logins = (self._limits.logins, folded)
        strangers = ((self._limits.account, folded), (self._limits.address, bucket))
        browsers = ((self._limits.browsers, folded), (self._limits.browsers_address, bucket))
        known_in = self._browsers.epoch(browser, folded)
        tries = strangers if known_in is None else browsers
        # Who signs in may have typed their password as their name: only names that are an account's are noted.
        told = {"user": folded} if known_in is not None else {}
        with self._noted_if_limited("login", address, told):
            Tries((logins, *tries)).refuse_if_over()
            user = self._users.get(found) if found else None
            if user is not None:
                told["user"] = folded
            if known_in is not None and (user is None or user.epoch != known_in):
                tries = strangers  # the mark is older than the password
            counted = Tries((logins, *tries))
            right = self._passwords.matches(password, user.password_hash if user else None, who, counted.count)
        if not right or user is None:
            Tries((logins,)).give_back()
            note("login", **told, address=address, outcome="bad_credentials")
            raise ChatError("bad_credentials")
        Tries(tries).give_back()
        return user

    def known_browser(self, session: Session) -> str:
        """What a browser shows the next time that it signs in to this account; it says nothing, and opens nothing."""
        return self._browsers.mark(session.person.username, session.epoch)

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
        epoch = self._users.raise_epoch(username)
        if epoch is None:
            raise ChatError("unauthenticated")
        self._tell(self._sessions.raise_epoch(username, epoch, EVERYWHERE), EVERYWHERE)
        note("end_sessions", user=username, address=address, outcome="ok")

    def change_password(self, session: Session, password: str, new_password: str, address: str) -> Session:
        """Replaces the password, and ends all sessions but this one, which is returned as it is then.

        The same request again is fine, so that a lost answer does not leave anybody guessing which password counts.
        Raises: ChatError `password_wrong`, `password_length`, `password_common`, `rate_limited`, `busy`, `unavailable`.
        """
        username = session.person.username
        who = address_bucket(address), username
        raw = check(new_password, username)
        tries = Tries(((self._limits.password, username),))
        with self._noted_if_limited("password", address, {"user": username}):
            tries.refuse_if_over()
            user = self._users.get(username)
            stored = user.password_hash if user else None
            right = self._passwords.matches(password, stored, who, tries.count)
        done = not right and self._passwords.matches(new_password, stored, who)
        if not right and not done:
            note("password", user=username, address=address, outcome="password_wrong")
            raise ChatError("password_wrong")
        tries.give_back()
        new = stored if done else self._passwords.hash(raw, who)
        epoch = self._users.raise_epoch(username, (stored or "", new or ""))
        if epoch is None:
            raise ChatError("busy", retry_after_s=1)  # it was changed elsewhere in this moment
        self._tell(self._sessions.raise_epoch(username, epoch, "password", keep=session), "password")
        note("password", user=username, address=address, outcome="ok")
        return replace(session, epoch=epoch)

    @contextmanager
    def _noted_if_limited(self, event: str, address: str, told: dict[str, str]) -> Iterator[None]:
        try:
            yield
        except ChatError as error:
            if error.code == "rate_limited":
                note(event, **told, address=address, outcome="rate_limited")
            raise

    def _end(self, sids: list[str], reason: str) -> None:
        for sid in sids:
            self._sessions.end(sid, reason)
        self._tell(sids, reason)

    def _tell(self, sids: list[str], reason: str) -> None:
        if self._bus is not None:
            for sid in sids:
                self._bus.publish(SessionEnded(sid, reason))
