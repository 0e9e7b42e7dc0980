"""The audit log: who came in, who was refused, who ended what, and who brought whom where."""

from __future__ import annotations

import json
import logging
import time

from chat.errors import ChatError
from chat.services.runtime.token_bucket import TokenBucket

# Asking for what is somebody else's; those of a sign-in are noted where it is judged.
REFUSALS = frozenset(
    {"origin_refused", "user_mismatch", "room_not_found", "not_room_owner", "not_author", "ticket_invalid"}
)
REFUSALS_NOTED = 200  # in ten seconds, of a process: what needs no account must not fill a disk

audit = logging.getLogger("parley.audit")


def note(event: str, **facts: str) -> None:
    """One line of the audit log: JSON, so that nothing in a name can forge a line."""
    audit.info(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **facts}))


class Refusals:
    """What the doors of this process refuse."""

    def __init__(self) -> None:
        self._bucket = TokenBucket(REFUSALS_NOTED, 10.0)
        self._left_out = 0

    def note(self, error: ChatError, door: str, **facts: str | None) -> None:
        """Notes a refusal that says that somebody asked for what is not theirs; of a flood a part, and how many were
        left out. Facts that are not known are none."""
        if error.code not in REFUSALS:
            return
        try:
            self._bucket.take()
        except ChatError:
            self._left_out += 1
            return
        known = {name: value for name, value in facts.items() if value}
        left_out, self._left_out = self._left_out, 0
        note("refused", door=door, **known, outcome=error.code, **({"left_out": str(left_out)} if left_out else {}))


refusals = Refusals()
