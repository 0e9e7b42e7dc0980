"""What a client may send over Socket.IO (protocol version 5), decoded strictly: JSON only, no attachments.

The installed decoder takes more than this chat speaks: ids of a hundred digits, promises of 100,000,000 attachments,
and events named like our own handlers (`connect`, `disconnect`, `*`), which it would then run.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from chat.depth import too_deep

CONNECT, DISCONNECT, EVENT, ACK = 0, 1, 2, 3

MAX_ID_DIGITS = 15  # below 2^53: JavaScript tells such numbers apart
MAX_NAMESPACE = 64
MAX_EVENT_NAME = 64
_EVENT = re.compile(rf"2([0-9]{{0,{MAX_ID_DIGITS}}})(?=\[)")
RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener", "*"})


class Malformed(Exception):
    """The client sent what is no packet of this protocol."""


class ClientPacket(NamedTuple):
    """`data` is a dict or None in CONNECT, `[event, …]` in EVENT, a list in ACK, None in DISCONNECT."""

    kind: int
    namespace: str
    id: int | None
    data: Any


def decode(text: str) -> ClientPacket:
    """A client's packet. Raises: Malformed."""
    event = _EVENT.match(text)
    if event is not None:  # nearly all of them
        number = int(event[1]) if event[1] else None
        packet = ClientPacket(EVENT, "/", number, _json(text, event.end()))
    else:
        packet = _any(text)
    if not _makes_sense(packet):
        raise Malformed("data")
    return packet


def _any(text: str) -> ClientPacket:
    kind = "0123".find(text[:1]) if text else -1
    if kind < 0:
        raise Malformed("kind")
    namespace, rest = _namespace(text[1:])
    number, rest = _id(rest)
    return ClientPacket(kind, namespace, number, _json(rest) if rest else None)


def _namespace(rest: str) -> tuple[str, str]:
    if not rest.startswith("/"):
        return "/", rest
    namespace, _, rest = rest.partition(",")
    namespace = namespace.partition("?")[0]
    if len(namespace) > MAX_NAMESPACE:
        raise Malformed("namespace")
    return namespace, rest


def _id(rest: str) -> tuple[int | None, str]:
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if digits > MAX_ID_DIGITS:
        raise Malformed("id")
    return (int(rest[:digits]) if digits else None), rest[digits:]


def _json(text: str, at: int = 0) -> Any:
    """What stands from there to the end."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        raise Malformed("json") from None
    if end != len(text) or too_deep(value, text.count("[", at) + text.count("{", at)):
        raise Malformed("json")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)  # made once: making one takes longer


def _makes_sense(packet: ClientPacket) -> bool:
    data = packet.data
    if packet.kind == CONNECT:
        return packet.id is None and (data is None or isinstance(data, dict))
    if packet.kind == DISCONNECT:
        return packet.id is None and data is None
    if packet.kind == ACK:
        return packet.id is not None and isinstance(data, list)
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        return False
    return len(data[0]) <= MAX_EVENT_NAME and data[0] not in RESERVED
