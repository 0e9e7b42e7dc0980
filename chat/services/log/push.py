"""How an entry is told to people: the events of docs/protocol.md."""

from __future__ import annotations

from typing import Any

from chat.models import LEAVING, Room


def push(room: Room, entry: dict[str, Any], snapshot: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """The event and payload of docs/protocol.md that tell of an entry."""
    kind = entry["kind"]
    if kind == "message" and snapshot:
        return "message:sent", snapshot
    where = {"room": room.id, "generation": room.generation, "entry": entry["seq"]}
    if kind == "change" and snapshot:
        return "message:changed", where | {"message": snapshot}
    if kind in ("joined", *LEAVING):
        facts = {key: entry[key] for key in ("user", "name", "by", "successor", "at_ms") if key in entry}
        return f"member:{kind}", where | facts
    if kind == "room":
        return "room:changed", where | {"name": entry["name"], "at_ms": entry["at_ms"]}
    return "entry:skipped", where
