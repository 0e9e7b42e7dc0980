"""Browsers that are known to an account, by the mark that they were given when they last signed in.

A mark is `<epoch>.<seconds since 1970>.<nonce>.<HMAC>`: it names nobody and opens nothing. It is good for 90 days, and
for the epoch that it was made in: whatever ends the account's sessions everywhere makes its browsers strangers too.
What was given before marks were dated is a stranger's, and is replaced at the next login.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable

KNOWN_S = 90 * 24 * 3600
CLOCKS_DIFFER_S = 300
MARK = re.compile(r"([0-9]{1,9})\.([0-9]{1,11})\.([A-Za-z0-9_-]{1,32})\.([0-9a-f]{64})")


class Browsers:
    """Gives marks and knows them again. `now` gives seconds since 1970."""

    def __init__(self, secret_key: str, now: Callable[[], float] = time.time):
        self._secret = secret_key.encode()
        self._now = now

    def mark(self, username: str, epoch: int) -> str:
        """What a browser shows the next time that it signs in to this account."""
        said = f"{epoch}.{int(self._now())}.{secrets.token_urlsafe(12)}"
        return f"{said}.{self._proof(said, username)}"

    def epoch(self, shown: str, username: str) -> int | None:
        """The epoch of the account in which that mark was given to a browser of it; None when it was not, or too long
        ago."""
        found = MARK.fullmatch(shown)
        if found is None or not hmac.compare_digest(found[4], self._proof(shown.rpartition(".")[0], username)):
            return None
        age_s = self._now() - int(found[2])
        return int(found[1]) if -CLOCKS_DIFFER_S <= age_s < KNOWN_S else None

    def _proof(self, said: str, username: str) -> str:
        signed = f"known browser 2\0{said}\0{username}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, signed, "sha256").hexdigest()
