"""Reading a room's log from the table as it will stay: decided entries, in order, without holes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.models import Entry, Message, Room
from chat.services.log.snapshots import snapshots_of_changes
from chat.services.storage.entries import BUCKET_SIZE, bucket_of
from chat.services.storage.storage import Storage

PAGE = 500

Told = tuple[Entry, Message | None]


def read_on(storage: Storage, room: str, after: int, head: int, limit: int = PAGE) -> tuple[list[Told], int]:
    """The entries behind `after`, as far as no number is missing, with the snapshots of the messages among them; and
    the first number behind them that is known to be decided. `head` is decided. Raises: ChatError `unavailable`."""
    read = storage.entries.after(room, after, limit, head)
    dense = [pair for place, pair in enumerate(read, after + 1) if pair[0].seq == place]
    return dense, read[len(dense)][0].seq if len(dense) < len(read) else head


def with_snapshots(storage: Storage, room: str, told: Sequence[Told]) -> list[Told]:
    """The same entries; those that change a message with its snapshot as it is now, at least as new as the change."""
    snapshots = snapshots_of_changes(storage, room, [entry for entry, _ in told])
    return [
        (entry, snapshots.get(entry.message or 0) if entry.kind == "change" else snapshot) for entry, snapshot in told
    ]


def entries_of(storage: Storage, room: Room) -> Iterator[Told]:
    """All that is kept of a room's log, holes left out."""
    position, head = room.floor - 1, storage.entries.head(room.id, room.bucket)
    while position < head:
        read = storage.entries.after(room.id, position, PAGE, head)
        yield from read
        position = read[-1][0].seq if read else (bucket_of(position + 1) + 1) * BUCKET_SIZE - 1
