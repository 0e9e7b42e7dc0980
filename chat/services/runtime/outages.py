"""What this process cannot do its work with, said in its log: the cause, at most once a minute for each, and once when
it is over. Whoever gets an error for a person's request says nothing more: at 500 requests a second that is no log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_S = 60.0
OVER_AFTER_S = 5.0  # a full Redis answers reads between two refused writes: that is not over
MOST_CAUSES = 100
MOST_CHARS = 200

log = logging.getLogger(__name__)


class Outage:
    """Of one thing, `what`. Told of every failure and of every success; costs a success nothing while all is well."""

    def __init__(self, what: str, now: Callable[[], float] = time.monotonic):
        self._what = what
        self._now = now
        self._said: dict[str, float] = {}
        self._since = self._failed_at = 0.0
        self._failing = self._told = False

    def failed(self, cause: str, trace: bool = False) -> None:
        """It failed, for that cause: one line of plain text without anybody's data. With `trace` the log gets the
        exception's too."""
        now = self._failed_at = self._now()
        if not self._failing:
            self._failing, self._told, self._since = True, False, now
        cause = " ".join(cause.split())[:MOST_CHARS]
        if now - self._said.get(cause, float("-inf")) < EVERY_S:
            return
        self._said.pop(cause, None)
        self._said[cause] = now
        if len(self._said) > MOST_CAUSES:
            del self._said[next(iter(self._said))]
        self._told = True
        log.error("%s: %s", self._what, cause, exc_info=trace)

    def succeeded(self) -> None:
        """It worked: over, unless it failed a moment ago."""
        if self._failing and self._now() - self._failed_at > OVER_AFTER_S:
            self._failing = False
            if self._told:
                log.warning("%s: over, well again after %d s", self._what, round(self._now() - self._since))


def words(error: Exception) -> str:
    """What boto3 says of a failure: the code in front, and what the system said of an address that is not reached."""
    told = (getattr(error, "response", None) or {}).get("Error")  # None where no answer came
    if told:
        return f"{told['Code']} {told.get('Message', '')}".partition("\n")[0]
    return f"{error} {error.__cause__ or ''}"


REDIS = Outage("Redis cannot be used")
DYNAMODB = Outage("DynamoDB cannot be used")
LATE = Outage("Requests are given up")  # also where no single call hangs: a worker that gets no processor
