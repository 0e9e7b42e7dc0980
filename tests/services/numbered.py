"""Events of no meaning, for tests of the bus itself: each of a kind with a name, and with a number."""

from __future__ import annotations

from typing import Any

from msgspec import defstruct

from chat.services.bus import events
from chat.services.bus.events import Event


def numbered(kind: str, number: int, volatile: bool = False) -> Event:
    """An event of that kind, which whoever imports this file reads from now on."""
    known: Any = events.KINDS.get(kind)
    if known is None:
        fields, more = [("number", int)], {"volatile": volatile}
        known = defstruct(kind.title(), fields, bases=(Event,), namespace=more, frozen=True, tag=kind, tag_field="kind")
        events.KINDS[kind] = known
    return known(number)  # type: ignore[no-any-return]


for _kind in ("hello", "news", "slow", "answered", "lost", "kept", "ahead", "last", "from a command"):
    numbered(_kind, 0)
numbered("whispered", 0, volatile=True)
