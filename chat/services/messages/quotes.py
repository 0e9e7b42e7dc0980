"""What messages answer: the words that stand above a reply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chat.errors import ChatError
from chat.models import Membership, Message, Room
from chat.services.messages.pairs import ENOUGH_BYTES
from chat.services.rooms.rooms import first_visible
from chat.services.storage.storage import Storage

MAX_QUOTES = 100  # of a page: so many rows are one request


def check_reply(storage: Storage, room: Room, membership: Membership, seq: int | None) -> None:
    """Raises: ChatError `reply_not_found` when that number is no message of the room which this member may see. One
    that was deleted still is one: whoever was answering it meanwhile has their say."""
    if seq is None:
        return
    found = storage.entries.get(room.id, seq) if seq >= first_visible(room, membership) else None
    if found is None or found[1] is None:
        raise ChatError("reply_not_found")


def quotes_of(
    storage: Storage, room: Room, membership: Membership, messages: Sequence[Message], beside: Iterable[Message] = ()
) -> list[Message]:
    """The messages that these answer and that stand neither among nor `beside` them, by number, as they are now and as
    far as this member may see them. One request at most, and none where nothing is missing: MAX_QUOTES of them, and no
    more than have ENOUGH_BYTES of text together, those that were answered last."""
    first = first_visible(room, membership)
    shown = {message.seq for message in (*messages, *beside)}
    answered = (message.reply_to or 0 for message in reversed(messages) if not message.deleted)
    missing = list(dict.fromkeys(seq for seq in answered if seq >= first and seq not in shown))[:MAX_QUOTES]
    if not missing:
        return []
    found = storage.entries.snapshots(room.id, missing)
    quotes: list[Message] = []
    left = ENOUGH_BYTES
    for seq in missing:
        if seq in found and (left := left - len(found[seq].text.encode())) >= 0:
            quotes.append(found[seq])
    return sorted(quotes, key=lambda quote: quote.seq)
