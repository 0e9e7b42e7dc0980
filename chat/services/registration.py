"""Registration: what a name may be, and making an account."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import TYPE_CHECKING

from chat.errors import ChatError
from chat.models import User
from chat.services.addresses import address_bucket
from chat.services.audit import note
from chat.services.passwords import Passwords, check

if TYPE_CHECKING:
    from chat.services.dynamodb import Storage
    from chat.services.limits import Limit

USERNAME_CHARS = (2, 32)
USERNAME = re.compile(r"\w+([.\-]\w+)*")


class Registration:
    """Makes accounts. `limit` is how many may come from one address; without it (a Lambda function has no Redis)
    something in front of it sees to that."""

    def __init__(self, storage: Storage, passwords: Passwords, limit: Limit | None):
        self._storage = storage
        self._passwords = passwords
        self._limit = limit

    def register(self, username: str, password: str, address: str) -> User:
        """Makes an account; opens no session.

        Raises: ChatError `username_invalid`, `username_taken`, `password_length`, `password_common`, `rate_limited`,
        `busy`, `unavailable`.
        """
        name = unicodedata.normalize("NFKC", username)
        folded = fold(username)
        raw = check(password, folded)
        who = address_bucket(address), folded
        self._passwords.refuse_if_full(who)  # before it counts as a try
        if self._limit is not None:
            self._limit.spend(who[0])
        user = User(folded, name, self._passwords.hash(raw, who), created_at_ms=int(time.time() * 1000))
        try:
            self._storage.put_user(user)
        except ChatError as error:
            note("register", user=folded, address=address, outcome=error.code)
            raise
        note("register", user=folded, address=address, outcome="ok")
        return user


def fold(username: str) -> str:
    """The id of a name: NFKC and casefolded. Raises: ChatError `username_invalid`."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    letters = all(c.isalnum() or c in "._-" or unicodedata.category(c) in ("Mn", "Mc") for c in folded)
    if not (USERNAME_CHARS[0] <= len(folded) <= USERNAME_CHARS[1] and letters and USERNAME.fullmatch(folded)):
        raise ChatError("username_invalid")
    return folded
