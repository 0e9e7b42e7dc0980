"""Registration: what a name may be, and making an account."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chat import names
from chat.errors import ChatError
from chat.models import User
from chat.services.accounts.addresses import address_bucket
from chat.services.accounts.audit import note
from chat.services.accounts.passwords import Passwords, check

if TYPE_CHECKING:
    from chat.services.limits.limits import Limit
    from chat.services.storage.users import UserRows


class Registration:
    """Makes accounts. `limit` is how many may come from one address; without it (a Lambda function has no Redis)
    something in front of it sees to that."""

    def __init__(self, users: UserRows, passwords: Passwords, limit: Limit | None):
        self._users = users
        self._passwords = passwords
        self._limit = limit

    def register(self, username: str, password: str, address: str) -> User:
        """Makes an account; opens no session.

        Raises: ChatError `username_invalid`, `username_taken`, `password_length`, `password_common`, `rate_limited`,
        `busy`, `unavailable`.
        """
        folded = names.username(username)
        if folded is None:
            raise ChatError("username_invalid")
        raw = check(password, folded)
        who = address_bucket(address), folded
        self._passwords.refuse_if_full(who)  # before it counts as a try
        if self._limit is not None:
            self._limit.spend(who[0])
        stored = self._passwords.hash(raw, who)
        user = User(folded, names.shown(username), stored, created_at_ms=int(time.time() * 1000))
        try:
            self._users.put(user)
        except ChatError as error:
            told = {"user": folded} if error.code == "username_taken" else {}  # else it may be nobody's, but a password
            note("register", **told, address=address, outcome=error.code)
            raise
        note("register", user=folded, address=address, outcome="ok")
        return user
