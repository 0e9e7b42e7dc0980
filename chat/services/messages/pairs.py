"""Entries with their snapshots, as a log is read: how many messages they hold, and where they are without a hole."""

from __future__ import annotations

from collections.abc import Iterable

from chat.models import Entry, Message

MAX_PAGE_ENTRIES = 1_000
# A page ends early behind so many bytes of text, and is read in pieces: what one person asks for at once is not to take
# so long that others wait for it, here or in the database.
ENOUGH_BYTES = 128 * 1024
FIRST_PIECE = 51  # a page of fifty, and the entry before which it is

Pair = tuple[Entry, Message | None]


def count_messages(pairs: Iterable[Pair]) -> int:
    """How many of them are messages."""
    return sum(snapshot is not None for _, snapshot in pairs)


def piece(pairs: list[Pair], limit: int) -> int:
    """How many entries to ask for next: few first, for they may be long; then what is missing, and where little of what
    was read is a message, as many again."""
    return max(limit - count_messages(pairs), len(pairs)) if pairs else min(limit, FIRST_PIECE)


def text_bytes(pairs: Iterable[Pair]) -> int:
    """How long their texts are together."""
    return sum(len(snapshot.text.encode()) for _, snapshot in pairs if snapshot is not None)


def first_messages(pairs: list[Pair], limit: int, most: int = MAX_PAGE_ENTRIES) -> list[Pair]:
    """The beginning of `pairs` with at most `limit` messages and `most` entries."""
    messages = 0
    for index, (_, snapshot) in enumerate(pairs[:most]):
        messages += snapshot is not None
        if messages == limit:
            return pairs[: index + 1]
    return pairs[:most]


def run(pairs: list[Pair], last: int) -> list[Pair]:
    """The beginning of `pairs` that follows the entry `last` without a hole."""
    for index, (entry, _) in enumerate(pairs):
        if entry.seq != last + 1 + index:
            return pairs[:index]
    return pairs


def last_run(pairs: list[Pair]) -> list[Pair]:
    """The end of `pairs` that is without a hole."""
    for index in range(len(pairs) - 1, 0, -1):
        if pairs[index - 1][0].seq != pairs[index][0].seq - 1:
            return pairs[index:]
    return pairs


def rev_of(snapshot: Message | None) -> int:
    """The number of the entry that changed it last, 0 without a snapshot."""
    return snapshot.rev if snapshot is not None else 0


def merged(older: list[Message], newer: list[Message]) -> list[Message]:
    """Both, by number; of two snapshots of one message the one with the higher rev."""
    snapshots = {snapshot.seq: snapshot for snapshot in older}
    snapshots |= {snapshot.seq: snapshot for snapshot in newer if snapshot.rev >= rev_of(snapshots.get(snapshot.seq))}
    return [snapshots[seq] for seq in sorted(snapshots)]
