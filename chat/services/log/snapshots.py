"""The snapshots that changes speak of: read beside the transactions that write them."""

from __future__ import annotations

import gevent

from chat.errors import ChatError
from chat.models import Entry, Message
from chat.services.storage.storage import Storage


def snapshots_of_changes(storage: Storage, room: str, entries: list[Entry]) -> dict[int, Message]:
    """The snapshots that the changes among these entries speak of, each at least as new as the change.

    A read beside a transaction may see the change before the snapshot: then it is read again.
    Raises: ChatError `unavailable` when the snapshots stay behind.
    """
    needed: dict[int, int] = {}
    for entry in entries:
        if entry.kind == "change" and entry.message:
            needed[entry.message] = max(needed.get(entry.message, 0), entry.seq)
    snapshots: dict[int, Message] = {}
    for _ in range(20):
        snapshots |= storage.entries.snapshots(room, needed)
        needed = {seq: rev for seq, rev in needed.items() if seq in snapshots and snapshots[seq].rev < rev}
        if not needed:
            return snapshots
        gevent.sleep(0.05)
    raise ChatError("unavailable")
