"""The audit log: who came in, who was refused, who ended what."""

from __future__ import annotations

import json
import logging
import time

audit = logging.getLogger("parley.audit")


def note(event: str, **facts: str) -> None:
    """One line of the audit log: JSON, so that nothing in a name can forge a line."""
    audit.info(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **facts}))
