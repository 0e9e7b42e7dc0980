"""The images that changes speak of: read beside the transactions that write them."""

from __future__ import annotations

import gevent

from chat.errors import ChatError
from chat.models import Entry, Message
from chat.services.storage.storage import Storage


def images_of_changes(storage: Storage, room: str, entries: list[Entry]) -> dict[int, Message]:
    """The images that the changes among these entries speak of, each at least as new as the change.

    A read beside a transaction may see the change before the image: then it is read again.
    Raises: ChatError `unavailable` when the images stay behind.
    """
    needed: dict[int, int] = {}
    for entry in entries:
        if entry.kind == "change" and entry.message:
            needed[entry.message] = max(needed.get(entry.message, 0), entry.seq)
    images: dict[int, Message] = {}
    for _ in range(20):
        images |= storage.entries.images(room, needed)
        needed = {seq: rev for seq, rev in needed.items() if seq in images and images[seq].rev < rev}
        if not needed:
            return images
        gevent.sleep(0.05)
    raise ChatError("unavailable")
